/** Renews a user's session by its refresh token: nothing is spent before its successor can be stored. */

import { AppError, fail } from "../errors.ts";
import { oauthClient } from "../oauth/client.ts";
import { refusalOfError } from "../oauth/issuer-request.ts";
import { type Refreshed, refreshTokens } from "../oauth/refresh.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { holdSignals } from "../system/signals.ts";
import type { SignInCredentials } from "./credentials.ts";
import type { OpenedSession } from "./open.ts";
import {
  expired,
  openAgain,
  openIssuer,
  type Renewal,
  type RenewalStrategy,
  renewedByOther,
  stillGood,
} from "./renew.ts";
import type { SealingKey } from "./seal.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";
import { type FreshToken, isFresh, timedToken, timeLeft, TOO_SHORT } from "./token.ts";
import { type SessionReplacement, updateLocked } from "./write.ts";

/** A user's session, opened. */
export interface OpenedSignIn extends OpenedSession {
  readonly credentials: SignInCredentials;
  readonly key: SealingKey;
}

/** The renewal of a session that a user signed in to. */
export const byRefreshToken: RenewalStrategy<OpenedSignIn> = {
  narrow: asPersonSession,
  lock: ({ session }, { store, limits }) => store.lock(session.name, timeLeft(limits.deadline)),
  answerWithoutIssuer,
  requestNext: refresh,
};

/**
 * Narrows a session to a person's.
 *
 * @throws {AppError} `SESSION_EXPIRED` for one that became another kind meanwhile.
 */
export async function asPersonSession(
  { session, credentials, key }: OpenedSession,
  store: SessionStore,
): Promise<OpenedSignIn> {
  if (credentials.tokenSource === undefined && key !== undefined) return { session, credentials, key };
  throw await expired(store, session, "a session of another kind has its name now");
}

async function answerWithoutIssuer(opened: OpenedSignIn, renewal: Renewal): Promise<FreshToken | undefined> {
  const { session, credentials } = opened;
  const { kind, force, minimumLife } = renewal.request;
  if (kind === "id" && credentials.noIdTokenOnRefresh && !force) {
    return stillGood(opened, renewal) ?? fail(await noIdToken(renewal.store, session));
  }
  if (credentials.refreshToken !== undefined) return undefined;
  const last = force ? undefined : stillGood(opened, renewal);
  if (last === undefined) throw await expired(renewal.store, session, "it came without a refresh token");
  return minimumLife === undefined ? last : { ...last, warning: TOO_SHORT };
}

async function refresh(opened: OpenedSignIn, renewal: Renewal): Promise<FreshToken> {
  const { session, key } = opened;
  const { store } = renewal;
  // From here on the refresh token may be spent: the room for its successor is taken first, and no signal may end the
  // process before that successor is stored.
  const replacement = await store.prepare(session.name, session, key);
  const signals = holdSignals();
  let renewed: SignInCredentials | undefined;
  let failure: unknown;
  let warning: string | undefined;
  try {
    checkpoint("refresh begun");
    const refreshed = await askIssuer(opened, renewal);
    checkpoint("refresh answered");
    renewed = afterRefresh(opened.credentials, refreshed);
    if (refreshed.kind === "unusable") failure = refreshed.error;
  } catch (thrown) {
    failure = thrown;
  }
  try {
    if (renewed === undefined) await replacement.discard();
    else warning = await persist(store, replacement, session, { renewed, usable: failure === undefined });
  } finally {
    await signals.release();
  }
  if (failure instanceof AppError && failure.code === "SESSION_EXPIRED") {
    const other = await renewedElsewhere(opened, renewal, replacement);
    if (other !== undefined) return other;
    await noteRefusal(store, session);
  }
  if (failure !== undefined || renewed === undefined) throw await refreshFailure(store, session, failure);
  return await tokenOf(session, renewed, renewal, warning);
}

