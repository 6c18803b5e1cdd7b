/** Proves what a session file must hold, and how damage is told. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { AppError } from "../../src/errors.ts";
import { formatSession, parseSession } from "../../src/sessions/session.ts";
import { allowError, type ExpectedError, expectError } from "../expect-error.ts";
import { SESSION } from "./plain-session.ts";
import { openSandbox } from "./sandbox.ts";
import { CLOUDS } from "../clouds.ts";

function refused(value: unknown): AppError {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const expected: ExpectedError = { code: "STORAGE", message: /^\/x\/file\.json / };
  return expectError(() => parseSession(text, "/x/file.json", CLOUDS), expected, text.slice(0, 100));
}

Deno.test("a session's file comes back as it was written", () => {
  assert.deepEqual(parseSession(formatSession(SESSION), "x", CLOUDS), SESSION);
});

Deno.test("a file that is empty, cut, not JSON, or JSON of another shape is refused", () => {
  const whole = formatSession(SESSION);
  for (let length = 0; length < whole.length - 2; length += 7) refused(whole.slice(0, length));
  for (const value of [null, 1, "text", [], [SESSION], {}, '{"__proto__":{}}', "\u0000".repeat(500)]) {
    refused(value);
  }
});

Deno.test("a wrong field is named", () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["name", "../../etc/passwd", /name is wrong/],
    ["name", "", /name is wrong/],
    ["provider", "evil", /provider is wrong/],
    ["kind", 1, /kind is wrong/],
    ["apiHost", "api.example.com\u001b[2J", /apiHost is wrong/],
    ["issuer", "https://auth.example.com/\u202e", /issuer is wrong/],
    ["expires", "2026-01-01\nerror: forged", /expires is wrong/],
    ["inUse", { project: "\u009b31m" }, /inUse\.project is wrong/],
    ["user", { email: "x" }, /user\.subject is wrong/],
    ["scopes", ["a", 1], /scopes\.1 is wrong/],
    ["keyStore", "nowhere", /keyStore is wrong/],
    ["kubectlToken", "refresh", /kubectlToken is wrong/],
    ["controlPlaneApi", "evil.example/v1", /controlPlaneApi is wrong/],
    ["credentials", undefined, /credentials is wrong/],
    ["schemaVersion", "1", /schemaVersion is wrong/],
    ["schemaVersion", 0, /schemaVersion is wrong/],
  ];
  for (const [field, value, message] of wrong) {
    assert.match(refused({ ...SESSION, [field]: value }).message, message);
  }
});

Deno.test("a newer schema is told as such, whatever else changed in it", () => {
  for (const session of [{ ...SESSION, schemaVersion: 2 }, { schemaVersion: 7, sealed: {} }]) {
    const error = refused(session);
    assert.match(error.message, /newer datumctl \(schema [27]\)/);
    assert.match(error.hint ?? "", /leaves the file as it is/);
  }
});

Deno.test("any JSON at all is a session or a STORAGE error", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    allowError(() => parseSession(text, "x", CLOUDS), "STORAGE");
  }));
});

Deno.test("tokens and authorities of hundreds of kilobytes are stored and read again", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add({
    credentials: { accessToken: "a".repeat(700_000), certificateAuthority: "c".repeat(400_000) },
    session: { certificateAuthority: "c".repeat(400_000) },
  });
  const { file } = await sandbox.paths(session.name);
  assert.equal(
    parseSession(await Deno.readTextFile(file), file, CLOUDS).certificateAuthority?.length,
    400_000,
  );
});

Deno.test("formatSession() ends with one newline, so that an editor changes nothing", async () => {
  await using sandbox = await openSandbox();
  const { session } = await sandbox.add();
  assert.match(formatSession(session), /\}\n$/);
});
