/** The RSA keys that issuers and service accounts sign with. */

import { exportJWK } from "jose";
import type { JSONWebKeySet, JWK } from "jose";

import { RSA } from "./forgeries.ts";

/** A key and its public half as a JWKS. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
  readonly set: JSONWebKeySet;
}

const known = new Map<string, Promise<SigningKey>>();

/** The key of that name. An RSA key takes long to make, so the clouds of one process have the same ones. */
export function signingKey(name: string): Promise<SigningKey> {
  let key = known.get(name);
  if (key === undefined) known.set(name, key = makeSigningKey());
  return key;
}

/** A key that nobody else has. */
export async function makeSigningKey(): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  const about = { kid: crypto.randomUUID(), alg: "RS256", use: "sig" };
  const publicJwk = { ...await exportJWK(pair.publicKey), ...about };
  return {
    kid: about.kid,
    privateKey: pair.privateKey,
    publicKey: pair.publicKey,
    privateJwk: { ...await exportJWK(pair.privateKey), ...about },
    publicJwk,
    set: { keys: [publicJwk] },
  };
}
