/** The verification of ID tokens: signature, claims and times, with a sentence for each failure. */

import { fromBase64Url, isObject, toBase64Url } from "../encoding.ts";
import { AppError, fail } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { CLOCK_TOLERANCE, clockSkew, isoTime } from "./clock-skew.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { issuerFetch, readJson } from "./issuer-request.ts";
import { decodeObject } from "./jwt.ts";

/** The claims of a verified ID token. OpenID Connect Core 1.0, 2. */
export interface IdTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: unknown;
  /** Seconds since 1970. */
  readonly exp: number;
  /** Seconds since 1970. */
  readonly iat: number;
  /** Seconds since 1970. */
  readonly nbf?: number | undefined;
  readonly email?: unknown;
  readonly name?: unknown;
  readonly [claim: string]: unknown;
}

/** The members of a public key that verification needs. RFC 7517, 4; RFC 7518, 6. */
export interface SigningKey {
  kty: string;
  kid?: string;
  alg?: string;
  use?: string;
  crv?: string;
  n?: string;
  e?: string;
  x?: string;
  y?: string;
  key_ops?: string[];
}

/** An issuer's public signing keys, safe to store as JSON with a session, so that a refresh needs one request. */
export interface SigningKeys {
  readonly keys: readonly SigningKey[];
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
}

/** What an ID token is checked against. */
export interface IdTokenChecks {
  readonly metadata: IssuerMetadata;
  /** Keys from an earlier flow; fetched when undefined, and again when none of them fits. */
  readonly keys?: SigningKeys | undefined;
  readonly clientId: string;
  /** The nonce that was sent; undefined when none was (device code, refresh). */
  readonly nonce?: string | undefined;
  /** Checked against `at_hash` when the token has one. */
  readonly accessToken: string;
  /** The identity that a refreshed token must keep. */
  readonly expected?: { readonly issuer: string; readonly subject: string } | undefined;
  /** Audiences beside this client that the person trusts, so that a token may name them without `azp`. */
  readonly trustedAudiences?: readonly string[] | undefined;
  /** The `Date` of the answer with the token, in milliseconds since 1970; tells a wrong clock from an old token. */
  readonly serverDate?: number | undefined;
}

/** An ID token that is the issuer's own and for us; only its times may be wrong. */
export interface VerifiedIdToken {
  readonly claims: IdTokenClaims;
  readonly keys: SigningKeys;
  /** Why the times are wrong, `CLOCK_SKEW` or `INVALID_TOKEN`; undefined when they are right. */
  readonly untimely?: AppError | undefined;
}

const HINT = "Try again; if it persists, report it to whoever runs the issuer.";

function invalid(metadata: IssuerMetadata, why: string, hint = HINT): AppError {
  return new AppError("INVALID_TOKEN", `The ID token of ${hostOf(metadata.issuer)} was refused: ${why}.`, {
    hint,
  });
}

/**
 * Verifies an ID token: `alg`, signature, `iss`, `aud`, `azp`, `sub`, `nonce`, `at_hash`, and last its times, so
 * that a token which fails only by its times is known to be the issuer's own.
 *
 * OpenID Connect Core 1.0, 3.1.3.7, 3.1.3.8 and 12.2; RFC 8725.
 *
 * @throws {AppError} `INVALID_TOKEN` naming the check, `NETWORK` when the issuer's keys cannot be fetched.
 */
export async function verifyIdToken(
  http: HttpContext,
  idToken: string,
  checks: IdTokenChecks,
): Promise<VerifiedIdToken> {
  const { metadata } = checks;
  const jws = parseJws(metadata, idToken);
  const keys = await verifySignature(http, metadata, jws, checks.keys);
  const claims = await checkClaims(jws, checks);
  const untimely = checkTimes(http, claims, checks);
  return { claims, keys, untimely };
}

// --- the signed text -----------------------------------------------------------------------------------------

interface Jws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly algorithm: Algorithm;
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

