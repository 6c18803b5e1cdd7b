/** Owns how sessions without a refresh token get their next one: it is made anew, by one process at a time. */

import { AppError } from "../errors.ts";
import { clockSkew } from "../oauth/clock.ts";
import { askServerTime } from "../oauth/server-time.ts";
import type { FileLock } from "../system/locks.ts";
import { type Followed, followRecipe, type MintingRecipe } from "./token-source.ts";
import {
  type ChosenWish,
  expired,
  openAgain,
  openExchange,
  refuseKnownFailure,
  remembering,
  stillGood,
  takenMeanwhile,
  TOO_SHORT,
} from "./renewal.ts";
import type { RecipeCredentials } from "./credentials.ts";
import { ambientCredentials, keepForThisProcess, type OpenedSession } from "./open.ts";
import { signInAgain } from "./login-line.ts";
import type { Session } from "./session.ts";
import type { SessionPlace } from "./store.ts";
import { lockSession, readSession } from "./read.ts";
import { prepareSession } from "./write.ts";
import { timedToken } from "./token-life.ts";
import { isOfThisJob, keepsJobToken, markOfJob } from "./ci-job.ts";
import { type FreshToken, isFresh, timeLeft, type TokenBound } from "./token-wish.ts";

/** A session with a recipe, opened. */
export interface OpenedRecipe extends OpenedSession {
  readonly credentials: RecipeCredentials;
}

/**
 * Makes a session's next token, under its lock, and keeps it sealed beside the recipe. What is at hand anyway, a file's
 * or a variable's token, is not kept; and a session that comes from variables keeps its token for this process alone.
 *
 * Throws `SESSION_REJECTED` when the credential is refused, `SESSION_EXPIRED` for a token that nobody makes anew,
 * `NO_WORKLOAD_TOKEN`, `NO_ID_TOKEN`, `NETWORK`, `ISSUER_ERROR`, `CLOCK_SKEW`, `BUSY`, `NOT_SIGNED_IN`.
 */
export async function mintToken(
  place: SessionPlace,
  first: OpenedSession,
  wish: ChosenWish,
  bound: TokenBound,
): Promise<FreshToken> {
  const seen = recipeOf(first);
  if (wish.kind === "id") throw noIdToken(seen.session);
  await refuseKnownFailure(wish, bound);
  using lock = keepsTokens(seen) ? await lockWhereWritable(place, seen.session.name, bound) : undefined;
  return await remembering(bound, async () => {
    const opened = lock === undefined ? seen : recipeOf(await openAgain(place, seen, bound));
    const taken = lock && await isOfThisJob(place.env, opened.credentials)
      ? takenMeanwhile(place, seen, opened, wish)
      : undefined;
    if (taken !== undefined) return taken;
    await refuseKnownFailure(wish, bound);
    return await mint(place, opened, wish, bound, lock !== undefined);
  });
}

/** What is read anew each time is neither kept nor worth a lock. */
function keepsTokens({ session, credentials: { recipe } }: OpenedRecipe): boolean {
  if (ambientCredentials(session) !== undefined) return false;
  return recipe.kind !== "workload" || keepsJobToken(recipe);
}

/** A disk that cannot be written costs the cache, and with it the lock; never the token. */
async function lockWhereWritable(
  place: SessionPlace,
  name: string,
  bound: TokenBound,
): Promise<FileLock | undefined> {
  try {
    return await lockSession(place, name, timeLeft(bound.deadline));
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "STORAGE") return undefined;
    throw thrown;
  }
}

function recipeOf({ session, credentials, ...rest }: OpenedSession): OpenedRecipe {
  if (credentials.recipe !== undefined) return { session, credentials, ...rest };
  throw expired(session, "a session of another kind has its name now");
}

