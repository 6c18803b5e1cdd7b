/** Proves how the proxy passes requests and answers on: tokens, headers, packed bodies, streams, and its audit. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { pause } from "../../src/system/clock.ts";
import { until } from "../until.ts";
import { KEY, READ_ONLY, startOwnServer, startProxyStage } from "./stage.ts";
import { connect, rawRequest, readUntil, sendRaw, writeAll } from "./wire.ts";

const WRITES = { ...READ_ONLY, writes: true };
const CONFIGMAPS = "/api/v1/namespaces/default/configmaps";

const isUnauthorized = () => new Response("Unauthorized", { status: 401 });

Deno.test("only listed headers go on, and ours is the only credential", async () => {
  const seen: [string, string][][] = [];
  await using server = startOwnServer((request) => {
    seen.push([...request.headers]);
    return new Response("{}", {
      headers: {
        "content-type": "application/json",
        "set-cookie": "a=b",
        "access-control-allow-origin": "*",
        "audit-id": "1",
        "x-kubernetes-pf-flowschema-uid": "2",
        location: "https://evil.example/",
        etag: '"3"',
      },
    });
  });
  await using stage = startProxyStage({ baseUrl: server.url });
  const answer = await sendRaw(
    { hostname: "127.0.0.1", port: stage.port },
    rawRequest("GET", `/${KEY}/version`, {
      host: `127.0.0.1:${stage.port}`,
      authorization: "Bearer of-the-client",
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
      "user-agent": "kubectl/v1",
      "if-none-match": '"3"',
      cookie: "a=b",
      "x-http-method-override": "DELETE",
      "x-forwarded-for": "10.0.0.1",
      "impersonate_user": "root",
      connection: "close, x-secret",
      "x-secret": "1",
      te: "trailers",
    }),
  );
  assert.equal(answer.status, 200);
  const names = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "host",
    "if-none-match",
    "user-agent",
  ];
  const [headers = []] = seen;
  assert.deepEqual(headers.map(([name]) => name), names);
  const given = new Map(headers);
  assert.equal(given.get("authorization"), "Bearer a-token");
  assert.equal(given.get("user-agent"), "kubectl/v1");
  assert.equal(given.get("accept-encoding"), "identity");
  assert.doesNotMatch(answer.headers, /set-cookie|access-control|location/);
  assert.match(answer.headers, /audit-id: 1/);
  assert.match(answer.headers, /x-kubernetes-pf-flowschema-uid: 2/);
  assert.match(answer.headers, /etag: "3"/);
});

Deno.test("a redirect is handed back without the place it leads to, and not followed", async () => {
  let elsewhere = 0;
  await using other = startOwnServer(() => {
    elsewhere++;
    return new Response();
  });
  await using server = startOwnServer(() =>
    new Response("moved", { status: 307, headers: { location: `${other.url}/x` } })
  );
  await using stage = startProxyStage({ baseUrl: server.url });
  const answer = await fetch(`${stage.url}/version`, { redirect: "manual" });
  await answer.body?.cancel();
  assert.equal(answer.status, 307);
  assert.equal(answer.headers.get("location"), null);
  assert.equal(elsewhere, 0);
});

Deno.test("after a 401 there is one new token, for all who wait; a second 401 is handed on", async () => {
  let good = "second";
  const bodies: string[] = [];
  await using server = startOwnServer(async (request) => {
    bodies.push(await request.text());
    return request.headers.get("authorization") === `Bearer ${good}` ? new Response("ok") : isUnauthorized();
  });
  const tokens = ["first"];
  let forced = 0;
  const token = async (force: boolean) => {
    if (force) {
      forced++;
      await pause(20);
      tokens.push("second");
    }
    return tokens.at(-1) ?? "";
  };
  await using stage = startProxyStage({ baseUrl: server.url, token, rules: WRITES });
  const post = () => fetch(`${stage.url}${CONFIGMAPS}`, { method: "POST", body: "a body" });
  const answers = await Promise.all(Array.from({ length: 5 }, post));
  assert.deepEqual(await Promise.all(answers.map((answer) => answer.text())), Array(5).fill("ok"));
  assert.equal(forced, 1);
  assert.ok(bodies.every((body) => body === "a body"));
  good = "third";
  const refused = await fetch(`${stage.url}/version`);
  assert.equal(refused.status, 401);
  await refused.body?.cancel();
  assert.equal(forced, 2);
  // What is streamed cannot be sent again, but the next request has a new token.
  const streamed = await fetch(`${stage.url}${CONFIGMAPS}`, {
    method: "POST",
    body: ReadableStream.from([new TextEncoder().encode("a body")]),
  });
  assert.equal(streamed.status, 401);
  await streamed.body?.cancel();
  assert.equal(forced, 3);
});

Deno.test("without a token or a server the answer is a Status that says why", async () => {
  const failing = () => Promise.reject(new AppError("SESSION_EXPIRED", "The session of Ada has expired."));
  await using server = startOwnServer(() => new Response());
  await using expired = startProxyStage({ baseUrl: server.url, token: failing });
  const noToken = await fetch(`${expired.url}/version`);
  assert.equal(noToken.status, 503);
  const status = await noToken.json();
  assert.equal(status.kind, "Status");
  assert.match(status.message, /SESSION_EXPIRED: The session of Ada/);
  assert.equal(expired.failures.length, 1);
  await using nobody = startProxyStage({ baseUrl: "http://127.0.0.1:9" });
  const noServer = await fetch(`${nobody.url}/version`);
  assert.equal(noServer.status, 502);
  assert.match((await noServer.json()).message, /NETWORK/);
});

Deno.test("a refusal that repeats the token is handed on without it", async () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.a-long-secret-token.of-some-bytes";
  await using server = startOwnServer((request) =>
    Response.json({ message: `no: ${request.headers.get("authorization")}` }, { status: 403 })
  );
  await using stage = startProxyStage({ baseUrl: server.url, token: () => Promise.resolve(token) });
  const answer = await fetch(`${stage.url}/version`);
  assert.equal(answer.status, 403);
  assert.equal((await answer.json()).message, "no: Bearer …");
});

Deno.test("what comes packed is handed on unpacked, under headers that are true", async () => {
  const text = "x".repeat(200_000);
  const packed = await new Response(
    new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")),
  ).bytes();
  const asked: (string | null)[] = [];
  await using server = startOwnServer((request) => {
    asked.push(request.headers.get("accept-encoding"));
    return new Response(packed, {
      headers: { "content-encoding": "gzip", "content-type": "application/json" },
    });
  });
  await using stage = startProxyStage({ baseUrl: server.url });
  const ask = (method: string, encoding: string) =>
    sendRaw(
      { hostname: "127.0.0.1", port: stage.port },
      rawRequest(method, `/${KEY}/version`, { host: `127.0.0.1:${stage.port}`, "accept-encoding": encoding }),
    );
  const plain = await ask("GET", "gzip");
  assert.doesNotMatch(plain.headers, /content-encoding|content-length/);
  assert.equal(
    plain.body.replace(/\r\n[0-9a-f]+\r\n|^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, "").replace(/[^x]/g, "").length,
    text.length,
  );
  const head = await ask("HEAD", "gzip, deflate");
  assert.equal(head.status, 200);
  assert.equal(head.body, "");
  // A server that packs although nobody asked: nothing unpacks it on the way.
  const kept = await ask("GET", "identity;q=1, gzip;q=0");
  assert.match(kept.headers, /content-encoding: gzip/);
  assert.match(kept.headers, new RegExp(`content-length: ${packed.length}`));
  assert.equal(kept.body.length, packed.length);
  assert.deepEqual(asked, ["gzip", "gzip", "identity"]);
  assert.deepEqual(stage.audit.map(({ bytes }) => bytes), [text.length, 0, packed.length]);
});

Deno.test("a body that is there without a length goes on as it comes", async () => {
  const part = new Uint8Array(100_000).fill(120);
  let received = 0;
  await using server = startOwnServer(async (request) => {
    for await (const bytes of request.body ?? []) received += bytes.length;
    return Response.json({ length: received });
  });
  await using stage = startProxyStage({ baseUrl: server.url, rules: WRITES });
  const parts = ReadableStream.from(async function* () {
    for (let at = 0; at < 10; at++) {
      yield part;
      // Each arrives before the next is sent.
      await until(() => received >= (at + 1) * part.length);
    }
  }());
  const answer = await fetch(`${stage.url}${CONFIGMAPS}`, { method: "POST", body: parts });
  assert.deepEqual(await answer.json(), { length: 10 * part.length });
});

/** A server whose lists have no end, and whose watches tell something when they are made to. */
function startStreams() {
  const watches = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let sent = 0;
  let left = 0;
  const part = new Uint8Array(65_536).fill(120);
  const server = startOwnServer((request) => {
    const { searchParams, pathname } = new URL(request.url);
    if (pathname === "/version") return Response.json({ token: request.headers.get("authorization") });
    if (!searchParams.has("watch")) {
      return new Response(
        new ReadableStream({
          pull(controller) {
            sent += part.length;
            controller.enqueue(part);
          },
          cancel() {
            left++;
          },
        }, { highWaterMark: 0 }),
      );
    }
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new Response(
      new ReadableStream({
        start(controller) {
          own = controller;
          watches.add(own);
          controller.enqueue(new TextEncoder().encode("began\n"));
        },
        cancel() {
          watches.delete(own);
        },
      }),
    );
  });
  return {
    url: server.url,
    watches,
    sent: () => sent,
    left: () => left,
    tell: (text: string) => watches.forEach((one) => one.enqueue(new TextEncoder().encode(`${text}\n`))),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const openWatch = async (port: number) => {
  const connection = await connect({ hostname: "127.0.0.1", port });
  await writeAll(
    connection,
    rawRequest("GET", `/${KEY}${CONFIGMAPS}?watch=1`, { host: `127.0.0.1:${port}` }),
  );
  assert.match(await readUntil(connection, "began"), /began/);
  return connection;
};

Deno.test("beside 150 open watches a small request is answered, and a watch outlives its token", async () => {
  await using server = startStreams();
  let token = "first";
  await using stage = startProxyStage({ baseUrl: server.url, token: () => Promise.resolve(token) });
  const watches: Deno.Conn[] = [];
  for (let at = 0; at < 150; at++) watches.push(await openWatch(stage.port));
  const ask = async () => (await (await fetch(`${stage.url}/version`)).json()).token;
  assert.equal(await ask(), "Bearer first");
  token = "second";
  assert.equal(await ask(), "Bearer second");
  server.tell("news");
  for (const watch of watches) assert.match(await readUntil(watch, "news"), /news/);
  // Who goes away is gone at the server, too.
  watches.slice(1).forEach((watch) => watch.close());
  await until(() => server.watches.size === 1);
  stage.proxy.finish();
  const [last] = watches;
  assert.ok(last !== undefined);
  // It ends as a watch does, not as a connection that broke.
  assert.match(await readUntil(last, "0\r\n\r\n"), /0\r\n\r\n$/);
  last.close();
  const late = await fetch(`${stage.url}/version`);
  assert.equal(late.status, 503);
  await late.body?.cancel();
  await until(() => stage.audit.filter(({ verb }) => verb === "watch").length === 150);
});

Deno.test("a reader that stops stops the server; a list that is broken off does not look whole", async () => {
  await using server = startStreams();
  await using stage = startProxyStage({ baseUrl: server.url });
  const { port } = stage;
  using reader = await connect({ hostname: "127.0.0.1", port });
  await writeAll(reader, rawRequest("GET", `/${KEY}${CONFIGMAPS}`, { host: `127.0.0.1:${port}` }));
  await readUntil(reader, "\r\n\r\n");
  let before = -1;
  await until(async () => {
    const same = before === server.sent();
    before = server.sent();
    await pause(300);
    return same && before === server.sent();
  });
  // What the sockets on both sides hold.
  assert.ok(before < 40_000_000, `${before} bytes were taken from the server`);
  const ending = stage.listener.shutdown();
  stage.proxy.breakOff();
  const began = performance.now();
  await stage.listener.close();
  assert.ok(performance.now() - began < 3000);
  const rest = await readUntil(reader, "\r\n0\r\n\r\n", 3000);
  assert.doesNotMatch(rest.slice(-20), /\r\n0\r\n\r\n$/);
  await until(() => server.left() === 1);
  assert.equal(stage.audit.length, 1);
  await ending;
});

Deno.test("a big list passes in bounded memory", async () => {
  const size = 200_000_000;
  const part = new Uint8Array(1_000_000).fill(120);
  await using server = startOwnServer(() =>
    new Response(ReadableStream.from(function* () {
      for (let at = 0; at < size; at += part.length) yield part;
    }()))
  );
  await using stage = startProxyStage({ baseUrl: server.url });
  const before = Deno.memoryUsage().rss;
  let most = 0;
  let length = 0;
  const answer = await fetch(`${stage.url}${CONFIGMAPS}`);
  for await (const bytes of answer.body ?? []) {
    length += bytes.length;
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  assert.equal(length, size);
  assert.ok(most - before < 150_000_000, `${most - before} bytes more`);
  assert.equal(stage.audit[0]?.bytes, size);
});

Deno.test("an upgrade is not done, and says so; Java's offer of HTTP/2 is passed over", async () => {
  await using server = startOwnServer(() => Response.json({}));
  await using stage = startProxyStage({ baseUrl: server.url });
  const { port } = stage;
  const ask = (upgrade: string) =>
    sendRaw(
      { hostname: "127.0.0.1", port },
      rawRequest("GET", `/${KEY}${CONFIGMAPS}?watch=1`, {
        host: `127.0.0.1:${port}`,
        connection: "Upgrade, close",
        upgrade,
      }),
    );
  const answer = await ask("websocket");
  assert.equal(answer.status, 501);
  assert.match(answer.body, /upgrades no connection/);
  assert.equal((await ask("h2c")).status, 200);
});

Deno.test("when its time is over it answers nothing more", async () => {
  await using server = startOwnServer(() => Response.json({}));
  await using stage = startProxyStage({ baseUrl: server.url, end: Date.now() - 1 });
  const answer = await fetch(`${stage.url}/version`);
  assert.equal(answer.status, 503);
  assert.match((await answer.json()).message, /has ended/);
});

Deno.test("the audit has a line for each request, and no secret in it", async () => {
  await using server = startOwnServer(() => Response.json({ data: "secret-of-the-answer" }));
  const token = "secret-of-the-session";
  await using stage = startProxyStage({
    baseUrl: server.url,
    token: () => Promise.resolve(token),
    rules: WRITES,
  });
  const headers = { "x-a": "secret-of-a-header" };
  const query = "?labelSelector=secret-of-the-query";
  const asks = [
    fetch(`${stage.url}${CONFIGMAPS}${query}`, { headers }),
    fetch(`${stage.url}${CONFIGMAPS}/a`, { method: "PATCH", body: "secret-of-the-body", headers }),
    fetch(`${stage.url}/api/v1/secrets${query}`, { headers }),
    fetch(`${stage.url.replace(KEY, "secret-of-another-run")}/version`),
  ];
  for (const ask of asks) await (await ask).text();
  const lines = stage.audit.map((entry) => JSON.stringify(entry)).sort();
  assert.deepEqual(lines.filter((line) => line.includes("secret-of") || line.includes(KEY)), []);
  const told = stage.audit.map(({ verb, path, status }) => `${verb} ${path} ${status}`).sort();
  assert.deepEqual(
    told,
    [
      "get  401",
      `list ${CONFIGMAPS} 200`,
      "list /api/v1/secrets 403",
      `patch ${CONFIGMAPS}/a 200`,
    ].sort(),
  );
  for (const { time, bytes } of stage.audit) {
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.ok(bytes > 0);
  }
});
