/** Proves `auth import` at a real API server: kubectl works with kubelogin before, with us after, and kubelogin too. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { startApiServer } from "../apiserver/apiserver.ts";
import { goAtHand } from "../apiserver/program.ts";
import { leadsTo, signInByHttp } from "../cloud/browser.ts";
import { startStockIssuer, type StockIssuer } from "../cloud/stock-issuer.ts";
import { kubeloginProgram } from "../kubelogin/program.ts";
import { printedAddress, whenPrinted } from "../when-printed.ts";
import { ADA, CLIENT, freePort, good, native, walkAsAda } from "./issuer-stage.ts";
import { kubectl } from "./kubectls.ts";
import { type Finished, testInWorld, type World } from "./world.ts";

const atHand = kubectl !== "" && await goAtHand() !== undefined;

/** Walks from the address at which kubelogin listens, or from the one that we print. */
function walked(
  issuer: StockIssuer,
  run: (onStderr: (soFar: string) => void) => Promise<Finished>,
): Promise<Finished> {
  return whenPrinted(
    (stderr) =>
      /visit the following URL in your browser: (\S+)\n/.exec(stderr)?.[1] ?? printedAddress(stderr),
    async (address) =>
      await walkAsAda(issuer, address.startsWith("http:") ? await leadsTo(address) : address),
    run,
  );
}

/** A folder with kubectl and kubelogin, as a person has them on the PATH. */
async function programs(world: World, kubelogin: string): Promise<string> {
  const folder = `${world.home}/programs`;
  await Deno.mkdir(folder);
  await Deno.symlink(kubectl, `${folder}/kubectl`);
  await Deno.symlink(kubelogin, `${folder}/kubectl-oidc_login`);
  return `${folder}:${world.env["PATH"] ?? ""}`;
}

testInWorld(
  "kubelogin's entry works before the import, ours after it, and kubelogin by itself as well",
  async (world, context) => {
    const kubelogin = await kubeloginProgram();
    assert.ok(kubelogin !== undefined);
    const port = freePort();
    await using issuer = await startStockIssuer({
      clients: [native({ redirect_uris: [`http://localhost:${port}`] })],
    });
    await using server = await startApiServer({
      trusted: [{
        issuer: issuer.issuer,
        caPem: issuer.caPem,
        audiences: [CLIENT],
        username: { claim: "sub", prefix: "" },
      }],
    });
    assert.ok(server !== undefined);
    const args = [
      ...["oidc-login", "get-token", `--oidc-issuer-url=${issuer.issuer}`, `--oidc-client-id=${CLIENT}`],
      ...[`--certificate-authority=${issuer.caFile}`, `--listen-address=127.0.0.1:${port}`],
      ...["--skip-open-browser", "--oidc-extra-scope=offline_access", "--authentication-timeout-sec=60"],
      "--oidc-auth-request-extra-params=prompt=consent",
    ];
    const text = `# mine
apiVersion: v1
kind: Config
clusters:
  - name: prod
    cluster: {server: "${server.url}", certificate-authority: ${server.caFile}} # of the house
contexts:
  - name: work
    context: {cluster: prod, user: oidc}
current-context: work
users:
  - name: oidc # kubelogin's
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: kubectl
        interactiveMode: Never
        args: ${JSON.stringify(args)}
`;
    await Deno.mkdir(`${world.home}/.kube`);
    await Deno.writeTextFile(world.kubeconfig, text, { mode: 0o600 });
    const PATH = await programs(world, kubelogin);
    const namespaces = (onStderr?: (soFar: string) => void, env = { PATH }) =>
      world.start("kubectl", ["get", "namespaces", "-o", "name"], { env, onStderr }).finished;
    const run = (...words: string[]) => (onStderr: (soFar: string) => void) =>
      world.datumctl(["auth", "import", ...words], { onStderr });
    const whoever = async () => {
      const words = [...args.slice(1, -1), args.at(-1) ?? ""];
      return await world.start(kubelogin, words, { env: { PATH } }).finished;
    };

    await context.step("kubelogin signs in, and kubectl works", async () => {
      assert.match(good(await walked(issuer, namespaces)), /^namespace\/default$/m);
      assert.match(good(await namespaces()), /^namespace\/default$/m);
    });
    await context.step("it is found, and told without a change", async () => {
      const [found] = JSON.parse(await world.ok(["auth", "import", "-o", "json"]));
      assert.equal(found.tool, "kubelogin");
      assert.match(found.refreshToken.place, /\.kube\/cache\/oidc-login\/[0-9a-f]{64}$/);
      assert.match(good(await world.datumctl(["auth", "import"])), /^oidc +kubelogin/m);
      assert.match(good(await world.datumctl(["auth", "import", "--dry-run"])), /^\+.*--session=SESSION/m);
      assert.equal(await Deno.readTextFile(world.kubeconfig), text);
    });
    await context.step("it is imported with a sign-in of its own, and both go on to work", async () => {
      const before = issuer.authorizations.length;
      good(await walked(issuer, run("--yes")));
      assert.equal(issuer.authorizations.length, before + 1);
      const now = await Deno.readTextFile(world.kubeconfig);
      assert.equal(now.slice(0, now.indexOf("      exec:")), text.slice(0, text.indexOf("      exec:")));
      assert.equal(parse(now).users[0].user.exec.interactiveMode, "Never");
      // Without kubelogin.
      const { PATH: usual = "" } = world.env;
      const direct = world.start(kubectl, ["get", "namespaces", "-o", "name"], { env: { PATH: usual } });
      assert.match(good(await direct.finished), /^namespace\/default$/m);
      assert.match(good(await whoever()), /"token":/);
      await Deno.writeTextFile(world.kubeconfig, text);
      assert.match(good(await namespaces()), /^namespace\/default$/m);
    });
    await context.step(
      "its refresh token is taken over where that is said, and nobody signs in",
      async () => {
        const before = issuer.authorizations.length;
        const words = ["auth", "import", "--yes", "--take-over", "--profile", "second"];
        const { stderr, stdout, code } = await world.datumctl(words);
        assert.equal(code, 0, stderr);
        assert.match(stdout, new RegExp(`Took over the sign-in of second at ${issuer.host}`));
        assert.match(stderr, /kubelogin has to sign in again/);
        assert.equal(issuer.authorizations.length, before);
        assert.match(await Deno.readTextFile(world.kubeconfig), /--session=second/);
        assert.match(good(await namespaces()), /^namespace\/default$/m);
        await world.ok(["auth", "get-token", "--session", "second", "--force-refresh"]);
      },
    );
  },
  { ignore: !atHand },
);

