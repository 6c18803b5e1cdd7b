/** Owns how sessions without a refresh token get their next one: it is made anew, by one process at a time. */

import { AppError } from "../errors.ts";
import { oauthClient } from "../oauth/client.ts";
import { clientCredentialsToken } from "../oauth/client-credentials.ts";
import { discoverIssuer } from "../oauth/discovery.ts";
import type { Exchange } from "../oauth/http.ts";
import { jwtBearerToken, signAssertion } from "../oauth/jwt-bearer.ts";
import type { MintedToken } from "../oauth/minted-token.ts";
import { exchangePersonalAccessToken } from "../oauth/personal-access-token.ts";
import { exchangeToken } from "../oauth/token-exchange.ts";
import { githubToken, readWorkloadToken } from "../oauth/workload-token.ts";
import { pause } from "../system/clock.ts";
import type { FileLock } from "../system/locks.ts";
import { readTextFile } from "../system/files.ts";
import {
  type ChosenWish,
  expired,
  openAgain,
  openExchange,
  refuseKnownFailure,
  stillGood,
  takenMeanwhile,
  TOO_SHORT,
} from "./renewal.ts";
import {
  ambientCredentials,
  type Recipe,
  type RecipeCredentials,
  type Session,
  signInAgain,
  type WorkloadSource,
} from "./session.ts";
import { lockSession, type OpenedSession, prepareSession, readSession, type SessionPlace } from "./store.ts";
import { timedToken } from "./token-life.ts";
import { type FreshToken, isFresh, timeLeft, type TokenBound } from "./token-wish.ts";

/** A session with a recipe, opened. */
export interface OpenedRecipe extends OpenedSession {
  readonly credentials: RecipeCredentials;
}

/**
 * Makes a session's next token, under its lock, and keeps it sealed beside the recipe. What is at hand anyway, a file's
 * or a variable's token, is not kept; nor is anything of a session that comes from variables.
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
  const lock = keepsTokens(seen) ? await lockWhereWritable(place, seen.session.name, bound) : undefined;
  try {
    const opened = lock === undefined ? seen : recipeOf(await openAgain(place, seen, bound));
    const taken = lock && takenMeanwhile(place, seen, opened, wish);
    if (taken !== undefined) return taken;
    await refuseKnownFailure(wish, bound);
    return await mint(place, opened, wish, bound, lock !== undefined);
  } catch (thrown) {
    // Before the lock goes to the next of those who wait: they would ask the issuer the same again.
    if (thrown instanceof AppError && thrown.code !== "INTERRUPTED") await bound.failures?.remember(thrown);
    throw thrown;
  } finally {
    lock?.release();
  }
}

/** What is read anew each time is neither kept nor worth a lock. */
function keepsTokens({ session, credentials: { recipe } }: OpenedRecipe): boolean {
  if (ambientCredentials(session) !== undefined) return false;
  return recipe.kind !== "workload" || recipe.source.kind === "github" || recipe.exchange !== undefined;
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
  throw expired(session, "another kind of session has its name now");
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
    const last = wish.force ? undefined : stillGood(place, opened, "access");
    if (last === undefined) throw over(opened);
    return wish.minimumLife === undefined ? last : { ...last, warning: TOO_SHORT };
  }
  const { minted, recipe } = await followRecipe(place, opened, credentials.recipe, bound);
  const { accessTokenExpires: _, ...rest } = credentials;
  const next: RecipeCredentials = {
    ...rest,
    recipe,
    accessToken: minted.accessToken,
    received: minted.receivedAt,
    ...(minted.expiresAt === undefined ? {} : { accessTokenExpires: minted.expiresAt }),
  };
  const token = timedToken(next, "access");
  if (token === undefined) throw new Error("a minted token is a token");
  if (keep) await keepToken(place, opened, next, token.expires);
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

type MintingRecipe = Exclude<Recipe, { readonly kind: "fixed" | "sign-in" }>;

/** What a recipe brought, and the recipe with what was learned on the way. */
interface Followed {
  readonly minted: MintedToken;
  readonly recipe: Recipe;
}

async function followRecipe(
  place: SessionPlace,
  { session, credentials }: OpenedRecipe,
  recipe: MintingRecipe,
  bound: TokenBound,
): Promise<Followed> {
  using asking = openExchange(place, credentials, bound);
  const { exchange } = asking;
  try {
    return await followWith(exchange, place, credentials, recipe);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const hint = thrown.code === "SESSION_REJECTED" ? signInAgain(session) : thrown.hint;
    throw new AppError(
      thrown.code,
      `Cannot get a token for the ${wordFor(session)} "${session.name}": ${thrown.message}`,
      { ...(hint === undefined ? {} : { hint }), cause: thrown },
    );
  }
}

