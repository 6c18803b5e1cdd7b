/** Owns how sessions without a refresh token get their next one: it is made anew, by one process at a time. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { clockSkew } from "../oauth/clock.ts";
import { askServerTime } from "../oauth/server-time.ts";
import type { FileLock } from "../system/locks.ts";
import { type IssuedToken, type IssuingSource, requestToken } from "./token-source.ts";
import {
  type ChosenTokenRequest,
  expired,
  openAgain,
  openIssuer,
  refuseKnownFailure,
  remembering,
  stillGood,
  takenMeanwhile,
  TOO_SHORT,
} from "./renewal.ts";
import type { SourceCredentials } from "./credentials.ts";
import { ambientCredentials, type OpenedSession, rememberForThisProcess } from "./open.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";
import { timedToken } from "./token-life.ts";
import { fingerprintOfJob, isOfThisJob, storesJobToken } from "./ci-job.ts";
import { type FreshToken, isFresh, timeLeft, type TokenLimits } from "./token-wish.ts";

/** A session with a recipe, opened. */
export interface OpenedSource extends OpenedSession {
  readonly credentials: SourceCredentials;
}

/**
 * Makes a session's next token, under its lock, and keeps it sealed beside the recipe. What is at hand anyway, a file's
 * or a variable's token, is not kept; and a session that comes from variables keeps its token for this process alone.
 *
 * Throws `SESSION_REJECTED` when the credential is refused, `SESSION_EXPIRED` for a token that nobody makes anew,
 * `NO_WORKLOAD_TOKEN`, `NO_ID_TOKEN`, `NETWORK`, `ISSUER_ERROR`, `CLOCK_SKEW`, `BUSY`, `NOT_SIGNED_IN`.
 */
export async function mintToken(
  store: SessionStore,
  first: OpenedSession,
  request: ChosenTokenRequest,
  limits: TokenLimits,
): Promise<FreshToken> {
  const seen = await recipeOf(store, first);
  if (request.kind === "id") throw noIdToken(seen.session);
  await refuseKnownFailure(request, limits);
  using lock = keepsTokens(seen) ? await lockWhereWritable(store, seen.session.name, limits) : undefined;
  return await remembering(limits, async () => {
    const opened = lock === undefined ? seen : await recipeOf(store, await openAgain(store, seen, limits));
    const taken = lock && await isOfThisJob(store.host.env, opened.credentials)
      ? takenMeanwhile(store, seen, opened, request)
      : undefined;
    if (taken !== undefined) return taken;
    await refuseKnownFailure(request, limits);
    return await mint(store, opened, request, limits, lock !== undefined);
  });
}

/** What is read anew each time is neither kept nor worth a lock. */
function keepsTokens({ session, credentials: { recipe } }: OpenedSource): boolean {
  if (ambientCredentials(session) !== undefined) return false;
  return recipe.kind !== "workload" || storesJobToken(recipe);
}

/** A disk that cannot be written costs the cache, and with it the lock; never the token. */
async function lockWhereWritable(
  store: SessionStore,
  name: string,
  limits: TokenLimits,
): Promise<FileLock | undefined> {
  try {
    return await store.lock(name, timeLeft(limits.deadline));
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "STORAGE") return undefined;
    throw thrown;
  }
}

async function recipeOf(
  store: SessionStore,
  { session, credentials, ...rest }: OpenedSession,
): Promise<OpenedSource> {
  if (credentials.recipe !== undefined) return { session, credentials, ...rest };
  throw await expired(store, session, "a session of another kind has its name now");
}

async function mint(
  store: SessionStore,
  opened: OpenedSource,
  request: ChosenTokenRequest,
  limits: TokenLimits,
  keep: boolean,
): Promise<FreshToken> {
  const { session, credentials } = opened;
  if (credentials.recipe.kind === "fixed" || credentials.recipe.kind === "sign-in") {
    // Even for a server that refuses it: there is no other one, and that refusal says more than we could.
    const last = stillGood(store, opened, "access");
    if (last === undefined) throw await whyOver(store, opened, limits);
    return request.minimumLife === undefined ? last : { ...last, warning: TOO_SHORT };
  }
  const { minted, recipe } = await follow(store, opened, credentials.recipe, limits);
  const job = recipe.kind === "workload" ? await fingerprintOfJob(store.host.env, recipe.source) : undefined;
  const next: SourceCredentials = {
    ...credentials,
    recipe,
    job,
    accessToken: minted.accessToken,
    received: minted.receivedAt,
    accessTokenExpires: minted.expiresAt,
  };
  const token = timedToken(next, "access");
  if (token === undefined) throw new Error("a minted token is a token");
  if (keep) await keepToken(store, opened, next, token.expires);
  if (ambientCredentials(session) !== undefined) rememberForThisProcess(session, next);
  const tooShort = request.minimumLife !== undefined && !isFresh(token, request, store.host.now());
  return { ...token, session, warning: tooShort ? TOO_SHORT : undefined };
}

/** Writes what was made. Where that fails, the next call makes another. */
async function keepToken(
  store: SessionStore,
  { session, key }: OpenedSource,
  credentials: SourceCredentials,
  expires: number,
): Promise<void> {
  try {
    // A person may have removed the file by hand; it is not written back.
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

async function follow(
  store: SessionStore,
  opened: OpenedSource,
  recipe: IssuingSource,
  limits: TokenLimits,
): Promise<IssuedToken> {
  const { session, credentials } = opened;
  using http = openIssuer(store, opened, limits);
  try {
    return await requestToken(http, store.host.env, credentials, recipe);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    // The CI system's token is its own to renew, and the hint says how.
    const renewed = thrown.code === "SESSION_REJECTED" && recipe.kind !== "workload";
    const hint = renewed ? await store.providers.signInAgain(session) : thrown.hint;
    throw new AppError(
      thrown.code,
      `Cannot get a token for the ${wordFor(session)} "${session.name}": ${thrown.message}`,
      { hint, cause: thrown },
    );
  }
}

/** Why there is no token, for one that nobody makes anew. */
async function whyOver(
  store: SessionStore,
  opened: OpenedSource,
  limits: TokenLimits,
): Promise<AppError> {
  const { session, credentials } = opened;
  const { name } = session;
  if (credentials.recipe.kind === "sign-in") {
    return new AppError("NOT_SIGNED_IN", `Nobody has signed in to the profile "${name}" yet.`, {
      hint: HINTS.NOT_SIGNED_IN.nobodyYet(name),
    });
  }
  const ends = timedToken(credentials, "access")?.expires;
  const when = ends === undefined ? "" : ` on ${new Date(ends).toISOString()}`;
  const over = await expired(store, session, `its token expired${when}`);
  // What a variable holds tells its end by the clock of whoever issued it.
  if (ends === undefined || ambientCredentials(session) === undefined) return over;
  using http = openIssuer(store, opened, limits);
  const server = await askServerTime(http, `https://${credentials.apiHost}`);
  if (server === undefined || server.date >= ends) return over;
  const consequence = `the token of "${name}" counts as expired${when}`;
  return clockSkew(store.host.now(), server.date, server.host, consequence) ?? over;
}

function noIdToken(session: Session): AppError {
  return new AppError("NO_ID_TOKEN", `The ${wordFor(session)} "${session.name}" has no ID token.`, {
    hint: "Use the access token: --token access",
  });
}

function wordFor({ kind }: Session): string {
  return kind.noun;
}