for (
  const { version, uses } of [
    { version: "1.34", uses: "apiserver.config.k8s.io/v1" },
    { version: "1.31", uses: "apiserver.config.k8s.io/v1beta1" },
    { version: "1.28", uses: "flags" },
  ]
) {
  testInWorld(
    `the real API server starts with what setup printed for ${version}, and lets the person in`,
    async (world) => {
      const { issuer, clientId, caFile, certificates } = world.cloud;
      const named = ["--issuer", issuer, "--client-id", clientId, "--certificate-authority", caFile];
      const setup = (...words: string[]) =>
        world.ok(["setup", ...named, "--server-version", version, "--user", ADA, ...words]);
      const printed = await setup("--part", "authentication");
      const asJson = JSON.parse(await setup("--part", "authentication", "-o", "json"));
      assert.equal(uses === "flags" ? asJson.apiVersion : uses, asJson.apiVersion);
      const authentication = uses === "flags"
        ? asJson.flags.map((flag: string) => flag.replace("/etc/kubernetes/oidc-ca.pem", caFile))
        : printed;
      await using server = await startApiServer({ trusted: [], authentication, certificates });
      assert.ok(server !== undefined);
      const walk = async (url: string) => await (await signInByHttp(world.cloud, url, ADA)).body?.cancel();
      good(
        await whenPrinted(
          printedAddress,
          walk,
          (onStderr) => world.datumctl(["login", ...named], { onStderr }),
        ),
      );
      const session = (await world.ok(["auth", "list", "-o", "name"])).trim();
      assert.match(
        (await world.datumctl(["setup", "--session", session])).stderr,
        /will see the session \S+ as oidc:ada@example\.com/,
      );
      assert.match(
        await world.ok(["auth", "update-kubeconfig", "--server", server.url]),
        /User: +oidc:ada@example\.com\n/,
      );
      const may = () =>
        world.start(kubectl, ["auth", "can-i", "list", "configmaps"]).finished.then(({ stdout }) =>
          stdout.trim()
        );
      assert.equal(await may(), "no");
      const apply = ["--kubeconfig", server.admin.kubeconfig, "apply", "-f", "-"];
      const binding = await setup("--part", "rbac", "--role", "reader");
      good(await world.start(kubectl, apply, { stdin: binding }).finished);
      assert.equal(await may(), "yes");
      good(await world.start(kubectl, ["get", "configmaps"]).finished);
    },
    { ignore: !atHand },
  );
}
