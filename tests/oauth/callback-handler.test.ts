/** Proves that an attempt waits out stray hits, ends by exactly one right hit, and shows success only after it. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import type { Authorization } from "../../src/oauth/authorization-code.ts";
import type { SignedInLabels } from "../../src/oauth/result-page.ts";
import { expectRejection } from "../expect-error.ts";
import { openAttempt, REDIRECT } from "./attempt.ts";
import { ISSUER } from "./issuer.ts";

const ADA: SignedInLabels = { who: "ada@example.com", where: "api.example" };
const SUCCESS = /You are signed in/;

async function attempt() {
  const gate = Promise.withResolvers<SignedInLabels>();
  return { ...await openAttempt(gate.promise), gate };
}

function hit({ state }: Authorization, params: Record<string, string> = {}, init: RequestInit = {}): Request {
  const query = new URLSearchParams({ state, iss: ISSUER, code: "code-1", ...params });
  return new Request(`${REDIRECT}?${query}`, { headers: { host: "127.0.0.1:51000" }, ...init });
}

Deno.test("stray hits of every kind before the right one do not end the attempt", async () => {
  const { authorization, handler, redeemed, gate } = await attempt();
  const statuses = [];
  for (
    const request of [
      hit(authorization, { state: "wrong" }),
      hit(authorization, { state: "wrong", error: "access_denied" }),
      hit(authorization, {}, { method: "POST" }),
      hit(authorization, {}, { headers: { host: "evil.example" } }),
      new Request("http://127.0.0.1:51000/favicon.ico"),
    ]
  ) {
    const response = await handler.handle(request);
    statuses.push(response.status);
    assert.doesNotMatch(await response.text(), SUCCESS);
  }
  assert.deepEqual(statuses, [400, 400, 405, 421, 404]);
  assert.deepEqual(redeemed, []);
  gate.resolve(ADA);
  const response = await handler.handle(hit(authorization));
  assert.equal(response.status, 200);
  assert.match(await response.text(), SUCCESS);
  assert.equal(await handler.outcome, ADA);
});

Deno.test("the browser hears of success only after the code was redeemed", async () => {
  const { authorization, handler, gate } = await attempt();
  let answered = false;
  const answer = handler.handle(hit(authorization)).then((response) => (answered = true, response));
  await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  assert.equal(answered, false);
  gate.resolve(ADA);
  assert.match(await (await answer).text(), SUCCESS);
});

Deno.test("of two right hits at once one is redeemed, the other never gets a success page", async () => {
  const { authorization, handler, redeemed, gate } = await attempt();
  const first = handler.handle(hit(authorization));
  const second = handler.handle(hit(authorization, { code: "code-2" }));
  gate.resolve(ADA);
  assert.equal((await first).status, 200);
  assert.equal((await second).status, 409);
  assert.doesNotMatch(await (await second).text(), SUCCESS);
  const third = await handler.handle(hit(authorization));
  assert.equal(third.status, 409);
  assert.deepEqual(redeemed, ["code-1"]);
});

Deno.test("an error of the issuer with the right state ends the attempt, and no code is taken after it", async () => {
  const { authorization, handler, redeemed } = await attempt();
  const response = await handler.handle(hit(authorization, { error: "access_denied" }));
  assert.equal(response.status, 400);
  assert.match(await response.text(), /ACCESS_DENIED/);
  await expectRejection(handler.outcome, "ACCESS_DENIED");
  assert.equal((await handler.handle(hit(authorization))).status, 409);
  assert.deepEqual(redeemed, []);
});

Deno.test("an error that comes while the code is being redeemed changes nothing", async () => {
  const { authorization, handler, gate } = await attempt();
  const first = handler.handle(hit(authorization));
  assert.equal((await handler.handle(hit(authorization, { error: "access_denied" }))).status, 409);
  gate.resolve(ADA);
  assert.equal((await first).status, 200);
  assert.equal(await handler.outcome, ADA);
});

Deno.test("a redemption that fails shows what failed and what to do, and ends the attempt with that error", async () => {
  const { authorization, handler, gate } = await attempt();
  gate.reject(new AppError("INVALID_TOKEN", "The <b>nonce</b> is wrong.", { hint: "Start again." }));
  const html = await (await handler.handle(hit(authorization))).text();
  assert.match(html, /The &lt;b&gt;nonce&lt;\/b&gt; is wrong\./);
  assert.match(html, /Start again\./);
  assert.doesNotMatch(html, SUCCESS);
  await expectRejection(handler.outcome, "INVALID_TOKEN");
});

Deno.test("a fault of our own during the redemption is INTERNAL, without its details", async () => {
  const { authorization, handler, gate } = await attempt();
  gate.reject(new TypeError("secret detail"));
  assert.doesNotMatch(await (await handler.handle(hit(authorization))).text(), /secret detail/);
  await expectRejection(handler.outcome, "INTERNAL");
});
