/** Owns the digest of a text, by which it is told from others and cannot be told itself. */

/** The 32 bytes of a text's SHA-256. FIPS 180-4. */
export async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