async function mint(
  place: SessionPlace,
  opened: OpenedRecipe,
  wish: ChosenWish,
  bound: TokenBound,
  keep: boolean,
): Promise<FreshToken> {
  const { session, credentials } = opened;
  if (credentials.recipe.kind === "fixed" || credentials.recipe.kind === "sign-in") {
    // Even for a server that refuses it: there is no other one, and that refusal says more than we could.
    const last = stillGood(place, opened, "access");
    if (last === undefined) throw await whyOver(place, opened, bound);
    return wish.minimumLife === undefined ? last : { ...last, warning: TOO_SHORT };
  }
  const { minted, recipe } = await follow(place, opened, credentials.recipe, bound);
  const { accessTokenExpires: _, job: __, ...rest } = credentials;
  const job = recipe.kind === "workload" ? await markOfJob(place.env, recipe.source) : undefined;
  const next: RecipeCredentials = {
    ...rest,
    recipe,
    ...(job === undefined ? {} : { job }),
    accessToken: minted.accessToken,
    received: minted.receivedAt,
    ...(minted.expiresAt === undefined ? {} : { accessTokenExpires: minted.expiresAt }),
  };
  const token = timedToken(next, "access");
  if (token === undefined) throw new Error("a minted token is a token");
  if (keep) await keepToken(place, opened, next, token.expires);
  if (ambientCredentials(session) !== undefined) keepForThisProcess(session, next);
  const tooShort = wish.minimumLife !== undefined && !isFresh(token, wish, place.now());
  return { ...token, session, ...(tooShort ? { warning: TOO_SHORT } : {}) };
}

/** Writes what was made. Where that fails, the next call makes another. */
async function keepToken(
  place: SessionPlace,
  { session, key }: OpenedRecipe,
  credentials: RecipeCredentials,
  expires: number,
): Promise<void> {
  try {
    // A person may have removed the file by hand; it is not written back.
    if (key === undefined || await readSession(place, session.name) === undefined) return;
    const replacement = await prepareSession(place, session.name, session, key);
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
  place: SessionPlace,
  opened: OpenedRecipe,
  recipe: MintingRecipe,
  bound: TokenBound,
): Promise<Followed> {
  const { session, credentials } = opened;
  using asking = openExchange(place, opened, bound);
  const { exchange } = asking;
  try {
    return await followRecipe(exchange, place.env, credentials, recipe);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    // The CI system's token is its own to renew, and the hint says how.
    const renewed = thrown.code === "SESSION_REJECTED" && recipe.kind !== "workload";
    const hint = renewed ? signInAgain(session) : thrown.hint;
    throw new AppError(
      thrown.code,
      `Cannot get a token for the ${wordFor(session)} "${session.name}": ${thrown.message}`,
      { ...(hint === undefined ? {} : { hint }), cause: thrown },
    );
  }
}

/** Why there is no token, for one that nobody makes anew. */
async function whyOver(
  place: SessionPlace,
  opened: OpenedRecipe,
  bound: TokenBound,
): Promise<AppError> {
  const { session, credentials } = opened;
  const { name } = session;
  if (credentials.recipe.kind === "sign-in") {
    return new AppError("NOT_SIGNED_IN", `Nobody has signed in to the profile "${name}" yet.`, {
      hint: `Sign in: datumctl login --profile ${name}`,
    });
  }
  const ends = timedToken(credentials, "access")?.expires;
  const when = ends === undefined ? "" : ` on ${new Date(ends).toISOString()}`;
  const over = expired(session, `its token expired${when}`);
  // What a variable holds tells its end by the clock of whoever issued it.
  if (ends === undefined || ambientCredentials(session) === undefined) return over;
  using asking = openExchange(place, opened, bound);
  const server = await askServerTime(asking.exchange, `https://${credentials.apiHost}`);
  if (server === undefined || server.date >= ends) return over;
  const consequence = `the token of "${name}" counts as expired${when}`;
  return clockSkew(place.now(), server.date, server.host, consequence) ?? over;
}

function noIdToken(session: Session): AppError {
  return new AppError("NO_ID_TOKEN", `The ${wordFor(session)} "${session.name}" has no ID token.`, {
    hint: "Use the access token: --token access",
  });
}

function wordFor({ kind }: Session): string {
  return kind === "api-token" ? "profile" : "session";
}
