/** Proves the limits of every request to an issuer, and what its bad answers are called. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { failedRequest } from "../../src/http/bounded.ts";
import { issuerFetch, MAX_ANSWER, readJson } from "../../src/oauth/issuer-request.ts";
import { expectRejection } from "../expect-error.ts";
import { ISSUER, json, NOW, TestIssuer } from "./issuer.ts";

const URL_ = `${ISSUER}/token`;

Deno.test("an http address beyond loopback is refused before any request", async () => {
  const issuer = new TestIssuer();
  await expectRejection(
    issuerFetch(issuer.http(), "Cannot ask")("http://issuer.example/token"),
    "ISSUER_ERROR",
  );
  assert.equal(issuer.requests.length, 0);
});

for (
  const [name, route, expected] of [
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
      /redirect/,
    ],
    ["a 500", () => json({ error: "invalid_grant" }, { status: 500 }), /unavailable \(status 500\)/],
    ["a 429", () => json({}, { status: 429 }), /asked too often \(status 429\)/],
    [
      "an HTML page with 200",
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
      /"text\/html" instead of JSON/,
    ],
    ["no content type", () => new Response(new TextEncoder().encode("{}")), /without a content type/],
    [
      "JSON in name only",
      () => new Response("{", { headers: { "content-type": "application/json" } }),
      /unreadable text/,
    ],
    ["an array", () => json([]), /something else/],
  ] as const
) {
  Deno.test(`${name} is NETWORK and names the host`, async () => {
    const issuer = new TestIssuer();
    issuer.routes["/token"] = route;
    const asked = issuerFetch(issuer.http(), "Cannot ask")(URL_).then((answer) =>
      readJson("Cannot ask", URL_, answer)
    );
    const error = await expectRejection(asked, { code: "NETWORK", message: /^Cannot ask: issuer\.example / });
    assert.match(error.message, expected);
    assert.equal(issuer.requests.length, 1);
  });
}

Deno.test("a body beyond 1 MiB is given up, an endless one is not read to its end", async () => {
  const issuer = new TestIssuer();
  let sent = 0;
  let cancelled = false;
  const chunk = new Uint8Array(64 * 1024);
  issuer.routes["/token"] = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => (sent += chunk.length, controller.enqueue(chunk)),
        cancel: () => void (cancelled = true),
      }),
    );
  await expectRejection(issuerFetch(issuer.http(), "Cannot ask")(URL_), {
    code: "NETWORK",
    message: /more than 1 MiB/,
  });
  assert.ok(cancelled);
  assert.ok(sent < MAX_ANSWER + 4 * chunk.length);
});

Deno.test("a body of exactly 1 MiB is read", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/token"] = () => new Response(new Uint8Array(MAX_ANSWER));
  const response = await issuerFetch(issuer.http(), "Cannot ask")(URL_);
  assert.equal((await response.arrayBuffer()).byteLength, MAX_ANSWER);
});

Deno.test("a body that breaks off is NETWORK", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/token"] = () =>
    new Response(
      new ReadableStream({
        start: (
          controller,
        ) => (controller.enqueue(new TextEncoder().encode('{"a":')),
          controller.error(new TypeError("reset"))),
      }),
      { headers: { "content-type": "application/json" } },
    );
  await expectRejection(issuerFetch(issuer.http(), "Cannot ask")(URL_), "NETWORK");
});

Deno.test("an answer that never comes, from a fetch deaf to its signal, ends by the request's time-out", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/token"] = () => new Promise<Response>(() => {});
  const error = await expectRejection(
    issuerFetch(issuer.http({ requestTimeout: 20 }), "Cannot ask")(URL_),
    "NETWORK",
  );
  assert.equal(failedRequest(error)?.kind, "timeout");
});

Deno.test("a body that drips ends by the request's time-out, and half of it never passes for the whole", async () => {
  const issuer = new TestIssuer();
  let cancelled = false;
  issuer.routes["/token"] = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("{}")),
        cancel: () => void (cancelled = true),
      }),
      { headers: { "content-type": "application/json" } },
    );
  const error = await expectRejection(
    issuerFetch(issuer.http({ requestTimeout: 20 }), "Cannot ask")(URL_),
  );
  assert.equal(failedRequest(error)?.kind, "timeout");
  assert.ok(cancelled);
});

Deno.test("a server that is silent is told with the proxy that it was asked through, by either bound", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/token"] = () => new Promise<Response>(() => {});
  const { fetch } = issuer.http();
  for (const proxy of [undefined, "proxy.example:3128"]) {
    const through = proxy === undefined ? "" : " through the proxy proxy.example:3128";
    const proxied = Object.assign(fetch.bind(undefined), { proxyOf: () => proxy });
    const slow = issuer.http({ fetch: proxied, requestTimeout: 20 });
    await expectRejection(issuerFetch(slow, "Cannot ask")(URL_), {
      message: `Cannot ask: issuer.example did not answer${through} within 0.02 s.`,
    });
    const bound = new AbortController();
    setTimeout(() => bound.abort(new AppError("TIMEOUT", "Nobody came.")), 1_200);
    const patient = issuer.http({ fetch: proxied, signal: bound.signal });
    const over = await expectRejection(issuerFetch(patient, "Cannot ask")(URL_));
    assert.deepEqual([over.code, over.message], [
      "NETWORK",
      `Cannot ask: issuer.example did not answer${through} in time.`,
    ]);
  }
});

Deno.test("time that runs out just after a request began is not the server's doing", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/token"] = () => new Promise<Response>(() => {});
  const bound = new AbortController();
  setTimeout(() => bound.abort(new AppError("TIMEOUT", "Nobody came.")), 10);
  await expectRejection(issuerFetch(issuer.http({ signal: bound.signal }), "Cannot ask")(URL_), {
    message: "Nobody came.",
  });
});

Deno.test("Ctrl-C ends an exchange with the error that it was given", async () => {
  const issuer = new TestIssuer();
  const stop = new AbortController();
  issuer.routes["/token"] =
    () => (stop.abort(new AppError("INTERRUPTED", "Stopped.")), new Promise<Response>(() => {}));
  await expectRejection(
    issuerFetch(issuer.http({ signal: stop.signal }), "Cannot ask")(URL_),
    "INTERRUPTED",
  );
});

Deno.test("a flow whose bound is over is NETWORK, whatever fetch rejects with", async () => {
  const issuer = new TestIssuer();
  const stop = new AbortController();
  issuer.routes["/token"] = () => (stop.abort(), Promise.reject(new DOMException("x", "AbortError")));
  await expectRejection(
    issuerFetch(issuer.http({ signal: stop.signal }), "Cannot ask")(URL_),
    "NETWORK",
  );
});

Deno.test("an AppError of the transport passes unchanged; anything else becomes NETWORK", async () => {
  const issuer = new TestIssuer();
  const own = new AppError("NETWORK", "The certificate of issuer.example is not trusted.");
  issuer.routes["/token"] = [() => Promise.reject(own), () => Promise.reject(new TypeError("boom"))];
  assert.equal(await expectRejection(issuerFetch(issuer.http(), "Cannot ask")(URL_)), own);
  const other = await expectRejection(issuerFetch(issuer.http(), "Cannot ask")(URL_), "NETWORK");
  assert.doesNotMatch(other.message, /boom/);
});

Deno.test("Retry-After is read as seconds and as a date", async () => {
  const issuer = new TestIssuer();
  const at = (value: string) => () => json({}, { status: 503, headers: { "retry-after": value } });
  issuer.routes["/token"] = [at("7"), at(new Date(NOW + 9000).toUTCString()), at("soon")];
  for (const expected of [7000, 9000, undefined]) {
    const error = await expectRejection(issuerFetch(issuer.http(), "Cannot ask")(URL_));
    assert.equal(failedRequest(error)?.retryAfter, expected);
  }
});

Deno.test("the log names method, host, path and status, and neither query nor body", async () => {
  const issuer = new TestIssuer();
  issuer.routes["/token"] = () => json({ access_token: "SECRET" });
  await issuerFetch(issuer.http(), "Cannot ask")(`${URL_}?code=SECRET`, {
    method: "POST",
    body: "SECRET",
  });
  assert.deepEqual(issuer.log, ["POST issuer.example/tenant/token 200 in 0 ms"]);
});

/** A server of one raw answer, closed right after it, as a broken proxy does. */
async function rawServer(answer: string, ask: (url: string) => Promise<unknown>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(new TextEncoder().encode(answer));
    connection.close();
  })();
  await ask(`http://127.0.0.1:${listener.addr.port}/token`);
  await serving;
  listener.close();
}

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
for (
  const [name, answer] of [
    ["closed half-way through its length", `${HEAD}content-length: 100\r\n\r\n{"a":1}`],
    ["closed half-way through its chunks", `${HEAD}transfer-encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n`],
    ["closed before its status", ""],
  ] as const
) {
  Deno.test(`with the real fetch, an answer ${name} is NETWORK`, () =>
    rawServer(answer, async (url) => {
      const http = new TestIssuer().http({ fetch: (input, init) => fetch(input, init) });
      const asked = issuerFetch(http, "Cannot ask")(url).then((response) =>
        readJson("Cannot ask", url, response)
      );
      await expectRejection(asked, "NETWORK");
    }));
}

Deno.test("with the real fetch, a redirect is not followed", async () => {
  const paths: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    paths.push(new URL(request.url).pathname);
    return new Response(null, { status: 307, headers: { location: "/elsewhere" } });
  });
  const http = new TestIssuer().http({ fetch: (input, init) => fetch(input, init) });
  const url = `http://127.0.0.1:${server.addr.port}/token`;
  await expectRejection(issuerFetch(http, "Cannot ask")(url, { method: "POST", body: "code=1" }), {
    message: /redirect/,
  });
  assert.deepEqual(paths, ["/token"]);
  await server.shutdown();
});
