/** Proves with the compiled `login` that stray hits end no sign-in, and that what cannot be trusted stores nothing. */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { ErrorCode } from "../../src/errors.ts";
import { authorizeByHttp, signInByHttp } from "../cloud/browser.ts";
import type { Faults } from "../cloud/cloud.ts";
import { printedError } from "../expect-error.ts";
import { until } from "../until.ts";
import { openWorld, type World } from "./world.ts";

const ADA = "ada@example.com";

/** An HTTP request with nothing of a browser's own, so that its Host can be any. */
interface Hit {
  readonly method?: string;
  readonly path: string;
  readonly host?: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function hit(callback: URL, { method = "GET", path, host = callback.host }: Hit): Promise<Answer> {
  using connection = await Deno.connect({ hostname: callback.hostname, port: Number(callback.port) });
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`, "connection: close"];
  if (method === "POST") lines.push("content-length: 0");
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  const text = await new Response(connection.readable).text();
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text };
}

/** Where the browser will be sent back to, and the state that it must bring. */
function parametersOf(address: string): { readonly callback: URL; readonly state: string } {
  const query = new URL(address).searchParams;
  return { callback: new URL(query.get("redirect_uri") ?? ""), state: query.get("state") ?? "" };
}

/** Every hit that is not the awaited answer, with the status that turns it away. */
function strayHits({ callback, state }: ReturnType<typeof parametersOf>, issuer: string): [number, Hit][] {
  const { pathname, port } = callback;
  const iss = encodeURIComponent(issuer);
  const right = `${pathname}?code=stolen&state=${state}&iss=${iss}`;
  return [
    [400, { path: pathname }],
    [400, { path: `${pathname}?code=stolen&state=wrong&iss=${iss}` }],
    [400, { path: `${pathname}?code=stolen&state=${state.slice(0, -1)}&iss=${iss}` }],
    [400, { path: `${pathname}?code=stolen&state=${state}&state=wrong&iss=${iss}` }],
    [400, { path: `${pathname}?error=access_denied&state=wrong&iss=${iss}` }],
    [400, { path: `${pathname}?error=access_denied` }],
    [404, { path: "/" }],
    [404, { path: "/favicon.ico" }],
    [404, { path: right.replace(pathname, `${pathname}/`) }],
    [404, { path: right.replace(pathname, "/callback") }],
    [405, { method: "POST", path: right }],
    [405, { method: "HEAD", path: right }],
    [405, { method: "OPTIONS", path: right }],
    [421, { path: right, host: `evil.example:${port}` }],
    [421, { path: right, host: `localhost:${port}` }],
    [421, { path: right, host: "127.0.0.1" }],
  ];
}

/** Nothing that is worth anything is left of a refused sign-in: no session, no key, nobody active. */
async function assertNothingStored(world: World): Promise<void> {
  const left = (await world.files()).filter((path) =>
    !/\/sessions\/(?:\.gitignore|[a-z2-7]+\.lock)$/.test(path)
  );
  assert.deepEqual(left, []);
  assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
}

async function isOpen({ hostname, port }: URL): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port: Number(port) })).close();
    return true;
  } catch {
    return false;
  }
}

async function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  await test(world);
}

Deno.test("stray hits on the callback, one by one and all at once, are turned away and end no sign-in", async () => {
  await inWorld(async (world) => {
    const login = world.startLogin();
    const address = await login.address;
    const { callback, state } = parametersOf(address);
    const strays = strayHits({ callback, state }, world.cloud.issuer);
    for (const [status, stray] of strays) {
      const answer = await hit(callback, stray);
      assert.equal(answer.status, status, JSON.stringify(stray));
      assert.doesNotMatch(answer.text, /stolen|access_denied|You are signed in/);
      assert.ok(!answer.text.includes(state), "a stray hit is not told the state");
    }
    const [right, ...others] = await Promise.all([
      signInByHttp(world.cloud, address, ADA),
      ...strays.map(async ([status, stray]) => [status, (await hit(callback, stray)).status]),
    ]);
    assert.equal(right.status, 200);
    assert.match(await right.text(), /You are signed in/);
    for (const [status, came] of others) assert.equal(came, status);
    const finished = await login.finished;
    assert.equal(finished.code, 0, finished.stderr);
    assert.equal(world.cloud.counts()["token:authorization_code"], 1, "no stray code was exchanged");
  });
});

Deno.test("of the right hit sent eight times at once, one succeeds, and the code is exchanged once", async () => {
  await inWorld(async (world) => {
    const login = world.startLogin();
    const redirect = await authorizeByHttp(world.cloud, await login.address, ADA);
    const path = `${redirect.pathname}${redirect.search}`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => hit(redirect, { path }).catch(() => ({ status: 0, text: "" }))),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ text }) => text.includes("You are signed in")).length, 1);
    const finished = await login.finished;
    assert.equal(finished.code, 0, finished.stderr);
    assert.equal(world.cloud.counts()["token:authorization_code"], 1);
    assert.equal(await isOpen(redirect), false, "the listener is closed after its one answer");
  });
});

Deno.test("another issuer's error ends the sign-in too, and its words are not shown", async () => {
  await inWorld(async (world) => {
    await world.cloud.setFaults({ forgery: "redirect-iss" });
    const login = world.startLogin(["--error-format", "json"]);
    const page = await signInByHttp(world.cloud, await login.address, ADA, { cancel: true });
    const finished = await login.finished;
    printedError(finished, "INVALID_TOKEN");
    for (const text of [finished.stderr, await page.text()]) {
      assert.doesNotMatch(text, /access_denied|cancelled/);
    }
    await assertNothingStored(world);
  });
});

Deno.test("what the issuer itself refuses has its own code, and stores nothing", async () => {
  const cases: readonly (readonly [string, Faults, { cancel?: boolean }, ErrorCode, number])[] = [
    ["declined", {}, { cancel: true }, "ACCESS_DENIED", 1],
    ["the clocks disagree", { clockOffset: 24 * 3600 }, {}, "CLOCK_SKEW", 1],
    ["the token endpoint is broken", { token: { status: 503 } }, {}, "NETWORK", 6],
    ["a captive portal", { token: { body: "html" } }, {}, "NETWORK", 6],
    [
      "the code is refused",
      { token: { status: 400, json: { error: "invalid_grant" } } },
      {},
      "ISSUER_ERROR",
      1,
    ],
    ["no ID token", { tokenAnswer: { id_token: null } }, {}, "INVALID_TOKEN", 1],
  ];
  await inWorld(async (world) => {
    for (const [name, faults, walk, code, exit] of cases) {
      await world.cloud.setFaults(faults);
      const login = world.startLogin(["--error-format", "json"]);
      const page = await signInByHttp(world.cloud, await login.address, ADA, walk);
      assert.doesNotMatch(await page.text(), /you are signed in/i, name);
      const finished = await login.finished;
      printedError(finished, { code, exitCode: exit }, name);
      await assertNothingStored(world);
    }
  });
});

Deno.test("a wrong state alone is waited out until --timeout, which is TIMEOUT and leaves nothing", async () => {
  await inWorld(async (world) => {
    await world.cloud.setFaults({ forgery: "redirect-state" });
    const login = world.startLogin(["--error-format", "json", "--timeout", "4s"]);
    const address = await login.address;
    const page = await signInByHttp(world.cloud, address, ADA);
    assert.equal(page.status, 400);
    assert.doesNotMatch(await page.text(), /you are signed in/i);
    const finished = await login.finished;
    printedError(finished, { code: "TIMEOUT", retryable: true, message: /4 s/ });
    assert.ok(finished.took >= 4000 && finished.took < 30_000, `it took ${finished.took} ms`);
    assert.equal(await isOpen(parametersOf(address).callback), false);
    await assertNothingStored(world);
  });
});

Deno.test("--timeout ends a device sign-in that nobody approves", async () => {
  await inWorld(async (world) => {
    const finished = await world.startLogin(["--no-browser", "--error-format", "json", "--timeout", "2s"])
      .finished;
    printedError(finished, "TIMEOUT");
    await assertNothingStored(world);
  });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} while waiting exits 130, closes the listener and leaves nothing behind`, async () => {
    await inWorld(async (world) => {
      for (const flags of [[], ["--no-browser"]]) {
        const login = world.startLogin(["--error-format", "json", ...flags]);
        const address = await login.address;
        login.kill(signal);
        const finished = await login.finished;
        printedError(finished, { code: "INTERRUPTED", exitCode: 130 });
        if (flags.length === 0) assert.equal(await isOpen(parametersOf(address).callback), false);
        await assertNothingStored(world);
      }
    });
  });
}

