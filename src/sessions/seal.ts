/** Seals and unseals texts: compact JWE with `alg: dir`, `enc: A256GCM` (RFC 7516, RFC 7518 §5.3). */

import { fromBase64Url, isObject, toBase64Url } from "../encoding.ts";

/** A session's key: 32 random bytes, as base64url text in the keyring. */
export interface SealingKey {
  /** Names the key without revealing it: the first 9 bytes of its SHA-256. */
  readonly kid: string;
  readonly key: CryptoKey;
}

/** A new key, as the text that a keyring stores. */
export function makeKeyText(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** Reads a key from a keyring's text; undefined when it is not one of ours. */
export async function readKeyText(text: string): Promise<SealingKey | undefined> {
  const bytes = keyBytes(text);
  if (bytes === undefined) return undefined;
  const [digest, key] = await Promise.all([crypto.subtle.digest("SHA-256", bytes), importKey(bytes)]);
  return { kid: toBase64Url(new Uint8Array(digest, 0, 9)), key };
}

/** As {@link readKeyText}, without the name of the key, which takes longer: enough to open what it sealed. */
export async function readBareKey(text: string): Promise<CryptoKey | undefined> {
  const bytes = keyBytes(text);
  return bytes && await importKey(bytes);
}

function keyBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = fromBase64Url(text);
  return bytes?.length === 32 ? bytes : undefined;
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** Seals a text. */
export async function seal(plaintext: string, { kid, key }: SealingKey): Promise<string> {
  const header = headerWith(kid);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(header) },
      key,
      new TextEncoder().encode(plaintext),
    ),
  );
  const [text, tag] = [sealed.subarray(0, -16), sealed.subarray(-16)];
  return `${header}..${toBase64Url(iv)}.${toBase64Url(text)}.${toBase64Url(tag)}`;
}

function headerWith(kid: string): string {
  return toBase64Url(new TextEncoder().encode(JSON.stringify({ alg: "dir", enc: "A256GCM", kid })));
}

/** True for a JWE that was sealed with a key. As we write it, it is not taken apart: that takes get-token long. */
export function isSealedWith(jwe: string, { kid }: Pick<SealingKey, "kid">): boolean {
  return jwe.startsWith(`${headerWith(kid)}..`) || kidOf(jwe) === kid;
}

/** The `kid` that a JWE was sealed with; undefined when it is not a JWE as we make them. */
export function kidOf(jwe: string): string | undefined {
  const [encoded = "", encryptedKey] = jwe.split(".", 2);
  const bytes = fromBase64Url(encoded);
  if (bytes === undefined || encryptedKey !== "") return undefined;
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isObject(header)) return undefined;
    const { alg, enc, kid } = header;
    return alg === "dir" && enc === "A256GCM" && typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** Opens what {@link seal} sealed; undefined when the text was changed or sealed with another key. */
export async function unseal(jwe: string, sealing: SealingKey): Promise<string | undefined> {
  return isSealedWith(jwe, sealing) ? await unsealWith(jwe, sealing.key) : undefined;
}

/** As {@link unseal}. The header is sealed as well, so a text that a key opens was sealed with that key. */
export async function unsealWith(jwe: string, key: CryptoKey): Promise<string | undefined> {
  const parts = jwe.split(".");
  const [header = "", encryptedKey, encodedIv = "", encodedText = "", encodedTag = ""] = parts;
  if (parts.length !== 5 || encryptedKey !== "") return undefined;
  const [iv, text, tag] = [encodedIv, encodedText, encodedTag].map(fromBase64Url);
  if (iv?.length !== 12 || text === undefined || tag?.length !== 16) return undefined;
  const sealed = new Uint8Array(text.length + 16);
  sealed.set(text);
  sealed.set(tag, text.length);
  try {
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(header) },
      key,
      sealed,
    );
    return new TextDecoder().decode(opened);
  } catch {
    return undefined;
  }
}
