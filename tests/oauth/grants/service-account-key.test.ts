/** Proves what a service account's key file must be: real keys of every kind, and a sentence for each fault. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "../../fast-check.ts";
import {
  parseServiceAccountKey,
  serviceAccountKey,
  signWithKey,
} from "../../../src/oauth/grants/service-account-key.ts";
import { asJson } from "../../as-json.ts";
import { expectRejection } from "../../expect-error.ts";
import { changed, damaged, ours, RUNS } from "../../fuzz.ts";

const PATH = "/home/ada/key.json";

/** Keys as OpenSSL writes them. */
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: { export(options: object): unknown }, type: string, more: object = {}): string =>
  String(key.export({ type, format: "pem", ...more }));
const PKCS8 = pem(rsa.privateKey, "pkcs8");
const PKCS1 = pem(rsa.privateKey, "pkcs1");
const BODY = PKCS8.replace(/-----.*-----|\s/g, "");
const passphrase = { cipher: "aes-256-cbc", passphrase: "x" };

function file(more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    type: "datum_service_account",
    client_id: "client-1",
    private_key_id: "key-1",
    private_key: PKCS8,
    ...more,
  });
}

async function refusal(text: string, path = PATH): Promise<string> {
  const { message } = await expectRejection(parseServiceAccountKey(text, path), {
    code: "USAGE",
    message: /^The key file \/home\/ada\/key\.json /,
  });
  assert.doesNotMatch(message, /MII|BEGIN/);
  return message.slice("The key file /home/ada/key.json ".length);
}

const FAULTS: [string, string][] = [
  ["", "is not JSON."],
  [PKCS8, "is not JSON."],
  [file().slice(0, -1), "is not JSON."],
  ["[]", "is JSON, but not an object."],
  ["null", "is JSON, but not an object."],
  [JSON.stringify(PKCS8), "is JSON, but not an object."],
  ["{}", 'names no "type", not "datum_service_account".'],
  [file({ type: 1 }), 'names no "type", not "datum_service_account".'],
  [file({ type: "service_account" }), 'is of type "service_account", not "datum_service_account".'],
  [file({ type: "a\u001bb" }), 'is of type "a b", not "datum_service_account".'],
  [file({ client_id: undefined }), 'has no "client_id".'],
  [file({ client_id: null }), 'has no "client_id".'],
  [file({ client_id: "" }), 'has an empty "client_id".'],
  [file({ client_id: " " }), 'has an empty "client_id".'],
  [file({ client_id: 7 }), 'has a "client_id" that is not a text.'],
  [file({ client_id: "a\nb" }), 'has a "client_id" that holds unprintable characters, or space around it.'],
  [file({ private_key_id: undefined }), 'has no "private_key_id".'],
  [file({ private_key_id: "" }), 'has an empty "private_key_id".'],
  [file({ private_key: undefined }), 'has no "private_key".'],
  [file({ private_key: "" }), 'has an empty "private_key".'],
  [file({ private_key: { PKCS8 } }), 'has a "private_key" that is not a text.'],
  [file({ client_email: [] }), 'has a "client_email" that is not a text.'],
  [file({ scope: ["openid"] }), 'has a "scope" that is not a text.'],
  [file({ extra: "x".repeat(70_000) }), "is too long for a key file."],
];
for (const [index, [text, sentence]] of FAULTS.entries()) {
  Deno.test(`key file fault ${index + 1}: ${sentence}`, async () => {
    assert.equal(await refusal(text), sentence);
  });
}

