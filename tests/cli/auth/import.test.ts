/** Proves what `auth import` finds of other programs, tells, takes over and rewrites, and what it leaves alone. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { type ApiServer, startApiServer } from "../../cloud/api-server.ts";
import { makeCertificates } from "../../cloud/certificates.ts";
import { type IssuerWorld, openIssuerWorld } from "../issuer-world.ts";
import { good, type Options, type Ran } from "../run-line.ts";
import { printedAddress, whenPrinted } from "../../when-printed.ts";

const CLIENT = "kubernetes";
const SECRET = "s3cr3t-of-the-client";

/** An issuer's world with an API server that takes its tokens. */
interface ImportWorld extends AsyncDisposable {
  readonly world: IssuerWorld;
  readonly server: ApiServer;
  readonly issuer: string;
  /** Writes the kubeconfig: the cluster, and these users, each with a context of its name. */
  write(users: Readonly<Record<string, string>>): Promise<string>;
  text(): Promise<string>;
  /** Runs `auth import`; a person's browser comes back at once. */
  run(words: string, options?: Options): Promise<Ran>;
}

async function openImport(): Promise<ImportWorld> {
  const world = await openIssuerWorld();
  const issuer = world.issuer.at("main");
  const server = await serverFor(issuer, CLIENT);
  const { kubeconfig, sandbox } = world;
  return {
    world,
    server,
    issuer,
    async write(users) {
      const text = kubeconfigText(server, users);
      await Deno.writeTextFile(kubeconfig, text, { mode: 0o600 });
      return text;
    },
    text: () => Deno.readTextFile(kubeconfig),
    run: (words, options = {}) =>
      whenPrinted(
        (stderr) => stderr.includes("Waiting for the browser") ? printedAddress(stderr) : undefined,
        async (address) => await (await fetch(address)).body?.cancel(),
        (onStderr) =>
          world.run(`auth import --keyring file --browser-command true ${words}`, {
            ...options,
            env: { HOME: sandbox.folder, ...options.env },
            onStderr,
          }),
      ),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

async function serverFor(issuer: string, clientId: string): Promise<ApiServer> {
  const certificates = await makeCertificates(new Date());
  return await startApiServer({ issuer, clientId, issuerCaPem: certificates.caPem, certificates });
}

function kubeconfigText(server: Pick<ApiServer, "url" | "caPem">, users: Readonly<Record<string, string>>) {
  const names = Object.keys(users);
  return `# of the person's own
apiVersion: v1
kind: Config
clusters:
- name: prod # the good one
  cluster:
    server: ${server.url}
    certificate-authority-data: ${btoa(server.caPem)}
contexts:
${
    names.map((name) => `- {name: ctx-${name}, context: {cluster: prod, user: ${name}, namespace: web}}`)
      .join("\n")
  }
current-context: ctx-${names[0]}
users:
${names.map((name) => `- name: ${name} # theirs\n  user:\n${users[name]}`).join("\n")}
# the end
`;
}

/** The `exec` of an entry, as a YAML text. */
function exec(command: string, args: readonly string[], more = ""): string {
  return `    exec: # a plugin
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ${command}
      args:
${args.map((arg) => `      - ${JSON.stringify(arg)}`).join("\n")}
${more}`.trimEnd();
}

function kubelogin(issuer: string, ...more: readonly string[]): string {
  return exec("kubectl", [
    ...["oidc-login", "get-token", `--oidc-issuer-url=${issuer}`, `--oidc-client-id=${CLIENT}`],
    ...["--listen-address=127.0.0.1:0", ...more],
  ]);
}

/** Signs in as kubelogin does, and keeps it in its cache. */
async function kubeloginCache({ issuer, world }: ImportWorld, name = "a".repeat(64)) {
  const asked = new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: "http://127.0.0.1/",
    scope: "openid",
  });
  const back = await fetch(`${issuer}/authorize?${asked}`, { redirect: "manual" });
  await back.body?.cancel();
  const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const body = new URLSearchParams({ grant_type: "authorization_code", code, client_id: CLIENT });
  const { id_token, refresh_token } = await (await fetch(`${issuer}/token`, { method: "POST", body })).json();
  const folder = `${world.sandbox.folder}/.kube/cache/oidc-login`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/${name}`, JSON.stringify({ id_token, refresh_token }));
  return { refreshToken: String(refresh_token), path: `${folder}/${name}` };
}

/** What kubelogin does with its refresh token. */
async function stillGood({ issuer }: ImportWorld, refreshToken: string): Promise<boolean> {
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: CLIENT,
  });
  const answer = await fetch(`${issuer}/token`, { method: "POST", body });
  await answer.body?.cancel();
  return answer.ok;
}

