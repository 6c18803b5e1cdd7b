/** Proves what a Kubernetes API's refusals say beyond their status. */

import assert from "node:assert/strict";
import { refusedRequest } from "../../src/http/api-errors.ts";
import { AppError } from "../../src/errors.ts";
import { expectRejection } from "../expect-error.ts";
import { openTestClient } from "../http/test-client.ts";

/** What a client is told by a server that refuses everything alike, and how often it asked. */
async function refused(
  answer: () => Response,
): Promise<{ readonly error: AppError; readonly asked: number }> {
  let asked = 0;
  const client = openTestClient({
    fetch: () => {
      asked += 1;
      return Promise.resolve(answer());
    },
    token: (force) => Promise.resolve(force ? "new" : "old"),
  });
  const error = await expectRejection(client.get("/api"));
  return { error, asked };
}

const status = (code: number, message: string, reason: unknown = "") =>
  Response.json({ kind: "Status", status: "Failure", message, reason, code }, { status: code });

Deno.test("a 403 as system:anonymous that survives one refresh is SESSION_REJECTED", async () => {
  const { error, asked } = await refused(() =>
    status(403, 'forbidden: User "system:anonymous" cannot get path "/api"', "Forbidden")
  );
  assert.equal(error.code, "SESSION_REJECTED");
  assert.equal(asked, 2);
});

Deno.test("a 403 of a user that is known is FORBIDDEN, asked once", async () => {
  const { error, asked } = await refused(() => status(403, 'User "ada" cannot', "Forbidden"));
  assert.equal(error.code, "FORBIDDEN");
  assert.match(error.hint ?? "", /auth can-i --list/);
  assert.equal(asked, 1);
});

Deno.test("a refusal tells programs its status and reason, where that is a word", async () => {
  const { error } = await refused(() => status(409, "there", "AlreadyExists"));
  assert.deepEqual(refusedRequest(error), { status: 409, reason: "AlreadyExists" });
  assert.equal(error.code, "ALREADY_EXISTS");
  const steering = await refused(() => status(409, "there", "\u001b[2JGone"));
  assert.deepEqual(refusedRequest(steering.error), { status: 409, reason: "[2JGone" });
  for (const answer of [() => status(404, "no", 7), () => new Response("no", { status: 404 })]) {
    assert.deepEqual(refusedRequest((await refused(answer)).error), { status: 404, reason: undefined });
  }
  assert.equal(refusedRequest(new Error("other")), undefined);
});

Deno.test("a 500 whose Status has no reason is not asked again, one with a reason is", async () => {
  const plain = await refused(() => status(500, "failed to create typed patch object", ""));
  assert.deepEqual([plain.error.code, plain.asked], ["NETWORK", 1]);
  const trouble = await refused(() => status(500, "etcd", "InternalError"));
  assert.deepEqual([trouble.error.code, trouble.asked], ["NETWORK", 4]);
});
