/** A service account's key file: parsing it, with a sentence for each fault, and signing with its key. */

import { isObject } from "../../encoding.ts";
import { AppError } from "../../errors.ts";
import { HINTS } from "../../hints.ts";
import { printable } from "../../text.ts";

/** A service account's key. */
export interface ServiceAccountKey {
  readonly clientId: string;
  /** The `kid` of a signature's header. */
  readonly keyId: string;
  /** An RSA key as base64 of PKCS#8. Not enumerable, so that no log or JSON of the key contains it. */
  readonly privateKey: string;
  readonly clientEmail?: string | undefined;
  /** Sent unchanged: it contains the audience that the API asks for. */
  readonly scope?: string | undefined;
}

/** A key from its parts, with a non-enumerable private key. */
export function serviceAccountKey({ privateKey, ...fields }: ServiceAccountKey): ServiceAccountKey {
  const key = { ...fields };
  Object.defineProperty(key, "privateKey", { value: privateKey });
  return key as ServiceAccountKey;
}

const TYPE = "datum_service_account";

/** In characters; a key of 16,384 bits needs 13,000. */
const LONGEST_FILE = 64 * 1024;

/** The shortest RSA key to accept, in bits. RFC 7518, 3.3. */
const SHORTEST_KEY = 2048;

/**
 * Reads a key file: JSON with an RSA key as PEM, PKCS#1 or PKCS#8. No message contains any of the key.
 *
 * @param path where the text is from, for messages.
 * @throws {AppError} `USAGE` that says what is wrong with the file.
 */
export async function parseServiceAccountKey(text: string, path: string): Promise<ServiceAccountKey> {
  const refuse = (why: string) =>
    new AppError("USAGE", `The key file ${printable(path)} ${why}.`, {
      hint: `Use the key file of a service account as it was downloaded ("type": "${TYPE}").`,
    });
  if (text.length > LONGEST_FILE) throw refuse("is too long for a key file");
  const json = parseObject(text, refuse);
  if (json.type !== TYPE) {
    const type = typeof json.type === "string" && json.type !== ""
      ? `is of type "${printable(json.type, 60)}"`
      : 'names no "type"';
    throw refuse(`${type}, not "${TYPE}"`);
  }
  /** Undefined when it is missing, and empty when it contains only blanks. */
  const field = (name: string): string | undefined => {
    const value = json[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw refuse(`has a "${name}" that is not a text`);
    if (value.trim() === "") return "";
    if (name !== "private_key" && value !== printable(value, Infinity)) {
      throw refuse(`has a "${name}" that holds unprintable characters, or space around it`);
    }
    return value;
  };
  const required = (name: string): string => {
    const value = field(name);
    if (value === undefined) throw refuse(`has no "${name}"`);
    if (value === "") throw refuse(`has an empty "${name}"`);
    return value;
  };
  const clientId = required("client_id");
  const keyId = required("private_key_id");
  const pem = required("private_key");
  const clientEmail = field("client_email") || undefined;
  const scope = field("scope") || undefined;
  return serviceAccountKey({
    clientId,
    keyId,
    privateKey: await readPrivateKey(pem, (why) => refuse(`has a "private_key" that ${why}`)),
    clientEmail,
    scope,
  });
}

/**
 * Signs with RS256.
 *
 * @throws {AppError} `USAGE` when the key cannot sign.
 */
export async function signWithKey(
  { privateKey, keyId }: ServiceAccountKey,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const key = await importKey(Uint8Array.fromBase64(privateKey));
    return new Uint8Array(await crypto.subtle.sign(key.algorithm.name, key, bytes));
  } catch (cause) {
    throw new AppError("USAGE", `The service account's key ${printable(keyId, 100)} cannot sign.`, {
      hint: HINTS.USAGE.newKeyFile,
      cause,
    });
  }
}

function parseObject(text: string, refuse: (why: string) => AppError): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse("is not JSON"); // the parser's own words would quote the text
  }
  if (isObject(json)) return json;
  throw refuse("is JSON, but not an object");
}

// --- the private key -----------------------------------------------------------------------------------------