Deno.test("an entry of kubelogin is signed in to and rewritten, and nothing else of the file", async () => {
  await using there = await openImport();
  const { world, server, issuer } = there;
  const before = await there.write({ oidc: kubelogin(issuer, "--oidc-extra-scope=email") });
  const { stdout, stderr } = good(await there.run("--yes"));
  assert.match(stdout, /oidc +kubelogin +http:\/\/127\.0\.0\.1:\d+\/main +kubernetes +ctx-oidc +yes/);
  assert.match(stdout, /User entry: +oidc\nContexts: +ctx-oidc\nUser: +ada@example\.com\nAPI server: +https/);
  assert.match(stderr, /the session's tokens go to https/);
  const after = await there.text();
  const cut = (text: string) => text.replace(/ {4}exec:[^]*?(?=# the end)/, "");
  assert.equal(cut(after), cut(before));
  const { user } = parse(after).users[0];
  assert.deepEqual(Object.keys(user), ["exec"]);
  const name = `ada@example.com@${world.host}`;
  assert.deepEqual(user.exec.args.slice(0, 4), [
    ...["auth", "get-token", "--output=client.authentication.k8s.io/v1", `--session=${name}`],
  ]);
  assert.equal(user.exec.provideClusterInfo, true);
  // As kubelogin asked, and no more.
  const [asked] = world.issuer.of("authorize");
  assert.equal(asked?.get("scope"), "openid email");
  assert.match(asked?.get("redirect_uri") ?? "", /^http:\/\/localhost:\d+$/);
  const session = await world.session(name);
  assert.deepEqual(session.servers?.map(({ origin }) => origin), [server.url]);
  // What kubectl runs from now on.
  const token = await world.ok(user.exec.args, {
    env: {
      KUBERNETES_EXEC_INFO: JSON.stringify({
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        spec: { interactive: false, cluster: { server: server.url } },
      }),
    },
  });
  assert.ok(JSON.parse(token).status.token);
  // There is nothing left to import.
  assert.match((await there.run("--yes")).stderr, /Nothing of other programs was found/);
});

Deno.test("without a terminal and --yes it tells what it found and what to type", async () => {
  await using there = await openImport();
  const { issuer } = there;
  const before = await there.write({
    oidc: kubelogin(
      issuer,
      `--oidc-client-secret=${SECRET}`,
      "--oidc-auth-request-extra-params=a=b,prompt=login",
    ),
    gke: exec("/opt/google/gke-gcloud-auth-plugin", []),
  });
  const ran = good(await there.run(""));
  assert.match(ran.stdout, /gke +gke-gcloud-auth-plugin +ctx-gke +no: Google's clusters/);
  assert.match(ran.stderr, /Nothing was changed.*datumctl auth import --yes/);
  assert.match(
    ran.stderr,
    /login --issuer \S+ --client-id kubernetes --client-secret-file - --scopes openid/,
  );
  assert.match(ran.stderr, /--prompt login --auth-param 'a=b'|--prompt login --auth-param a=b/);
  assert.ok(!(ran.stdout + ran.stderr).includes(SECRET));
  assert.equal(await there.text(), before);
  const [found] = JSON.parse(good(await there.run("-o json")).stdout);
  assert.equal(found.confidential, true);
  assert.equal(found.importable, true);
  assert.ok(!JSON.stringify(found).includes(SECRET));
});

Deno.test("the client's secret goes into the session and out of the kubeconfig", async () => {
  await using there = await openImport();
  await there.write({ oidc: kubelogin(there.issuer, `--oidc-client-secret=${SECRET}`) });
  const ran = good(await there.run("--yes"));
  assert.ok(!(ran.stdout + ran.stderr).includes(SECRET));
  assert.ok(!(await there.text()).includes(SECRET));
  assert.equal((await there.world.session(`ada@example.com@${there.world.host}`)).confidential, true);
});

Deno.test("--dry-run shows the entry's change without its secrets, and signs nobody in", async () => {
  await using there = await openImport();
  const before = await there.write({ oidc: kubelogin(there.issuer, `--oidc-client-secret=${SECRET}`) });
  const { stdout } = good(await there.run("--dry-run"));
  assert.match(stdout, /^\+ +- --session=SESSION$/m);
  assert.match(stdout, /^\+ +command: /m);
  assert.ok(!stdout.includes(SECRET));
  assert.equal(await there.text(), before);
  assert.deepEqual(await there.world.names(), []);
});

Deno.test("a sign-in that fails, and a server that refuses, change nothing in the kubeconfig", async () => {
  await using there = await openImport();
  const { world, issuer } = there;
  const before = await there.write({ oidc: kubelogin(issuer, "--oidc-extra-scope=nothing-like-it") });
  assert.equal((await there.run("--yes")).code, 1);
  assert.equal(await there.text(), before);
  assert.deepEqual(await world.names(), []);
  await using other = await serverFor(issuer, "another-client");
  const refused = kubeconfigText(other, { oidc: kubelogin(issuer) });
  await Deno.writeTextFile(world.kubeconfig, refused);
  const ran = await there.run("--yes");
  assert.equal(ran.code, 4, ran.stderr);
  assert.equal(await there.text(), refused);
  assert.equal((await world.session(`ada@example.com@${world.host}`)).servers, undefined);
});

Deno.test("entries of one issuer and client share one sign-in, and a session that is there is used", async () => {
  await using there = await openImport();
  const { world, issuer } = there;
  await there.write({ one: kubelogin(issuer), two: kubelogin(issuer) });
  good(await there.run("--yes"));
  assert.equal(world.issuer.of("authorize").length, 1);
  await there.write({ three: kubelogin(issuer) });
  assert.match(good(await there.run("--yes")).stderr, /Using the session "ada@example\.com@/);
  assert.equal(world.issuer.of("authorize").length, 1);
  assert.match(await there.text(), /--session=ada@example\.com/);
});

Deno.test("an active session stays the active one", async () => {
  await using there = await openImport();
  const { world } = there;
  await world.login("other", "cli", ["--profile", "mine"]);
  await there.write({ oidc: kubelogin(there.issuer) });
  good(await there.run("--yes"));
  assert.equal(await world.sandbox.store.active(), "mine");
});

Deno.test("a refresh token is left alone unless the person agrees", async () => {
  await using there = await openImport();
  await there.write({ oidc: kubelogin(there.issuer) });
  const { refreshToken } = await kubeloginCache(there);
  // Nobody agreed: no answer but yes does, and --yes is about importing.
  good(await there.run("--yes"));
  assert.equal(there.world.issuer.of("authorize").length, 2);
  assert.ok(await stillGood(there, refreshToken));
});

for (const rotates of [true, false]) {
  Deno.test(`a refresh token is taken over where the issuer ${rotates ? "replaces" : "keeps"} it`, async () => {
    await using there = await openImport();
    const { world } = there;
    world.issuer.rotates = rotates;
    await there.write({ oidc: kubelogin(there.issuer) });
    const { refreshToken, path } = await kubeloginCache(there);
    const cached = await Deno.readTextFile(path);
    if (!rotates) world.issuer.onlyToken = refreshToken;
    const { stdout, stderr } = good(await there.run("--yes --take-over"));
    assert.match(stdout, /Took over the sign-in of ada@example\.com/);
    assert.match(stderr, rotates ? /has to sign in again/ : /can go on to use it/);
    assert.equal(world.issuer.of("authorize").length, 1, "nobody signed in again");
    assert.equal(await stillGood(there, refreshToken), !rotates);
    assert.equal(await Deno.readTextFile(path), cached, "kubelogin's cache is its own");
    assert.match(await there.text(), /--session=ada@example\.com/);
    assert.ok(!(stdout + stderr).includes(refreshToken));
  });
}

Deno.test("on a terminal each is asked for, and no takes nothing", async () => {
  await using there = await openImport();
  const before = await there.write({ oidc: kubelogin(there.issuer) });
  const { stderr } = good(await there.run("", { keys: ["n", "\r"] }));
  assert.match(stderr, /Import it\? \[y\/N\]/);
  assert.equal(await there.text(), before);
  await kubeloginCache(there);
  const agreed = good(await there.run("", { keys: ["y", "\r"] }));
  assert.match(agreed.stderr, /Take it over\? \[y\/N\]/);
  assert.match(agreed.stdout, /Took over/);
});

Deno.test("somebody else who signs in changes no entry", async () => {
  await using there = await openImport();
  const before = await there.write({ oidc: kubelogin(there.issuer) });
  await kubeloginCache(there);
  there.world.issuer.person = { sub: "u-2", email: "grace@example.com" };
  const ran = await there.run("--yes");
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /was signed in as ada@example\.com, but grace@example\.com signed in now/);
  assert.equal(await there.text(), before);
});

Deno.test("what cannot be imported is named with why", async () => {
  await using there = await openImport();
  const { issuer } = there;
  const azure = (...more: string[]) =>
    exec("kubelogin", ["get-token", "--environment", "AzurePublicCloud", "--server-id", "S", ...more]);
  await there.write({
    password: kubelogin(issuer, "--username=ada"),
    machine: kubelogin(issuer, "--grant-type", "client-credentials"),
    headers: kubelogin(issuer, "--oidc-request-header=Origin=x"),
    elsewhere: kubelogin(issuer, "--oidc-redirect-url=https://example.com/callback"),
    reserved: kubelogin(issuer, "--oidc-auth-request-extra-params=client_secret=x"),
    token: `${kubelogin(issuer)}\n    token: x`,
    code: azure("--client-id=C", "--tenant-id", "T", "--login", "devicecode"),
    spn: azure("--client-id=C", "--tenant-id", "T", "-l", "spn"),
    msi: azure("--login=msi"),
    many: azure("--client-id=C", "--tenant-id", "common"),
    pop: azure("--client-id=C", "--tenant-id", "T", "--pop-enabled"),
    vendor: exec("/usr/bin/datumctl", ["auth", "get-token", "--output=x", "--session=gone"]),
    legacy: `    auth-provider: {name: gcp, config: {}}`,
    plain: `    token: of-nobody-else`,
  });
  const found = JSON.parse(good(await there.run("-o json")).stdout);
  const reasons = Object.fromEntries(
    found.map(({ name, reason }: Record<string, unknown>) => [name, reason]),
  );
  const expected: Readonly<Record<string, RegExp | undefined>> = {
    password: /password/,
    machine: /machine/,
    headers: /headers of its own/,
    elsewhere: /cannot be listened on/,
    reserved: /cannot set client_secret/,
    token: /the entry has a token too/,
    code: undefined,
    spn: /service principal/,
    msi: /virtual machine/,
    many: /no single tenant/,
    pop: /bound to a key/,
    vendor: /keeps no session of that name/,
    legacy: /Google's clusters/,
  };
  assert.deepEqual(Object.keys(reasons), Object.keys(expected));
  for (const [name, reason] of Object.entries(expected)) {
    if (reason === undefined) assert.equal(reasons[name], undefined, name);
    else assert.match(reasons[name], reason, name);
  }
  const { login } = found.find(({ name }: { name: string }) => name === "code");
  assert.equal(
    login,
    "datumctl login --issuer https://login.microsoftonline.com/T/v2.0 --client-id C " +
      "--scopes openid,S/.default,offline_access --redirect-uri http://localhost --prompt '' --no-browser",
  );
});

Deno.test("an entry of ours that was written by hand is not taken for Datum's own", async () => {
  await using there = await openImport();
  const { world, issuer } = there;
  await world.login("main", CLIENT, ["--profile", "mine"]);
  await there.write({
    byhand: exec("datumctl", ["auth", "get-token", "--session=mine"]),
    theirs: exec("datumctl", ["auth", "get-token", "--session=other"]),
    oidc: kubelogin(issuer),
  });
  const found = JSON.parse(good(await there.run("-o json")).stdout);
  assert.deepEqual(found.map(({ name }: { name: string }) => name), ["theirs", "oidc"]);
});

Deno.test("a refresh that brings no ID token says that the other program's token may be spent", async () => {
  await using there = await openImport();
  const before = await there.write({ oidc: kubelogin(there.issuer) });
  await kubeloginCache(there);
  there.world.issuer.bends.set("token", (answer) => ({ ...answer, id_token: undefined }));
  const ran = await there.run("--yes --take-over");
  assert.equal(ran.code, 4);
  assert.match(ran.stderr, /kubelogin may have to sign in again[^]*gives no ID token/);
  assert.equal(await there.text(), before);
  assert.deepEqual(await there.world.names(), []);
});

Deno.test("kubectl's own auth-provider becomes a plugin, with its refresh token where that is agreed to", async () => {
  await using there = await openImport();
  const { refreshToken } = await kubeloginCache(there);
  const cache = `${there.world.sandbox.folder}/.kube/cache/oidc-login/${"a".repeat(64)}`;
  const { id_token } = JSON.parse(await Deno.readTextFile(cache));
  await Deno.remove(cache);
  await there.write({
    old: `    auth-provider: # before plugins
      name: oidc
      config:
        idp-issuer-url: ${there.issuer}
        client-id: ${CLIENT}
        id-token: ${id_token}
        refresh-token: ${refreshToken}
    as: somebody`,
  });
  good(await there.run("--yes --take-over"));
  const { user } = parse(await there.text()).users[0];
  assert.deepEqual(Object.keys(user).sort(), ["as", "exec"]);
  assert.equal(there.world.issuer.of("authorize").length, 1);
});

Deno.test("a kubeconfig that changes during the sign-in is left as it is", async () => {
  await using there = await openImport();
  const { world, issuer } = there;
  await there.write({ oidc: kubelogin(issuer) });
  const changed = kubeconfigText(there.server, { oidc: kubelogin(issuer, "--v=1") });
  world.issuer.answers.set("authorize", () => {
    Deno.writeTextFileSync(world.kubeconfig, changed);
    return undefined;
  });
  const ran = await there.run("--yes");
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /changed in the meantime/);
  assert.equal(await there.text(), changed);
});

Deno.test("what a hostile kubeconfig says is printed without steering the terminal", async () => {
  await using there = await openImport();
  await there.write({
    oidc: kubelogin(
      there.issuer,
      "--oidc-extra-scope=\u001b[2J",
      `--token-cache-dir=${there.world.kubeconfig}`,
    ),
  });
  for (const words of ["", "-o json", "-o wide", "--dry-run"]) {
    const { stdout, stderr } = await there.run(words);
    assert.ok(!(stdout + stderr).includes("\u001b"), words);
  }
  await Deno.writeTextFile(
    there.world.kubeconfig,
    "users: [{name: x, user: {exec: {command: [kubelogin], args: 7}}}]",
  );
  assert.match(good(await there.run("")).stderr, /Nothing of other programs/);
  await Deno.writeTextFile(there.world.kubeconfig, "users: {");
  assert.equal((await there.run("")).code, 1);
});

Deno.test("--only takes one, and a name that was not found is refused with those that were", async () => {
  await using there = await openImport();
  await there.write({ one: kubelogin(there.issuer), two: kubelogin(there.issuer) });
  const ran = await there.run("--only three --yes");
  assert.match(ran.stderr, /"three" was found[^]*Found: one, two/);
  good(await there.run("--only two --yes"));
  const [one, two] = parse(await there.text()).users;
  assert.equal(one.user.exec.command, "kubectl");
  assert.equal(two.user.exec.args[0], "auth");
});
