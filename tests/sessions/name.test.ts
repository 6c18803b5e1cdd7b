/** How names and file names of sessions are made, and which are refused. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "../fast-check.ts";
import { fileNameOf, isSessionName } from "../../src/sessions/name.ts";
import { defaultSessionName, refuseNameOfOtherHost, sessionNameOf } from "../../src/sessions/new-name.ts";
import { expectError } from "../expect-error.ts";
import { RUNS } from "../fuzz.ts";

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
  assert.equal(defaultSessionName("Zoë O'Neil", "h:1"), "Zoë-O-Neil@h:1");
  assert.equal(defaultSessionName("-.@", ""), "session");
  assert.equal(defaultSessionName("x".repeat(300), "h").length, 128);
});

Deno.test("letters, marks and digits of any script stay in a name, composed; what nobody sees goes", () => {
  const rows: readonly (readonly [label: string, name: string])[] = [
    ["ünï+k8s@bücher.example", "ünï+k8s@bücher.example@h"],
    ["Ада Лавлейс 🚀 李 \u202eevil", "Ада-Лавлейс---李-evil@h"],
    ["gita\u200d\u0301", "gitá@h"],
    ["u\u0308", "ü@h"],
    ["नेहा१", "नेहा१@h"],
    ["שָׂרָה", "שָׂרָה".normalize("NFC") + "@h"],
    ["محمد٣", "محمد٣@h"],
    ["คำ", "คำ@h"],
    ["\u3164x\ufe0f", "x@h"],
    ["\u0301x", "x@h"],
    ["½Ⅷ①", "h"],
    ["\ud800x", "x@h"],
    ["a\u0000b\nc\u2028d\u2800e", "a-b-c-d-e@h"],
  ];
  for (const [label, name] of rows) assert.equal(defaultSessionName(label, "h"), name, JSON.stringify(label));
});

Deno.test("a name has at most 128 code points and 200 bytes, whatever it is made of, and its ending is whole", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      const name = sessionNameOf(text, "-2");
      assert.ok(isSessionName(name) && name.endsWith("-2"), name);
      assert.equal(name, name.normalize("NFC"));
      assert.equal(sessionNameOf(name), name, "a name is its own name");
    }),
    { numRuns: RUNS },
  );
  assert.equal([...sessionNameOf("ж".repeat(300))].length, 100);
  assert.equal([...sessionNameOf("李".repeat(300))].length, 66);
  assert.equal([...sessionNameOf("𠀀".repeat(300), "-x")].length, 51);
});

Deno.test("names that could leave a folder, a command line or a keyring's account are none", () => {
  for (const name of ["", ".", "..", "-x", "a/b", "a b", "a\n", "a'b", "$x", "a".repeat(129)]) {
    assert.equal(isSessionName(name), false, name);
  }
  for (const name of ["a", "A1", "ada@example.com@api.datum.net:8443", "a".repeat(128)]) {
    assert.equal(isSessionName(name), true, name);
  }
  for (const name of ["ä", "аня@example.com@h", "٣", "李", "ж".repeat(100), "𐐨"]) {
    assert.equal(isSessionName(name), true, name);
  }
  for (
    const name of [
      ...[
        "a\u0308",
        "\u0301a",
        "a\u200db",
        "a\u202eb",
        "a\ufe0f",
        "\u3164",
        "a\u2800",
        "a\u00a0b",
        "½",
        "a\ud800",
      ],
      ...["ж".repeat(101), "李".repeat(67), "a🚀"],
    ]
  ) {
    assert.equal(isSessionName(name), false, JSON.stringify(name));
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
    ["ada@example.com@api.datum.net-0a1b2c", "api.datum.net", false],
    ["ada@example.com@api.datum.net-0a1b2c-2", "api.datum.net", false],
    ["ada@example.com@api.a-0a1b2c", "api.datum.net", true],
    ["аня@пример.рф@api.a", "api.datum.net", true],
    [defaultSessionName(`${"李".repeat(60)}@example.com`, "api.datum.net"), "api.datum.net", false],
    ["ada@example.com@-::1-:8443", "[::1]:8443", false],
    ["ada@example.com", "api.datum.net", false],
    ["ada@example.com@work", "api.datum.net", false],
    ["work", "api.datum.net", false],
    [`${"a".repeat(105)}@example.com@api.datum.n`, "api.datum.net", false],
  ];
  for (const [name, apiHost, refused] of rows) {
    const work = () => refuseNameOfOtherHost(name, apiHost);
    if (!refused) work();
    else expectError(work, "USAGE", name);
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
