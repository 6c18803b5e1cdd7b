/** Proves what Windows' Credential Manager is handed and hands back, to the byte. */

import assert from "node:assert/strict";
import { targetOf, windowsStore } from "../../src/keyring/windows.ts";
import { fileNameOf } from "../../src/sessions/name.ts";
import { findProgram } from "../../src/system/processes.ts";
import {
  type Credential,
  CREDENTIAL_SIZE,
  CredentialManagerUnavailable,
  decodeCredential,
  encodeCredential,
  openCredentialManager,
  wide,
} from "../../src/system/windows-credentials.ts";
import { expectRejection } from "../expect-error.ts";

// Credential Manager exists on Windows alone. Here its functions are those of advapi32.c beside this file, called
// through Deno's FFI for real; that the real ones answer alike is seen on a Windows runner only.

const bound = { timeout: 15_000 };
const ACCOUNT = "ada@example.com@api.datum.net";
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

Deno.test("a CREDENTIALW is laid out as wincred.h has it on 64 bits, byte for byte", () => {
  const parts = { target: wide("t"), user: wide("u"), comment: wide("c"), blob: new Uint8Array([1, 2, 3]) };
  const addresses = new Map([
    [parts.target, 0x1111111122222222n],
    [parts.comment, 0x3333333344444444n],
    [parts.blob, 0x5555555566666666n],
    [parts.user, 0x7777777788888888n],
  ]);
  const bytes = encodeCredential(parts, (part) => addresses.get(part) ?? 0n);
  const expected = [
    "00000000 01000000", // Flags, Type
    "22222222 11111111", // TargetName
    "44444444 33333333", // Comment
    "00000000 00000000", // LastWritten
    "03000000 00000000", // CredentialBlobSize, padding
    "66666666 55555555", // CredentialBlob
    "02000000 00000000", // Persist, AttributeCount
    "00000000 00000000", // Attributes
    "00000000 00000000", // TargetAlias
    "88888888 77777777", // UserName
  ].join("").replaceAll(" ", "");
  assert.equal(bytes.length, CREDENTIAL_SIZE);
  assert.equal(bytes.toHex(), expected);
  const texts = new Map([[0x1111111122222222n, "t"], [0x3333333344444444n, "c"], [0x7777777788888888n, "u"]]);
  const decoded = decodeCredential(bytes, {
    text: (address) => texts.get(address) ?? "wrong address",
    bytes: (address, length) =>
      address === 0x5555555566666666n ? parts.blob.slice(0, length) : new Uint8Array(),
  });
  assert.deepEqual(decoded, { target: "t", user: "u", comment: "c", blob: parts.blob });
});

Deno.test("a CREDENTIALW as Windows fills it is read from wherever it lies; what is not ours is passed over", () => {
  const written = [
    "0f000000 01000000", // Flags, Type
    "1000000000000000", // TargetName
    "0000000000000000", // Comment: none
    "78563412 efcdab89", // LastWritten
    "00000000 cccccccc", // CredentialBlobSize, padding
    "2000000000000000", // CredentialBlob
    "03000000 02000000", // Persist, AttributeCount
    "3000000000000000", // Attributes
    "4000000000000000", // TargetAlias
    "5000000000000000", // UserName
  ].join("").replaceAll(" ", "");
  const memory = {
    text: (address: bigint) => ({ 0x10: "target", 0x50: "user", 0: "" })[Number(address)] ?? "wrong address",
    bytes: (address: bigint, length: number) => new Uint8Array(length).fill(Number(address)),
  };
  const bytes = Uint8Array.fromHex(`ffffffffff${written}ff`).subarray(5, 85);
  const expected = { target: "target", user: "user", comment: "" };
  assert.deepEqual(decodeCredential(bytes, memory), { ...expected, blob: new Uint8Array() });
  bytes[33] = 0x0a; // 2,560 bytes, the most that Windows keeps, little-endian
  assert.deepEqual(decodeCredential(bytes, memory).blob, new Uint8Array(2560).fill(0x20));
});

Deno.test("texts are UTF-16LE with a zero at the end", () => {
  assert.equal(wide("aé🗝").toHex(), "6100e9003dd8ddDD0000".toLowerCase());
  assert.equal(wide("").toHex(), "0000");
});

