/** Proves what failures of requests are called, with real ones. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { certificatesOf, networkError, networkFailure, openNetwork } from "../../src/system/network.ts";
import { type Certificates, makeCertificates } from "../cloud/certificates.ts";
import { expectError } from "../expect-error.ts";

const DAY = 24 * 3600_000;

interface Answer {
  readonly status?: number;
  readonly body?: string;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly kind?: string;
}

/** Asks every URL from a process of its own. */
async function ask(
  urls: readonly string[],
  { caFile = "", env = {} }: { caFile?: string; env?: Record<string, string> } = {},
): Promise<Answer[]> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--no-config", "--no-lock"],
      new URL("./fetch-probe.ts", import.meta.url).pathname,
      caFile,
      ...urls,
    ],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      DENO_NO_UPDATE_CHECK: "1",
      ...env,
    },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A listener that does one thing to each connection. */
function listen(
  handle: (connection: Deno.Conn) => Promise<void> | void,
  certificates?: Certificates,
  hostname = "127.0.0.1",
): { readonly port: number } & Disposable {
  const listener = certificates === undefined
    ? Deno.listen({ hostname, port: 0 })
    : Deno.listenTls({ hostname, port: 0, cert: certificates.certificatePem, key: certificates.keyPem });
  (async () => {
    for (;;) {
      let connection: Deno.Conn;
      try {
        connection = await listener.accept();
      } catch (thrown) {
        // A handshake that the client broke off is one of the cases; the end of the listener is the other.
        if (thrown instanceof Deno.errors.BadResource || thrown instanceof Deno.errors.Interrupted) return;
        continue;
      }
      Promise.resolve(handle(connection)).catch(() => {}).finally(() => {
        try {
          connection.close();
        } catch {
          // Closed by its handler.
        }
      });
    }
  })();
  return { port: (listener.addr as Deno.NetAddr).port, [Symbol.dispose]: () => listener.close() };
}

const say = (text: string) => async (connection: Deno.Conn) => {
  await connection.read(new Uint8Array(4096));
  await connection.write(new TextEncoder().encode(text));
};

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";

Deno.test(`refused, unresolved, closed and broken-off are NETWORK, each by its own name`, async () => {
  using closes = listen(() => {});
  using half = listen(say("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf"));
  using plain = listen(say("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const [refused, unresolved, closed, halved, notTls] = await ask([
    // Nobody listens there; a port that was just closed may be another test's by now.
    "http://127.0.0.1:2/",
    "http://no-such-host.invalid/",
    `http://127.0.0.1:${closes.port}/`,
    `http://127.0.0.1:${half.port}/`,
    `https://127.0.0.1:${plain.port}/`,
  ]);
  assert.deepEqual([refused?.code, refused?.kind], ["NETWORK", "refused"]);
  assert.match(refused?.message ?? "", /^Cannot reach 127\.0\.0\.1:\d+: the connection was refused\.$/);
  assert.deepEqual([unresolved?.code, unresolved?.kind], ["NETWORK", "unresolved"]);
  assert.equal(unresolved?.message, "Cannot reach no-such-host.invalid: the host name cannot be resolved.");
  assert.deepEqual([closed?.code, closed?.kind], ["NETWORK", "closed"]);
  assert.equal(halved?.status, 200);
  assert.equal(halved?.kind, "closed");
  assert.equal(notTls?.code, "NETWORK");
  assert.doesNotMatch(
    JSON.stringify([refused, closed]),
    /os error|client error/,
    "the runtime's words stay inside",
  );
});

