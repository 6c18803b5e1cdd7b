/** Renews a session's token, one process at a time; how the token is asked for is the strategy's. */

import { AppError } from "../errors.ts";
import { type OpenHttp, openHttp } from "../http/open.ts";
import { isOfThisJob } from "./ci-job.ts";
import { issuerOf } from "./credentials.ts";
import type { FileLock } from "../system/locks.ts";
import type { OpenedSession } from "./open.ts";
import { kidOf } from "./seal.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";
import {
  type FreshToken,
  isFresh,
  timedToken,
  timeLeft,
  type TokenKind,
  type TokenLimits,
  type TokenRequest,
} from "./token.ts";

/** One renewal: whose sessions, which token, and how long it may take. */
export interface Renewal {
  readonly store: SessionStore;
  readonly request: TokenRequest & { readonly kind: TokenKind };
  readonly limits: TokenLimits;
}

/** How one kind of session gets its next token. */
export interface RenewalStrategy<Opened extends OpenedSession> {
  /**
   * Narrows a session to one of this kind.
   *
   * @throws {AppError} `SESSION_EXPIRED` for one that became another kind meanwhile.
   */
  narrow(opened: OpenedSession, store: SessionStore): Promise<Opened>;
  /** Throws for a request that no renewal of this kind serves. */
  refuseRequest?(openedBefore: Opened, renewal: Renewal): void;
  /** Holds the session's lock; undefined where the next token is not stored, so that nobody need wait for it. */
  lock(openedBefore: Opened, renewal: Renewal): Promise<FileLock | undefined>;
  /** The stored token, or an error, where the issuer need not be asked: no other token would come. */
  answerWithoutIssuer?(opened: Opened, renewal: Renewal): Promise<FreshToken | undefined>;
  /** Asks for the next token, and stores it where the lock is held. */
  requestNext(opened: Opened, renewal: Renewal, locked: boolean): Promise<FreshToken>;
}

/**
 * Renews a session under its lock and returns the token that was requested. Another process may have done it meanwhile:
 * then its token is returned and the issuer is not asked. A failure is remembered before the lock goes to those who would
 * fail the same.
 */
export async function renew<Opened extends OpenedSession>(
  strategy: RenewalStrategy<Opened>,
  first: OpenedSession,
  renewal: Renewal,
): Promise<FreshToken> {
  const { store } = renewal;
  const openedBefore = await strategy.narrow(first, store);
  strategy.refuseRequest?.(openedBefore, renewal);
  await refuseKnownFailure(renewal);
  using lock = await strategy.lock(openedBefore, renewal);
  try {
    const opened = lock === undefined
      ? openedBefore
      : await strategy.narrow(await openAgain(openedBefore, renewal), store);
    const renewedMeanwhile = lock && await isOfThisJob(store.host.env, opened.credentials)
      ? renewedByOther(openedBefore, opened, renewal)
      : undefined;
    if (renewedMeanwhile !== undefined) return renewedMeanwhile;
    return await nextToken(strategy, opened, renewal, lock !== undefined);
  } catch (thrown) {
    const { failures } = renewal.limits;
    if (thrown instanceof AppError && thrown.code !== "INTERRUPTED") await failures?.remember(thrown);
    throw thrown;
  }
}

/** The next token. Whatever comes of it, the launcher no longer hands out the one before. */
async function nextToken<Opened extends OpenedSession>(
  strategy: RenewalStrategy<Opened>,
  opened: Opened,
  renewal: Renewal,
  locked: boolean,
): Promise<FreshToken> {
  try {
    const known = await strategy.answerWithoutIssuer?.(opened, renewal);
    if (known !== undefined) return known;
    await refuseKnownFailure(renewal);
    return await strategy.requestNext(opened, renewal, locked);
  } finally {
    const { removeHandOffs } = await import("./hand-off.ts");
    await removeHandOffs(renewal.store.folders, opened.session.name).catch(() => {});
  }
}

/** Throws what a renewal of the last seconds failed with. */
async function refuseKnownFailure({ request, limits }: Renewal): Promise<void> {
  const known = request.force ? undefined : await limits.failures?.recent();
  if (known !== undefined) throw known;
}

/**
 * The session as its file is now.
 *
 * @throws {AppError} `NOT_SIGNED_IN` when it was removed meanwhile.
 */
export async function openAgain(
  openedBefore: OpenedSession,
  { store, limits }: Renewal,
): Promise<OpenedSession> {
  const { name } = openedBefore.session;
  const session = await store.read(name);
  if (session === undefined) {
    throw new AppError("NOT_SIGNED_IN", `The session "${name}" was signed out in the meantime.`, {
      hint: openedBefore.session.kind.person
        ? `Sign in: ${await store.providers.newLoginLine(name, openedBefore.session)}`
        : await store.providers.signInAgain(openedBefore.session),
    });
  }
  if (openedBefore.key !== undefined && kidOf(session.credentials) === openedBefore.key.kid) {
    return await store.openWith(session, openedBefore.key);
  }
  return await store.open(session, { timeout: timeLeft(limits.deadline, limits.keyringTimeout) });
}

/** The token that another process got while this one waited for the lock, where it serves the request. */
export function renewedByOther(
  openedBefore: OpenedSession,
  now: OpenedSession,
  { store, request }: Renewal,
): FreshToken | undefined {
  const stored = timedToken(now.credentials, request.kind);
  const renewed = stored !== undefined &&
    stored.token !== timedToken(openedBefore.credentials, request.kind)?.token;
  return stored !== undefined && (renewed || !request.force) && isFresh(stored, request, store.host.now())
    ? { ...stored, session: now.session }
    : undefined;
}

/** The stored token, while it has not ended. */
export function stillGood(
  { session, credentials }: OpenedSession,
  { store, request }: Renewal,
): FreshToken | undefined {
  const token = timedToken(credentials, request.kind);
  return token !== undefined && token.expires > store.host.now() ? { ...token, session } : undefined;
}

/** `SESSION_EXPIRED`, with what to do. */
export async function expired(
  { providers }: SessionStore,
  session: Session,
  why: string,
  cause?: unknown,
): Promise<AppError> {
  return new AppError(
    "SESSION_EXPIRED",
    `The session "${session.name}" has expired: ${why}`.replace(/\.?$/, "."),
    { hint: await providers.signInAgain(session), cause },
  );
}

// No signal ends the process meanwhile, so nobody should wait for longer.
const LONGEST_REQUEST = 10_000;

/** Opens the network to a session's issuer, within the limits. */
export function openIssuer({ session, credentials }: OpenedSession, { store, limits }: Renewal): OpenHttp {
  return openHttp(store.host, {
    certificateAuthority: credentials.certificateAuthority,
    trust: () => store.providers.trustLine(session),
    timeout: timeLeft(limits.deadline, LONGEST_REQUEST),
    onTimeout: new URL(issuerOf(credentials)).host,
    requestTimeout: limits.requestTimeout,
    log: limits.log,
  });
}