interface Algorithm {
  readonly name: string;
  readonly kty: "RSA" | "EC" | "OKP";
  readonly crv?: string | undefined;
  readonly importing: RsaHashedImportParams | EcKeyImportParams | { readonly name: string };
  readonly verifying: RsaPssParams | EcdsaParams | { readonly name: string };
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
}

const SIZES = ["256", "384", "512"] as const;

/** JWS algorithms with a public key, RFC 7518, 3.1 and RFC 8037; without `none` and the HMACs. */
function algorithmOf(name: unknown): Algorithm | undefined {
  if (name === "EdDSA" || name === "Ed25519") {
    const plain = { name: "Ed25519" };
    return { name, kty: "OKP", crv: "Ed25519", importing: plain, verifying: plain, hash: "SHA-512" };
  }
  const [alg, family, digits] = (typeof name === "string" ? /^(RS|PS|ES)(256|384|512)$/.exec(name) : null) ??
    [];
  const bits = SIZES.find((size) => size === digits);
  if (alg === undefined || bits === undefined) return undefined;
  const hash = `SHA-${bits}` as const;
  if (family === "ES") {
    const crv = bits === "512" ? "P-521" : `P-${bits}`;
    const importing = { name: "ECDSA", namedCurve: crv };
    return { name: alg, kty: "EC", crv, importing, verifying: { name: "ECDSA", hash }, hash };
  }
  if (family === "PS") {
    const verifying = { name: "RSA-PSS", saltLength: Number(bits) / 8 };
    return { name: alg, kty: "RSA", importing: { name: "RSA-PSS", hash }, verifying, hash };
  }
  const plain = { name: "RSASSA-PKCS1-v1_5" };
  return { name: alg, kty: "RSA", importing: { ...plain, hash }, verifying: plain, hash };
}

function parseJws(metadata: IssuerMetadata, idToken: string): Jws {
  const parts = idToken.split(".");
  const [protectedHeader, payload, encodedSignature] = parts;
  if (
    parts.length !== 3 || protectedHeader === undefined || payload === undefined ||
    encodedSignature === undefined
  ) {
    throw invalid(metadata, "it is not a signed JWT");
  }
  const header = decodeObject(protectedHeader);
  if (header === undefined) throw invalid(metadata, "its header is unreadable");
  const offered = metadata.id_token_signing_alg_values_supported ?? ["RS256"];
  const algorithm = algorithmOf(header.alg);
  if (algorithm === undefined || !offered.includes(algorithm.name)) {
    const alg = typeof header.alg === "string" ? `"${printable(header.alg, 40)}"` : "missing";
    throw invalid(metadata, `its algorithm is ${alg}, which is not one that this issuer announces`);
  }
  if (header.crit !== undefined) throw invalid(metadata, 'its header demands an unknown extension ("crit")');
  const claims = decodeObject(payload);
  if (claims === undefined) throw invalid(metadata, "its claims are unreadable");
  const signature = fromBase64Url(encodedSignature);
  if (signature === undefined) throw invalid(metadata, "its signature is unreadable");
  return {
    header,
    claims,
    algorithm,
    signed: new TextEncoder().encode(`${protectedHeader}.${payload}`),
    signature,
  };
}

// --- the keys ------------------------------------------------------------------------------------------------

/**
 * Fetches the issuer's public keys.
 *
 * @throws {AppError} `NETWORK`, `INVALID_TOKEN` when the document is no key set.
 */
export async function fetchSigningKeys(http: HttpContext, metadata: IssuerMetadata): Promise<SigningKeys> {
  const step = "Cannot read the issuer's signing keys";
  const response = await issuerFetch(http, step)(metadata.jwks_uri, {
    headers: { accept: "application/json, application/jwk-set+json" },
  });
  const { status, json } = await readJson(step, metadata.jwks_uri, response);
  if (status !== 200 || !Array.isArray(json.keys)) {
    const host = hostOf(metadata.jwks_uri);
    throw new AppError("INVALID_TOKEN", `${step}: ${host} sent no key set (status ${status}).`, {
      hint: HINT,
    });
  }
  return { keys: json.keys.flatMap(publicMembers), fetchedAt: http.now() };
}

