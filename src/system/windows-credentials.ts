/** The calls into Windows' Credential Manager: CREDENTIALW in memory, and five functions of advapi32.dll. */

/** The only library that is opened, by its full path: a bare name would be looked up in the working folder. */
export const ADVAPI32 = "C:\\Windows\\System32\\advapi32.dll";

/** The parts of a generic credential that we use. */
export interface Credential {
  readonly target: string;
  readonly user: string;
  readonly comment: string;
  /** At most 2,560 bytes. */
  readonly blob: Uint8Array;
}

/** The Credential Manager of the person who is logged on. Its calls are local, ask nobody and do not wait. */
export interface CredentialManager {
  /** The credential of that target; undefined when there is none. */
  read(target: string): Credential | undefined;
  /** Stores or replaces a credential. */
  write(credential: Credential): void;
  /** Removes a credential. False when there is none. */
  remove(target: string): boolean;
}

/** Windows has no Credential Manager for us; the message says why, as the end of a sentence. */
export class CredentialManagerUnavailable extends Error {
  override readonly name = "CredentialManagerUnavailable";
}

const TYPE_GENERIC = 1;
const TYPES = 8;
const PERSIST_LOCAL_MACHINE = 2;

/** The size of CREDENTIALW with 64-bit pointers (wincred.h), and the offset of each member. */
export const CREDENTIAL_SIZE = 80;
const AT = { type: 4, target: 8, comment: 16, blobSize: 32, blob: 40, persist: 48, user: 72 } as const;

const SYMBOLS = {
  CredReadW: { parameters: ["buffer", "u32", "u32", "buffer"], result: "i32" },
  CredWriteW: { parameters: ["buffer", "u32"], result: "i32" },
  CredDeleteW: { parameters: ["buffer", "u32", "u32"], result: "i32" },
  CredGetSessionTypes: { parameters: ["u32", "buffer"], result: "i32" },
  CredFree: { parameters: ["pointer"], result: "void" },
} as const;

/**
 * Opens the Credential Manager.
 *
 * @param path the library; another than {@link ADVAPI32} only in tests
 * @throws {CredentialManagerUnavailable} when the library is missing or must not be used.
 */
export function openCredentialManager(path: string = ADVAPI32): CredentialManager & Disposable {
  let library: Deno.DynamicLibrary<typeof SYMBOLS>;
  try {
    library = Deno.dlopen(path, SYMBOLS);
  } catch (error) {
    throw new CredentialManagerUnavailable(`${path} cannot be used`, { cause: error });
  }
  const { CredReadW, CredWriteW, CredDeleteW, CredGetSessionTypes, CredFree } = library.symbols;

  /**
   * Tells "no such credential" from a logon that has no store at all, such as one over the network. GetLastError
   * would say, but it is in another library, and its value is overwritten before we could ask.
   */
  function assertStore(): void {
    const persistence = new Uint32Array(TYPES);
    if (CredGetSessionTypes(TYPES, persistence) === 0 || persistence[TYPE_GENERIC] === 0) {
      throw new CredentialManagerUnavailable("this logon has no credential store, as over SSH");
    }
  }

  return {
    read(target) {
      const result = new BigUint64Array(1);
      if (CredReadW(wide(target), TYPE_GENERIC, 0, result) === 0) {
        assertStore();
        return undefined;
      }
      const pointer = Deno.UnsafePointer.create(result[0] ?? 0n);
      if (pointer === null) return undefined;
      try {
        return decodeCredential(
          new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, CREDENTIAL_SIZE)),
          memory,
        );
      } finally {
        CredFree(pointer);
      }
    },

    write(credential) {
      const parts = {
        target: wide(credential.target),
        user: wide(credential.user),
        comment: wide(credential.comment),
        blob: credential.blob.slice(),
      };
      let stored: number;
      try {
        stored = CredWriteW(encodeCredential(parts, address), 0);
      } finally {
        // Wiping also keeps them from the garbage collector until Windows has read them through their addresses.
        for (const part of Object.values(parts)) part.fill(0);
      }
      if (stored !== 0) return;
      assertStore();
      throw new CredentialManagerUnavailable("Windows refused to store the credential");
    },

    remove(target) {
      if (CredDeleteW(wide(target), TYPE_GENERIC, 0) !== 0) return true;
      assertStore();
      return false;
    },

    [Symbol.dispose]() {
      library.close();
    },
  };
}

/** The members of a CREDENTIALW, each in its own memory. Texts are UTF-16LE and end in a zero. */
export interface CredentialParts {
  readonly target: Uint8Array<ArrayBuffer>;
  readonly user: Uint8Array<ArrayBuffer>;
  readonly comment: Uint8Array<ArrayBuffer>;
  readonly blob: Uint8Array<ArrayBuffer>;
}

/**
 * A generic CREDENTIALW that is kept on this machine for this person, across logons. `addressOf` returns its
 * members' addresses.
 */
export function encodeCredential(
  parts: CredentialParts,
  addressOf: (bytes: Uint8Array<ArrayBuffer>) => bigint,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CREDENTIAL_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.type, TYPE_GENERIC, true);
  view.setBigUint64(AT.target, addressOf(parts.target), true);
  view.setBigUint64(AT.comment, addressOf(parts.comment), true);
  view.setUint32(AT.blobSize, parts.blob.length, true);
  view.setBigUint64(AT.blob, addressOf(parts.blob), true);
  view.setUint32(AT.persist, PERSIST_LOCAL_MACHINE, true);
  view.setBigUint64(AT.user, addressOf(parts.user), true);
  return bytes;
}

/** The memory that a CREDENTIALW points into. */
export interface Memory {
  /** A copy of `length` bytes at an address. */
  bytes(address: bigint, length: number): Uint8Array;
  /** The UTF-16LE text at an address up to its zero; empty for address 0. */
  text(address: bigint): string;
}

/** Reads a CREDENTIALW. Everything is copied, so that it may be freed afterwards. */
export function decodeCredential(bytes: Uint8Array, memory: Memory): Credential {
  const view = new DataView(bytes.buffer, bytes.byteOffset, CREDENTIAL_SIZE);
  const size = view.getUint32(AT.blobSize, true);
  return {
    target: memory.text(view.getBigUint64(AT.target, true)),
    user: memory.text(view.getBigUint64(AT.user, true)),
    comment: memory.text(view.getBigUint64(AT.comment, true)),
    blob: size === 0 ? new Uint8Array() : memory.bytes(view.getBigUint64(AT.blob, true), size),
  };
}

/** A text as Windows expects it: UTF-16LE with a zero at the end. */
export function wide(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((text.length + 1) * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) view.setUint16(at * 2, text.charCodeAt(at), true);
  return bytes;
}

function address(bytes: Uint8Array<ArrayBuffer>): bigint {
  return bytes.length === 0 ? 0n : Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** A longer text is not ours, and reading on would leave the credential's memory. */
const LONGEST_TEXT = 32_768;

const memory: Memory = {
  bytes(address, length) {
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) return new Uint8Array();
    return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length)).slice();
  },
  text(address) {
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) return "";
    const view = new Deno.UnsafePointerView(pointer);
    let text = "";
    for (let at = 0; at < LONGEST_TEXT; at++) {
      const unit = view.getUint16(at * 2);
      if (unit === 0) break;
      text += String.fromCharCode(unit);
    }
    return text;
  },
};
