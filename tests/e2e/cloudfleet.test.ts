/** Proves the documentation's own command lines, and what API tokens may do with kubectl from their making to their end. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import { type Cloudfleet, startCloudfleet } from "../cloud/cloudfleet.ts";
import { documentedRoleBinding } from "../cloud/documented-role-binding.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { kubectl } from "./kubectls.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { type Finished, testInWorld, type World } from "./world.ts";

/** A Cloudfleet with the variables that lead this world's programs to it. */
interface Place extends AsyncDisposable {
  readonly cloudfleet: Cloudfleet;
  readonly env: Readonly<Record<string, string>>;
  /** Runs datumctl to its good end; its stdout. */
  ok(words: string, stdin?: string): Promise<string>;
  run(words: string, stdin?: string): Promise<Finished>;
  kubectl(profile: string, words: string): Promise<Finished>;
}

async function openPlace(world: World): Promise<Place> {
  const cloudfleet = await startCloudfleet();
  const env = {
    CLOUDFLEET_ISSUER: cloudfleet.issuer,
    CLOUDFLEET_API_URL: cloudfleet.apiUrl,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloudfleet.caFile,
  };
  const options = (stdin?: string) => ({ env, stdin });
  const cluster = cloudfleet.clusters[0]?.id ?? "";
  return {
    cloudfleet,
    env,
    ok: (words, stdin) => world.ok(words.split(" "), options(stdin)),
    run: (words, stdin) => world.datumctl(words.split(" "), options(stdin)),
    // Without the variables: what kubectl needs is kept.
    kubectl: (profile, words) =>
      world.start(kubectl, ["--context", `${cluster}/${profile}`, ...words.split(" ")]).finished,
    [Symbol.asyncDispose]: () => cloudfleet.close(),
  };
}

function testInPlace(
  name: string,
  run: (world: World, place: Place) => Promise<void>,
  ignore = false,
): void {
  testInWorld(name, async (world) => {
    await using place = await openPlace(world);
    await run(world, place);
  }, { ignore });
}

/** Adds a token as a profile and gives it a context; the token. */
async function withProfile({ cloudfleet, ok }: Place, name: string, role: "Administrator" | "User") {
  const token = cloudfleet.addToken({ name, role });
  await ok(`auth add-profile token ${name} ${cloudfleet.organizationId} ${token.id}`, token.secret);
  await ok(`clusters kubeconfig ${cloudfleet.clusters[0]?.id} --profile ${name}`);
  return token;
}

testInPlace(
  "every command line of the documentation works as it stands there",
  async (world, place) => {
    const { cloudfleet, env } = place;
    const { organizationId, administrator } = cloudfleet;
    const { id } = cloudfleet.addToken({ name: "rotated", role: "User", id: "2iKo4Asy51EUx2gpJFW76t" });
    await place.ok(
      `auth add-profile token cloudfleetou ${organizationId} ${administrator.id} ${administrator.secret}`,
    );
    assert.match(
      await place.ok("tokens create .name: HUMAN_FRIENDLY_NAME, .role: User"),
      /\nSecret: +\S{32}\n$/,
    );
    assert.match(await place.ok("tokens list"), /\S{22} +HUMAN_FRIENDLY_NAME +User /);

    await using panes = openPanes(world);
    const before = cloudfleet.secrets().length;
    const regenerate = ["tokens", "--profile", "cloudfleetou", "regenerate", id];
    const first = await panes.open([world.binary, ...regenerate], env);
    await first.shows(/Give the token 2iKo4Asy51EUx2gpJFW76t a new secret\?.*\[y\/N\] $/m);
    await first.type("y");
    await first.press("Enter");
    assert.equal(await first.ended(), 0);
    const [, secret = ""] = await first.shows(/^Secret: +(\S+)$/m);
    assert.ok(cloudfleet.secrets().slice(before).some(({ value }) => value === secret));
    await place.ok(`auth add-profile token rotated ${organizationId} ${id}`, secret);

    const second = await panes.open([world.binary, "tokens", "--profile", "cloudfleetou", "delete", id], env);
    await second.shows(/Delete the token 2iKo4Asy51EUx2gpJFW76t for good\?.*\[y\/N\] $/m);
    await second.type("y");
    await second.press("Enter");
    assert.equal(await second.ended(), 0);
    assert.doesNotMatch(await place.ok("tokens list"), /2iKo4Asy51EUx2gpJFW76t/);
  },
  !panesAtHand,
);

