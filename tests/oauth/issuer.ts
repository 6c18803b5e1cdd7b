/** An OpenID issuer in one function, for unit tests: it signs with `jose` and misbehaves as it is told. */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import type { IssuerMetadata } from "../../src/oauth/discovery.ts";
import type { HttpContext } from "../../src/http/bounded.ts";

export const ISSUER = "https://issuer.example/tenant";
export const CLIENT = "client-1";
/** 2026-01-02T03:04:05Z in milliseconds. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export interface SigningKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function signingKey(alg: string, kid?: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    alg,
    // jose means Node's type of the name where Node's types are loaded too; it is the same object.
    privateKey: privateKey as CryptoKey,
    jwk: { ...jwk, alg, use: "sig", kid: kid ?? await calculateJwkThumbprint(jwk) },
  };
}

const shared = await signingKey("RS256", "shared");

export type Route = (request: Request) => Response | Promise<Response>;

export function json(body: unknown, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return new Response(JSON.stringify(body), { ...init, headers });
}

/** A test's issuer: its clock, what it answers by path, and every request that it saw. */
export class TestIssuer {
  time = NOW;
  readonly requests: { method: string; path: string; headers: Headers; body: URLSearchParams }[] = [];
  readonly log: string[] = [];
  readonly key = shared;
  published: JWK[] = [shared.jwk];
  metadata: Record<string, unknown> = {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/authorize?tenant=1`,
    token_endpoint: `${ISSUER}/token`,
    jwks_uri: `${ISSUER}/keys`,
    revocation_endpoint: `${ISSUER}/revoke`,
    userinfo_endpoint: `${ISSUER}/userinfo`,
    device_authorization_endpoint: `${ISSUER}/device`,
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    code_challenge_methods_supported: ["S256"],
    id_token_signing_alg_values_supported: ["RS256"],
    authorization_response_iss_parameter_supported: true,
  };
  /** Answers by the path below the issuer; the first of a list is used up until one is left. */
  routes: Record<string, Route | Route[]> = {
    "/.well-known/openid-configuration": () => json(this.metadata),
    "/keys": () => json({ keys: this.published }),
  };

  /** The pauses so far, in milliseconds. */
  readonly pauses: number[] = [];
  /** Sleeps by moving the clock. */
  readonly sleep = (milliseconds: number): Promise<void> => {
    this.pauses.push(milliseconds);
    this.time += milliseconds;
    return Promise.resolve();
  };
  /** How a request is sent again. */
  readonly retry = { sleep: this.sleep, random: () => 0.5 };

  /** The metadata as discovery hands them out. */
  get discovered(): IssuerMetadata {
    return this.metadata as unknown as IssuerMetadata;
  }

  http(more: Partial<HttpContext> = {}): HttpContext {
    return {
      fetch: async (input, init) => {
        const request = new Request(String(input), init as RequestInit);
        const { pathname, href } = new URL(request.url);
        const path = href.startsWith(ISSUER) ? pathname.slice("/tenant".length) : href;
        const body = new URLSearchParams(request.method === "POST" ? await request.text() : "");
        this.requests.push({ method: request.method, path, headers: request.headers, body });
        const route = this.routes[path];
        const answer = Array.isArray(route) ? (route.length > 1 ? route.shift() : route[0]) : route;
        if (answer === undefined) return json({ error: "not_found" }, { status: 404 });
        return answer(request);
      },
      now: () => this.time,
      signal: new AbortController().signal,
      log: (line) => this.log.push(line),
      ...more,
    };
  }

  paths(): string[] {
    return this.requests.map(({ path }) => path);
  }

  claims(more: Record<string, unknown> = {}): Record<string, unknown> {
    const seconds = this.time / 1000;
    return { iss: ISSUER, sub: "user-1", aud: CLIENT, iat: seconds, exp: seconds + 300, ...more };
  }

  /** Signs the usual claims, changed by `more` (`undefined` removes one), with the key and header given. */
  idToken(
    more: Record<string, unknown> = {},
    key: SigningKey = this.key,
    header: Record<string, unknown> = {},
  ): Promise<string> {
    return new SignJWT(this.claims(more)).setProtectedHeader({
      alg: key.alg,
      kid: key.jwk.kid ?? "",
      ...header,
    })
      .sign(key.privateKey);
  }

  /** A token answer. */
  async tokens(more: Record<string, unknown> = {}, claims: Record<string, unknown> = {}): Promise<object> {
    return {
      access_token: "access-1",
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: "refresh-2",
      id_token: await this.idToken(claims),
      ...more,
    };
  }
}
