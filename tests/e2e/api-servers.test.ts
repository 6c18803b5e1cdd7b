/** Proves kubectl against any API server that accepts the tokens of an issuer, `oidc-provider` or another's. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { type ApiServer, startApiServer } from "../cloud/api-server.ts";
import { glewlwydAtHand, startGlewlwyd } from "../cloud/glewlwyd.ts";
import type { StockIssuer } from "../cloud/stock-issuer.ts";
import { ADA, bad, CLIENT, EXEC, freePort, good, issuerFlags, testAtIssuer } from "./issuer-stage.ts";
import { kubectl } from "./kubectls.ts";
import { walkedLogin } from "./walked-login.ts";
import { testInWorld, type World } from "./world.ts";

/** A kubeconfig with a cluster entry as `kubectl config set-cluster` makes it, and a comment to keep. */
async function writeClusters(world: World, server: ApiServer): Promise<void> {
  await Deno.mkdir(`${world.home}/.kube`, { recursive: true });
  await Deno.writeTextFile(`${world.home}/.kube/api.pem`, server.caPem);
  await Deno.writeTextFile(
    world.kubeconfig,
    `apiVersion: v1
kind: Config
clusters:
- name: by-data # mine
  cluster:
    server: ${server.url}
    certificate-authority-data: ${btoa(server.caPem)}
- name: by-file
  cluster: {server: "${server.url}/", certificate-authority: api.pem}
- name: untrusted
  cluster: {server: "${server.url}"}
- name: unchecked
  cluster: {server: "${server.url}", insecure-skip-tls-verify: true}
`,
  );
}

async function serverOf(issuer: StockIssuer, more: Partial<Parameters<typeof startApiServer>[0]> = {}) {
  return await startApiServer({
    issuer: issuer.issuer,
    clientId: CLIENT,
    issuerCaPem: issuer.caPem,
    ...more,
  });
}

testAtIssuer(
  "kubectl works through --cluster, whose entry stays as it is",
  {},
  async ({ world, issuer, login, session }) => {
    await using server = await serverOf(issuer);
    good(await login());
    await writeClusters(world, server);
    const before = await Deno.readTextFile(world.kubeconfig);
    for (const name of ["by-data", "by-file"]) {
      const out = await world.ok(["auth", "update-kubeconfig", "--cluster", name]);
      assert.match(out, new RegExp(`Context: +datum-cluster-${name} \\(now current\\)\nUser: +ada`));
      const { code, stdout, stderr } = await world.start(kubectl, ["get", "namespaces", "-o", "name"])
        .finished;
      assert.equal(code, 0, stderr);
      assert.match(stdout, /namespace\/default/);
    }
    const after = await Deno.readTextFile(world.kubeconfig);
    assert.ok(after.startsWith(before.trimEnd()), "what was there stands there byte for byte");
    const { contexts, users } = parse(after);
    const user = `datum-${session}@${issuer.issuer.replace("https://", "")}`;
    assert.deepEqual(contexts.map(({ context }: { context: unknown }) => context), [
      { cluster: "by-data", user },
      { cluster: "by-file", user },
    ]);
    assert.equal(users.length, 1);

    bad(await world.datumctl(["auth", "update-kubeconfig", "--cluster", "absent"]), 1, /by-data, by-file/);
    bad(
      await world.datumctl(["auth", "update-kubeconfig", "--cluster", "untrusted"]),
      1,
      /kubectl config set-cluster untrusted --certificate-authority FILE --embed-certs/,
    );
    const unchecked = await world.datumctl([
      "auth",
      "update-kubeconfig",
      "--cluster",
      "unchecked",
      "--context",
      "u",
    ]);
    bad(unchecked, 0, /was not asked .* insecure-skip-tls-verify/);
    assert.match((await world.start(kubectl, ["get", "ns"]).finished).stdout, /default/);
  },
  kubectl === "",
);