testInPlace(
  "kubectl as a User gets and does not delete, until a RoleBinding says more; an Administrator may",
  async (world, place) => {
    await withProfile(place, "admin", "Administrator");
    const ci = await withProfile(place, "ci", "User");
    const run = async (profile: string, words: string, pattern: RegExp) => {
      const { stdout, stderr } = await place.kubectl(profile, words);
      assert.match(stdout + stderr, pattern);
    };
    await run("admin", "create namespace your-namespace", /created/);
    await run("admin", "create configmap one --from-literal=a=1", /created/);
    await run("admin", "-n your-namespace create configmap two", /created/);
    await run("ci", "auth whoami", new RegExp(`Username +service-account-${ci.id.toLowerCase()}\n`));
    await run("ci", "get configmaps -A", /default +one .*your-namespace +two /s);
    await run("ci", "delete configmap one", /Forbidden/);
    await Deno.writeTextFile(`${world.home}/binding.yaml`, documentedRoleBinding(ci.id));
    await run("ci", `apply -f ${world.home}/binding.yaml`, /Forbidden/);
    await run("admin", `apply -f ${world.home}/binding.yaml`, /created/);
    await run("ci", "-n your-namespace delete configmap two", /deleted/);
    await run("ci", "delete configmap one", /Forbidden/);
    await run("admin", "delete configmap one", /deleted/);
  },
  kubectl === "",
);

testInPlace(
  "kubectl: a rotated token's profile goes on, and a deleted token is told by its profile",
  async (_, place) => {
    const { cloudfleet } = place;
    const { id, secret } = await withProfile(place, "ci", "User");
    await withProfile(place, "admin", "Administrator");
    const get = () => place.kubectl("ci", "get namespaces");
    assert.equal((await get()).code, 0);
    const rotated = await place.ok(`tokens regenerate ${id} --profile admin --update-profile --yes`);
    assert.match(rotated, /Secret in: +the profile "ci"/);
    assert.equal((await get()).code, 0);
    const old = await place.run(`auth add-profile token old ${cloudfleet.organizationId} ${id}`, secret);
    assert.equal(old.code, 4, old.stderr);

    await place.ok(`tokens delete ${id} --profile admin --yes`);
    const ended = await get();
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /Cannot get a token for the profile "ci": .*refused the credential/);
    assert.match(
      ended.stderr,
      new RegExp(`datumctl auth add-profile token ci ${cloudfleet.organizationId} ${id}`),
    );
  },
  kubectl === "",
);

testInPlace(
  "kubectl with the variables alone, which must be there each time",
  async (world, place) => {
    const { cloudfleet } = place;
    const { id, secret } = cloudfleet.addToken({ name: "ci", role: "User" });
    const env = {
      ...place.env,
      CLOUDFLEET_ORGANIZATION_ID: cloudfleet.organizationId,
      CLOUDFLEET_ACCESS_TOKEN_ID: id,
      CLOUDFLEET_ACCESS_TOKEN_SECRET: secret,
    };
    const cluster = cloudfleet.clusters[0]?.id ?? "";
    await world.ok(["clusters", "kubeconfig", cluster], { env });
    const words = ["--context", `${cluster}/env:CLOUDFLEET_ACCESS_TOKEN_ID`, "get", "namespaces"];
    const good = await world.start(kubectl, words, { env }).finished;
    assert.equal(good.code, 0, good.stderr);
    const bare = await world.start(kubectl, words).finished;
    assert.equal(bare.code, 1);
    assert.match(bare.stderr, /The variable CLOUDFLEET_ACCESS_TOKEN_ID is not set/);
    for (const path of await world.files()) {
      assert.ok(!(await Deno.readTextFile(path)).includes(secret), path);
    }
  },
  kubectl === "",
);

testInPlace("50 get-token on an expired API token cost one mint", async (world, place) => {
  const { cloudfleet } = place;
  cloudfleet.setTokenLife(1);
  const { id, secret } = cloudfleet.administrator;
  await place.ok(`auth add-profile token ci ${cloudfleet.organizationId} ${id}`, secret);
  cloudfleet.setTokenLife(300);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // the token's whole life
  cloudfleet.resetCounts();
  const finished = await Promise.all(
    Array.from(
      { length: 50 },
      () => world.datumctl(["auth", "get-token", "--session", "ci"], { timeout: 120_000 }),
    ),
  );
  for (const { code, stderr } of finished) assert.equal(code, 0, stderr);
  assert.equal(new Set(finished.map(({ stdout }) => stdout)).size, 1);
  assert.equal(cloudfleet.counts()["minted"], 1);
});

