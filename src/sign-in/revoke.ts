/** Revokes the tokens of a sign-in at its issuer. */

import { AppError } from "../errors.ts";
import { openHttp } from "../http/open.ts";
import { oauthClient } from "../oauth/client.ts";
import { revokeTokens } from "../oauth/revoke.ts";
import type { ProviderContext } from "../providers/context.ts";
import { NO_KNOWN_END, type Revocation } from "../providers/provider.ts";
import { issuerOf } from "../sessions/credentials.ts";
import type { OpenedSession } from "../sessions/open.ts";
import { timedToken } from "../sessions/token.ts";

/**
 * Revokes what the issuer granted, as RFC 7009 has it; of a session whose tokens come from a credential, nothing.
 *
 * @throws what no issuer said, such as for an interruption
 */
export async function revokeSignIn(context: ProviderContext, opened: OpenedSession): Promise<Revocation> {
  const { credentials } = opened;
  const { host } = new URL(issuerOf(credentials));
  if (credentials.tokenSource !== undefined) return { done: "Removed here", host };
  const until = validUntil(opened, context.now());
  const over = { done: "Removed here; nothing of it was left to revoke", host };
  if (until === undefined && credentials.refreshToken === undefined) return over;
  using http = openHttp(context, {
    timeout: context.requestTimeout,
    onTimeout: host,
    interrupted: context.interrupted,
    certificateAuthority: credentials.certificateAuthority,
    trust: () => context.store.providers.trustLine(opened.session),
    log: context.out.debug,
  });
  try {
    const { refreshToken, accessToken, clientId, clientSecret, metadata } = credentials;
    const client = oauthClient(clientId, clientSecret);
    const revoked = await revokeTokens(http, { metadata, client, refreshToken, accessToken });
    if (revoked.kind === "revoked") return { done: "Revoked at the issuer and removed here", host };
    if (until === undefined) return over;
    context.out.warn(
      `${host} has no revocation endpoint: tokens stay valid until they expire.`,
    );
    return { done: "Removed here", host };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || context.interrupted.aborted) throw thrown;
    return until === undefined ? over : { done: "", host, failure: thrown, until };
  }
}

/** Until when something of a sign-in is valid; undefined where all of it has run out, as far as that is known here. */
function validUntil({ session, credentials }: OpenedSession, now: number): string | undefined {
  const access = timedToken(credentials, "access");
  const ends = access === undefined || access.guessed ? undefined : new Date(access.expires).toISOString();
  const ended = access === undefined || (!access.guessed && access.expires <= now);
  const renews = credentials.tokenSource === undefined && credentials.refreshToken !== undefined &&
    session.renewalRefused === undefined;
  if (!renews) return ended ? undefined : ends ?? NO_KNOWN_END;
  // The issuer alone knows when a refresh token ends.
  return ended || ends === undefined ? NO_KNOWN_END : `${NO_KNOWN_END} (its access token: ${ends})`;
}