testAtIssuer(
  "kubectl works through --server, with the session's authority where the server needs it",
  {},
  async (stage) => {
    const { world, issuer, login } = stage;
    good(await login());
    await using server = await serverOf(issuer, { certificates: issuer.certificates });
    await using stranger = await serverOf(issuer);
    const out = await world.ok(["auth", "update-kubeconfig", "--server", `${server.url}/`]);
    assert.match(out, new RegExp(`Context: +datum-server-${server.host} `));
    assert.match(out, new RegExp(`API server: +${server.url}\n`));
    assert.match((await world.start(kubectl, ["get", "ns"]).finished).stdout, /default/);
    bad(await world.datumctl(["auth", "update-kubeconfig", "--server", stranger.url]), 1, /authority/);
    const authority = `${world.home}/server.pem`;
    await Deno.writeTextFile(authority, stranger.caPem);
    await world.ok([
      ...["auth", "update-kubeconfig", "--server", stranger.url, "--certificate-authority", authority],
    ]);
    assert.match((await world.start(kubectl, ["get", "ns"]).finished).stdout, /default/);

    // Of several, or of none, or what belongs to Datum alone.
    const update = (...args: string[]) => world.datumctl(["auth", "update-kubeconfig", ...args]);
    bad(
      await update(),
      2,
      /No target is given; exactly one of --organization, --project, --cluster and --server/,
    );
    bad(
      await update("--server", server.url, "--cluster", "x"),
      2,
      /--cluster and --server are given together/,
    );
    bad(await update("--project", "web"), 2, /is for the provider datum/, /--server URL/);
    bad(await update("--server", server.url, "--hostname", "x"), 2, /--hostname goes with/);
    bad(await update("--server", "http://k8s.example.com"), 2, /is not an https URL/);
    bad(await update("--server", `${server.url}/nowhere`), 1, /Cannot find the API server/);
  },
  kubectl === "",
);

testAtIssuer(
  "older API servers tell by an access review, or by a review of v1beta1, that a token is good",
  {},
  async (stage) => {
    const { world, issuer, login } = stage;
    good(await login());
    const { certificates } = issuer;
    await using old = await serverOf(issuer, { certificates, lacks: ["/apis/authentication.k8s.io"] });
    const args = ["auth", "update-kubeconfig", "--kubeconfig", `${world.home}/old`, "--server", old.url];
    assert.match(await world.ok(args), /User: +ada@example\.com/);
    assert.deepEqual(old.requests, [
      "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
      "POST /apis/authentication.k8s.io/v1beta1/selfsubjectreviews",
      "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    ]);
    // Of another client the token is nobody's, whatever the server has.
    await using other = await serverOf(issuer, { certificates, clientId: "another" });
    bad(await world.datumctl([...args.slice(0, -1), other.url]), 4, /SESSION_REJECTED|does not accept/);
  },
);

testAtIssuer(
  "a server on loopback may speak http, and kubectl's silence there is said",
  {},
  async ({ world, issuer, login }) => {
    good(await login());
    await using server = await serverOf(issuer, { plain: true });
    const finished = await world.datumctl(["auth", "update-kubeconfig", "--server", server.url]);
    bad(finished, 0, /kubectl sends no credentials over http/);
  },
);

for (const secret of [undefined, "an-engine.s_secret"]) {
  testInWorld(
    `glewlwyd signs a ${
      secret === undefined ? "public" : "confidential"
    } client in, refreshes and serves kubectl`,
    async (world) => {
      const redirectUri = `http://localhost:${freePort()}/callback`;
      await using issuer = await startGlewlwyd([{
        id: CLIENT,
        redirectUri,
        ...secret === undefined ? {} : { secret },
      }]);
      const finished = await walkedLogin(
        world,
        [
          ...issuerFlags(issuer),
          ...["--redirect-uri", redirectUri],
          ...secret === undefined ? [] : ["--client-secret-file", "-"],
        ],
        async (url) => {
          assert.equal(new URL(url).searchParams.get("code_challenge_method"), "S256");
          await (await issuer.signIn(url)).body?.cancel();
        },
        secret === undefined ? {} : { stdin: secret },
      );
      assert.match(good(finished), new RegExp(`^Signed in as ${ADA} at ${issuer.host}\\.`));

      await using server = await startApiServer({
        issuer: issuer.issuer,
        clientId: CLIENT,
        issuerCaPem: issuer.caPem,
      });
      await writeClusters(world, server);
      await world.ok(["auth", "update-kubeconfig", "--cluster", "by-data"]);
      const namespaces = async () => {
        const { code, stdout, stderr } = await world.start(kubectl, ["get", "ns", "-o", "name"]).finished;
        assert.equal(code, 0, `${stderr} ${await issuer.log()}`);
        assert.match(stdout, /namespace\/default/);
      };
      await namespaces();
      // Its refresh tokens work once: a second refresh shows that the rotated one was kept.
      const access = new Set([await world.ok(["auth", "get-token"])]);
      for (let count = 0; count < 2; count++) {
        access.add(await world.ok(["auth", "get-token", "--force-refresh"]));
      }
      assert.equal(access.size, 3);
      const exec = JSON.parse(await world.ok(["auth", "get-token", "-o", EXEC]));
      assert.equal(exec.kind, "ExecCredential");
      assert.equal(exec.status.token, (await world.ok(["auth", "get-token", "--token", "id"])).trim());
      await namespaces();
      // It lets only clients with a secret revoke.
      const left = await world.datumctl(["logout", ADA]);
      if (secret === undefined) bad(left, 6, /still valid at/, /status 401/);
      else assert.match(good(left), /^Revoked at the issuer/);
    },
    { ignore: !glewlwydAtHand || kubectl === "" },
  );
}
