/** Renews the sessions of machines: their token source issues the next token, and a failed write costs only the stored copy. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { clockSkew } from "../oauth/clock-skew.ts";
import { askServerTime } from "../oauth/server-time.ts";
import type { FileLock } from "../system/locks.ts";
import { fingerprintOfJob, storesJobToken } from "./ci-job.ts";
import type { SourceCredentials } from "./source-credentials.ts";
import { environmentCredentials, type OpenedSession, rememberForThisProcess } from "./open.ts";
import { expired, openIssuer, type Renewal, type RenewalStrategy, stillGood } from "./renew.ts";
import type { SessionStore } from "./store.ts";
import { type FreshToken, isFresh, timedToken, timeLeft, TOO_SHORT } from "./token.ts";
import { type IssuedToken, type IssuingSource, requestToken } from "./token-source.ts";

/** A session with a token source, opened. */
interface OpenedSource extends OpenedSession {
  readonly credentials: SourceCredentials;
}

/**
 * The renewal of a session that has a token source. Not stored: a job's token from a file or variable, which is read each
 * time; the token of an `env:` session lives in this process only.
 */
export const byTokenSource: RenewalStrategy<OpenedSource> = {
  async narrow({ session, credentials, key }, store) {
    if (credentials.tokenSource !== undefined) return { session, credentials, key };
    throw await expired(store, session, "a session of another kind has its name now");
  },
  refuseRequest({ session }, { request }) {
    if (request.kind !== "id") return;
    throw new AppError("NO_ID_TOKEN", `The ${session.kind.noun} "${session.name}" has no ID token.`, {
      hint: "Use the access token: --token access",
    });
  },
  lock: async (openedBefore, renewal) =>
    storesTokens(openedBefore) ? await lockWhereWritable(openedBefore, renewal) : undefined,
  requestNext: nextToken,
};

function storesTokens({ session, credentials: { tokenSource } }: OpenedSource): boolean {
  if (environmentCredentials(session) !== undefined) return false;
  return tokenSource.kind !== "workload" || storesJobToken(tokenSource);
}

/** The session's lock; undefined on a disk that cannot be written, where the token is not stored. */
async function lockWhereWritable(
  { session }: OpenedSource,
  { store, limits }: Renewal,
): Promise<FileLock | undefined> {
  try {
    return await store.lock(session.name, timeLeft(limits.deadline));
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "STORAGE") return undefined;
    throw thrown;
  }
}

async function nextToken(opened: OpenedSource, renewal: Renewal, locked: boolean): Promise<FreshToken> {
  const { session, credentials } = opened;
  const { store: { host }, store, request } = renewal;
  const source = credentials.tokenSource;
  if (source.kind === "fixed" || source.kind === "sign-in") {
    // Also with `force`: there is no other token, and the server's refusal says more than our error would.
    const last = stillGood(opened, renewal);
    if (last === undefined) throw await whyOver(opened, renewal);
    return request.minimumLife === undefined ? last : { ...last, warning: TOO_SHORT };
  }
  const issued = await issue(opened, source, renewal);
  const next: SourceCredentials = {
    ...credentials,
    tokenSource: issued.source,
    job: source.kind === "workload" ? await fingerprintOfJob(host.env, source.source) : undefined,
    accessToken: issued.token.accessToken,
    received: issued.token.receivedAt,
    accessTokenExpires: issued.token.expiresAt,
  };
  const token = timedToken(next, "access");
  if (token === undefined) throw new Error("an issued token is a token");
  if (locked) await saveToken(store, opened, next, token.expires);
  if (environmentCredentials(session) !== undefined) rememberForThisProcess(session, next);
  const tooShort = request.minimumLife !== undefined && !isFresh(token, request, host.now());
  return { ...token, session, warning: tooShort ? TOO_SHORT : undefined };
}

/** Stores an issued token. Where that fails, the next call asks for another. */
async function saveToken(
  store: SessionStore,
  { session, key }: OpenedSource,
  credentials: SourceCredentials,
  expires: number,
): Promise<void> {
  try {
    // The user may have removed the file by hand; it is not written back.
    if (key === undefined || await store.read(session.name) === undefined) return;
    const replacement = await store.prepare(session.name, session, key);
    try {
      await replacement.commit({ ...session, tokenExpires: new Date(expires).toISOString() }, credentials);
    } catch (thrown) {
      await replacement.discard();
      throw thrown;
    }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
  }
}

async function issue(opened: OpenedSource, source: IssuingSource, renewal: Renewal): Promise<IssuedToken> {
  const { session, credentials } = opened;
  using http = openIssuer(opened, renewal);
  try {
    return await requestToken(http, renewal.store.host, credentials, source);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    // The CI system renews its own token, and the hint says how.
    const renewable = thrown.code === "SESSION_REJECTED" && source.kind !== "workload";
    throw new AppError(
      thrown.code,
      `Cannot get a token for the ${session.kind.noun} "${session.name}": ${thrown.message}`,
      { hint: renewable ? await renewal.store.providers.signInAgain(session) : thrown.hint, cause: thrown },
    );
  }
}

/** Why there is no token where no other one can be issued. */
async function whyOver(opened: OpenedSource, renewal: Renewal): Promise<AppError> {
  const { session, credentials } = opened;
  const { name } = session;
  if (credentials.tokenSource.kind === "sign-in") {
    return new AppError("NOT_SIGNED_IN", `Nobody has signed in to the profile "${name}" yet.`, {
      hint: HINTS.NOT_SIGNED_IN.nobodyYet(name),
    });
  }
  const ends = timedToken(credentials, "access")?.expires;
  const when = ends === undefined ? "" : ` on ${new Date(ends).toISOString()}`;
  const over = await expired(renewal.store, session, `its token expired${when}`);
  // The end of a token from a variable is by its issuer's clock.
  if (ends === undefined || environmentCredentials(session) === undefined) return over;
  using http = openIssuer(opened, renewal);
  const server = await askServerTime(http, `https://${credentials.apiHost}`);
  if (server === undefined || server.date >= ends) return over;
  const consequence = `the token of "${name}" counts as expired${when}`;
  return clockSkew(renewal.store.host.now(), server.date, server.host, consequence) ?? over;
}