/** Why PEM texts with these labels are refused. */
const OTHER_LABELS: readonly (readonly [RegExp, string])[] = [
  [/^ENCRYPTED PRIVATE KEY$/, "is encrypted with a passphrase; there is nobody to ask for it"],
  [/^EC PRIVATE KEY$/, "is an EC key, not an RSA one"],
  [/^DSA PRIVATE KEY$/, "is a DSA key, not an RSA one"],
  [/^OPENSSH PRIVATE KEY$/, "is a key in OpenSSH's own format, not PKCS#1 or PKCS#8"],
  [/PUBLIC KEY$/, "is a public key, not the private one"],
  [/CERTIFICATE$/, "is a certificate, not a private key"],
];

/** A PEM text's RSA key as base64 of PKCS#8. RFC 7468. */
async function readPrivateKey(pem: string, refuse: (why: string) => AppError): Promise<string> {
  const labels = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]{1,60})-----/g)].map(([, label]) => label ?? "");
  const label = labels.find((label) => /^(?:RSA )?PRIVATE KEY$/.test(label));
  if (label === undefined) {
    const other = OTHER_LABELS.find(([pattern]) => labels.some((label) => pattern.test(label)));
    throw refuse(other?.[1] ?? "is not a private key as PEM text");
  }
  const begin = `-----BEGIN ${label}-----`;
  const from = pem.indexOf(begin) + begin.length;
  const to = pem.indexOf(`-----END ${label}-----`, from);
  if (to < 0) throw refuse("breaks off before its end");
  const body = pem.slice(from, to);
  // The encryption header of PKCS#1: RFC 1421, 4.6.1.1.
  if (/Proc-Type:.*ENCRYPTED/.test(body)) {
    throw refuse("is encrypted with a passphrase; there is nobody to ask for it");
  }
  let der: Uint8Array<ArrayBuffer>;
  try {
    der = Uint8Array.fromBase64(body);
  } catch {
    throw refuse("is PEM text with damaged base64");
  }
  const pkcs8 = label === "RSA PRIVATE KEY" ? wrapPkcs1(der) : der;
  const algorithm = ALGORITHMS.find(([identifier]) => pkcs8.subarray(0, 40).toHex().includes(identifier))
    ?.[1];
  if (algorithm !== undefined) throw refuse(`is ${algorithm} key, not an RSA one`);
  let key: CryptoKey;
  try {
    key = await importKey(pkcs8);
    // Some damage shows only here.
    await crypto.subtle.sign(key.algorithm.name, key, new Uint8Array(1));
  } catch {
    throw refuse("is damaged: it cannot be read as an RSA key");
  }
  const bits = (key.algorithm as RsaHashedKeyAlgorithm).modulusLength;
  if (bits < SHORTEST_KEY) {
    throw refuse(`is an RSA key of ${bits} bits; it must have at least ${SHORTEST_KEY}`);
  }
  return pkcs8.toBase64();
}

/**
 * Object identifiers of keys that RS256 cannot use, as DER. RFC 5480, 2.1.1; RFC 8410, 3; RFC 4055, 1.2; RFC 3279,
 * 2.3.2.
 */
const ALGORITHMS = [
  ["06072a8648ce3d0201", "an EC"],
  ["06032b6570", "an Ed25519"],
  ["06032b6571", "an Ed448"],
  ["06032b656e", "an X25519"],
  ["06092a864886f70d01010a", "an RSA-PSS"],
  ["06072a8648ce380401", "a DSA"],
] as const;

function importKey(pkcs8: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", pkcs8, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, [
    "sign",
  ]);
}

/** PKCS#8 around a PKCS#1 key, as DER: version 0, the algorithm rsaEncryption, the key. RFC 5208, 5; RFC 8017, A.1. */
function wrapPkcs1(pkcs1: Uint8Array): Uint8Array<ArrayBuffer> {
  const version = Uint8Array.of(0x02, 0x01, 0x00);
  const algorithm = Uint8Array.fromHex("300d06092a864886f70d0101010500");
  return element(0x30, version, algorithm, element(0x04, pkcs1));
}

/** One DER element. X.690, 8.1. */
function element(tag: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  const bytes = new Uint8Array(1 + length.length + size);
  bytes.set([tag, ...length]);
  let at = 1 + length.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