/** Only what verification needs is stored: certificates are large, and a private part does not belong here. */
function publicMembers(jwk: unknown): SigningKey[] {
  if (!isObject(jwk) || typeof jwk.kty !== "string") return [];
  const kept: SigningKey = { kty: jwk.kty };
  for (const name of ["kid", "alg", "use", "crv", "n", "e", "x", "y"] as const) {
    const value = jwk[name];
    if (typeof value === "string") kept[name] = value;
  }
  const operations = jwk.key_ops;
  if (Array.isArray(operations)) kept.key_ops = operations.filter((word) => typeof word === "string");
  return [kept];
}

function candidates({ keys }: SigningKeys, { header, algorithm }: Jws): readonly SigningKey[] {
  return keys.filter((jwk) =>
    jwk.kty === algorithm.kty &&
    (header.kid === undefined || jwk.kid === header.kid) &&
    (jwk.alg === undefined || jwk.alg === algorithm.name ||
      (jwk.crv === "Ed25519" && algorithm.kty === "OKP")) &&
    (jwk.use === undefined || jwk.use === "sig") &&
    (jwk.key_ops === undefined || jwk.key_ops.includes("verify")) &&
    (algorithm.crv === undefined || jwk.crv === algorithm.crv)
  );
}

/**
 * Finds the key and verifies the signature. When keys from an earlier flow fail, fresh ones are tried once: the
 * issuer may have rotated, under a new `kid`, the same one, or none.
 */
async function verifySignature(
  http: HttpContext,
  metadata: IssuerMetadata,
  jws: Jws,
  cached: SigningKeys | undefined,
): Promise<SigningKeys> {
  if (cached !== undefined && await signatureFault(cached, jws) === undefined) return cached;
  const keys = await fetchSigningKeys(http, metadata);
  const fault = await signatureFault(keys, jws);
  if (fault !== undefined) throw invalid(metadata, fault);
  return keys;
}

async function signatureFault(keys: SigningKeys, jws: Jws): Promise<string | undefined> {
  const [jwk, ...others] = candidates(keys, jws);
  if (jwk === undefined) return "it is signed with a key that the issuer does not publish";
  if (others.length > 0) return "it does not say which of the issuer's keys signed it";
  // RFC 7518, 3.3: RSA keys have 2048 bits or more.
  if (jwk.kty === "RSA" && (fromBase64Url(jwk.n ?? "")?.length ?? 0) < 256) {
    return "the issuer's RSA key is shorter than 2048 bits";
  }
  // `alg` and `key_ops` were already compared; runtimes differ in how they read them.
  const { alg: _alg, key_ops: _operations, use: _use, ...bare } = jwk;
  try {
    const key = await crypto.subtle.importKey("jwk", bare, jws.algorithm.importing, false, ["verify"]);
    const good = await crypto.subtle.verify(jws.algorithm.verifying, key, jws.signature, jws.signed);
    return good ? undefined : "its signature is wrong";
  } catch {
    return `its signature cannot be verified with the issuer's ${jws.algorithm.name} key`;
  }
}

// --- the claims ----------------------------------------------------------------------------------------------