Deno.test("SIGINT while the code is being exchanged exits 130, and the browser hears of no success", async () => {
  await inWorld(async (world) => {
    await world.cloud.setFaults({ token: { slow: 60_000 } });
    const login = world.startLogin(["--error-format", "json"]);
    const page = signInByHttp(world.cloud, await login.address, ADA);
    await until(() => world.cloud.counts().token !== 0, "the exchange");
    login.kill("SIGINT");
    const finished = await login.finished;
    printedError(finished, { code: "INTERRUPTED", exitCode: 130 });
    assert.match(await (await page).text(), /INTERRUPTED/);
    await assertNothingStored(world);
  });
});

Deno.test("stdin at its end aborts no sign-in", async () => {
  await inWorld(async (world) => {
    const finished = await world.login(ADA, [], { stdin: "" });
    assert.equal(finished.code, 0, finished.stderr);
  });
});

Deno.test("--listen-port is the port that the browser comes back to; a taken one is wrong usage", async () => {
  await inWorld(async (world) => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String(taken.addr.port);
    const refused = await world.startLogin(["--listen-port", port, "--error-format", "json"]).finished;
    printedError(refused, { code: "USAGE", message: new RegExp(port), hint: /--listen-port/ });
    taken.close();

    const login = world.startLogin(["--listen-port", port]);
    const address = await login.address;
    assert.equal(parametersOf(address).callback.port, port);
    await (await signInByHttp(world.cloud, address, ADA)).body?.cancel();
    assert.equal((await login.finished).code, 0);
  });
});

