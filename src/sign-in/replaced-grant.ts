/** Revokes the refresh token that a sign-in replaces. */

import { toAppError } from "../errors.ts";
import { printable } from "../text.ts";
import { oauthClient } from "../oauth/client.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { limitHttp } from "../http/open.ts";
import { unverifiedClaims } from "../oauth/jwt.ts";
import { revokeTokens } from "../oauth/revoke.ts";
import type { ReplacedSession } from "../sessions/save.ts";
import type { SignedIn } from "./sign-in.ts";

/** In milliseconds; the sign-in itself is done. */
const LONGEST_REVOCATION = 5_000;

/**
 * Revokes the refresh token that a sign-in replaced, where that ends it alone. At other issuers it could end the new
 * session, too, so that it is left to expire. What fails costs nothing; the log tells it.
 */
export async function revokeReplaced(
  http: HttpContext,
  { session, credentials }: ReplacedSession,
  signedIn: SignedIn,
): Promise<void> {
  if (credentials === undefined || credentials.tokenSource !== undefined) return;
  const { refreshToken, clientId, clientSecret, metadata } = credentials;
  if (refreshToken === undefined || refreshToken === signedIn.tokens.refreshToken) return;
  const what = `The refresh token that this sign-in replaces in the session "${session.name}"`;
  const why = whyLeftAlone(credentials.idToken, signedIn);
  if (why !== undefined) return http.log?.(`${what} is left to expire: ${why}.`);
  using limited = limitHttp(http, {
    timeout: LONGEST_REVOCATION,
    onTimeout: hostOf(metadata.issuer),
    interrupted: http.signal,
    requestTimeout: http.requestTimeout,
  });
  try {
    const { kind } = await revokeTokens(limited, {
      metadata,
      client: oauthClient(clientId, clientSecret),
      refreshToken,
    });
    const done = kind === "revoked" ? "is revoked" : "is left to expire: the issuer revokes none";
    http.log?.(`${what} ${done}.`);
  } catch (thrown) {
    http.log?.(`${what} could not be revoked: ${printable(toAppError(thrown).message)}`);
  }
}

/**
 * Why a revocation could end more than the token itself: an issuer may end the person's whole session with it, which
 * the new token is of where both name the same one (`sid` of OpenID Connect Front-Channel Logout 1.0).
 */
function whyLeftAlone(idToken: string | undefined, { target, tokens }: SignedIn): string | undefined {
  if (target.revokesAlone) return undefined;
  const before = unverifiedClaims(idToken ?? "")?.sid;
  const now = tokens.claims.sid;
  if (typeof before !== "string" || typeof now !== "string") {
    return "the issuer does not say of which session of its own a token is";
  }
  return before === now ? "both are of one session at the issuer, which would end with it" : undefined;
}
