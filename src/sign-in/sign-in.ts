/** What every way of signing in shares: who asks whom for what, and what came of it. */

import { AppError } from "../errors.ts";
import type { SignInTarget } from "../providers/provider.ts";
import { discoverIssuer, type IssuerMetadata, requestedScopes } from "../oauth/discovery.ts";
import { failedRequest, type HttpContext } from "../http/bounded.ts";
import type { SignInTokens } from "../oauth/token-response.ts";
import { fetchUserInfo } from "../oauth/userinfo.ts";
import type { Session, SignInChoices } from "../sessions/session.ts";

/** One attempt to sign in. */
export interface SignInRequest {
  readonly target: SignInTarget;
  /** What the person chose, now or at the sign-in that is repeated. */
  readonly choices?: SignInChoices | undefined;
  /** Whom the issuer should suggest: the e-mail or user name of a session that is renewed. */
  readonly loginHint?: string | undefined;
}

/** An attempt with what the issuer offers. */
export interface PreparedSignIn extends SignInRequest {
  readonly choices: SignInChoices;
  readonly metadata: IssuerMetadata;
  readonly scopes: readonly string[];
  readonly prompt: string | undefined;
  /** Where a device code is asked for, when there is such a place. */
  readonly deviceEndpoint: string | undefined;
}

/** A verified sign-in that is not stored yet. */
export interface SignedIn extends SignInTokens {
  readonly target: SignInTarget;
  readonly choices: SignInChoices;
  readonly metadata: IssuerMetadata;
  readonly scopes: readonly string[];
  readonly user: Readonly<Session["user"]>;
}

/** Asks the issuer what it offers, and settles what it is asked for. */
export async function prepareSignIn(http: HttpContext, request: SignInRequest): Promise<PreparedSignIn> {
  const { target, choices = {} } = request;
  const metadata = await issuerOf(http, target);
  const scopes = requestedScopes(metadata, choices.scopes);
  return {
    ...request,
    choices,
    metadata,
    scopes,
    prompt: (choices.prompt ?? target.promptFor(scopes)) || undefined,
    deviceEndpoint: choices.deviceEndpoint ?? metadata.device_authorization_endpoint ?? target.deviceEndpoint,
  };
}

async function issuerOf(http: HttpContext, { issuer }: SignInTarget): Promise<IssuerMetadata> {
  try {
    return await discoverIssuer(http, issuer);
  } catch (thrown) {
    const nothingThere = thrown instanceof AppError && failedRequest(thrown)?.status === 404;
    if (!nothingThere || new URL(issuer).pathname !== "/") throw thrown;
    throw new AppError(thrown.code, thrown.message, {
      hint: "Many issuers have a path; name such a one whole: " +
        `datumctl login --issuer ${new URL(issuer).origin}/PATH --client-id ID`,
      cause: thrown.cause,
    });
  }
}

/** Completes verified tokens with who the person is: by the ID token, else by the issuer's userinfo. */
export async function completeSignIn(
  http: HttpContext,
  { target, choices, metadata, scopes }: PreparedSignIn,
  signedIn: SignInTokens,
): Promise<SignedIn> {
  const user = await whoSignedIn(http, metadata, signedIn);
  return { ...signedIn, target, choices, metadata, scopes, user };
}

async function whoSignedIn(
  http: HttpContext,
  metadata: IssuerMetadata,
  { tokens }: SignInTokens,
): Promise<SignedIn["user"]> {
  const { claims } = tokens;
  const text = (value: unknown) =>
    typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  const told = text(claims.email) !== undefined ? claims : await moreClaims(http, metadata, tokens);
  const claim = (name: string) => text(told[name]) ?? text(claims[name]);
  const email = claim("email");
  // OpenID Connect Core 1.0, 5.1; `upn` is what ADFS and Entra call a person by.
  const username = email === undefined ? claim("preferred_username") ?? claim("upn") : undefined;
  const name = claim("name");
  return {
    subject: claims.sub,
    email,
    username,
    name,
  };
}

async function moreClaims(
  http: HttpContext,
  metadata: IssuerMetadata,
  { claims, accessToken }: SignInTokens["tokens"],
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const info = await fetchUserInfo(http, { metadata, accessToken, subject: claims.sub });
    return info.kind === "claims" ? info.claims : {};
  } catch (thrown) {
    // The e-mail is a label: a sign-in does not fail for lack of it, but for a false answer it does.
    if (thrown instanceof AppError && thrown.code !== "INVALID_TOKEN" && thrown.code !== "INTERRUPTED") {
      return {};
    }
    throw thrown;
  }
}
