/** Proves the sealing of credentials with jose as the oracle, both ways, and what is refused. */

import assert from "node:assert/strict";
import { compactDecrypt, CompactEncrypt } from "jose";
import fc from "../fast-check.ts";
import { fromBase64Url, toBase64Url } from "../../src/encoding.ts";
import { kidOf, makeKeyText, readKeyText, seal, type SealingKey, unseal } from "../../src/sessions/seal.ts";

async function newKey(): Promise<{ text: string; bytes: Uint8Array; sealing: SealingKey }> {
  const text = makeKeyText();
  const sealing = await readKeyText(text);
  const bytes = fromBase64Url(text);
  assert.ok(sealing !== undefined && bytes !== undefined);
  return { text, bytes, sealing };
}

Deno.test("jose opens what seal() sealed, and finds alg dir, enc A256GCM and the kid", async () => {
  const { bytes, sealing } = await newKey();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 500 }), async (text) => {
      const { plaintext, protectedHeader } = await compactDecrypt(await seal(text, sealing), bytes);
      assert.equal(new TextDecoder().decode(plaintext), text.toWellFormed());
      assert.deepEqual(protectedHeader, { alg: "dir", enc: "A256GCM", kid: sealing.kid });
    }),
    { numRuns: 50 },
  );
});

Deno.test("unseal() opens what jose sealed under the same header", async () => {
  const { bytes, sealing } = await newKey();
  const text = '{"refreshToken":"ö\u{1f511}"}';
  const jwe = await new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: sealing.kid }).encrypt(bytes);
  assert.equal(await unseal(jwe, sealing), text);
});

Deno.test("two seals of one text share neither nonce nor ciphertext", async () => {
  const { sealing } = await newKey();
  const [a, b] = await Promise.all([seal("same", sealing), seal("same", sealing)]);
  assert.notEqual(a.split(".")[2], b.split(".")[2]);
  assert.notEqual(a.split(".")[3], b.split(".")[3]);
});

Deno.test("a flipped bit anywhere in a sealed text opens nothing", async () => {
  const { sealing } = await newKey();
  const jwe = await seal("secret", sealing);
  for (const part of [0, 2, 3, 4]) {
    const bytes = fromBase64Url(jwe.split(".")[part] ?? "") ?? new Uint8Array();
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      const parts = jwe.split(".");
      parts[part] = toBase64Url(flipped);
      assert.equal(await unseal(parts.join("."), sealing), undefined, `part ${part}, byte ${at}`);
    }
  }
});

Deno.test("another key, another algorithm, an encrypted key, a missing part or a cut text opens nothing", async () => {
  const { bytes, sealing } = await newKey();
  const other = await newKey();
  const jwe = await seal("secret", sealing);
  assert.equal(await unseal(jwe, other.sealing), undefined);
  assert.equal(
    await unseal(jwe, { kid: sealing.kid, key: other.sealing.key }),
    undefined,
    "the kid alone is no key",
  );
  for (const [alg, enc, key] of [["dir", "A128CBC-HS256", bytes], ["A256KW", "A256GCM", bytes]] as const) {
    const foreign = await new CompactEncrypt(new TextEncoder().encode("secret"))
      .setProtectedHeader({ alg, enc, kid: sealing.kid }).encrypt(key);
    assert.equal(kidOf(foreign), undefined, `${alg} ${enc}`);
    assert.equal(await unseal(foreign, sealing), undefined, `${alg} ${enc}`);
  }
  const [header, , iv, text, tag] = jwe.split(".");
  for (
    const broken of [
      "",
      ".",
      "....",
      `${header}..${iv}.${text}`,
      `${header}..${iv}.${text}.${tag}.`,
      `${header}.AAAA.${iv}.${text}.${tag}`,
      `${header}..AAAA.${text}.${tag}`,
      `${header}..${iv}.${text}.AAAA`,
      `${header}..${iv}..${tag}`,
      `${header}=..${iv}.${text}.${tag}`,
      jwe.slice(0, -30),
    ]
  ) assert.equal(await unseal(broken, sealing), undefined, broken);
});

Deno.test("kidOf() of any text is a kid or nothing, and never an error", () => {
  const header = (value: unknown) => `${toBase64Url(new TextEncoder().encode(JSON.stringify(value)))}.`;
  for (const value of [null, 1, [], {}, { alg: "dir", enc: "A256GCM", kid: 1 }, { alg: "none", kid: "x" }]) {
    assert.equal(kidOf(header(value)), undefined);
  }
  fc.assert(fc.property(fc.string(), (text) => {
    const kid = kidOf(text);
    assert.ok(kid === undefined || typeof kid === "string");
  }));
});

Deno.test("a key is 32 bytes of base64url; anything else in the keyring is none of ours", async () => {
  assert.equal(fromBase64Url(makeKeyText())?.length, 32);
  assert.notEqual(makeKeyText(), makeKeyText());
  for (const length of [0, 16, 31, 33, 64]) {
    assert.equal(await readKeyText(toBase64Url(new Uint8Array(length))), undefined, String(length));
  }
  for (const text of ["", "cut", `${makeKeyText()}\n`, `${makeKeyText()}=`, "ö".repeat(43)]) {
    assert.equal(await readKeyText(text), undefined);
  }
});

Deno.test("a key cannot be read out of the object that seals, and its kid does not tell it", async () => {
  const { sealing, text } = await newKey();
  await assert.rejects(crypto.subtle.exportKey("raw", sealing.key));
  assert.equal(fromBase64Url(sealing.kid)?.length, 9);
  assert.ok(!text.includes(sealing.kid));
});
