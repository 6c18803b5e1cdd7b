/** Proves which tokens `auth update-kubeconfig` shows to which server, and what it says where none is accepted. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import type { Session } from "../../../src/sessions/session.ts";
import { makeCertificates } from "../../cloud/certificates.ts";
import { listenWithDeno } from "../../cloud/listener.ts";
import { assertMissing } from "../../scratch.ts";
import { openSandbox, type Sandbox } from "../../sessions/sandbox.ts";
import { type Ran, runLine } from "../run-line.ts";
import { OIDC } from "../../../src/providers/oidc/facts.ts";
import { DATUM } from "../../../src/providers/datum/facts.ts";
import type { SessionProvider } from "../../../src/sessions/provider.ts";

/** An API server that accepts what a test says, and keeps the tokens that it was shown. */
interface Server extends AsyncDisposable {
  readonly url: string;
  readonly caPem: string;
  accepts: (token: string) => boolean;
  /** Each token that came, as `id` or by its own words. */
  readonly shown: string[];
}

async function startServer(): Promise<Server> {
  const certificates = await makeCertificates(new Date());
  const listener = listenWithDeno(certificates, "127.0.0.1", 0, (request) => {
    const token = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
    server.shown.push(token.startsWith("eyJ") ? "id" : token);
    return Promise.resolve(
      server.accepts(token)
        ? Response.json({ status: { userInfo: { username: "oidc:ada" } } }, { status: 201 })
        : Response.json({ kind: "Status", message: "Unauthorized", code: 401 }, { status: 401 }),
    );
  });
  const server: Server = {
    url: `https://127.0.0.1:${listener.port}`,
    caPem: certificates.caPem,
    accepts: () => false,
    shown: [],
    [Symbol.asyncDispose]: () => listener.down(),
  };
  return server;
}

/** A session of an issuer's, an API server, and how an entry for it is asked for. */
interface Stage extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly server: Server;
  readonly session: Session;
  readonly kubeconfig: string;
  run(words: readonly string[], env?: Record<string, string>): Promise<Ran>;
  /** The same with a command that is there, and with the server's authority where the entry is ours to write. */
  update(...words: string[]): Promise<Ran>;
}

