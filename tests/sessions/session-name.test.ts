/** Proves how names and file names of sessions are made, and which are refused. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { AppError } from "../../src/errors.ts";
import {
  defaultSessionName,
  fileNameOf,
  isSessionName,
  refuseNameOfOtherHost,
} from "../../src/sessions/session-name.ts";

Deno.test("a session file's name is the beginning of base32(sha256(name))", async () => {
  // printf %s ada@example.com@api.datum.net | sha256sum | xxd -r -p | base32 | head -c 16
  assert.equal(await fileNameOf("ada@example.com@api.datum.net"), oracle("ada@example.com@api.datum.net"));
  await fc.assert(fc.asyncProperty(fc.string({ unit: "grapheme" }), async (name) => {
    const file = await fileNameOf(name);
    assert.match(file, /^[a-z2-7]{16}$/);
    assert.equal(file, oracle(name.toWellFormed()));
  }));
});

Deno.test("a default name is a session name, whatever the label and host are", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 200 }),
      fc.string({ maxLength: 200 }),
      (label, host) => {
        assert.ok(isSessionName(defaultSessionName(label, host)), defaultSessionName(label, host));
      },
    ),
  );
  assert.equal(defaultSessionName("ada@example.com", "api.datum.net"), "ada@example.com@api.datum.net");
  assert.equal(defaultSessionName("ada+x@example.com", "[::1]:8443"), "ada+x@example.com@-::1-:8443");
  assert.equal(defaultSessionName("Zoë O'Neil", "h:1"), "Zo--O-Neil@h:1");
  assert.equal(defaultSessionName("-.@", ""), "session");
  assert.equal(defaultSessionName("x".repeat(300), "h").length, 128);
});

Deno.test("names that could leave a folder, a command line or a keyring's account are none", () => {
  for (const name of ["", ".", "..", "-x", "a/b", "a b", "a\n", "a'b", "ä", "$x", "a".repeat(129)]) {
    assert.equal(isSessionName(name), false, name);
  }
  for (const name of ["a", "A1", "ada@example.com@api.datum.net:8443", "a".repeat(128)]) {
    assert.equal(isSessionName(name), true, name);
  }
});

Deno.test("a new session cannot have the name that one at another host gets by itself", () => {
  const rows: readonly (readonly [name: string, apiHost: string, refused: boolean])[] = [
    ["ada@example.com@api.a", "api.datum.net", true],
    ["ci@api.a", "api.datum.net", true],
    ["ada@example.com@127.0.0.1:8443", "127.0.0.1:8444", true],
    ["ada@example.com@api.datum.net.evil", "api.datum.net", true],
    ["ada@example.com@api.a-2", "api.datum.net", true],
    ["ada@example.com@api.datum.net", "api.datum.net", false],
    ["ada@example.com@api.datum.net-2", "api.datum.net", false],
    ["ada@example.com@-::1-:8443", "[::1]:8443", false],
    ["ada@example.com", "api.datum.net", false],
    ["ada@example.com@work", "api.datum.net", false],
    ["work", "api.datum.net", false],
    [`${"a".repeat(105)}@example.com@api.datum.n`, "api.datum.net", false],
  ];
  for (const [name, apiHost, refused] of rows) {
    const work = () => refuseNameOfOtherHost(name, apiHost);
    if (!refused) work();
    else assert.throws(work, (thrown) => thrown instanceof AppError && thrown.code === "USAGE", name);
  }
});

function oracle(name: string): string {
  const bits = [...createHash("sha256").update(name, "utf8").digest()]
    .map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from(
    { length: 16 },
    (_, at) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(bits.slice(at * 5, at * 5 + 5), 2)],
  ).join("");
}