Deno.test("login --profile that comes back as somebody else is IDENTITY_MISMATCH, and stores nothing", async () => {
  await inWorld(async (world) => {
    assert.equal((await world.login(ADA, ["--profile", "work"])).code, 0);
    const before = await contentOf(world);
    world.cloud.resetCounts();
    const login = world.startLogin(["--profile", "work", "--error-format", "json"]);
    const address = await login.address;
    assert.equal(new URL(address).searchParams.get("login_hint"), ADA);
    const page = await signInByHttp(world.cloud, address, "grace@example.com");
    assert.equal(page.status, 400);
    assert.match(await page.text(), /IDENTITY_MISMATCH/);
    const finished = await login.finished;
    printedError(finished, { code: "IDENTITY_MISMATCH", message: /ada@example\.com.*grace@example\.com/ });
    assert.deepEqual(await contentOf(world), before);
    assert.ok((world.cloud.counts().revocation ?? 0) > 0, "the grant that nobody keeps is taken back");

    assert.equal((await world.login(ADA, ["--profile", "work"])).code, 0, "the same person renews it");
  });
});

async function contentOf(world: World): Promise<Record<string, string>> {
  const paths = (await world.files()).filter((path) => !path.endsWith(".lock"));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await Deno.readTextFile(path)])),
  );
}

Deno.test("a certificate of an unknown authority is told with its authority, its SHA-256 and the flag to use", async () => {
  await inWorld(async (world) => {
    const { authHost, apiHost, clientId, caPem } = world.cloud;
    const flags = ["--hostname", authHost, "--api-hostname", apiHost, "--client-id", clientId];
    const finished = await world.datumctl(["login", ...flags, "--error-format", "json"]);
    const { hint = "" } = printedError(finished, {
      code: "UNTRUSTED_CERTIFICATE",
      retryable: false,
      message: new RegExp(authHost),
      hint: /: datumctl login .*--certificate-authority FILE$/,
    });
    const authority = new X509Certificate(caPem).subject.trim().replaceAll("\n", ", ");
    assert.ok(hint.includes(authority), `${hint} does not name ${authority}`);
    assert.ok(hint.includes(await fingerprintOf(authHost, caPem)), hint);
    await assertNothingStored(world);

    const human = await world.datumctl(["login", ...flags]);
    assert.match(human.stderr, /^error: .*\n.*--certificate-authority FILE\n$/m);
  });
});

/** The SHA-256 of the certificate that a host shows to somebody who does trust its authority. */
async function fingerprintOf(host: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const { hostname, port } = new URL(`https://${host}`);
  const socket = connect({ host: hostname, port: Number(port), ca }, () => {
    assert.ok(socket.authorized);
    resolve(new Uint8Array(socket.getPeerCertificate().raw));
    socket.destroy();
  });
  socket.on("error", reject);
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(await promise));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(
    ":",
  );
}
