/** Proves how a server is asked for its time, and that a question without an answer is no error. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { askServerTime } from "../../src/oauth/server-time.ts";
import { expectRejection } from "../expect-error.ts";
import { NOW, type Route } from "./issuer.ts";
import { answering } from "./machine.ts";

const SERVER = "https://api.example";
const DATE = new Date(NOW).toUTCString();
const asked = (...answers: Route[]) => answering(`${SERVER}/`, ...answers);

for (const status of [200, 302, 401, 404, 405, 429, 503]) {
  Deno.test(`the Date of an answer of status ${status} is the server's time, and nothing else is sent or asked`, async () => {
    const issuer = asked(() =>
      new Response(null, { status, headers: { date: DATE, location: "https://evil.example/" } })
    );
    assert.deepEqual(await askServerTime(issuer.http(), SERVER), { host: "api.example", date: NOW });
    assert.deepEqual(issuer.requests.map(({ method, path }) => [method, path]), [["HEAD", `${SERVER}/`]]);
    assert.deepEqual([...issuer.requests[0]?.headers.keys() ?? []], []);
  });
}

const SILENT: [string, Route][] = [
  ["without a Date", () => new Response(null)],
  ["with a Date that is none", () => new Response(null, { headers: { date: "soon" } })],
  ["from a cache", () => new Response(null, { headers: { date: DATE, age: "1200" } })],
  ["that never comes", () => new Promise(() => {})],
  ["that breaks off", () => Promise.reject(new TypeError("closed"))],
];
for (const [what, answer] of SILENT) {
  Deno.test(`an answer ${what} tells no time, and is no error`, async () => {
    const http = asked(answer).http({ requestTimeout: 20 });
    assert.equal(await askServerTime(http, SERVER), undefined);
  });
}

Deno.test("no server but an https one is asked", async () => {
  const issuer = asked();
  for (const server of ["http://api.example", "file:///etc/passwd", "https://u:p@api.example", ""]) {
    assert.equal(await askServerTime(issuer.http(), server), undefined);
  }
  assert.deepEqual(issuer.requests, []);
});

Deno.test("the flow's own end leaves the time untold; Ctrl-C is Ctrl-C", async () => {
  const never = asked(() => new Promise<Response>(() => {}));
  const ended = AbortSignal.abort(new AppError("NETWORK", "too late"));
  assert.equal(await askServerTime(never.http({ signal: ended }), SERVER), undefined);
  const stopped = AbortSignal.abort(new AppError("INTERRUPTED", "Interrupted."));
  await expectRejection(askServerTime(never.http({ signal: stopped }), SERVER), "INTERRUPTED");
});
