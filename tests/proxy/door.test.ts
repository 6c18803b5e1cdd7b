/** Proves who gets in at the proxy's door, and that the path that is judged is the one that came: with raw sockets. */

import assert from "node:assert/strict";
import { newKey } from "../../src/proxy/door.ts";
import { REQUESTS } from "./requests.ts";
import { KEY, type ProxyStage, startOwnServer, startProxyStage } from "./stage.ts";
import { rawRequest, sendRaw } from "./wire.ts";

/** A proxy before a server that writes down what it is asked, and answers with nothing of interest. */
function open() {
  const seen: string[] = [];
  const server = startOwnServer((request) => {
    seen.push(`${request.method} ${request.url.slice(server.url.length)}`);
    return Response.json({});
  });
  const stage = startProxyStage({ baseUrl: server.url });
  return {
    seen,
    stage,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const ask = (
  { port }: ProxyStage,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
) =>
  sendRaw(
    { hostname: "127.0.0.1", port },
    rawRequest(method, target, { host: `127.0.0.1:${port}`, ...headers }),
  );

Deno.test("a key is random, and stands in a path as it is", () => {
  const keys = new Set(Array.from({ length: 20 }, newKey));
  assert.equal(keys.size, 20);
  for (const key of keys) assert.match(key, /^[\w-]{43}$/);
});

Deno.test("nothing is asked without the key", async () => {
  await using world = open();
  const { stage, seen } = world;
  const wrong = KEY.slice(0, -1) + "y";
  for (
    const target of [
      "/version",
      "/",
      `/${wrong}/version`,
      `/${KEY}x/version`,
      `/${KEY.slice(1)}/version`,
      `//${KEY}/version`,
      `/x/${KEY}/version`,
      `/version?${KEY}`,
      `/${KEY}%20/version`,
      `/%6b${KEY.slice(1)}/version`,
    ]
  ) {
    assert.equal((await ask(stage, target)).status, 401, target);
  }
  for (
    const authorization of [
      `Bearer ${wrong}`,
      `Basic ${KEY}`,
      KEY,
      `Bearer ${KEY} x`,
      `Bearer ${KEY}, Bearer x`,
    ]
  ) {
    assert.equal((await ask(stage, "/version", { authorization })).status, 401, authorization);
  }
  assert.deepEqual(seen, []);
  assert.ok(stage.audit.every(({ path, status }) => path === "" && status === 401));
});

Deno.test("the key is taken from the path or from a Bearer, and goes no further", async () => {
  await using world = open();
  const { stage, seen } = world;
  assert.equal((await ask(stage, `/${KEY}/version?a=1`)).status, 200);
  assert.equal((await ask(stage, "/version", { authorization: `bearer ${KEY}` })).status, 200);
  assert.equal((await ask(stage, `/${KEY}/version`, { authorization: `Bearer ${KEY}` })).status, 200);
  assert.equal((await ask(stage, `/${KEY}/${KEY}/version`)).status, 403);
  assert.equal((await ask(stage, `/${KEY}/api/v1/configmaps/${KEY}`)).status, 200);
  assert.deepEqual(seen.slice(0, 3), ["GET /version?a=1", "GET /version", "GET /version"]);
  assert.doesNotMatch(JSON.stringify(stage.audit), new RegExp(KEY));
});

Deno.test("the host that was meant must be this one", async () => {
  await using world = open();
  const { stage, seen } = world;
  const { port } = stage;
  const target = `/${KEY}/version`;
  for (
    const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      "localhost",
      `127.0.0.1:${port + 1}`,
      `127.1:${port}`,
      `127.0.0.1:${port}.`,
      `LOCALHOST.:${port}`,
      `u@127.0.0.1:${port}`,
      `127.0.0.1:${port}/${KEY}/version?`,
      `127.0.0.1:${port}#`,
      "",
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `localhost.:${port}`,
      `127.0.0.1.:${port}`,
      `0.0.0.0:${port}`,
      `2130706433:${port}`,
      `127.0.0.1:0${port}`,
      `attacker.example:${port}`,
    ]
  ) {
    const { status } = await ask(stage, target, { host });
    assert.ok(status === 403 || status === 400, `${host}: ${status}`);
  }
  const address = { hostname: "127.0.0.1", port };
  const line = `GET ${target} HTTP/1.1\r\n`;
  const host = `Host: 127.0.0.1:${port}\r\n`;
  for (
    const text of [
      `${line}Connection: close\r\n\r\n`,
      `GET ${target} HTTP/1.0\r\n\r\n`,
      `${line}${host}Host: evil.example\r\nConnection: close\r\n\r\n`,
      `${line}${host}${host}Connection: close\r\n\r\n`,
    ]
  ) {
    const { status } = await sendRaw(address, text);
    assert.ok(status === 403 || status === 400, `${text}: ${status}`);
  }
  assert.deepEqual(seen, []);
  assert.equal((await ask(stage, target, { host: `localhost:${port}` })).status, 200);
});

Deno.test("HTTP/2 without being asked for is not spoken, for its requests name no host", async () => {
  await using world = open();
  using client = Deno.createHttpClient({ http1: false, http2: true });
  const answer = await fetch(`${world.stage.url}/version`, { client });
  assert.equal(answer.status, 403);
  await answer.body?.cancel();
  assert.deepEqual(world.seen, []);
});

Deno.test("a target that is a whole URL counts where it means this host", async () => {
  await using world = open();
  const { stage, seen } = world;
  const { port } = stage;
  const refused = [
    `http://evil.example/${KEY}/version`,
    `https://127.0.0.1:${port}/${KEY}/version`,
    `http://127.0.0.1:${port}@evil.example/${KEY}/version`,
    `http://u:p@127.0.0.1:${port}/${KEY}/version`,
    "http://evil.example",
    "*",
    "evil.example:443",
  ];
  for (const target of refused) {
    for (const method of ["GET", "OPTIONS", "CONNECT"]) {
      const { status } = await ask(stage, target, {}, method);
      assert.ok([400, 401, 403].includes(status), `${method} ${target}: ${status}`);
    }
  }
  assert.deepEqual(seen, []);
  assert.equal((await ask(stage, `http://127.0.0.1:${port}/${KEY}/version`)).status, 200);
  assert.equal((await ask(stage, `http://127.0.0.1:${port}/${KEY}/version/../api/v1/secrets`)).status, 400);
  assert.deepEqual(seen, ["GET /version"]);
});

Deno.test("web pages are refused, with the key too", async () => {
  await using world = open();
  for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${world.stage.port}`]) {
    assert.equal((await ask(world.stage, `/${KEY}/version`, { origin })).status, 403);
  }
  assert.deepEqual(world.seen, []);
});

Deno.test("each request of the table arrives as it was judged, or not at all", async () => {
  await using world = open();
  const { stage, seen } = world;
  for (const { refused, method, target } of REQUESTS) {
    seen.length = 0;
    const { status } = await ask(stage, `/${KEY}${target}`, {}, method);
    const line = `${method} ${target}`;
    assert.equal(status, refused ?? 200, line);
    assert.deepEqual(seen, refused === undefined ? [line] : [], line);
  }
});

Deno.test("two requests in one, and lengths that contradict each other, end at the door", async () => {
  await using world = open();
  const { stage, seen } = world;
  const { port } = stage;
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const inner = `DELETE /api/v1/namespaces/default HTTP/1.1\r\n${host}\r\n`;
  const path = `/${KEY}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
  for (
    const headers of [
      `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n`,
      `Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`,
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding : chunked\r\n",
      "X-A: 1\r\n continued\r\n",
    ]
  ) {
    const text = `POST ${path} HTTP/1.1\r\n${host}Connection: close\r\n${headers}\r\n0\r\n\r\n${inner}`;
    const { status } = await sendRaw({ hostname: "127.0.0.1", port }, text);
    assert.ok(status === 400 || status === 0, `${headers}: ${status}`);
  }
  // Behind a whole request, a second one is one of its own: without the key.
  const both = `GET /${KEY}/version HTTP/1.1\r\n${host}\r\n` +
    `DELETE /api/v1/namespaces/default HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;
  const { body } = await sendRaw({ hostname: "127.0.0.1", port }, both);
  assert.match(body, /401/);
  assert.deepEqual(seen.filter((line) => !line.startsWith("POST")), ["GET /version"]);
});

Deno.test("bytes that could be read in two ways end at the door", async () => {
  await using world = open();
  const { stage, seen } = world;
  const { port } = stage;
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const end = "Connection: close\r\n\r\n";
  const get = (target: string, headers = "") => `GET /${KEY}${target} HTTP/1.1\r\n${host}${headers}${end}`;
  const post = (headers: string, body: string) =>
    `POST /${KEY}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews HTTP/1.1\r\n${host}${headers}${end}${body}`;
  for (
    const text of [
      get("/version\0"),
      get("/version /x"),
      get("/version\t"),
      get("/api/v1/\xe9"),
      get("/version?a=\xff\xfe"),
      get("/version?a=\xc3\xa9"),
      get("/version?a=\0"),
      get("/version?a=1;b=2"),
      get("/version", "X: a\0b\r\n"),
      get("/version", "X: a\rImpersonate-User: root\r\n"),
      get("/version", "X: a\nImpersonate-User: root\r\n"),
      get("/version", "Impersonate-User : root\r\n"),
      get("/version", "X: a\r\n Impersonate-User: root\r\n"),
      get("/version", "IMPERSONATE-UID: 1\r\n"),
      get("/version", `X: ${"a".repeat(600_000)}\r\n`),
      get("/version", "X: a\r\n".repeat(200)),
      get(`/api/v1/${"a".repeat(600_000)}`),
      get("/version").replace("HTTP/1.1", "HTTP/2.0"),
      get("/version").replace(" HTTP/1.1", ""),
      get("/version").replace(`GET /${KEY}`, "GET "),
      get("/version").replace(`GET /${KEY}/`, `GET ${KEY}/`),
      get("/version").replace(`GET /${KEY}`, `GET HTTP://127.0.0.1:${port}/${KEY}`),
      `CONNECT 127.0.0.1:443 HTTP/1.1\r\n${host}${end}`,
      post("Content-Length: 5, 5\r\n", "abcde"),
      post("Content-Length: +5\r\n", "abcde"),
      post("Content-Length: 5\r\nContent-Length: 6\r\n", "abcdef"),
      post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
      post("Transfer-Encoding:\x0bchunked\r\n", "0\r\n\r\n"),
    ]
  ) {
    const { status, body } = await sendRaw({ hostname: "127.0.0.1", port }, text);
    assert.ok([0, 400, 401, 403].includes(status), `${text.slice(0, 200)}: ${status}`);
    assert.doesNotMatch(body, /^HTTP\/1\.1/m, "there is one answer");
  }
  assert.equal(seen.join(), "");
  // A chunk without a size breaks off a request that has begun; the next one on that connection is not read.
  const broken = post("Transfer-Encoding: chunked\r\n", `x\r\n${get("/version")}`).replace(
    "close",
    "keep-alive",
  );
  await sendRaw({ hostname: "127.0.0.1", port }, broken);
  assert.ok(!seen.includes("GET /version"));
});

Deno.test("each of several requests on one connection is judged by itself", async () => {
  await using world = open();
  const { stage, seen } = world;
  const { port } = stage;
  const line = (method: string, target: string, more: string) =>
    `${method} /${KEY}${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}`;
  const inner = "DELETE /api/v1/namespaces/x HTTP/1.1\r\n\r\n";
  const { status, body } = await sendRaw(
    { hostname: "127.0.0.1", port },
    // A body that nobody asked for is a body, and not the next request.
    line("GET", "/version", `Content-Length: ${inner.length}\r\n\r\n${inner}`) +
      line("GET", "/api/v1/secrets", "\r\n") +
      line("POST", "/api/v1/namespaces", `Content-Length: ${inner.length}\r\n\r\n${inner}`) +
      line("GET", "/api", "Connection: close\r\n\r\n"),
  );
  const statuses = [status, ...[...body.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code))];
  assert.deepEqual(statuses, [200, 403, 403, 200]);
  assert.deepEqual(seen, ["GET /version", "GET /api"]);
  assert.deepEqual(stage.audit.map(({ path }) => path), [
    "/version",
    "/api/v1/secrets",
    "/api/v1/namespaces",
    "/api",
  ]);
});