testInPlace(
  "an outage leaves a profile as it is",
  async (world, place) => {
    const { cloudfleet } = place;
    const { id, secret } = cloudfleet.administrator;
    await place.ok(`auth add-profile token ci ${cloudfleet.organizationId} ${id}`, secret);
    const token = ["auth", "get-token", "--session", "ci", "--force-refresh", "--error-format", "json"];
    const before = await place.ok("auth list-profiles -o json");
    await cloudfleet.setFaults({ down: ["issuer"] });
    const outage = await world.datumctl(token);
    onlyPrintedError(outage, { exitCode: 6, retryable: true });
    await cloudfleet.setFaults({});
    assert.equal(await place.ok("auth list-profiles -o json"), before);
    await world.ok(token);
  },
);

testInPlace(
  "a secret that was changed elsewhere is told by the profile's name",
  async (world, place) => {
    const { cloudfleet } = place;
    const { id, secret } = cloudfleet.administrator;
    await place.ok(`auth add-profile token ci ${cloudfleet.organizationId} ${id}`, secret);
    cloudfleet.regenerateToken(id);
    const token = ["auth", "get-token", "--session", "ci", "--force-refresh", "--error-format", "json"];
    const refused = await world.datumctl(token);
    onlyPrintedError(refused, { code: "SESSION_REJECTED", message: /the profile "ci"/ });
  },
);

testInPlace(
  "a person's profile is signed in to by kubectl's plugin on its first use",
  async (world, place) => {
    const { cloudfleet } = place;
    const { organizationId, userIssuer, userClientId } = cloudfleet;
    await place.ok(
      `auth add-profile user work ${organizationId} --issuer ${userIssuer} --client-id ${userClientId}`,
    );
    const version = "client.authentication.k8s.io/v1";
    const asKubectl = (interactive: boolean) =>
      JSON.stringify({ apiVersion: version, kind: "ExecCredential", spec: { interactive } });
    const plugin = ["auth", "get-token", "--output", version, "--session", "work"];
    const silent = await world.datumctl(plugin, { env: { KUBERNETES_EXEC_INFO: asKubectl(false) } });
    assert.equal(silent.code, 4);
    assert.match(
      silent.stderr,
      /Nobody has signed in to the profile "work" yet.*\n.*datumctl login --profile work/,
    );
    const asked = await whenPrinted(
      printedAddress,
      (address) => signInByHttp(cloudfleet, address, "grace@example.com"),
      (onStderr) => world.datumctl(plugin, { env: { KUBERNETES_EXEC_INFO: asKubectl(true) }, onStderr }),
    );
    assert.equal(asked.code, 0, asked.stderr);
    const { status } = JSON.parse(asked.stdout);
    assert.equal(status.token, (await world.ok(["auth", "get-token", "--session", "work"])).trim());
    await place.ok(`clusters kubeconfig ${cloudfleet.clusters[0]?.id} --profile work`);
    if (kubectl === "") return;
    const { stdout, stderr } = await place.kubectl("work", "auth whoami");
    assert.match(stdout, /Username +grace@example\.com\n/, stderr);
  },
);

testInPlace(
  "Ctrl-C while the API answers ends the command when the new secret is kept",
  async (world, place) => {
    const { cloudfleet } = place;
    const { id, secret } = cloudfleet.administrator;
    await place.ok(`auth add-profile token ci ${cloudfleet.organizationId} ${id}`, secret);
    await cloudfleet.setFaults({ api: { slow: 500 } });
    cloudfleet.resetCounts();
    const words = ["tokens", "regenerate", id, "--update-profile", "--yes"];
    const running = world.start(world.binary, words, { env: place.env });
    while ((cloudfleet.counts()["api"] ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    running.kill("SIGINT");
    const { code, stdout, stderr } = await running.finished;
    assert.equal(code, 130, stderr);
    assert.match(stdout, /Secret in: +the profile "ci"/);
    await cloudfleet.setFaults({});
    await world.ok(["auth", "get-token", "--session", "ci", "--force-refresh"]);
  },
);
