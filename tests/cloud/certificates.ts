/** The cloud's certificates: an authority of its own and a server certificate below it, in DER by WebCrypto. */

/** An authority and a server's certificate and key, as PEM. */
export interface Certificates {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

const SECONDS_BEFORE = 3600;
const SECONDS_AFTER = 30 * 24 * 3600;

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Makes an authority and a server certificate for `localhost`, `127.0.0.1` and `::1` (EC P-256, RFC 5280),
 * valid from an hour before `now` for thirty days.
 */
export async function makeCertificates(now: Date): Promise<Certificates> {
  const notBefore = new Date(now.getTime() - SECONDS_BEFORE * 1000);
  const notAfter = new Date(now.getTime() + SECONDS_AFTER * 1000);
  const authority = await makeKeyPair();
  const server = await makeKeyPair();
  const authorityName = `Test authority ${hex(authority.identifier).slice(0, 8)}`;
  const authorityKeyIdentifier = extension(
    OID.authorityKeyIdentifier,
    false,
    sequence(tagged(0x80, authority.identifier)),
  );

  const ca = await makeCertificate({
    issuer: authorityName,
    subject: authorityName,
    notBefore,
    notAfter,
    publicKey: authority.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension(OID.basicConstraints, true, sequence(boolean(true))),
      extension(OID.keyUsage, true, keyUsage(0b0000_0110, 1)), // keyCertSign and cRLSign
      extension(OID.subjectKeyIdentifier, false, octetString(authority.identifier)),
    ],
  });
  const certificate = await makeCertificate({
    issuer: authorityName,
    subject: "localhost",
    notBefore,
    notAfter,
    publicKey: server.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension(OID.basicConstraints, true, sequence()),
      extension(OID.keyUsage, true, keyUsage(0b1000_0000, 7)), // digitalSignature
      extension(OID.extendedKeyUsage, false, sequence(objectIdentifier(OID.serverAuth))),
      extension(
        OID.subjectAltName,
        false,
        sequence(
          tagged(0x82, new TextEncoder().encode("localhost")),
          tagged(0x87, new Uint8Array([127, 0, 0, 1])),
          tagged(0x87, new Uint8Array(16).fill(1, 15)),
        ),
      ),
      extension(OID.subjectKeyIdentifier, false, octetString(server.identifier)),
      authorityKeyIdentifier,
    ],
  });
  return {
    caPem: pem("CERTIFICATE", ca),
    certificatePem: pem("CERTIFICATE", certificate),
    keyPem: pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", server.privateKey))),
  };
}

interface KeyPair {
  readonly privateKey: CryptoKey;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  readonly identifier: Bytes;
}

async function makeKeyPair(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey));
  return { privateKey: pair.privateKey, publicKey, identifier: digest.slice(0, 20) };
}

interface CertificateFields {
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: Bytes;
  readonly signer: CryptoKey;
  readonly extensions: readonly Bytes[];
}

async function makeCertificate(fields: CertificateFields): Promise<Bytes> {
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = (serial[0] ?? 0) & 0x7f | 0x40; // positive, and without a leading zero byte
  const signed = sequence(
    tagged(0xa0, integer(new Uint8Array([2]))), // version 3
    integer(serial),
    algorithm,
    distinguishedName(fields.issuer),
    sequence(utcTime(fields.notBefore), utcTime(fields.notAfter)),
    distinguishedName(fields.subject),
    fields.publicKey,
    tagged(0xa3, sequence(...fields.extensions)),
  );
  const raw = new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, fields.signer, signed),
  );
  const signature = sequence(integer(raw.slice(0, 32)), integer(raw.slice(32)));
  return sequence(signed, algorithm, bitString(signature, 0));
}

function distinguishedName(commonName: string): Bytes {
  const name = tagged(0x0c, new TextEncoder().encode(commonName));
  return sequence(tagged(0x31, sequence(objectIdentifier(OID.commonName), name)));
}

function extension(oid: string, critical: boolean, value: Bytes): Bytes {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

function keyUsage(bits: number, unused: number): Bytes {
  return bitString(new Uint8Array([bits]), unused);
}

function tagged(tag: number, ...contents: readonly Bytes[]): Bytes {
  const content = concatenate(contents);
  return concatenate([new Uint8Array([tag, ...length(content.length)]), content]);
}

function length(count: number): number[] {
  if (count < 0x80) return [count];
  return count < 0x100 ? [0x81, count] : [0x82, count >> 8, count & 0xff];
}

function sequence(...contents: readonly Bytes[]): Bytes {
  return tagged(0x30, ...contents);
}

function octetString(content: Bytes): Bytes {
  return tagged(0x04, content);
}

function bitString(content: Bytes, unused: number): Bytes {
  return tagged(0x03, new Uint8Array([unused]), content);
}

function boolean(value: boolean): Bytes {
  return tagged(0x01, new Uint8Array([value ? 0xff : 0]));
}

/** An unsigned big-endian number as a DER INTEGER: shortest form, with a zero byte where the sign bit is set. */
function integer(magnitude: Bytes): Bytes {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const shortest = magnitude.slice(start);
  return tagged(0x02, ...((shortest[0] ?? 0) & 0x80 ? [new Uint8Array([0])] : []), shortest);
}

function objectIdentifier(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(left & 0x7f | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, new Uint8Array(bytes));
}

function utcTime(time: Date): Bytes {
  const digits = time.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return tagged(0x17, new TextEncoder().encode(`${digits}Z`));
}

function concatenate(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function hex(bytes: Bytes): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pem(label: string, der: Bytes): string {
  const lines = btoa(String.fromCharCode(...der)).replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