Deno.test(`certificates are told apart: unknown, another name's, over, not yet valid`, async () => {
  const now = Date.now();
  const [good, stranger, old, early] = await Promise.all([
    makeCertificates(new Date(now)),
    makeCertificates(new Date(now)),
    makeCertificates(new Date(now - 60 * DAY)),
    makeCertificates(new Date(now + 60 * DAY)),
  ]);
  const caFile = await Deno.makeTempFile({ suffix: ".pem" });
  try {
    await Deno.writeTextFile(caFile, good.caPem + old.caPem + early.caPem);
    using trusted = listen(say(OK), good);
    using unknown = listen(say(OK), stranger);
    using over = listen(say(OK), old);
    using future = listen(say(OK), early);
    using elsewhere = listen(say(OK), good, Deno.build.os === "linux" ? "127.0.0.2" : "127.0.0.1");
    const answers = await ask([
      `https://127.0.0.1:${trusted.port}/`,
      `https://127.0.0.1:${unknown.port}/`,
      `https://127.0.0.1:${over.port}/`,
      `https://127.0.0.1:${future.port}/`,
      ...(Deno.build.os === "linux" ? [`https://127.0.0.2:${elsewhere.port}/`] : []),
    ], { caFile });
    assert.deepEqual(answers[0], { status: 200, body: "hi" }, "the authority that was given is trusted");
    assert.deepEqual([answers[1]?.code, answers[1]?.kind], ["UNTRUSTED_CERTIFICATE", "unknown-issuer"]);
    assert.match(answers[1]?.hint ?? "", /--certificate-authority/);
    assert.deepEqual([answers[2]?.code, answers[2]?.kind], ["NETWORK", "expired"]);
    assert.match(answers[2]?.message ?? "", /this machine's clock/);
    assert.deepEqual([answers[3]?.code, answers[3]?.kind], ["NETWORK", "not-yet-valid"]);
    if (answers.length > 4) {
      assert.deepEqual([answers[4]?.code, answers[4]?.kind], ["UNTRUSTED_CERTIFICATE", "wrong-name"]);
    }
  } finally {
    await Deno.remove(caFile);
  }
});

Deno.test(`loopback goes to no proxy; what NO_PROXY names stays out of it as kubectl and curl have it`, async () => {
  using target = listen(say(OK));
  const asked: string[] = [];
  using proxy = listen(async (connection) => {
    const buffer = new Uint8Array(4096);
    const length = await connection.read(buffer) ?? 0;
    asked.push(new TextDecoder().decode(buffer.subarray(0, length)).split("\r\n")[0] ?? "");
    await connection.write(new TextEncoder().encode(OK.replace("hi", "px")));
  });
  const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
  const lists = [{}, { NO_PROXY: "corp.invalid" }, { no_proxy: "a.test *.invalid, .CORP.invalid.\t" }];
  for (const list of [...lists, { NO_PROXY: "corp.invalid:80" }, { NO_PROXY: "invalid:81" }]) {
    asked.length = 0;
    const [local, other, corp, last] = await ask([
      `http://127.0.0.1:${target.port}/`,
      `http://127.0.0.2:${target.port}/`,
      "http://corp.invalid/",
      "http://other.example/",
    ], { env: { ...env, ...list } });
    assert.equal(local?.body, "hi");
    assert.ok(other?.kind === "refused" || other?.body === "hi", JSON.stringify(other));
    assert.equal(last?.body, "px");
    const named = Object.keys(list).length > 0 && !Object.values(list).includes("invalid:81");
    assert.equal(corp?.kind ?? corp?.body, named ? "unresolved" : "px", JSON.stringify(list));
    assert.equal(asked.length, named ? 1 : 2);
  }
});

Deno.test(`a proxy that refuses is named as the reason`, async () => {
  using proxy = listen(say("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"));
  const [answer] = await ask(["https://no-such-host.invalid/"], {
    env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
  });
  assert.deepEqual([answer?.code, answer?.kind], ["NETWORK", "proxy"]);
});

Deno.test(`a proxy that asks for a user name says so, over http and https, and what to set`, async () => {
  using proxy = listen(say(
    'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="corp"\r\ncontent-length: 0\r\n\r\n',
  ));
  const place = `127.0.0.1:${proxy.port}`;
  const answers = await ask(["https://no-such-host.invalid/", "http://no-such-host.invalid/"], {
    env: { HTTPS_PROXY: `http://ada:HUNTER2@${place}`, http_proxy: place },
  });
  for (const [at, variable] of ["HTTPS_PROXY", "http_proxy"].entries()) {
    assert.deepEqual([answers[at]?.code, answers[at]?.kind], ["NETWORK", "proxy-user"]);
    assert.equal(
      answers[at]?.message,
      `Cannot reach no-such-host.invalid through the proxy ${place}: the proxy asks for a user name and password.`,
    );
    assert.equal(
      answers[at]?.hint,
      `Put them into the variable, percent-encoded: ${variable}=http://USER:PASSWORD@${place}`,
    );
  }
});

Deno.test(`a variable that is no proxy's ends the request instead of letting it go directly`, async () => {
  using target = listen(say(OK));
  for (const value of ["ftp://127.0.0.1:1", "http://a b", "http://127.0.0.1:99999"]) {
    const [direct, answer] = await ask([
      `http://127.0.0.1:${target.port}/`,
      "http://corp.invalid/",
    ], {
      env: { http_proxy: value },
    });
    assert.equal(direct?.body, "hi", value);
    assert.equal(answer?.code, "USAGE", value);
    assert.equal(answer?.message, "The variable http_proxy holds no URL of a proxy.");
  }
});

Deno.test("the variables of proxies, and NO_PROXY, stay as they were for programs that are started", () => {
  const before = { HTTPS_PROXY: "http://proxy.example:1", no_proxy: "a.example", ALL_PROXY: "x" };
  const had = Object.keys(before).map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const [name, value] of Object.entries(before)) Deno.env.set(name, value);
    const others = Deno.env.toObject();
    using network = openNetwork();
    assert.equal(network.fetch.proxyOf?.(new URL("https://auth.example.com/")), "proxy.example:1");
    assert.deepEqual({ ...Deno.env.toObject() }, { ...others, DENO_TLS_CA_STORE: "system,mozilla" });
  } finally {
    for (const [name, value] of had) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  }
});

