/** Proves that a trial build's runtime is cut out of its program as it was, and that no other bytes are taken. */

import assert from "node:assert/strict";
import { TRIAL_DENO, withoutAppended } from "../../scripts/trial-runtime.ts";

/** A header of an ELF-64 file as appending leaves it, two hundred bytes of a program, and what was appended. */
function program(): Uint8Array {
  const bytes = new Uint8Array(300).fill(7);
  const header = new DataView(bytes.buffer);
  header.setBigUint64(0x20, 200n, true);
  header.setBigUint64(0x28, 250n, true);
  header.setUint16(0x38, 12, true);
  header.setUint16(0x3c, 38, true);
  return bytes;
}

Deno.test("withoutAppended() keeps the first bytes and puts the four fields of the header back", async () => {
  const before = program().slice(0, 200);
  const header = new DataView(before.buffer);
  header.setBigUint64(0x20, 64n, true);
  header.setBigUint64(0x28, 150n, true);
  header.setUint16(0x38, 10, true);
  header.setUint16(0x3c, 36, true);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", before)).toHex();
  const base = await withoutAppended(program(), { length: 200, sectionHeaders: 150, sha256 });
  assert.deepEqual(base, before);
});

Deno.test("withoutAppended() refuses a result that is not the pinned one", async () => {
  const changed = program();
  changed[100] = 8;
  await assert.rejects(
    withoutAppended(changed, { length: 200, sectionHeaders: 150, sha256: "0".repeat(64) }),
    /The base runtime is not the pinned one/,
  );
});

Deno.test("the tests run on the version that a trial build stands on", () => {
  assert.equal(Deno.version.deno, TRIAL_DENO);
});
