/** Proves sign-in to any OpenID issuer, and kubectl against any API server that accepts its tokens. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { type ApiServer, startApiServer } from "../cloud/api-server.ts";
import { approveDeviceByHttp, authorizeByHttp, signInByHttp } from "../cloud/browser.ts";
import { glewlwydAtHand, startGlewlwyd } from "../cloud/glewlwyd.ts";
import { startStockIssuer, type StockIssuer, type StockOptions } from "../cloud/stock-issuer.ts";
import { kubectl } from "./kubectls.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { type Finished, openWorld, printedAddress, type RunOptions, type World } from "./world.ts";

const CLIENT = "kubernetes";
const ADA = "ada@example.com";
const EXEC = "client.authentication.k8s.io/v1";

type Client = StockOptions["clients"][number];

/** A client as native programs have it. */
function native(more: Partial<Client> = {}): Client {
  return {
    client_id: CLIENT,
    application_type: "native",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: ["http://127.0.0.1/callback"],
    ...more,
  };
}

interface Stage {
  readonly world: World;
  readonly issuer: StockIssuer;
  /** Runs `login` with the flags that name the issuer, and more; the person signs in by fetch. */
  login(flags?: readonly string[], options?: RunOptions): Promise<Finished>;
  /** The one session's name. */
  readonly session: string;
}

function test(
  name: string,
  options: Partial<StockOptions>,
  run: (stage: Stage) => Promise<void>,
  ignore = false,
): void {
  Deno.test({
    name,
    ignore,
    fn: async () => {
      await using world = await openWorld();
      assert.ok(world !== undefined);
      await using issuer = await startStockIssuer({ clients: [native()], ...options });
      const flags = [
        "--issuer",
        issuer.issuer,
        "--client-id",
        CLIENT,
        "--certificate-authority",
        issuer.caFile,
      ];
      await run({
        world,
        issuer,
        session: `${ADA}@${issuer.host}`,
        login: (more = [], runOptions = {}) => signIn(world, issuer, [...flags, ...more], runOptions),
      });
    },
  });
}

/** Runs `login` and walks the issuer's pages. */
async function signIn(
  world: World,
  issuer: { readonly caPem: string },
  flags: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  let walk: Promise<unknown> | undefined;
  const finished = await world.datumctl(["login", ...flags], {
    ...options,
    onStderr(soFar) {
      const url = printedAddress(soFar);
      if (url === undefined || walk !== undefined) return;
      walk = signInByHttp(issuer, url, ADA).then((answer) => answer.body?.cancel());
      walk.catch(() => {}); // told below, once the program has said what it has to say
    },
  });
  await walk;
  return finished;
}

function good({ code, stdout, stderr }: Finished): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

function bad({ code, stderr }: Finished, exit: number, ...words: RegExp[]): void {
  assert.equal(code, exit, stderr);
  for (const word of words) assert.match(stderr, word);
}

// ---- issuers ----

for (const path of ["", "/realms/main"]) {
  test(
    `oidc-provider as it comes signs in, refreshes and renews${
      path === "" ? "" : ", at an issuer with a path"
    }`,
    { path },
    async ({ world, issuer, login, session }) => {
      const out = good(await login());
      assert.match(out, new RegExp(`^Signed in as ${ADA} at ${issuer.host}\\.`));
      const [asked] = issuer.authorizations;
      assert.equal(asked?.get("prompt"), "consent", "without it there is no refresh token");
      assert.equal(asked?.get("code_challenge_method"), "S256");
      assert.match(asked?.get("redirect_uri") ?? "", /^http:\/\/127\.0\.0\.1:\d+\/callback$/);

      const first = JSON.parse(await world.ok(["auth", "get-token", "--token", "id", "--claims"]));
      assert.equal(first.claims.iss, issuer.issuer);
      const exec = JSON.parse(await world.ok(["auth", "get-token", "-o", EXEC]));
      const id = (await world.ok(["auth", "get-token", "--token", "id"])).trim();
      assert.equal(exec.status.token, id, "kubectl gets the ID token");
      const access = await world.ok(["auth", "get-token"]);
      assert.notEqual(await world.ok(["auth", "get-token", "--force-refresh"]), access);
      assert.equal(issuer.tokenRequests.at(-1)?.parameters.grant_type, "refresh_token");
      assert.equal(issuer.tokenRequests.at(-1)?.authorization, undefined, "a public client sends no secret");

      good(await signIn(world, issuer, ["--profile", session]));
      const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
      assert.equal(listed.length, 1, "it was renewed, not made anew");
      assert.equal(listed[0].issuer, issuer.issuer);
      assert.equal(listed[0].provider, "oidc");
      // The stock configuration has no revocation: said, and removed all the same.
      const out2 = await world.datumctl(["logout", session]);
      bad(out2, 0, /no revocation endpoint/);
    },
  );
}

