/** What is particular to an OpenID Connect issuer of somebody's own: nothing of it is known but its address. */

import { AppError } from "../../errors.ts";
import { printable, shellWord } from "../../text.ts";
import { oauthClient } from "../../oauth/client.ts";
import { endpointUrl } from "../../http/address.ts";
import { intendedIssuer } from "../../oauth/issuer-address.ts";
import type { SignInTarget } from "../provider.ts";
import { OIDC } from "./facts.ts";

/** What may be named by flags, or is known from a session that is being renewed. */
export interface OidcChoice {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
}

/**
 * Where to sign in. The issuer stays as it was written, byte for byte; its host stands for it in names. Throws
 * `USAGE` with the line to run for one that is missing or no https URL, and for a missing client id.
 */
export function oidcTarget({ issuer, clientId, clientSecret }: OidcChoice): SignInTarget {
  const line = `datumctl login --issuer ${issuer === undefined ? "URL" : printable(issuer)} --client-id ${
    clientId === undefined ? "ID" : printable(clientId)
  }`;
  // Before its line is proposed.
  const url = issuer === undefined ? undefined : issuerUrl(issuer);
  if (issuer === undefined || url === undefined || clientId === undefined || clientId === "") {
    const missing = issuer === undefined ? "--issuer" : "--client-id";
    throw new AppError("USAGE", `The provider oidc needs ${missing}.`, { hint: `Run: ${line}` });
  }
  return {
    provider: OIDC,
    issuer,
    authHost: url.host,
    apiHost: url.host,
    client: oauthClient(clientId, clientSecret),
    redirectPath: "/callback",
    // OpenID Connect Core 1.0, 11: a refresh token is for those who consented in this very request.
    promptFor: (scopes) => scopes.includes("offline_access") ? "consent" : undefined,
  };
}

/**
 * An issuer as an address.
 *
 * @throws {AppError} `USAGE` for one that is no https URL, has blanks around it or is a discovery document's, naming the
 * issuer that was probably meant.
 */
export function issuerUrl(issuer: string): URL {
  const url = endpointUrl(issuer, { query: "refused" });
  const meant = intendedIssuer(issuer);
  if (typeof url !== "string" && meant === undefined) return url;
  throw new AppError("USAGE", `The issuer ${printable(issuer)} ${faultOf(issuer, url)}.`, {
    hint: meant === undefined || typeof endpointUrl(meant, { query: "refused" }) === "string"
      ? "Give the issuer URL exactly as the issuer states it, with its path: --issuer https://login.example.com/realms/main"
      : `Name the issuer itself: --issuer ${shellWord(meant)}`,
  });
}

function faultOf(issuer: string, url: URL | string): string {
  if (issuer !== issuer.trim()) return "has blanks around it";
  return typeof url === "string" ? url : "is the address of its discovery document";
}