async function openStage(provider: SessionProvider, session: Partial<Session> = {}): Promise<Stage> {
  const [sandbox, server] = [await openSandbox(), await startServer()];
  const apiHost = provider === OIDC ? new URL(sandbox.issuer.url).host : new URL(server.url).host;
  const saved = await sandbox.add({ name: "ada", session: { provider, apiHost, ...session } });
  const kubeconfig = `${sandbox.folder}/kubeconfig`;
  await Deno.writeTextFile(`${sandbox.folder}/ca.pem`, server.caPem);
  const run = (words: readonly string[], env: Record<string, string> = { KUBERC: "off" }) =>
    runLine(
      ["auth", "update-kubeconfig", "--profile", "ada", "--kubeconfig", kubeconfig, ...words],
      { store: sandbox.store, env: { PATH: "/usr/bin:/bin", ...env } },
    );
  return {
    sandbox,
    server,
    session: saved.session,
    kubeconfig,
    run,
    update: (...words) => {
      const authority = ["--certificate-authority", `${sandbox.folder}/ca.pem`];
      return run(["--exec-command", "sh", ...(words.includes("--cluster") ? [] : authority), ...words]);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

const refreshes = ({ issuer }: Sandbox) => issuer.requests.filter((path) => path === "/token").length;

Deno.test("a server that refuses an issuer's ID token is shown that one alone, and no refresh is spent on it", async () => {
  await using stage = await openStage(OIDC);
  const { sandbox, server, update, kubeconfig } = stage;
  const { code, stderr } = await update("--server", server.url);
  assert.equal(code, 4, stderr);
  assert.deepEqual(server.shown, ["id"]);
  assert.equal(refreshes(sandbox), 0);
  assert.match(
    stderr,
    new RegExp(
      `It was shown the ID token \\(issuer ${sandbox.issuer.url}, audience client-1\\)\\.\n` +
        "Compare that .*jwt\\[\\]\\.issuer\\.url and jwt\\[\\]\\.issuer\\.audiences.*--oidc-issuer-url and --oidc-client-id.*" +
        "--token access",
    ),
  );
  assert.doesNotMatch(stderr, /[Ss]ign in/);
  await assertMissing(kubeconfig);
});

Deno.test("a server that accepted the session before is asked once more, after one refresh", async () => {
  await using stage = await openStage(OIDC);
  const { sandbox, server, update } = stage;
  server.accepts = () => true;
  assert.equal((await update("--server", server.url)).code, 0);
  server.accepts = () => false;
  server.shown.length = 0;
  // A token of another second is another token.
  sandbox.time += 1_000;
  const { code, stderr } = await update("--server", server.url);
  assert.equal(code, 4, stderr);
  assert.deepEqual(server.shown, ["id", "id"]);
  assert.equal(refreshes(sandbox), 1);
  assert.match(
    stderr,
    /audience client-1\)\.\nCompare that .*--token access\. It accepted this session before\. Sign in again: /,
  );
  // Another server of the same host is another one.
  await using other = await startServer();
  await Deno.writeTextFile(`${sandbox.folder}/ca.pem`, other.caPem);
  assert.equal((await update("--server", other.url)).code, 4);
  assert.equal(refreshes(sandbox), 1);
  assert.deepEqual(other.shown, ["id"]);
});

Deno.test("no command spends a refresh at a server that never accepted the session; at one that did, each may", async () => {
  await using stage = await openStage(OIDC);
  const { sandbox, server, update, kubeconfig } = stage;
  const get = () =>
    runLine(["get", "--raw", "/version", "--profile", "ada"], {
      store: sandbox.store,
      env: { PATH: "/usr/bin:/bin", KUBECONFIG: kubeconfig },
    });
  assert.equal((await update("--server", server.url, "--skip-validation")).code, 0);
  const { code, stderr } = await get();
  assert.equal(code, 4, stderr);
  assert.deepEqual(server.shown.splice(0), ["id"]);
  assert.equal(refreshes(sandbox), 0);
  assert.match(
    stderr,
    /See what it is shown, .*: datumctl auth update-kubeconfig --cluster \S+ --no-switch --profile ada\n$/,
  );
  server.accepts = () => true;
  assert.equal((await update("--server", server.url)).code, 0);
  server.accepts = () => false;
  server.shown.length = 0;
  sandbox.time += 1_000;
  assert.match((await get()).stderr, /Sign in again: /);
  assert.deepEqual([server.shown, refreshes(sandbox)], [["id", "id"], 1]);
});

Deno.test("an access token is shown to an API server with --token access, and then alone", async () => {
  await using stage = await openStage(OIDC);
  const { sandbox, server, update, kubeconfig } = stage;
  const refused = await update("--server", server.url, "--token", "access");
  assert.equal(refused.code, 4, refused.stderr);
  assert.deepEqual(server.shown.splice(0), ["access-0"]);
  assert.match(refused.stderr, /the access token \(which names no issuer and no audience\)/);
  assert.match(refused.stderr, /Leave out --token access: then the server is shown the ID token\.\n$/);
  assert.equal(refreshes(sandbox), 0);

  server.accepts = (token) => token === "access-0";
  const { code, stderr } = await update("--server", server.url, "--token", "access");
  assert.equal(code, 0, stderr);
  assert.deepEqual(server.shown, ["access-0"]);
  const { users } = parse(await Deno.readTextFile(kubeconfig));
  assert.equal(users[0].user.exec.args.at(-1), "--token=access");
});

Deno.test("an issuer's session that learned the access token by itself shows the ID token from now on", async () => {
  await using stage = await openStage(OIDC, { kubectlToken: "access" });
  const { server, update } = stage;
  await update("--server", server.url);
  assert.deepEqual(server.shown, ["id"]);
});

Deno.test("a Datum's API is shown the access token, then the ID token, and after one refresh both again", async () => {
  await using stage = await openStage(DATUM);
  const { sandbox, server, update, session } = stage;
  const { code, stderr } = await update("--project", "web");
  assert.equal(code, 4, stderr);
  assert.deepEqual([...new Set(server.shown)], ["access-0", "id", "access-1"]);
  assert.equal(refreshes(sandbox), 1);
  assert.match(stderr, /It was shown the access token \(.*\) and the ID token \(issuer /);
  assert.match(stderr, /\nSign in again: datumctl login --profile ada\n$/);

  server.shown.length = 0;
  server.accepts = (token) => token.startsWith("access");
  assert.equal((await update("--project", "web")).code, 0);
  assert.deepEqual(
    server.shown,
    ["access-1"],
    "the ID token is shown where the other was refused, and only there",
  );
  assert.equal((await sandbox.store.read(session.name))?.kubectlToken, undefined);
  server.accepts = (token) => token.startsWith("eyJ");
  assert.equal((await update("--project", "web")).code, 0);
  assert.equal((await sandbox.store.read(session.name))?.kubectlToken, "id");
});

Deno.test("a server that is none of a Datum's own gets no refresh either", async () => {
  await using stage = await openStage(DATUM, { apiHost: "api.example.com" });
  const { sandbox, server, update } = stage;
  for (
    const words of [["--server", server.url], ["--project", "web", "--hostname", new URL(server.url).host]]
  ) {
    const { code, stderr } = await update(...words);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /\nCompare that with what the API server trusts/);
  }
  assert.equal(refreshes(sandbox), 0);
});

Deno.test("--certificate-authority is the server's, in the question and in the entry", async () => {
  const { caPem: issuers } = await makeCertificates(new Date());
  await using stage = await openStage(OIDC, {});
  const { sandbox, server, update, kubeconfig } = stage;
  await sandbox.add({
    name: "own",
    session: { provider: OIDC, apiHost: "x", certificateAuthority: issuers },
    credentials: { certificateAuthority: issuers },
  });
  server.accepts = () => true;
  for (const more of [[], ["--skip-validation"]]) {
    const { code, stderr } = await update("--server", server.url, "--profile", "own", ...more);
    assert.equal(code, 0, stderr);
    const { clusters } = parse(await Deno.readTextFile(kubeconfig));
    assert.equal(atob(clusters[0].cluster["certificate-authority-data"]), server.caPem);
    await Deno.remove(kubeconfig);
  }
  const refused = await update("--cluster", "c d", "--certificate-authority", "my ca.pem");
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /\nPut it there first: kubectl --kubeconfig \S+ config set-cluster 'c d' --certificate-authority 'my ca\.pem' --embed-certs\n$/,
  );
  const other = await stage.run(["--exec-command", "sh", "--server", server.url]);
  assert.equal(other.code, 1, other.stderr);
  assert.match(
    other.stderr,
    new RegExp(
      `name its certificate: datumctl auth update-kubeconfig .*--server ${server.url} --certificate-authority FILE\n$`,
    ),
  );
  await Deno.writeTextFile(kubeconfig, `clusters:\n- name: c d\n  cluster: {server: "${server.url}"}\n`);
  assert.match(
    (await update("--cluster", "c d")).stderr,
    new RegExp(
      `certificate: kubectl --kubeconfig ${kubeconfig} config set-cluster 'c d' --certificate-authority FILE --embed`,
    ),
  );
  const none = await update("--server", server.url, "--certificate-authority", `${sandbox.folder}/none`);
  assert.match(none.stderr, /does not exist/);
});

Deno.test("an entry is written without the file of its cluster's authority where the server is not asked", async () => {
  await using stage = await openStage(OIDC);
  const { server, update, kubeconfig } = stage;
  const text =
    "clusters:\n- name: minikube\n  cluster:\n    certificate-authority: C:\\Users\\Ada\\ca.crt\n" +
    "    server: https://127.0.0.1:55004\n";
  await Deno.writeTextFile(kubeconfig, text);
  const asked = await update("--cluster", "minikube");
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /certificate-authority of the cluster "minikube" does not exist/);
  assert.equal((await update("--cluster", "minikube", "--skip-validation")).code, 0);
  assert.ok((await Deno.readTextFile(kubeconfig)).startsWith(text));
  assert.deepEqual(server.shown, []);
});

