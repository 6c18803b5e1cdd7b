/** Proves the short-lived listener: where it listens, what a taken port is called, and how it ends. */

import assert from "node:assert/strict";
import { listenOnLoopback } from "../../src/system/loopback-listener.ts";
import { expectError } from "../expect-error.ts";

const LOCAL = { hostnames: ["127.0.0.1"], port: 0 };
const answer = () => Promise.resolve(new Response("hi"));

Deno.test("it answers on a free port, and refuses once it is closed", async () => {
  const listener = listenOnLoopback(LOCAL, answer);
  const url = `http://127.0.0.1:${listener.port}/`;
  assert.equal(await (await fetch(url)).text(), "hi");
  await listener.close();
  await assert.rejects(fetch(url));
});

Deno.test("the first address that exists is taken", async () => {
  // TEST-NET-1 of RFC 5737 is nobody's own address.
  const listener = listenOnLoopback({ hostnames: ["192.0.2.1", "127.0.0.1"], port: 0 }, answer);
  assert.equal(listener.hostname, "127.0.0.1");
  await listener.close();
});

Deno.test("a port that is taken is wrong usage, and names the flag", async () => {
  const listener = listenOnLoopback(LOCAL, answer);
  expectError(() => listenOnLoopback({ ...LOCAL, port: listener.port }, answer), {
    code: "USAGE",
    message: new RegExp(String(listener.port)),
    hint: /--listen-port/,
  });
  await listener.close();
});

Deno.test("no address to listen on is NETWORK, and names the way without a browser", () => {
  expectError(() => listenOnLoopback({ hostnames: ["192.0.2.1"], port: 0 }, answer), {
    code: "NETWORK",
    hint: /--no-browser/,
  });
});

Deno.test("a close waits for the answer that is under way", async () => {
  const entered = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const listener = listenOnLoopback(LOCAL, async () => {
    entered.resolve();
    await finish.promise;
    return new Response("done");
  });
  const asking = fetch(`http://127.0.0.1:${listener.port}/`).then((response) => response.text());
  await entered.promise;
  const closing = listener.close();
  finish.resolve();
  assert.equal(await asking, "done");
  await closing;
});

Deno.test("a handler's fault is a 500 without its words", async () => {
  const listener = listenOnLoopback(LOCAL, () => Promise.reject(new Error("secret")));
  const response = await fetch(`http://127.0.0.1:${listener.port}/`);
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  await listener.close();
});