async function checkClaims({ claims, algorithm }: Jws, checks: IdTokenChecks): Promise<IdTokenClaims> {
  const { metadata, clientId, expected, trustedAudiences = [] } = checks;
  const refuse = (why: string, hint?: string) => invalid(metadata, why, hint);
  const { iss, sub, aud, azp, nonce } = claims;
  if (iss !== metadata.issuer) {
    throw refuse(`its issuer (iss) is ${shown(iss)}, not "${printable(metadata.issuer)}"`);
  }
  if (expected !== undefined && iss !== expected.issuer) {
    throw refuse(`its issuer (iss) is ${shown(iss)}, not the session's "${printable(expected.issuer)}"`);
  }
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(clientId)) throw refuse("it is meant for another client (aud)");
  if (azp !== undefined && azp !== clientId) throw refuse("it was issued to another client (azp)");
  const others = audiences.filter((one) => one !== clientId && !trustedAudiences.includes(one));
  if (others.length > 0 && azp === undefined) {
    throw refuse(
      "it has several audiences and does not say to whom it was issued (azp)",
      `If the others may see tokens of this client, name them: ${trustFlags(others)}`,
    );
  }
  if (sub === undefined || sub === null || sub === "") throw refuse("it names no subject (sub)");
  if (typeof sub !== "string") throw refuse("its sub is not a text");
  if (expected !== undefined && sub !== expected.subject) {
    throw refuse("it names another subject (sub) than the session's");
  }
  if (checks.nonce !== undefined && nonce !== checks.nonce) {
    throw refuse(
      nonce === undefined ? "it lacks the nonce that was sent" : "its nonce is not the one that was sent",
    );
  }
  if (claims.at_hash !== undefined && claims.at_hash !== await halfHash(algorithm, checks.accessToken)) {
    throw refuse("it belongs to another access token (at_hash)");
  }
  const time = (name: keyof typeof TIMES): number | undefined => {
    const value = claims[name];
    // A Date has no larger times.
    if (value === undefined || (typeof value === "number" && Math.abs(value) <= 8.64e12)) return value;
    throw refuse(`its ${TIMES[name]} (${name}) is not a time`);
  };
  const required = (name: keyof typeof TIMES) =>
    time(name) ?? fail(refuse(`it lacks its ${TIMES[name]} (${name})`));
  const times = { exp: required("exp"), iat: required("iat"), nbf: time("nbf") };
  return { ...claims, iss, sub, aud, ...times };
}

/** The flags that trust audiences; AUD stands for one that cannot be typed. OpenID Connect Core 1.0, 3.1.3.7, 3. */
function trustFlags(audiences: readonly unknown[]): string {
  const names = audiences.slice(0, 5).map((one) =>
    typeof one === "string" && one !== "" && one === printable(one, 200) ? one : "AUD"
  );
  return shellLine([...new Set(names)].flatMap((name) => ["--trust-audience", name]));
}

const TIMES = { exp: "expiry", iat: "time of issue", nbf: "begin" };

function shown(claim: unknown): string {
  return typeof claim === "string" ? `"${printable(claim)}"` : "missing";
}

/** `at_hash`: the left half of the access token's hash, with the hash of the signature's algorithm. Core, 3.1.3.6. */
async function halfHash({ hash }: Algorithm, accessToken: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(hash, new TextEncoder().encode(accessToken)));
  return toBase64Url(digest.subarray(0, digest.length / 2));
}

function checkTimes(http: HttpContext, claims: IdTokenClaims, checks: IdTokenChecks): AppError | undefined {
  const now = http.now();
  const seconds = now / 1000;
  const begin = claims.nbf;
  let why: string;
  if (claims.exp <= seconds - CLOCK_TOLERANCE) why = `it expired at ${isoTime(claims.exp * 1000)}`;
  else if (claims.iat > seconds + CLOCK_TOLERANCE) {
    why = `it was issued in the future, at ${isoTime(claims.iat * 1000)}`;
  } else if (begin !== undefined && begin > seconds + CLOCK_TOLERANCE) {
    why = `it is not valid before ${isoTime(begin * 1000)}`;
  } else return undefined;
  const { metadata, serverDate } = checks;
  return clockSkew(now, serverDate, hostOf(metadata.issuer), `its ID token was refused: ${why}`) ??
    invalid(metadata, `${why} and this machine's clock says ${isoTime(now)}`);
}
