/** The refresh of a session: one process at a time, nothing spent before it can be kept. */

import { AppError, fail } from "../errors.ts";
import { oauthClient } from "../oauth/client.ts";
import { refusalOfError } from "../oauth/issuer-request.ts";
import { type Refreshed, refreshTokens } from "../oauth/refresh.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { pause } from "../system/clock.ts";
import { holdSignals } from "../system/signals.ts";
import { type FreshToken, isFresh, timeLeft, type TokenLimits } from "./token-wish.ts";
import {
  type ChosenTokenRequest,
  expired,
  openAgain,
  type OpenedSignIn,
  openIssuer,
  refuseKnownFailure,
  remembering,
  signInOf,
  stillGood,
  takenMeanwhile,
  TOO_SHORT,
} from "./renewal.ts";
import type { SignInCredentials } from "./credentials.ts";
import type { Session } from "./session.ts";
import type { OpenedSession } from "./open.ts";
import type { SessionStore } from "./store.ts";
import { type SessionReplacement, updateLocked } from "./write.ts";
import { timedToken } from "./token-life.ts";

/**
 * Refreshes a session under its lock and returns the token that was wished for. Another process may have done
 * it meanwhile: then its token is returned and nothing is asked of the issuer.
 */
export async function renewToken(
  store: SessionStore,
  seen: OpenedSession,
  request: ChosenTokenRequest,
  limits: TokenLimits,
): Promise<FreshToken> {
  const { name } = seen.session;
  await refuseKnownFailure(request, limits);
  using _lock = await store.lock(name, timeLeft(limits.deadline));
  return await remembering(limits, async () => {
    const opened = await signInOf(store, await openAgain(store, seen, limits));
    const { credentials } = opened;
    const taken = takenMeanwhile(store, seen, opened, request);
    if (taken !== undefined) return taken;
    if (request.kind === "id" && credentials.noIdTokenOnRefresh && !request.force) {
      return stillGood(store, opened, request.kind) ?? fail(await noIdToken(store, opened.session));
    }
    if (credentials.refreshToken === undefined) {
      const last = request.force ? undefined : stillGood(store, opened, request.kind);
      if (last === undefined) throw await expired(store, opened.session, "it came without a refresh token");
      return request.minimumLife === undefined ? last : { ...last, warning: TOO_SHORT };
    }
    await refuseKnownFailure(request, limits);
    return await refresh(store, opened, request, limits);
  });
}

async function refresh(
  store: SessionStore,
  opened: OpenedSignIn,
  request: ChosenTokenRequest,
  limits: TokenLimits,
): Promise<FreshToken> {
  const { session, key } = opened;
  // From here on the refresh token may be spent: the room for its successor is taken first, and no signal may
  // end the process before that successor is in its place.
  const replacement = await store.prepare(session.name, session, key);
  const signals = holdSignals();
  let renewed: SignInCredentials | undefined;
  let failure: unknown;
  let warning: string | undefined;
  try {
    checkpoint("refresh begun");
    const refreshed = await askIssuer(store, opened, limits);
    checkpoint("refresh answered");
    renewed = afterRefresh(opened.credentials, refreshed);
    if (refreshed.kind === "unusable") failure = refreshed.error;
  } catch (thrown) {
    failure = thrown;
  }
  try {
    if (renewed === undefined) await replacement.discard();
    else warning = await persist(store, replacement, session, renewed, failure === undefined);
  } finally {
    await signals.release();
  }
  if (failure instanceof AppError && failure.code === "SESSION_EXPIRED") {
    const other = await renewedElsewhere(store, opened, replacement, request, limits);
    if (other !== undefined) return other;
    await noteRefusal(store, session);
  }
  if (failure !== undefined || renewed === undefined) throw await refreshFailure(store, session, failure);
  const token = timedToken(renewed, request.kind);
  if (token === undefined || (request.kind === "id" && token.expires <= store.host.now())) {
    throw await noIdToken(store, session);
  }
  if (
    warning === undefined && request.minimumLife !== undefined && !isFresh(token, request, store.host.now())
  ) {
    warning = TOO_SHORT;
  }
  return { ...token, session, warning };
}

async function askIssuer(
  store: SessionStore,
  opened: OpenedSignIn,
  limits: TokenLimits,
): Promise<Refreshed> {
  const { credentials } = opened;
  using http = openIssuer(store, opened, limits);
  return await refreshTokens(http, {
    metadata: credentials.metadata,
    keys: credentials.keys,
    client: oauthClient(credentials.clientId, credentials.clientSecret),
    refreshToken: credentials.refreshToken ?? "",
    parameters: credentials.signIn,
    trustedAudiences: credentials.signIn?.trustedAudiences,
    expected: { issuer: credentials.metadata.issuer, subject: credentials.subject },
    sleep: pause,
    random: Math.random,
  });
}