Deno.test("a kubeconfig that cannot be written is told before the server is asked", async () => {
  await using stage = await openStage(OIDC);
  const { server, update, kubeconfig } = stage;
  const text = "users:\n- name: a\n- name: a\n";
  await Deno.writeTextFile(kubeconfig, text);
  for (const more of [[], ["--dry-run"]]) {
    const { code, stderr } = await update("--server", server.url, ...more);
    assert.equal(code, 1);
    assert.match(stderr, /"a" stands twice in "users" \(lines 2, 3\)/);
  }
  assert.equal(await Deno.readTextFile(kubeconfig), text);
  assert.deepEqual(server.shown, []);
});

Deno.test("where kubectl's preferences refuse the command, it is said what allows it", async () => {
  await using stage = await openStage(OIDC);
  const { sandbox, server } = stage;
  const kuberc = `${sandbox.folder}/kuberc`;
  const told = async (policy: string, ...words: string[]) => {
    await Deno.writeTextFile(
      kuberc,
      `apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n${policy}`,
    );
    const line = ["--skip-validation", "--server", server.url, ...words];
    const { code, stderr } = await stage.run(line, { KUBERC: kuberc });
    assert.equal(code, 0, stderr);
    return stderr;
  };
  const set = "kubectl kuberc set --section credentialplugin --policy Allowlist";
  const deny = "credentialPluginPolicy: DenyAll\n";
  const list = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- name: aws\n";
  for (const more of [[], ["--quiet"], ["--dry-run"]]) {
    const denied = await told(deny, "--exec-command", "/bin/sh", ...more);
    assert.match(
      denied,
      /kubectl will not run \/bin\/sh: \S+\/kuberc says credentialPluginPolicy: DenyAll\.\n/,
    );
    assert.ok(denied.includes(`1.36 or later: ${set} --allowlist-entry command=/bin/sh\n`), denied);
    assert.match(
      denied,
      /kuberc say:\n {2}credentialPluginPolicy: Allowlist\n {2}credentialPluginAllowlist:\n {2}- name: \/bin\/sh\n/,
    );
  }
  const unlisted = await told(list, "--exec-command", "/bin/sh");
  assert.ok(
    unlisted.includes(`${set} --allowlist-entry command=aws --allowlist-entry command=/bin/sh\n`),
    unlisted,
  );
  assert.match(unlisted, /add to credentialPluginAllowlist in \S+\/kuberc:\n {2}- name: \/bin\/sh\n/);
  for (const allowed of ["/bin/sh", "sh"]) {
    assert.doesNotMatch(await told(`${list}- name: ${allowed}\n`, "--exec-command", allowed), /will not run/);
  }
});