async function tokenOf(
  session: Session,
  renewed: SignInCredentials,
  { store, request }: Renewal,
  warning: string | undefined,
): Promise<FreshToken> {
  const { host } = store;
  const token = timedToken(renewed, request.kind);
  if (token === undefined || (request.kind === "id" && token.expires <= host.now())) {
    throw await noIdToken(store, session);
  }
  const tooShort = request.minimumLife !== undefined && !isFresh(token, request, host.now());
  return { ...token, session, warning: warning ?? (tooShort ? TOO_SHORT : undefined) };
}

async function askIssuer(opened: OpenedSignIn, renewal: Renewal): Promise<Refreshed> {
  const { credentials } = opened;
  const { sleep, random } = renewal.store.host;
  using http = openIssuer(opened, renewal);
  return await refreshTokens(http, {
    metadata: credentials.metadata,
    keys: credentials.keys,
    client: oauthClient(credentials.clientId, credentials.clientSecret),
    refreshToken: credentials.refreshToken ?? "",
    parameters: credentials.signIn,
    trustedAudiences: credentials.signIn?.trustedAudiences,
    expected: { issuer: credentials.metadata.issuer, subject: credentials.subject },
    sleep,
    random,
  });
}

/** What is stored after the issuer answered; undefined when nothing changed. */
function afterRefresh(before: SignInCredentials, refreshed: Refreshed): SignInCredentials | undefined {
  if (refreshed.kind === "unusable") {
    const { refreshToken } = refreshed;
    return refreshToken === undefined ? undefined : { ...before, refreshToken };
  }
  const { tokens, keys = before.keys, metadata } = refreshed;
  return {
    ...before,
    metadata,
    keys,
    accessToken: tokens.accessToken,
    received: tokens.receivedAt,
    accessTokenExpires: tokens.expiresAt,
    refreshToken: tokens.refreshToken ?? before.refreshToken,
    idToken: tokens.idToken ?? before.idToken,
    noIdTokenOnRefresh: tokens.idToken === undefined ? true : undefined,
  };
}

/** Writes what the issuer gave. Where the token is usable, a failure becomes a warning. */
async function persist(
  store: SessionStore,
  replacement: SessionReplacement,
  session: Session,
  { renewed, usable }: { readonly renewed: SignInCredentials; readonly usable: boolean },
): Promise<string | undefined> {
  const access = timedToken(renewed, "access");
  try {
    // The user may have removed the file by hand; it is not written back.
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

/** Notes, for those who list the session, that it cannot be renewed; under its lock. */
async function noteRefusal(store: SessionStore, { name, credentials }: Session): Promise<void> {
  const renewalRefused = new Date(store.host.now()).toISOString();
  try {
    await updateLocked(
      store,
      name,
      (session) => session.credentials === credentials ? { renewalRefused } : {},
    );
  } catch (thrown) {
    // The issuer's refusal is reported all the same.
    if (!(thrown instanceof AppError)) throw thrown;
  }
}

/** In milliseconds. */
const LOOK_AGAIN = 50;

/**
 * Called when our refresh token was refused. If another machine, holding the same lock, renewed meanwhile, its token is
 * returned; waits while that machine's half-written file is there.
 */
async function renewedElsewhere(
  before: OpenedSignIn,
  renewal: Renewal,
  replacement: SessionReplacement,
): Promise<FreshToken | undefined> {
  const { host } = renewal.store;
  for (;;) {
    // Asked first: a successor that is gone when the file is read has been renamed into its place.
    const waiting = await replacement.hasRivals() && performance.now() < renewal.limits.deadline;
    const now = await asPersonSession(await openAgain(before, renewal), renewal.store);
    if (now.credentials.refreshToken !== before.credentials.refreshToken) {
      return renewedByOther(before, now, renewal) ?? stillGood(now, renewal);
    }
    if (!waiting) return undefined;
    await host.sleep(LOOK_AGAIN, host.interrupted);
  }
}

async function refreshFailure(
  store: SessionStore,
  session: Session,
  failure: unknown,
): Promise<AppError> {
  if (!(failure instanceof AppError)) throw failure;
  if (failure.code === "SESSION_EXPIRED") return await expired(store, session, failure.message, failure);
  // The message begins with what failed; here that has the session's name.
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
