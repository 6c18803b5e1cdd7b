/** Owns what every way to the next token shares: what other processes did meanwhile, the bounds, what it ends with. */

import { AppError } from "../errors.ts";
import { type OpenHttp, openHttp } from "../http/open.ts";
import { kidOf, type SealingKey } from "./seal.ts";
import { issuerOf, type SignInCredentials } from "./credentials.ts";
import type { Session } from "./session.ts";
import { type OpenedSession } from "./open.ts";
import type { SessionStore } from "./store.ts";
import { type TimedToken, timedToken, type TokenKind } from "./token-life.ts";
import { type FreshToken, isFresh, timeLeft, type TokenLimits, type TokenRequest } from "./token-wish.ts";

/** A wish for one kind of token. */
export type ChosenTokenRequest = TokenRequest & { readonly kind: TokenKind };

/** A person's session, opened. */
export interface OpenedSignIn extends OpenedSession {
  readonly credentials: SignInCredentials;
  readonly key: SealingKey;
}

/** What a person is told whose `--min-ttl` cannot be met. */
export const TOO_SHORT = "The issuer's tokens do not last as long as --min-ttl asks for.";

/** Throws what the renewal of the last seconds failed with. */
export async function refuseKnownFailure(
  { force }: ChosenTokenRequest,
  { failures }: TokenLimits,
): Promise<void> {
  const known = force ? undefined : await failures?.recent();
  if (known !== undefined) throw known;
}

/** Does what a lock is held for; a failure is remembered before the lock goes to those who would fail the same. */
export async function remembering<T>({ failures }: TokenLimits, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code !== "INTERRUPTED") await failures?.remember(thrown);
    throw thrown;
  }
}

/** The session as its file is now. Throws `NOT_SIGNED_IN` when it was removed meanwhile. */
export async function openAgain(
  store: SessionStore,
  seen: OpenedSession,
  limits: TokenLimits,
): Promise<OpenedSession> {
  const { name } = seen.session;
  const session = await store.read(name);
  if (session === undefined) {
    throw new AppError("NOT_SIGNED_IN", `The session "${name}" was signed out in the meantime.`, {
      hint: seen.session.kind.person
        ? `Sign in: ${await store.providers.newLoginLine(name, seen.session)}`
        : await store.providers.signInAgain(seen.session),
    });
  }
  if (seen.key !== undefined && kidOf(session.credentials) === seen.key.kid) {
    return await store.openWith(session, seen.key);
  }
  return await store.open(session, { timeout: timeLeft(limits.deadline, limits.keyringTimeout) });
}

/** The same session, of a person. Throws `SESSION_EXPIRED` for one that became another kind meanwhile. */
export async function signInOf(
  store: SessionStore,
  { session, credentials, key }: OpenedSession,
): Promise<OpenedSignIn> {
  if (credentials.recipe === undefined && key !== undefined) return { session, credentials, key };
  throw await expired(store, session, "a session of another kind has its name now");
}

/** The token that another process got while we waited for the lock, where it serves. */
export function takenMeanwhile(
  store: SessionStore,
  seen: OpenedSession,
  now: OpenedSession,
  request: ChosenTokenRequest,
): FreshToken | undefined {
  const stored = timedToken(now.credentials, request.kind);
  const renewed = stored !== undefined && stored.token !== timedToken(seen.credentials, request.kind)?.token;
  return stored !== undefined && (renewed || !request.force) && isFresh(stored, request, store.host.now())
    ? { ...stored, session: now.session }
    : undefined;
}

/** The stored token, while it has not ended. */
export function stillGood(
  store: SessionStore,
  opened: OpenedSession,
  kind: TokenKind,
): FreshToken | undefined {
  const token: TimedToken | undefined = timedToken(opened.credentials, kind);
  return token !== undefined && token.expires > store.host.now()
    ? { ...token, session: opened.session }
    : undefined;
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
export function openIssuer(
  store: SessionStore,
  { session, credentials }: Pick<OpenedSession, "session" | "credentials">,
  limits: TokenLimits,
): OpenHttp {
  return openHttp(store.host, {
    certificateAuthority: credentials.certificateAuthority,
    trust: () => store.providers.trustLine(session),
    timeout: timeLeft(limits.deadline, LONGEST_REQUEST),
    late: new URL(issuerOf(credentials)).host,
    requestTimeout: limits.requestTimeout,
    log: limits.log,
  });
}
