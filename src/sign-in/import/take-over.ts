/** Takes a refresh token of another program over: it is spent once, and what comes instead is ours. */

import { AppError } from "../../errors.ts";
import { hostOf } from "../../http/address.ts";
import type { HttpContext } from "../../http/bounded.ts";
import type { Retry } from "../../http/retry.ts";
import { refreshTokens } from "../../oauth/refresh.ts";
import { completeSignIn, prepareSignIn, type SignedIn, type SignInRequest } from "../sign-in.ts";
import type { OtherTokens } from "./found.ts";

/** A sign-in that was taken over. */
export interface TakenOver {
  readonly signedIn: SignedIn;
  /** The issuer gave a new refresh token: the other program's is spent. */
  readonly rotated: boolean;
}

/**
 * Renews by another program's refresh token.
 *
 * @throws {AppError} `SESSION_EXPIRED` where the issuer takes it no more; `NO_ID_TOKEN` where no ID token comes with it;
 * what {@link refreshTokens} throws
 */
export async function takeOver(
  http: HttpContext,
  request: SignInRequest,
  { refreshToken, subject }: OtherTokens,
  retry: Pick<Retry, "sleep" | "random">,
): Promise<TakenOver> {
  const prepared = await prepareSignIn(http, request);
  const { metadata, choices, target: { client } } = prepared;
  const refreshed = await refreshTokens(http, {
    ...retry,
    metadata,
    client,
    refreshToken,
    parameters: choices,
    trustedAudiences: choices.trustedAudiences,
    expected: { issuer: metadata.issuer, subject },
  });
  if (refreshed.kind === "unusable") throw refreshed.error;
  const { tokens, keys } = refreshed;
  const { idToken, claims } = tokens;
  if (idToken === undefined || claims === undefined || keys === undefined) {
    throw new AppError(
      "NO_ID_TOKEN",
      `${hostOf(metadata.issuer)} gives no ID token for a refresh token, so nobody is known by it.`,
      { hint: "Sign in instead: the same command with --no-take-over" },
    );
  }
  const signedIn = await completeSignIn(http, prepared, { tokens: { ...tokens, idToken, claims }, keys });
  return { signedIn, rotated: tokens.refreshToken !== refreshToken };
}