const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
const OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----\nMIIB\n-----END OPENSSH PRIVATE KEY-----\n";
const BAD_KEYS: [string, string, string][] = [
  ["an EC key (PKCS#8)", pem(ec.privateKey, "pkcs8"), "is an EC key, not an RSA one"],
  ["an EC key (SEC 1)", PARAMETERS + pem(ec.privateKey, "sec1"), "is an EC key, not an RSA one"],
  [
    "an Ed25519 key",
    pem(generateKeyPairSync("ed25519").privateKey, "pkcs8"),
    "is an Ed25519 key, not an RSA one",
  ],
  [
    "an encrypted key (PKCS#8)",
    pem(rsa.privateKey, "pkcs8", passphrase),
    "is encrypted with a passphrase; there is nobody to ask for it",
  ],
  [
    // Deno's own library does not write these.
    "an encrypted key (PKCS#1)",
    PKCS1.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"),
    "is encrypted with a passphrase; there is nobody to ask for it",
  ],
  ["a public key", pem(rsa.publicKey, "spki"), "is a public key, not the private one"],
  ["a public key (PKCS#1)", pem(rsa.publicKey, "pkcs1"), "is a public key, not the private one"],
  ["a certificate", CERTIFICATE, "is a certificate, not a private key"],
  ["an OpenSSH key", OPENSSH, "is a key in OpenSSH's own format, not PKCS#1 or PKCS#8"],
  ["no PEM", BODY, "is not a private key as PEM text"],
  ["another PEM", PKCS8.replaceAll("PRIVATE KEY", "X509 CRL"), "is not a private key as PEM text"],
  ["a cut key", PKCS8.slice(0, 900), "breaks off before its end"],
  ["damaged base64", PKCS8.replace("MII", "M*I"), "is PEM text with damaged base64"],
  ["a cut body", PKCS8.replace(/\n.{64}\n/, "\n"), "is damaged: it cannot be read as an RSA key"],
  ["an empty body", PKCS8.replace(/-\n[^-]*-/, "-\n-"), "is damaged: it cannot be read as an RSA key"],
  [
    "PKCS#8 labelled PKCS#1",
    PKCS8.replaceAll("PRIVATE", "RSA PRIVATE"),
    "is damaged: it cannot be read as an RSA key",
  ],
  [
    "an RSA key of 1024 bits",
    pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey, "pkcs1"),
    "is an RSA key of 1024 bits; it must have at least 2048",
  ],
];
for (const [what, key, sentence] of BAD_KEYS) {
  Deno.test(`${what} in a key file: it has a "private_key" that ${sentence}`, async () => {
    assert.equal(await refusal(file({ private_key: key })), `has a "private_key" that ${sentence}.`);
  });
}

Deno.test("the path in a message is printable", async () => {
  assert.equal(await refusal("", `${PATH} \u001b`), "is not JSON.");
});

for (
  const [what, key] of [
    ["PKCS#8", PKCS8],
    ["PKCS#1", PKCS1],
    ["a key after a certificate, with Windows' line ends", (CERTIFICATE + PKCS1).replaceAll("\n", "\r\n")],
  ] as const
) {
  Deno.test(`${what} is read into the same PKCS#8, which signs`, async () => {
    const parsed = await parseServiceAccountKey(file({ private_key: key }), PATH);
    assert.equal(parsed.privateKey, BODY);
    const text = new TextEncoder().encode("signed");
    const signature = await signWithKey(parsed, text);
    const { n, e } = rsa.publicKey.export({ format: "jwk" }) as { n: string; e: string };
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const verifying = await crypto.subtle.importKey("jwk", { kty: "RSA", n, e }, algorithm, false, [
      "verify",
    ]);
    assert.ok(await crypto.subtle.verify(algorithm, verifying, signature, text));
  });
}

Deno.test("optional fields are kept as they are, empty ones left out, unknown ones passed over", async () => {
  const scope = "openid urn:zitadel:iam:org:project:id:1:aud";
  const full = file({ client_email: "ci@example.com", scope, more: 1 });
  assert.deepEqual({ ...await parseServiceAccountKey(full, PATH) }, {
    clientId: "client-1",
    keyId: "key-1",
    clientEmail: "ci@example.com",
    scope,
  });
  const bare = await parseServiceAccountKey(file({ client_email: "", scope: null }), PATH);
  assert.deepEqual(asJson({ ...bare }), { clientId: "client-1", keyId: "key-1" });
});

Deno.test("no JSON and no log of a key holds the private one", async () => {
  const key = await parseServiceAccountKey(file(), PATH);
  assert.doesNotMatch(`${JSON.stringify(key)}${Deno.inspect(key)}`, /MII|privateKey/);
});

Deno.test("a kept key that cannot sign is an error without the key", async () => {
  for (const privateKey of ["SECRET", "", btoa("SECRET")]) {
    const key = serviceAccountKey({ clientId: "client-1", keyId: "key-1", privateKey });
    await expectRejection(signWithKey(key, new Uint8Array(1)), "USAGE");
  }
});

Deno.test("no key file breaks the reading", async () => {
  const good = { ...JSON.parse(file()), scope: "openid", client_email: "ci@example.com" };
  const text = fc.oneof(
    changed(good).map((value) => JSON.stringify(value) ?? ""),
    damaged(fc.constant(file())),
    damaged(fc.constantFrom(PKCS8, PKCS1)).map((private_key) => file({ private_key })),
  );
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      await ours(() => parseServiceAccountKey(text, PATH));
    }),
    { numRuns: RUNS },
  );
});
