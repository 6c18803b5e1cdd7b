/** Proves that hints speak of what the failed call used: its session, variable, flag or cluster entry. */

import assert from "node:assert/strict";
import { type Certificates, makeCertificates } from "../cloud/certificates.ts";
import { openCloudfleetWorld } from "./cloudfleet-world.ts";
import { runLine } from "./run-line.ts";
import { ADA, at, GRACE, openWorld } from "./world.ts";

/** The hint of an error that nobody but an unknown authority is to blame for. */
function hintOf({ code, stderr }: { readonly code: number; readonly stderr: string }): string {
  assert.equal(code, 1, stderr);
  const [, hint = ""] =
    /was issued by an authority that this machine does not trust\.\n(.+)\n$/.exec(stderr) ?? [];
  assert.match(hint, /^The .+ SHA-256 [0-9A-F:]{95}.* name its certificate: /, stderr);
  return hint.replace(/^.* name its certificate: /, "");
}

/** An API server whose authority nobody here knows. */
function listen({ certificatePem: cert, keyPem: key }: Certificates) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, cert, key },
    () => new Response("{}"),
  );
  return { address: `https://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("acting from a variable, the hint names the variable, whoever is active", async () => {
  await using world = await openWorld();
  const { cloud, sandbox } = world;
  await world.login(ADA);
  const place = { DATUMCTL_HOSTNAME: cloud.authHost, DATUMCTL_API_HOSTNAME: cloud.apiHost };
  const key = `${sandbox.folder}/../key-${crypto.randomUUID()}.json`;
  await Deno.writeTextFile(key, JSON.stringify(await cloud.addServiceAccount()), { mode: 0o600 });
  const trusted = { ...place, DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile, DATUMCTL_CREDENTIALS_FILE: key };
  const token = (await world.ok("auth get-token", { env: trusted })).trimEnd();
  const wanted = "DATUMCTL_CERTIFICATE_AUTHORITY=FILE";
  for (const env of [{ ...place, DATUMCTL_TOKEN: token }, { ...place, DATUMCTL_CREDENTIALS_FILE: key }]) {
    for (
      const words of [
        "organizations list",
        "auth whoami --platform-wide",
        "auth update-kubeconfig --project web",
      ]
    ) {
      assert.equal(hintOf(await world.run(words, { env })), wanted, words);
    }
  }
  assert.equal(
    hintOf(await world.run("auth get-token", { env: { ...place, DATUMCTL_CREDENTIALS_FILE: key } })),
    wanted,
  );
});

Deno.test("acting from Cloudfleet's variables, the hint names the variable", async () => {
  await using world = await openCloudfleetWorld();
  const { cloudfleet: { organizationId, administrator: { id, secret } } } = world;
  await world.addAdministrator("ci");
  const variables = {
    CLOUDFLEET_ORGANIZATION_ID: organizationId,
    CLOUDFLEET_ACCESS_TOKEN_ID: id,
    CLOUDFLEET_ACCESS_TOKEN_SECRET: secret,
    DATUMCTL_CERTIFICATE_AUTHORITY: "",
  };
  assert.equal(
    hintOf(await world.run("clusters list", { env: variables })),
    "DATUMCTL_CERTIFICATE_AUTHORITY=FILE",
  );
});

Deno.test("acting as a Cloudfleet profile, the hint is the line that stores it", async () => {
  await using world = await openCloudfleetWorld();
  const { cloudfleet: { organizationId, administrator: { id, secret } } } = world;
  const without = { DATUMCTL_CERTIFICATE_AUTHORITY: "" };
  const stored = await world.run(
    ["auth", "add-profile", "token", "bare", organizationId, id, "--skip-validation"],
    { env: without, stdin: `${secret}\n` },
  );
  assert.equal(stored.code, 0, stored.stderr);
  assert.equal(
    hintOf(await world.run("clusters list --profile bare", { env: without })),
    `datumctl auth add-profile token bare ${organizationId} ${id} --certificate-authority FILE`,
  );
});

Deno.test("a server with an authority of its own is trusted by the flag that leads to it", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await using server = listen(await makeCertificates(new Date()));
  const line = `auth update-kubeconfig --server ${server.address} --context c`;
  assert.equal(hintOf(await world.run(line)), `datumctl ${line} --certificate-authority FILE`);
});

Deno.test("a server with an authority of its own is trusted by the entry that leads to it", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await using server = listen(await makeCertificates(new Date()));
  await Deno.writeTextFile(
    world.kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "my cluster", cluster: { server: server.address } }],
    }),
  );
  const entry = "kubectl config set-cluster 'my cluster' --certificate-authority FILE --embed-certs";
  const ran = await runLine(["auth", "update-kubeconfig", "--cluster", "my cluster"], {
    store: world.sandbox.store,
    env: { KUBECONFIG: world.kubeconfig, PATH: Deno.env.get("PATH") ?? "" },
  });
  assert.equal(hintOf(ran), entry);
});

Deno.test("the next steps act as the session that the failed call named, not as the active one", async () => {
  await using world = await openWorld();
  await world.login(GRACE);
  await world.login(ADA);
  const grace = at(world, GRACE);
  const words = "get --raw /nothing/there --project web";
  const { code, stderr } = await world.run(`${words} --profile ${grace}`);
  assert.equal(code, 1, stderr);
  assert.ok(stderr.includes(`: datumctl --profile ${grace} api-resources --project web\n`), stderr);
  const active = await world.run(words);
  assert.match(active.stderr, /: datumctl api-resources --project web\n$/);
});
