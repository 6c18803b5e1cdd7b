/** Cloudfleet's identity service for machines: a Keycloak realm whose confidential clients are the API tokens. */

import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";

import { serviceAccountName } from "./cloudfleet-tokens.ts";
import type { ApiToken, TokenStore } from "./cloudfleet-tokens.ts";
import type { Counts } from "./counts.ts";
import { overlaid, withFault } from "./faults.ts";
import type { Endpoint, FaultBoard } from "./faults.ts";
import type { SecretRecord } from "./secrets.ts";
import { signingKey } from "./signing-keys.ts";

/** How clients may prove who they are: in the header and in the body, or in the body alone. */
export type ClientAuthentication = "both" | "post";

/** What the service needs. */
export interface IdentityServiceOptions {
  /** The issuer identifier, with the realm's path. */
  readonly issuer: string;
  readonly tokens: TokenStore;
  readonly faults: FaultBoard;
  readonly counts: Counts;
  readonly secrets: SecretRecord;
  readonly closing: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Seconds, asked whenever a JWT is issued. */
  readonly life: () => number;
  readonly clientAuthentication: () => ClientAuthentication;
}

/** A running service, without its listener. */
export interface IdentityService {
  answer(request: Request): Promise<Response>;
  /** The token behind a JWT that this issuer signed, that has not expired, and whose token still exists. */
  tokenOf(jwt: string): Promise<ApiToken | undefined>;
}

const REALM_PATHS: Readonly<Record<string, Endpoint>> = {
  "/.well-known/openid-configuration": "discovery",
  "/protocol/openid-connect/certs": "jwks",
  "/protocol/openid-connect/token": "token",
};

/** Makes the service. */
export async function makeIdentityService(options: IdentityServiceOptions): Promise<IdentityService> {
  const { issuer, tokens, faults, counts, secrets, closing, now } = options;
  const key = await signingKey("cloudfleet");
  const realm = new URL(issuer).pathname;

  const metadata = (): Record<string, unknown> => {
    const below = `${issuer}/protocol/openid-connect`;
    return {
      issuer,
      authorization_endpoint: `${below}/auth`,
      token_endpoint: `${below}/token`,
      jwks_uri: `${below}/certs`,
      grant_types_supported: ["client_credentials"],
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: options.clientAuthentication() === "post"
        ? ["client_secret_post"]
        : ["client_secret_basic", "client_secret_post"],
    };
  };

  const mint = async (token: ApiToken): Promise<string> => {
    const issued = Math.floor(now() / 1000);
    return await new SignJWT({
      typ: "Bearer",
      azp: token.id,
      client_id: token.id,
      preferred_username: serviceAccountName(token.id),
      scope: "profile email",
    }).setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid })
      .setIssuer(issuer).setSubject(token.sub).setAudience("account").setJti(crypto.randomUUID())
      .setIssuedAt(issued).setExpirationTime(issued + options.life()).sign(key.privateKey);
  };

  const grant = async (request: Request): Promise<Response> => {
    if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
    const form = new URLSearchParams(await request.text());
    const grantType = form.get("grant_type");
    counts.add(`token:${grantType ?? "unknown"}`);
    if (grantType === null) return refusal(400, "invalid_request", "Missing form parameter: grant_type");
    if (grantType !== "client_credentials") {
      return refusal(400, "unsupported_grant_type", "Unsupported grant_type");
    }
    const basic = basicCredentials(request);
    if (basic !== undefined && options.clientAuthentication() === "post") {
      return refusal(401, "invalid_client", INVALID_CLIENT);
    }
    const { id, secret } = basic ?? { id: form.get("client_id"), secret: form.get("client_secret") };
    const token = tokens.find(id ?? "");
    if (token === undefined) return refusal(401, "invalid_client", INVALID_CLIENT);
    if (!tokens.isSecret(token.id, secret ?? "")) return refusal(401, "unauthorized_client", INVALID_CLIENT);

    const jwt = await mint(token);
    tokens.touch(token.id);
    counts.add("minted");
    secrets.note({ access_token: jwt });
    return Response.json(
      overlaid({
        access_token: jwt,
        expires_in: options.life(),
        refresh_expires_in: 0,
        token_type: "Bearer",
        "not-before-policy": 0,
        scope: "profile email",
      }, faults.faults.tokenAnswer),
      { headers: { "cache-control": "no-store" } },
    );
  };

  const process = async (request: Request, endpoint: Endpoint): Promise<Response> => {
    switch (endpoint) {
      case "discovery":
        return Response.json(overlaid(metadata(), faults.faults.discoveryAnswer));
      case "jwks":
        return Response.json(key.set);
      case "token":
        return await grant(request);
      default:
        return Response.json({ error: "Unable to find matching target resource method" }, { status: 404 });
    }
  };

  return {
    answer: async (request) => {
      const path = new URL(request.url).pathname;
      const endpoint = path.startsWith(`${realm}/`) ? REALM_PATHS[path.slice(realm.length)] : undefined;
      if (endpoint === undefined && path.startsWith("/realms/") && !path.startsWith(`${realm}/`)) {
        return Response.json({ error: "Realm does not exist" }, { status: 404 });
      }
      counts.add("total");
      counts.add(endpoint ?? "page");
      const fault = faults.take(endpoint ?? "page");
      return await withFault(fault, request, closing, () => process(request, endpoint ?? "page"));
    },
    tokenOf: async (jwt) => {
      try {
        const { payload } = await jwtVerify(jwt, createLocalJWKSet(key.set), {
          issuer,
          algorithms: ["RS256"],
          requiredClaims: ["exp", "azp"],
          currentDate: new Date(now()),
        });
        return tokens.find(String(payload.azp));
      } catch {
        return undefined;
      }
    },
  };
}

/** Keycloak's one sentence for an unknown client and for a wrong secret; their error codes differ. */
const INVALID_CLIENT = "Invalid client or Invalid client credentials";

function refusal(status: number, error: string, description: string): Response {
  return Response.json({ error, error_description: description }, {
    status,
    headers: { "cache-control": "no-store" },
  });
}

/** RFC 6749, 2.3.1: both halves are form-encoded before they are joined. */
function basicCredentials(request: Request): { readonly id: string; readonly secret: string } | undefined {
  const encoded = /^Basic (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    const [, id = "", secret = ""] = /^([^:]*):(.*)$/s.exec(atob(encoded)) ?? [];
    const decoded = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
    return { id: decoded(id), secret: decoded(secret) };
  } catch {
    return { id: "", secret: "" };
  }
}
