/** Owns what every way of signing in shares: who asks whom for what, and what came of it. */

import { AppError } from "../errors.ts";
import { discoverIssuer, type IssuerMetadata, requestedScopes } from "../oauth/discovery.ts";
import type { Exchange } from "../oauth/http.ts";
import type { SignInTokens } from "../oauth/tokens.ts";
import { fetchUserInfo } from "../oauth/userinfo.ts";

/** Where and as which client a person signs in, as a provider says. */
export interface SignInTarget {
  readonly issuer: string;
  readonly authHost: string;
  readonly apiHost: string;
  readonly clientId: string;
  /** The path of the loopback redirect. */
  readonly redirectPath: string;
  /** The `prompt` parameter of OpenID Connect. */
  readonly prompt: string;
  /** Where a device code is asked for when the issuer's metadata does not say. */
  readonly deviceEndpoint?: string;
}

/** One attempt to sign in. */
export interface SignInRequest {
  readonly target: SignInTarget;
  /** `--scopes`; the provider's default when absent. */
  readonly scopes?: readonly string[] | undefined;
  /** Whom the issuer should suggest: the e-mail of a session that is renewed. */
  readonly loginHint?: string | undefined;
}

/** A verified sign-in that is not stored yet. */
export interface SignedIn extends SignInTokens {
  readonly target: SignInTarget;
  readonly metadata: IssuerMetadata;
  readonly scopes: readonly string[];
  readonly user: { readonly subject: string; readonly email?: string; readonly name?: string };
}

/** The issuer's metadata and the scopes to ask it for. */
export async function prepareSignIn(
  exchange: Exchange,
  { target, scopes }: SignInRequest,
): Promise<{ readonly metadata: IssuerMetadata; readonly scopes: string[] }> {
  const metadata = await discoverIssuer(exchange, target.issuer);
  return { metadata, scopes: requestedScopes(metadata, scopes) };
}

/** Completes verified tokens with who the person is: by the ID token, else by the issuer's userinfo. */
export async function whoSignedIn(
  exchange: Exchange,
  metadata: IssuerMetadata,
  { tokens }: SignInTokens,
): Promise<SignedIn["user"]> {
  const { claims } = tokens;
  const told = typeof claims.email === "string" ? claims : await moreClaims(exchange, metadata, tokens);
  const text = (value: unknown) =>
    typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  const email = text(told.email) ?? text(claims.email);
  const name = text(told.name) ?? text(claims.name);
  return {
    subject: claims.sub,
    ...(email === undefined ? {} : { email }),
    ...(name === undefined ? {} : { name }),
  };
}

async function moreClaims(
  exchange: Exchange,
  metadata: IssuerMetadata,
  { claims, accessToken }: SignInTokens["tokens"],
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const info = await fetchUserInfo(exchange, { metadata, accessToken, subject: claims.sub });
    return info.kind === "claims" ? info.claims : {};
  } catch (thrown) {
    // The e-mail is a label: a sign-in does not fail for want of it, but for a false answer it does.
    if (thrown instanceof AppError && thrown.code !== "INVALID_TOKEN" && thrown.code !== "INTERRUPTED") {
      return {};
    }
    throw thrown;
  }
}