Deno.test("accounts that differ in case alone have targets that differ without it", () => {
  const accounts = ["ada@x", "Ada@x", "ADA@x", "^ada@x", "^Ada@x", "^^ada@x", "Élan", "élan"];
  const targets = new Set(accounts.map((account) => targetOf(account).toLowerCase()));
  assert.equal(targets.size, accounts.length);
  assert.equal(targetOf(ACCOUNT), `datumctl:${ACCOUNT}`);
});

Deno.test("without the library: unavailable for a new session, KEYRING_LOCKED for one that is stored", async () => {
  const store = windowsStore(() => openCredentialManager("/nonexistent/advapi32.dll"));
  await expectRejection(store.set(ACCOUNT, SECRET, bound), {
    code: "KEYRING_UNAVAILABLE",
    message: /advapi32\.dll/,
  });
  await expectRejection(store.get(ACCOUNT, bound), { code: "KEYRING_LOCKED", message: /advapi32\.dll/ });
  assert.throws(() => openCredentialManager("/nonexistent/advapi32.dll"), CredentialManagerUnavailable);
});

const compiler = findProgram("cc", Deno.env.get("PATH"));

Deno.test({
  name:
    "through a library of the same functions: stored, read, replaced, deleted, and refused in a network logon",
  ignore: compiler === undefined || Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const library = `${folder}/advapi32.so`;
      const source = new URL("advapi32.c", import.meta.url).pathname;
      const built = await new Deno.Command("cc", { args: ["-shared", "-fPIC", "-o", library, source] })
        .output();
      assert(built.success, new TextDecoder().decode(built.stderr));
      using manager = openCredentialManager(library);
      const control = Deno.dlopen(library, {
        setNetworkLogon: { parameters: ["i32"], result: "void" },
        freed: { parameters: [], result: "i32" },
      });
      const store = windowsStore(() => manager);
      assert.equal(await store.get(ACCOUNT, bound), undefined);
      assert.equal(await store.delete(ACCOUNT, bound), false);
      await store.set(ACCOUNT, SECRET, bound);
      assert.equal(await store.get(ACCOUNT, bound), SECRET);
      assert.equal(await store.get("someone@else", bound), undefined);
      await store.set(ACCOUNT, "x".repeat(1024), bound);
      assert.equal(await store.get(ACCOUNT, bound), "x".repeat(1024));
      assert.deepEqual(manager.read(`datumctl:${ACCOUNT}`), {
        target: `datumctl:${ACCOUNT}`,
        user: ACCOUNT,
        comment: "datumctl: the key of a session",
        blob: new TextEncoder().encode("x".repeat(1024)),
      });
      assert.equal(control.symbols.freed(), 3, "each credential that was read is freed, once");
      control.symbols.setNetworkLogon(1);
      await expectRejection(store.get(ACCOUNT, bound), {
        code: "KEYRING_LOCKED",
        message: /no credential store/,
      });
      await expectRejection(store.delete(ACCOUNT, bound), {
        code: "KEYRING_LOCKED",
        message: /no credential store/,
      });
      await expectRejection(store.set(ACCOUNT, SECRET, bound), {
        code: "KEYRING_UNAVAILABLE",
        message: /no credential store/,
      });
      control.symbols.setNetworkLogon(0);
      assert.equal(await store.delete(ACCOUNT, bound), true);
      assert.equal(await store.get(ACCOUNT, bound), undefined);
      control.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("a name beyond ASCII is kept under its session's base32 id, with the name as the user", async () => {
  const credentials = new Map<string, Credential>();
  const store = windowsStore(() => ({
    read: (target) => credentials.get(target),
    write: (credential) => void credentials.set(credential.target, credential),
    remove: (target) => credentials.delete(target),
  }));
  const names = ["Аня@example.com@h", "аня@example.com@h", "ANYA@example.com@h"];
  for (const name of names) await store.set(name, `of-${names.indexOf(name)}`, bound);
  for (const name of names) assert.equal(await store.get(name, bound), `of-${names.indexOf(name)}`);
  assert.deepEqual([...credentials.values()].map(({ target, user }) => [target, user]), [
    [`datumctl:${await fileNameOf("Аня@example.com@h")}`, "Аня@example.com@h"],
    [`datumctl:${await fileNameOf("аня@example.com@h")}`, "аня@example.com@h"],
    ["datumctl:^A^N^Y^A@example.com@h", "ANYA@example.com@h"],
  ]);
  for (const name of names) assert.equal(await store.delete(name, bound), true);
  assert.equal(credentials.size, 0);
});