Deno.test("a request given up by its caller throws the caller's own reason", async () => {
  using silent = listen(() => new Promise(() => {}));
  using network = openNetwork();
  const controller = new AbortController();
  const reason = new AppError("TIMEOUT", "Enough.");
  const asking = network.fetch(`http://127.0.0.1:${silent.port}/`, { signal: controller.signal });
  controller.abort(reason);
  assert.equal(await asking.catch((thrown) => thrown), reason);
});

Deno.test("a host's own name decides nothing about the failure's", () => {
  const thrown = new TypeError(
    "error sending request for url (https://certificate-proxy-timeout.example/): client error (Connect)",
    { cause: new Error("tcp connect error: Connection refused (os error 111)") },
  );
  assert.equal(networkFailure(thrown).kind, "refused");
});

Deno.test("anything that was thrown has a kind, and an error of ours passes as it is", () => {
  for (const thrown of [undefined, null, "text", {}, new Error(""), new DOMException("x", "AbortError")]) {
    assert.equal(networkFailure(thrown).kind, "other");
  }
  const loop = new Error("a");
  loop.cause = loop;
  assert.equal(networkFailure(loop).kind, "other");
  const ours = new AppError("STORAGE", "x");
  assert.equal(networkError("h", ours), ours);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(networkError("h\u001b[2J", new Error("")).message, /\u001b/);
});

Deno.test("an authority's file may hold several certificates and words between them, but no private key", async () => {
  const [a, b] = await Promise.all([makeCertificates(new Date()), makeCertificates(new Date())]);
  assert.deepEqual(
    certificatesOf(`# one\r\n${a.caPem}\n# two\n${b.caPem}`).map((pem) => pem.trim()),
    [a.caPem.trim(), b.caPem.trim()],
  );
  for (
    const text of [
      "",
      "hello",
      a.keyPem,
      a.caPem + a.keyPem,
      "-----BEGIN CERTIFICATE-----",
      a.caPem.replaceAll("-", ""),
    ]
  ) {
    expectError(() => certificatesOf(text), "USAGE");
  }
});

Deno.test("a certificate that cannot be read is wrong usage, not a fault of ours", () => {
  const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  expectError(() => openNetwork(pem), "USAGE");
});