/** A port that is free on both families, 8000 when it is. */
function freePort(): number {
  for (const port of [8000, 0]) {
    try {
      using four = Deno.listen({ hostname: "127.0.0.1", port });
      using _six = Deno.listen({ hostname: "::1", port: four.addr.port });
      return four.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return freePort();
}

Deno.test("a redirect URI on localhost is sent byte for byte, listened for on both families, and remembered", async (t) => {
  const port = freePort();
  for (const uri of [`http://localhost:${port}`, `http://localhost:${port}/Some%2fwhere?tool=kube`]) {
    await t.step(uri, async () => {
      await using world = await openWorld();
      assert.ok(world !== undefined);
      // A web client's redirect URI is matched exactly, its port too.
      const client = native({ application_type: "web", redirect_uris: [uri] });
      await using issuer = await startStockIssuer({ clients: [client] });
      const flags = [
        "--issuer",
        issuer.issuer,
        "--client-id",
        CLIENT,
        "--certificate-authority",
        issuer.caFile,
      ];
      let strays: Promise<number[]> | undefined;
      let walk: Promise<unknown> | undefined;
      const run = (args: readonly string[]) => {
        walk = strays = undefined;
        return world.datumctl(["login", ...args], {
          onStderr(soFar) {
            const url = printedAddress(soFar);
            if (url === undefined) return;
            strays ??= Promise.all(["127.0.0.1", "[::1]"].map(async (host) => {
              const response = await fetch(`http://${host}:${port}/`);
              await response.body?.cancel();
              return response.status;
            }));
            walk ??= strays.then(() => signInByHttp(issuer, url, ADA)).then((answer) =>
              answer.body?.cancel()
            );
          },
        });
      };
      good(await run([...flags, "--redirect-uri", uri]));
      // Asked under their own names both answer, and neither takes that for the sign-in.
      assert.deepEqual((await strays)?.map((status) => status === 404 || status === 421), [true, true]);
      good(await run(["--profile", `${ADA}@${issuer.host}`]));
      assert.deepEqual(issuer.authorizations.map((asked) => asked.get("redirect_uri")), [uri, uri]);
    });
  }
});

test("a free port is put into a redirect URI without one, and a taken one is wrong usage", {
  clients: [native({ redirect_uris: ["http://localhost/back", "http://localhost:1/back"] })],
}, async ({ issuer, login }) => {
  good(await login(["--redirect-uri", "http://localhost/back"]));
  assert.match(issuer.authorizations[0]?.get("redirect_uri") ?? "", /^http:\/\/localhost:\d+\/back$/);
  using taken = Deno.listen({ hostname: "::1", port: 0 });
  const uri = `http://localhost:${taken.addr.port}/back`;
  bad(await login(["--redirect-uri", uri]), 2, /Port \d+ cannot be listened on/);
  bad(
    await login(["--redirect-uri", "http://localhost:9000/back", "--listen-port", "9001"]),
    2,
    /--listen-port 9001 contradicts the port 9000/,
  );
});

for (const method of ["client_secret_basic", "client_secret_post"] as const) {
  // Characters that Basic authentication must encode.
  const secret = "s3cret:+ %/=&-_.~*";
  test(`a confidential client authenticates by ${method}, also when it refreshes and is renewed`, {
    clients: [native({ token_endpoint_auth_method: method, client_secret: secret })],
    configuration: { clientAuthMethods: [method] },
  }, async ({ world, issuer, login, session }) => {
    const file = `${world.home}/secret.txt`;
    await Deno.writeTextFile(file, `${secret}\n`, { mode: 0o644 });
    bad(await login(), 1, /ISSUER|refused/, /invalid_client/);
    const outputs = [await login(["--client-secret-file", file])];
    bad(outputs[0] as Finished, 0, /Other users of this machine can read .*secret\.txt/);
    await Deno.remove(file);
    outputs.push(await world.datumctl(["auth", "get-token", "--force-refresh", "-v"]));
    outputs.push(await signIn(world, issuer, ["--profile", session, "-v"]));
    for (const finished of outputs) {
      good(finished);
      assert.ok(!`${finished.stdout}${finished.stderr}`.includes(secret));
    }
    for (const { authorization, parameters } of issuer.tokenRequests.slice(-3)) {
      if (method === "client_secret_post") assert.equal(parameters.client_secret, secret);
      else {
        assert.match(authorization ?? "", /^Basic /);
        assert.equal(parameters.client_secret, undefined);
      }
    }
    for (const path of await world.files()) {
      assert.ok(!(await Deno.readTextFile(path).catch(() => "")).includes(secret), path);
    }
    // Without the key the secret is gone, and the file is not trusted with where to go: the line to check has both.
    const [key] = (await world.files()).filter((path) => path.endsWith(".key"));
    await Deno.remove(key ?? "");
    const lost = await signIn(world, issuer, ["--profile", session]);
    bad(lost, 2, /The key of the session .* is lost/);
    const line = /datumctl login (.*)$/m.exec(lost.stderr)?.[1] ?? assert.fail(lost.stderr);
    assert.equal(
      line,
      `--profile ${session} --issuer ${issuer.issuer} --client-id ${CLIENT} --client-secret-file FILE ` +
        "--certificate-authority FILE",
    );
    const again = line.replace("--client-secret-file FILE", "--client-secret-file -").replace(
      "FILE",
      issuer.caFile,
    );
    good(await signIn(world, issuer, again.split(" "), { stdin: `${secret}\r\n` }));
    good(await world.datumctl(["auth", "get-token", "--force-refresh"]));
  });
}

/** Runs a command until it ends with that exit code. */
async function until(world: World, exit: number, args: readonly string[]): Promise<Finished> {
  for (const most = performance.now() + 60_000;;) {
    const finished = await world.datumctl(args);
    if (finished.code === exit) return finished;
    assert.equal(finished.code, 0, finished.stderr);
    assert.ok(performance.now() < most, `it never ended with ${exit}`);
  }
}

test("an issuer without refresh tokens: login says until when, then the session has expired", {
  configuration: { ttl: { IdToken: 4, AccessToken: 4 } },
}, async ({ world, issuer, login, session }) => {
  const finished = await login(["--scopes", "email"]);
  bad(finished, 0, /gave no refresh token: this session lasts until \d{4}-\d\d-\d\dT/);
  assert.equal(issuer.authorizations[0]?.get("scope"), "openid email");
  assert.equal(issuer.authorizations[0]?.get("prompt"), null, "nothing asks for a consent");
  const args = ["auth", "get-token", "-o", EXEC];
  bad(await until(world, 4, args), 4, /has expired: it came without a refresh token/, /login --profile/);
  // What an edited file says of the sign-in is not what was sealed.
  const [file = ""] = (await world.files()).filter((path) =>
    path.endsWith(".json") && path.includes("/sessions/")
  );
  const stored = JSON.parse(await Deno.readTextFile(file));
  assert.deepEqual(stored.signIn, { scopes: ["email"] });
  const signInOfAnother = { scopes: ["admin"], prompt: "none", redirectUri: "http://localhost:1/" };
  await Deno.writeTextFile(file, JSON.stringify({ ...stored, signIn: signInOfAnother }));
  good(await signIn(world, issuer, ["--profile", session]));
  assert.equal(issuer.authorizations[1]?.get("scope"), "openid email", "the scopes are remembered");
  assert.equal(issuer.tokenRequests.length, 2, "nothing was refreshed");
});

test("--prompt replaces the consent, and an empty one sends none", {}, async ({ issuer, login }) => {
  good(await login(["--prompt", "login"]));
  good(await login(["--prompt", ""]));
  assert.deepEqual(issuer.authorizations.map((asked) => asked.get("prompt")), ["login", null]);
});

test(
  "an issuer without ID tokens on refresh: the old one until its end, then NO_ID_TOKEN without a request",
  {
    configuration: { ttl: { IdToken: 6, AccessToken: 6 } },
    tokenAnswer: (grant) => grant === "refresh_token" ? { id_token: undefined } : {},
  },
  async ({ world, issuer, login }) => {
    good(await login());
    const args = ["auth", "get-token", "-o", EXEC];
    const before = JSON.parse(await world.ok(args)).status.token;
    await world.ok(["auth", "get-token", "--token", "access", "--force-refresh"]);
    assert.equal(JSON.parse(await world.ok(args)).status.token, before, "the old one is kept");
    bad(await until(world, 4, args), 4, /gives no new ID token/, /--token access/);
    const asked = issuer.tokenRequests.length;
    bad(await world.datumctl(args), 4);
    assert.equal(issuer.tokenRequests.length, asked);
    await world.ok(["auth", "get-token"]);
  },
);

test(
  "what cannot be an issuer, or is not the provider's, is refused before anybody signs in",
  {},
  async (stage) => {
    const { world, issuer, login } = stage;
    const run = (...args: string[]) => world.datumctl(["login", ...args], { timeout: 20_000 });
    bad(await run("--provider", "oidc"), 2, /needs --issuer/);
    bad(await run("--issuer", issuer.issuer), 2, /needs --client-id/);
    bad(await run("--issuer", "http://issuer.example", "--client-id", "a"), 2, /is not an https URL/);
    bad(
      await login(["--hostname", "auth.example.com"]),
      2,
      /--hostname is not for the provider oidc/,
      /datum/,
    );
    bad(
      await run("--redirect-uri", "http://localhost"),
      2,
      /--redirect-uri is not for the provider datum/,
      /oidc/,
    );
    bad(await login(["--redirect-uri", "http://192.0.2.1/"]), 2, /cannot be listened on/);
    bad(await login(["--client-secret-file", `${world.home}/none`]), 2, /does not exist/);
    bad(await run("--provider", "kanidm"), 2, /is not known/);
    const slash = [
      "--issuer",
      `${issuer.issuer}/`,
      "--client-id",
      CLIENT,
      "--certificate-authority",
      issuer.caFile,
    ];
    bad(await run(...slash), 1, /names "https:\/\/[^"]+[^/]", not "https:\/\/[^"]+\/"/);
    assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
    // The variable is a default: what is typed beats it.
    good(await login([], { env: { DATUMCTL_PROVIDER: "datum" } }));
  },
);

for (const secret of [undefined, "an-engine.s_secret"]) {
  Deno.test({
    name: `glewlwyd signs a ${
      secret === undefined ? "public" : "confidential"
    } client in, refreshes and serves kubectl`,
    ignore: !glewlwydAtHand || kubectl === "",
    fn: async () => {
      await using world = await openWorld();
      assert.ok(world !== undefined);
      const redirectUri = `http://localhost:${freePort()}/callback`;
      await using issuer = await startGlewlwyd([{
        id: CLIENT,
        redirectUri,
        ...secret === undefined ? {} : { secret },
      }]);
      const flags = [
        "--issuer",
        issuer.issuer,
        "--client-id",
        CLIENT,
        "--certificate-authority",
        issuer.caFile,
      ];
      let walk: Promise<unknown> | undefined;
      const finished = await world.datumctl([
        "login",
        ...[...flags, "--redirect-uri", redirectUri],
        ...secret === undefined ? [] : ["--client-secret-file", "-"],
      ], {
        ...secret === undefined ? {} : { stdin: secret },
        onStderr(soFar) {
          const url = printedAddress(soFar);
          if (url === undefined || walk !== undefined) return;
          assert.equal(new URL(url).searchParams.get("code_challenge_method"), "S256");
          walk = issuer.signIn(url).then((answer) => answer.body?.cancel());
          walk.catch(() => {});
        },
      });
      await walk;
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
  });
}

test("kubectl's plugin signs a session of any issuer in again, as it was signed in", {
  configuration: { ttl: { IdToken: 3, AccessToken: 3 } },
  clients: [native({ token_endpoint_auth_method: "client_secret_post", client_secret: "a-secret" })],
}, async ({ world, issuer, login, session }) => {
  good(await login(["--scopes", "email", "--client-secret-file", "-"], { stdin: "a-secret\n" }));
  await until(world, 4, ["auth", "get-token", "-o", EXEC]);
  const browser = `${world.home}/browser`;
  await Deno.writeTextFile(browser, '#!/bin/sh\necho "$1" > "$0.part"; mv "$0.part" "$0.opened"\n', {
    mode: 0o700,
  });
  const info = { kind: "ExecCredential", apiVersion: EXEC, spec: { interactive: true } };
  const plugin = world.start(
    world.binary,
    ["auth", "get-token", `--output=${EXEC}`, `--session=${session}`],
    {
      env: { BROWSER: browser, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    },
  );
  let url: string | undefined;
  for (const most = performance.now() + 30_000; url === undefined && performance.now() < most;) {
    url = await Deno.readTextFile(`${browser}.opened`).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await (await signInByHttp(issuer, url?.trim() ?? assert.fail("no browser was opened"), ADA)).body?.cancel();
  const { status } = JSON.parse(good(await plugin.finished));
  assert.match(status.token, /^ey/);
  assert.equal(issuer.authorizations[1]?.get("scope"), "openid email");
  assert.equal(issuer.authorizations[1]?.get("prompt"), null);
});

Deno.test("a device code: by itself over SSH, and from the endpoint that is named", async () => {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  const { cloud } = world;
  const flags = [
    ...["--issuer", cloud.issuer, "--client-id", cloud.clientId, "--certificate-authority", cloud.caFile],
  ];
  const ssh = { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", BROWSER: undefined };
  const run = async (more: readonly string[], env: Record<string, string | undefined> = {}) => {
    let walk: Promise<unknown> | undefined;
    const finished = await world.datumctl(["login", ...flags, ...more], {
      env,
      onStderr(soFar) {
        const url = printedAddress(soFar);
        if (url === undefined || walk !== undefined) return;
        walk = url.includes("user_code=")
          ? approveDeviceByHttp(cloud, url, ADA)
          : signInByHttp(cloud, url, ADA).then((answer) => answer.body?.cancel());
        walk.catch(() => {});
      },
    });
    await walk;
    return finished;
  };
  bad(
    await run([], ssh),
    0,
    /Signing in with a device code, because this is an SSH session/,
    /enter the code/,
  );
  // The issuer does not say where; it is Zitadel's place, which only Datum is known to have.
  await cloud.setFaults({ discoveryAnswer: { device_authorization_endpoint: null } });
  bad(
    await run(["--no-browser"]),
    1,
    /offers no sign-in with a device code/,
    /--device-authorization-endpoint/,
  );
  const endpoint = `${cloud.issuer}/oauth/v2/device_authorization`;
  bad(await run(["--no-browser", "--device-authorization-endpoint", endpoint]), 0, /enter the code/);
  bad(await run(["--device-authorization-endpoint", "http://a.example/d"]), 2, /is not an https URL/);
});

test("where the issuer refuses this client a device code that nobody asked for, the address is shown", {
  configuration: { features: { deviceFlow: { enabled: true } } },
}, async ({ login }) => {
  const env = { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", BROWSER: undefined };
  const finished = await login([], { env });
  bad(
    finished,
    0,
    /with a device code, because/,
    /Cannot ask for a device code: .* refused/,
    /No browser is opened here/,
  );
  bad(await login(["--no-browser"], { env }), 1, /Cannot ask for a device code/);
});

// ---- API servers ----

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

test(
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
    assert.deepEqual(contexts.map(({ context }: { context: unknown }) => context), [
      { cluster: "by-data", user: `datum-${session}` },
      { cluster: "by-file", user: `datum-${session}` },
    ]);
    assert.equal(users.length, 1);

    bad(await world.datumctl(["auth", "update-kubeconfig", "--cluster", "absent"]), 1, /by-data, by-file/);
    bad(
      await world.datumctl(["auth", "update-kubeconfig", "--cluster", "untrusted"]),
      1,
      /certificate-authority of/,
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

test(
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

test(
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

test(
  "a server on loopback may speak http, and kubectl's silence there is said",
  {},
  async ({ world, issuer, login }) => {
    good(await login());
    await using server = await serverOf(issuer, { plain: true });
    const finished = await world.datumctl(["auth", "update-kubeconfig", "--server", server.url]);
    bad(finished, 0, /kubectl sends no credentials over http/);
  },
);

// ---- a browser elsewhere ----

test(
  "over SSH, where the issuer has no device code, the address is pasted back; a wrong one is waited out",
  {},
  async (stage) => {
    const { world, issuer, session } = stage;
    await using panes = openPanes(world);
    const flags = [
      "--issuer",
      issuer.issuer,
      "--client-id",
      CLIENT,
      "--certificate-authority",
      issuer.caFile,
    ];
    const ssh = { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", BROWSER: undefined };
    const pane = await panes.open([world.binary, "login", ...flags], ssh);
    await pane.shows(/it is not shown/);
    const url = printedAddress(`${await pane.text()}\n`) ?? assert.fail("no address");
    assert.match(await pane.text(), /No browser is opened here, because this is an SSH session/);
    // The browser on the other machine ends at an address that it cannot open.
    const back = await authorizeByHttp(issuer, url, ADA);
    const paste = async (text: string) => {
      await pane.type(text);
      await pane.press("Enter");
    };
    await paste("hello");
    await pane.shows(/That is not an address/);
    const wrong = new URL(back);
    wrong.searchParams.set("state", "another");
    await paste(wrong.href);
    await pane.shows(/belongs to another sign-in/);
    await paste("http://127.0.0.1:1/callback?code=1");
    await pane.shows(/That is another address/);
    await paste(back.href);
    assert.equal(await pane.ended(), 0);
    const shown = await pane.text();
    assert.match(shown, new RegExp(`Signed in as ${ADA} at`));
    assert.ok(!shown.includes(back.searchParams.get("code") ?? "code"), "what was pasted is not shown");

    // The listener stays open beside it: a forwarded port does as well. And Ctrl-C ends the wait.
    const other = await panes.open([world.binary, "login", "--profile", session], ssh);
    await other.shows(/it is not shown/);
    const again = printedAddress(`${await other.text()}\n`) ?? assert.fail("no address");
    await (await signInByHttp(issuer, again, ADA)).body?.cancel();
    assert.equal(await other.ended(), 0);
    const third = await panes.open([world.binary, "login", "--profile", session], ssh);
    await third.shows(/it is not shown/);
    await third.press("C-c");
    assert.equal(await third.ended(), 130);
  },
  !panesAtHand,
);
