/** Proves that no bent answer to a refresh costs a session: the next refresh finds it as good as it was. */

import assert from "node:assert/strict";
import { type ErrorCode } from "../../src/errors.ts";
import { freshToken } from "../../src/sessions/fresh-token.ts";
import { bentAnswers } from "../bent.ts";
import { assertAppError } from "../expect-error.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";

async function refresh({ store, bound }: Sandbox, name: string): Promise<ErrorCode | undefined> {
  const session = await store.read(name);
  assert.ok(session !== undefined);
  const asked = freshToken(store, session, { kind: "access", force: true }, bound());
  const thrown = await asked.then(() => undefined, (error) => error);
  if (thrown === undefined) return undefined;
  assertAppError(thrown);
  return thrown.code;
}

const send = (text: string, status = 200) =>
  new Response(text, { status, headers: { "content-type": "application/json" } });

Deno.test("an issuer that rotates its refresh token and bends its answer has not ended the session", async () => {
  await using sandbox = await openSandbox();
  const { issuer } = sandbox;
  const { session: { name } } = await sandbox.add();
  const { id_token, access_token } = await issuer.tokens();
  const good = {
    access_token,
    id_token,
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: "rotated",
    scope: "openid",
    error: "",
  };
  for (const { what, member, bend, text } of bentAnswers(good)) {
    const absent = ["absent", "null", "empty"].includes(bend);
    // Of an answer that says that it is an error, and of an ID token that is none of the issuer's, nothing is kept.
    const distrusted = (member === "error" && ["a word", "escape sequences"].includes(bend)) ||
      (member === "id_token" && bend === "a word");
    const sent = member !== "refresh_token" ? "rotated" : bend === "a word" ? "x" : undefined;
    issuer.respond = () => {
      issuer.respond = undefined;
      if (sent !== undefined && !distrusted) issuer.refreshToken = sent;
      return send(text);
    };
    const code = await refresh(sandbox, name);
    assert.ok([undefined, "NETWORK", "ISSUER_ERROR", "INVALID_TOKEN"].includes(code), `${what}: ${code}`);
    if (member === "refresh_token" && absent) assert.equal(code, undefined, what);
    issuer.respond = undefined;
    assert.equal(await refresh(sandbox, name), undefined, `after ${what}`);
  }
});

Deno.test("no bent error ends a session, unless it is one of those that say so", async () => {
  await using sandbox = await openSandbox();
  const { issuer } = sandbox;
  const { session: { name } } = await sandbox.add();
  const error = {
    error: "invalid_request",
    error_description: "why",
    errorCode: "E1",
    errorSummary: "why",
    message: "why",
  };
  for (const status of [400, 401, 403, 404]) {
    for (const { what, text } of bentAnswers(error)) {
      issuer.respond = () => send(text, status);
      assert.equal(await refresh(sandbox, name), "ISSUER_ERROR", `${status} ${what}`);
    }
    issuer.respond = undefined;
    assert.equal(await refresh(sandbox, name), undefined, `after ${status}`);
  }
});
