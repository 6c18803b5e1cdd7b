/** The short-lived token that a machine's credential is exchanged for, and reading it from the answer. */

import { AppError } from "../../errors.ts";
import { CLOCK_TOLERANCE, clockSkew, isoTime } from "../clock-skew.ts";
import { hostOf } from "../../http/address.ts";
import type { Answer } from "../issuer-request.ts";
import { timeOf, unverifiedClaims } from "../jwt.ts";
import { LONGEST_LIFE_SECONDS, readTokens } from "../token-response.ts";

/** A bearer token without a refresh token. When it ends, the credential is exchanged again. */
export interface AccessToken {
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Milliseconds since 1970; undefined when the server did not say. */
  readonly expiresAt?: number | undefined;
}

/**
 * Reads the answer with a machine's token. It ends by `expires_in` from receipt, else by the `exp` of a JWT. RFC
 * 6749, 5.1.
 *
 * A JWT's times are compared with our clock only to detect a wrong clock. Whether the token is good is decided by
 * the server it is meant for (RFC 9068, 4).
 *
 * @param receivedAt milliseconds since 1970.
 * @throws {AppError} `NETWORK` when the answer is malformed, `INVALID_TOKEN` when the token has another type or has
 * already ended, `CLOCK_SKEW` when the server's `Date` shows that our clock is why.
 */
export function readAccessToken(
  receivedAt: number,
  step: string,
  endpoint: string | URL,
  answer: Answer,
): AccessToken {
  // A machine has no use for these.
  const { refresh_token: _, id_token: __, ...json } = answer.json;
  const { tokens } = readTokens(receivedAt, step, { token_endpoint: String(endpoint) }, { ...answer, json });
  const { accessToken } = tokens;
  const { exp, iat, nbf } = unverifiedClaims(accessToken) ?? {};
  const [ends, issued, begins] = [timeOf(exp), timeOf(iat), timeOf(nbf)];
  const ended = ends !== undefined && ends <= receivedAt - CLOCK_TOLERANCE * 1000;
  const future = [issued, begins].find((time) =>
    time !== undefined && time > receivedAt + CLOCK_TOLERANCE * 1000
  );
  const host = hostOf(endpoint);
  if (ended || future !== undefined) {
    const why = ended ? `expired at ${isoTime(ends)}` : `begins at ${isoTime(future ?? 0)}`;
    const skew = clockSkew(receivedAt, answer.serverDate, host, `its token cannot be used: it ${why}`);
    if (skew !== undefined) throw skew;
  }
  if (ended) {
    throw new AppError(
      "INVALID_TOKEN",
      `${step}: ${host} sent a token that expired at ${isoTime(ends)}, and it is ${
        isoTime(receivedAt)
      } here.`,
      { hint: "Check this machine's clock, or report it to whoever runs the server." },
    );
  }
  const expiresAt = tokens.expiresAt ??
    (ends === undefined ? undefined : Math.min(ends, receivedAt + LONGEST_LIFE_SECONDS * 1000));
  return { accessToken, receivedAt, expiresAt };
}