/** What is kept after the issuer answered; undefined when nothing changed. */
function afterRefresh(before: SignInCredentials, refreshed: Refreshed): SignInCredentials | undefined {
  if (refreshed.kind === "unusable") {
    const { refreshToken } = refreshed;
    return refreshToken === undefined ? undefined : { ...before, refreshToken };
  }
  const { tokens, keys, metadata } = refreshed;
  return {
    ...before,
    metadata,
    keys: keys ?? before.keys,
    accessToken: tokens.accessToken,
    received: tokens.receivedAt,
    accessTokenExpires: tokens.expiresAt,
    refreshToken: tokens.refreshToken ?? before.refreshToken,
    idToken: tokens.idToken ?? before.idToken,
    noIdTokenOnRefresh: tokens.idToken === undefined ? true : undefined,
  };
}

/** Writes what the issuer gave. A failure becomes a warning: the token that came is good. */
async function persist(
  store: SessionStore,
  replacement: SessionReplacement,
  session: Session,
  renewed: SignInCredentials,
  usable: boolean,
): Promise<string | undefined> {
  const access = timedToken(renewed, "access");
  try {
    // A person may have removed the file by hand; it is not written back.
    if (await store.read(session.name) === undefined) {
      await replacement.discard();
      return undefined;
    }
    const { renewalRefused: _, ...kept } = session;
    await replacement.commit(
      access === undefined ? kept : { ...kept, tokenExpires: new Date(access.expires).toISOString() },
      renewed,
    );
    return undefined;
  } catch (thrown) {
    await replacement.discard();
    if (!usable) throw thrown;
    const why = thrown instanceof AppError ? thrown.message : "It cannot be written.";
    return `The refreshed session "${session.name}" could not be kept. ${why} It will need a new sign-in. ${await store
      .providers.signInAgain(session)}`;
  }
}

/** Keeps, for those who are shown the session, that it cannot be renewed. The caller holds its lock. */
async function noteRefusal(store: SessionStore, { name, credentials }: Session): Promise<void> {
  const renewalRefused = new Date(store.host.now()).toISOString();
  try {
    await updateLocked(
      store,
      name,
      (session) => session.credentials === credentials ? { ...session, renewalRefused } : session,
    );
  } catch (thrown) {
    // What the issuer said is told all the same.
    if (!(thrown instanceof AppError)) throw thrown;
  }
}

/** In milliseconds. */
const LOOK_AGAIN = 50;

/**
 * The token of a file that changes although we hold its lock, as where two machines hold it. The one that the issuer
 * answered may still be writing what it got: its successor of the file tells, and is waited for.
 */
async function renewedElsewhere(
  store: SessionStore,
  before: OpenedSignIn,
  replacement: SessionReplacement,
  request: ChosenTokenRequest,
  limits: TokenLimits,
): Promise<FreshToken | undefined> {
  for (;;) {
    // Asked first: one that is gone when the file is read has been renamed into its place.
    const waiting = await replacement.hasRivals() && performance.now() < limits.deadline;
    const now = await signInOf(store, await openAgain(store, before, limits));
    if (now.credentials.refreshToken !== before.credentials.refreshToken) {
      return takenMeanwhile(store, before, now, request) ?? stillGood(store, now, request.kind);
    }
    if (!waiting) return undefined;
    await pause(LOOK_AGAIN, store.host.interrupted);
  }
}

async function refreshFailure(
  store: SessionStore,
  session: Session,
  failure: unknown,
): Promise<AppError> {
  if (!(failure instanceof AppError)) throw failure;
  if (failure.code === "SESSION_EXPIRED") return await expired(store, session, failure.message, failure);
  // What was asked is said here, with the session's name.
  const why = failure.message.replace(/^Cannot refresh the session: /, "");
  const refusal = refusalOfError(failure);
  const hint = refusal === undefined ? failure.hint : await store.providers.afterRefusal(session, refusal);
  return new AppError(failure.code, `Cannot refresh the session "${session.name}": ${why}`, {
    hint,
    cause: failure,
  });
}

async function noIdToken({ providers }: SessionStore, session: Session): Promise<AppError> {
  return new AppError(
    "NO_ID_TOKEN",
    `The issuer of the session "${session.name}" gives no new ID token on refresh, and the old one has expired.`,
    { hint: `Use the access token (--token access). ${await providers.signInAgain(session)}` },
  );
}
