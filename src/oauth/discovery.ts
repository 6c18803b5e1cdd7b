/** An issuer's metadata: OpenID Connect Discovery, its checks, and the scopes to request. */

import * as oauth from "oauth4webapi";
import { AppError, fail } from "../errors.ts";
import { printable, shellWord } from "../text.ts";
import { endpointUrl, hostOf } from "../http/address.ts";
import type { FailedRequest, HttpContext } from "../http/bounded.ts";
import { readJson, requestOptions } from "./issuer-request.ts";

/**
 * The part of an issuer's metadata that is used, safe to store as JSON with a session. Every endpoint was checked:
 * https, or http on loopback. OpenID Connect Discovery 1.0, 3; RFC 8414, 8628, 9207.
 */
export interface IssuerMetadata {
  /** Equal byte for byte to the requested issuer. */
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly revocation_endpoint?: string;
  readonly userinfo_endpoint?: string;
  readonly device_authorization_endpoint?: string;
  readonly scopes_supported?: string[];
  readonly code_challenge_methods_supported?: string[];
  readonly id_token_signing_alg_values_supported?: string[];
  readonly grant_types_supported?: string[];
  readonly token_endpoint_auth_methods_supported?: string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
}

const OPTIONAL_ENDPOINTS = [
  "revocation_endpoint",
  "userinfo_endpoint",
  "device_authorization_endpoint",
] as const;
const LISTS = [
  "scopes_supported",
  "code_challenge_methods_supported",
  "id_token_signing_alg_values_supported",
  "grant_types_supported",
  "token_endpoint_auth_methods_supported",
] as const;

const STEP = "Cannot read the issuer's discovery document";

/**
 * Asks an issuer for its metadata: `<issuer>/.well-known/openid-configuration`.
 *
 * @throws {AppError} `USAGE` when the issuer is no https URL, `NETWORK`, `ISSUER_ERROR` when the document is
 * missing or fails a check.
 */
export async function discoverIssuer(http: HttpContext, issuer: string): Promise<IssuerMetadata> {
  const url = endpointUrl(issuer, { query: "refused" });
  if (typeof url === "string") {
    throw new AppError("USAGE", `The issuer ${printable(issuer)} ${url}.`, {
      hint: "An issuer is an https URL without query and fragment (http for loopback hosts only).",
    });
  }
  const response = await oauth.discoveryRequest(url, requestOptions(http, STEP));
  const refuse = (why: string, { cause, hint = CHECK }: Why = {}) =>
    new AppError("ISSUER_ERROR", `${STEP}: ${hostOf(url)} ${why}.`, { hint, cause });
  // A web site without such a document is not a captive portal.
  if (response.status !== 200) {
    throw refuse(`has none (status ${response.status})`, {
      cause: { kind: "refused", status: response.status },
    });
  }
  const { json } = await readJson(STEP, url, response);
  return checkMetadata(json, issuer, refuse);
}

const CHECK = "Check the issuer's address, byte for byte, with whoever runs it.";

interface Why {
  readonly cause?: FailedRequest | undefined;
  readonly hint?: string | undefined;
}

function checkMetadata(
  json: Readonly<Record<string, unknown>>,
  issuer: string,
  refuse: (why: string, more?: Why) => AppError,
): IssuerMetadata {
  if (json.issuer !== issuer) {
    const named = typeof json.issuer === "string" ? `"${printable(json.issuer)}"` : "no issuer";
    const hint = isNeighbour(json.issuer, issuer)
      ? `If that is the one that you mean, name it as it does: --issuer ${shellWord(json.issuer)}`
      : undefined;
    throw refuse(`names ${named}, not "${printable(issuer)}"`, { hint });
  }
  const endpoint = (name: string): string | undefined => {
    const value = json[name];
    if (value === undefined || value === null) return undefined;
    const url = endpointUrl(value);
    if (typeof url === "string") throw refuse(`names a ${name} that ${url}`);
    return String(value);
  };
  const required = (name: string) => endpoint(name) ?? fail(refuse(`names no ${name}`));
  const metadata: { -readonly [Name in keyof IssuerMetadata]: IssuerMetadata[Name] } = {
    issuer,
    authorization_endpoint: required("authorization_endpoint"),
    token_endpoint: required("token_endpoint"),
    jwks_uri: required("jwks_uri"),
  };
  for (const name of OPTIONAL_ENDPOINTS) {
    const value = endpoint(name);
    if (value !== undefined) metadata[name] = value;
  }
  for (const name of LISTS) {
    const value = json[name];
    if (value === undefined || value === null) continue;
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
      throw refuse(`has a ${name} that is not a list of words`);
    }
    metadata[name] = value;
  }
  if (json.authorization_response_iss_parameter_supported === true) {
    metadata.authorization_response_iss_parameter_supported = true;
  }
  return metadata;
}

/** True for another issuer at the same origin: a slash more or less, another path; but not for a pattern of many. */
function isNeighbour(named: unknown, issuer: string): named is string {
  return typeof named === "string" && !/[{}]/.test(named) &&
    typeof endpointUrl(named, { query: "refused" }) !== "string" &&
    URL.parse(named)?.origin === URL.parse(issuer)?.origin;
}

const DEFAULT_SCOPES = ["openid", "profile", "email", "offline_access"];

/**
 * The scopes to request, `openid` first. By default `openid profile email offline_access`, without `offline_access`
 * when the issuer lists its scopes and lacks it. Chosen scopes replace the list, except `openid`.
 *
 * @throws {AppError} `USAGE` for a word that cannot be a scope (RFC 6749, 3.3).
 */
export function requestedScopes(
  metadata: Pick<IssuerMetadata, "scopes_supported">,
  scopes?: readonly string[],
): string[] {
  if (scopes === undefined || scopes.length === 0) {
    const supported = metadata.scopes_supported;
    return DEFAULT_SCOPES.filter((scope) =>
      scope !== "offline_access" || (supported?.includes(scope) ?? true)
    );
  }
  const bad = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope));
  if (bad !== undefined) {
    throw new AppError("USAGE", `"${printable(bad, 60)}" cannot be a scope.`, {
      hint: "Scopes are words without spaces: --scopes openid,email",
    });
  }
  return [...new Set(["openid", ...scopes])];
}