async function followWith(
  exchange: Exchange,
  place: SessionPlace,
  credentials: RecipeCredentials,
  recipe: MintingRecipe,
): Promise<Followed> {
  const { clientId, clientSecret, apiHost, issuer } = credentials;
  const patience = { sleep: pause, random: Math.random };
  const client = oauthClient(clientId, clientSecret);
  switch (recipe.kind) {
    case "client-credentials": {
      const known = await knownEndpoint(exchange, issuer, recipe);
      const { tokenEndpoint, authMethods: methods = [] } = known;
      const scope = recipe.scope === undefined ? {} : { scope: recipe.scope };
      const input = { tokenEndpoint, methods, client, ...scope, ...patience };
      return { minted: await clientCredentialsToken(exchange, input), recipe: { ...recipe, ...known } };
    }
    case "service-account": {
      const known = await knownEndpoint(exchange, issuer, recipe);
      const { keyId, privateKey, audience, scope } = recipe;
      const key = { clientId, keyId, privateKey };
      const minted = await jwtBearerToken(exchange, {
        tokenEndpoint: known.tokenEndpoint,
        assertion: () => signAssertion(key, { audience, now: exchange.now() }),
        ...(scope === undefined ? {} : { scope }),
        ...patience,
      });
      return { minted, recipe: { ...recipe, ...known } };
    }
    case "personal-access-token":
      return {
        minted: await exchangePersonalAccessToken(exchange, { apiHost, token: recipe.token, ...patience }),
        recipe,
      };
    case "workload": {
      const { audience } = recipe;
      const own = await workloadToken(exchange, place, recipe.source, audience);
      const checked = readWorkloadToken(own, { audience, now: exchange.now() });
      if (recipe.exchange === undefined) return { minted: checked, recipe };
      const known = await knownEndpoint(exchange, issuer, recipe.exchange);
      const { tokenEndpoint, authMethods: methods = [] } = known;
      const { grant, scope, audience: wanted } = recipe.exchange;
      const common = { tokenEndpoint, client, ...(scope === undefined ? {} : { scope }), ...patience };
      const minted = grant === "jwt-bearer"
        ? await jwtBearerToken(exchange, { ...common, assertion: () => Promise.resolve(own) })
        : await exchangeToken(exchange, {
          ...common,
          methods,
          subjectToken: own,
          ...(wanted === undefined ? {} : { audience: wanted }),
        });
      return { minted, recipe: { ...recipe, exchange: { ...recipe.exchange, ...known } } };
    }
  }
}

interface KnownEndpoint {
  readonly tokenEndpoint: string;
  readonly authMethods?: readonly string[];
}

/** Where tokens are asked for; the issuer is asked where that is, once. */
async function knownEndpoint(
  exchange: Exchange,
  issuer: string,
  { tokenEndpoint, authMethods }: Partial<KnownEndpoint>,
): Promise<KnownEndpoint> {
  if (tokenEndpoint !== undefined) {
    return { tokenEndpoint, ...(authMethods === undefined ? {} : { authMethods }) };
  }
  const metadata = await discoverIssuer(exchange, issuer);
  const methods = metadata.token_endpoint_auth_methods_supported;
  return {
    tokenEndpoint: metadata.token_endpoint,
    ...(methods === undefined ? {} : { authMethods: methods }),
  };
}

/** The CI system's own token. Throws `NO_WORKLOAD_TOKEN`, saying what the job lacks. */
async function workloadToken(
  exchange: Exchange,
  { env }: SessionPlace,
  source: WorkloadSource,
  audience: string,
): Promise<string> {
  switch (source.kind) {
    case "github": {
      const requestUrl = env("ACTIONS_ID_TOKEN_REQUEST_URL");
      const requestToken = env("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
      if (requestUrl === undefined || requestToken === undefined) {
        throw new AppError(
          "NO_WORKLOAD_TOKEN",
          "GitHub offers this job no token: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set.",
          { hint: "Give the job the permission id-token: write." },
        );
      }
      return await githubToken(exchange, {
        requestUrl,
        requestToken,
        audience,
        sleep: pause,
        random: Math.random,
      });
    }
    case "variable": {
      const token = env(source.name);
      if (token !== undefined) return token.trim();
      throw new AppError("NO_WORKLOAD_TOKEN", `The variable ${source.name} is not set.`, {
        hint: `Name it under id_tokens of the job, with the audience ${audience}.`,
      });
    }
    case "file": {
      const token = await readTextFile(source.path);
      if (token !== undefined) return token.trim();
      throw new AppError("NO_WORKLOAD_TOKEN", `The token's file ${source.path} does not exist.`, {
        hint: "Mount the projected token there, or name another file: datumctl login --workload file:PATH",
      });
    }
  }
}

/** Why there is no token, for one that nobody makes anew. */
function over({ session, credentials }: OpenedRecipe): AppError {
  if (credentials.recipe.kind === "sign-in") {
    return new AppError("NOT_SIGNED_IN", `Nobody has signed in to the profile "${session.name}" yet.`, {
      hint: `Sign in: datumctl login --profile ${session.name}`,
    });
  }
  const ends = timedToken(credentials, "access")?.expires;
  const when = ends === undefined ? "" : ` on ${new Date(ends).toISOString()}`;
  return expired(session, `its token ended${when}`);
}

function noIdToken(session: Session): AppError {
  return new AppError("NO_ID_TOKEN", `The ${wordFor(session)} "${session.name}" has no ID token.`, {
    hint: "Use the access token: --token access",
  });
}

function wordFor({ kind }: Session): string {
  return kind === "api-token" ? "profile" : "session";
}
