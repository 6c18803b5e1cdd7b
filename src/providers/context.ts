/** What the code of a cloud is handed by a command: the host, the sessions, the output, and the limits of what is asked. */

import type { AppError } from "../errors.ts";
import type { RequestLimits } from "../http/api-client.ts";
import { type KeyringLimits, keyringLimits as limitsOfKeyring } from "../keyring/store.ts";
import { isSameIdentity, somebodyElses } from "../sessions/identity.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import type { SessionChoice } from "../sessions/choose.ts";
import { environmentCredentials } from "../sessions/open.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type FreshToken, isFresh, type TokenLimits } from "../sessions/token.ts";
import { pause } from "../system/clock.ts";
import type { Host } from "../system/host.ts";
import type { Terminal } from "../system/terminal.ts";

/** What a command prints to. */
export interface Output {
  /** A line of the result, on stdout. */
  line(text?: string): void;
  /** A line of the result that says what succeeded, on stdout: a mark stands before it on a terminal. */
  success(text: string): void;
  /** Text of the result as it is, on stdout. */
  text(text: string): void;
  /** Progress or a remark, on stderr; not with `--quiet`. */
  info(text: string): void;
  /** Something to act on, on stderr; with `--quiet` too. */
  important(text: string): void;
  /** Something that went wrong but does not stop the command, on stderr. */
  warn(text: string): void;
  /** A request to a server, on stderr; undefined without `--verbose`, so that no line is made for nobody. */
  readonly debug: ((text: string) => void) | undefined;
}

/** What the code of a cloud is handed. */
export interface ProviderContext extends Host {
  readonly store: SessionStore;
  /** The clouds that the program knows. */
  readonly providers: {
    /** The error of a command that needs something to act on, with the way to it that the session's cloud has. */
    nothingInUse(session: Pick<Session, "name" | "provider">): Promise<AppError>;
  };
  readonly openNetwork: NonNullable<Host["openNetwork"]>;
  /** Fires on Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly terminal: Pick<Terminal, "canAsk">;
  readonly out: Output;
  /** `--request-timeout`, in milliseconds. */
  readonly requestTimeout: number;
  /** Which session the flags and variables pick. */
  readonly choice: SessionChoice;
  /** Completion: no token is renewed, and nobody is asked to unlock a keyring. */
  readonly storedOnly?: boolean | undefined;
}

/** The limits of a command's calls of a keyring. */
export function keyringLimits(
  { terminal, interrupted, storedOnly }: Pick<ProviderContext, "terminal" | "interrupted" | "storedOnly">,
): KeyringLimits {
  return { ...limitsOfKeyring(terminal.canAsk, interrupted), quiet: storedOnly };
}

/** What getting a token takes of a context. */
type TokenContext = Pick<
  ProviderContext,
  "store" | "now" | "out" | "terminal" | "interrupted" | "requestTimeout" | "storedOnly"
>;

/** How long a command may take to get a fresh token. */
export function tokenLimits(context: Omit<TokenContext, "store" | "now">): TokenLimits {
  return {
    deadline: performance.now() + context.requestTimeout + keyringLimits(context).timeout,
    keyringTimeout: keyringLimits(context).timeout,
    log: context.out.debug,
  };
}

/** The limits of a command's requests to APIs. */
export function requestLimits(
  { now, random, requestTimeout, interrupted, out }: Pick<
    ProviderContext,
    "now" | "random" | "requestTimeout" | "interrupted" | "out"
  >,
): RequestLimits {
  return {
    now,
    sleep: pause,
    random,
    requestTimeout,
    signal: interrupted,
    log: out.debug,
  };
}

/**
 * Fresh tokens of a session: the keyring is asked again only when the one at hand is no longer fresh.
 *
 * @throws {AppError} what {@link freshToken} throws; `NOT_SIGNED_IN` when somebody else signed in under its name meanwhile
 */
export function freshTokens(
  context: TokenContext,
  chosen: Session,
): (force: boolean) => Promise<FreshToken> {
  const { store } = context;
  let last: FreshToken | undefined;
  return async (force) => {
    if (!force && last !== undefined && isFresh(last, {}, context.now())) return last;
    const accept = sameAs(last?.session);
    // By the credentials of an hour ago the token at hand would look like one that another process has just got.
    const session = last === undefined ? chosen : await asItIsNow(store, chosen);
    const { storedOnly } = context;
    const get = (force: boolean) =>
      freshToken(store, session, { force, accept, storedOnly }, tokenLimits(context));
    let next = await get(force && last === undefined);
    // Otherwise another process has indeed got it.
    if (force && next.token === last?.token) next = await get(true);
    accept(next.session);
    if (next.warning !== undefined) context.out.warn(next.warning);
    return last = next;
  };
}

/** A session as its file is now; as it was, where it has none. */
async function asItIsNow(store: SessionStore, session: Session): Promise<Session> {
  if (environmentCredentials(session) !== undefined) return session;
  return await store.read(session.name) ?? session;
}

/** Throws for a session that is another identity's. */
function sameAs(before: Session | undefined): (session: Session) => void {
  return (session) => {
    if (before !== undefined && !isSameIdentity(before, session)) throw somebodyElses(session);
  };
}
