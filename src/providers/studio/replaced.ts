/** Ends the sessions at Studio that a new one replaces: removes them here and revokes their tokens. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { HttpContext } from "../../http/bounded.ts";
import { limitHttp } from "../../http/open.ts";
import { revokeStudioToken } from "./device-login.ts";
import type { SupersededToken } from "../../sessions/source-credentials.ts";
import { isLive, type Session } from "../../sessions/session.ts";
import { type OpenedSession } from "../../sessions/open.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { keyringLimits, type ProviderContext } from "../context.ts";
import { withdrawToken } from "./export.ts";

/** How long a revocation may take after a sign-in, in milliseconds. */
const LONGEST_REVOCATION = 10_000;

/** A session that gets a successor, with what is sealed in it where that can be opened. */
export interface Replaced {
  readonly session: Session;
  readonly opened: OpenedSession | undefined;
}

/**
 * Opens a session before it gets a successor. Not opened is one whose key is lost, or is of a keyring that is given up
 * for a file; a keyring that is locked is an error.
 */
export async function openReplaced(
  context: ProviderContext,
  store: SessionStore,
  session: Session,
  keyring: string | undefined,
): Promise<Replaced> {
  return { session, opened: await store.openUnlessLost(session, keyringLimits(context), keyring) };
}

/**
 * The sessions of a place that count in a sign-in: the person's own, and in a project's folder those that open, as
 * they were sealed. Of the others nothing is taken and nothing told: they are refused, with `force` only where the
 * new session is to have their name.
 *
 * @throws {AppError} as {@link SessionStore.open}
 */
export async function ourSessions(
  context: ProviderContext,
  store: SessionStore,
  sessions: readonly Session[],
  { wantedName, keyring, force }: {
    readonly wantedName: string | undefined;
    readonly keyring: string | undefined;
    readonly force: boolean;
  },
): Promise<readonly Session[]> {
  if (store.project === undefined) return sessions;
  const counted: Session[] = [];
  for (const session of sessions) {
    const opened = force && session.name !== wantedName
      ? await store.openUnlessLost(session, keyringLimits(context), keyring)
      : await store.open(session, keyringLimits(context));
    if (opened !== undefined) counted.push(opened.session);
  }
  return counted;
}

/** As {@link ourSessions}, for one whose opening was tried. */
export function isOurs({ project }: SessionStore, { opened }: Replaced): boolean {
  return project === undefined || opened !== undefined;
}

/** The tokens that go with these sessions, and what is left of those that they took the place of themselves. */
export function supersededTokens(replaced: readonly Replaced[], now: number): SupersededToken[] {
  const tokens = replaced.flatMap(({ opened }) => {
    if (opened?.credentials.tokenSource === undefined) return [];
    const { session: { issuer, name, user, expires }, credentials } = opened;
    const { accessToken: token, superseded = [] } = credentials;
    const older = superseded.filter((token) => isLive(token, now));
    return token === undefined ? older : [{ issuer, token, name: user.name ?? name, expires }, ...older];
  });
  return [...new Map(tokens.map((superseded) => [superseded.token, superseded])).values()];
}

/** Takes back a token that could not be kept; the attempt may be over, this is not. What fails of it is said. */
export async function takeBack(
  context: ProviderContext,
  http: HttpContext,
  token: { readonly host: string; readonly token: string },
  { name, expires }: { readonly name: string; readonly expires: string },
): Promise<void> {
  const { interrupted: _, ...rest } = context;
  const word = `The token "${printable(name)}" that was just created`;
  await revoke(rest, http, token, {
    word,
    until: untilOf(expires),
    remedy: "Revoke it there, in your profile.",
  });
}

/**
 * Revokes the tokens of sessions that have a successor, removes those that have another name, and takes their tokens out
 * of the file of DataChain's own tools. What fails of it is said, and stops nothing; what is not revoked stays sealed in
 * the successor. Ctrl-C ends it, once what is still valid has been said.
 */
export async function endReplaced(
  context: ProviderContext,
  http: HttpContext,
  store: SessionStore,
  replaced: readonly Replaced[],
  successor: Session,
): Promise<void> {
  const tokens = supersededTokens(replaced, context.now());
  const left: SupersededToken[] = [];
  const logout = store.project === undefined ? "datumctl logout" : "datumctl logout --local";
  for (const older of tokens) {
    const { issuer: host, token, name, expires } = older;
    const revoked = await revoke(context, http, { host, token }, {
      word: `The token "${printable(name)}" that was here before`,
      until: untilOf(expires),
      remedy: `It is revoked with the new one: ${logout}; or revoke it there, in your profile.`,
    });
    if (!revoked) left.push(older);
  }
  if (context.interrupted.aborted) return;
  if (left.length < tokens.length) await tellFailure(context, keepSealed(context, store, successor, left));
  for (const old of replaced) await tellFailure(context, remove(context, store, old, successor));
}

async function tellFailure({ out }: ProviderContext, step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (thrown) {
    out.important(`warning: ${failureOrThrow(thrown).message}`);
  }
}

function untilOf(expires: string | undefined): string {
  return expires === undefined ? "" : ` until ${expires}`;
}

/** True when the token is good no longer; else it is said that it is. */
async function revoke(
  deps: Omit<ProviderContext, "interrupted"> & Partial<Pick<ProviderContext, "interrupted">>,
  http: HttpContext,
  token: { readonly host: string; readonly token: string },
  { word, until, remedy }: { readonly word: string; readonly until: string; readonly remedy: string },
): Promise<boolean> {
  const timeout = Math.min(deps.requestTimeout, LONGEST_REVOCATION);
  // The sign-in's own time may be over.
  using limited = limitHttp(http, { timeout, onTimeout: "Studio", interrupted: deps.interrupted });
  try {
    const revoked = await revokeStudioToken(limited, token);
    deps.out.info(`${word} is revoked${revoked === "already" ? " already" : ""}.`);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const where = new URL(token.host).host;
    deps.out.important(`warning: ${word} is still valid at ${where}${until}: ${thrown.message} ${remedy}`);
    return false;
  }
}

/** Seals which older tokens are still to be revoked. */
async function keepSealed(
  context: ProviderContext,
  store: SessionStore,
  { name, credentials: sealed }: Session,
  superseded: readonly SupersededToken[],
): Promise<void> {
  using _lock = await store.lock(name);
  const stored = await store.read(name);
  // Another sign-in may have that name by now.
  if (stored?.credentials !== sealed) return;
  const { session, credentials, key } = await store.open(stored, keyringLimits(context));
  if (key === undefined || credentials.tokenSource === undefined) return;
  const replacement = await store.prepare(name, stored, key);
  const left = superseded.length === 0 ? undefined : superseded;
  await replacement.commit(session, { ...credentials, superseded: left });
}

/** Removes a session that has a successor of another name, and the copy of its token. */
async function remove(
  context: ProviderContext,
  store: SessionStore,
  replaced: Replaced,
  successor: Session,
): Promise<void> {
  const { session, opened } = replaced;
  // What is sealed counts.
  const { user, expires, exportedTo } = opened?.session ?? session;
  const token = opened?.credentials.accessToken;
  if (token === undefined) {
    const [what, until] = isOurs(store, replaced)
      ? [`token "${printable(user.name ?? session.name)}"`, untilOf(expires)]
      : [`token in ${printable(`${store.project}/.datumctl`)}`, ""];
    const word = `The ${what} that was here before`;
    context.out.important(
      `warning: ${word} cannot be opened, so it is not revoked. It may still be valid${until}.`,
    );
  }
  if (session.name !== successor.name) await removeHere(context, store, session);
  const left = exportedTo !== undefined && exportedTo !== successor.exportedTo;
  if (left && token !== undefined) await withdrawToken({ path: exportedTo, project: store.project }, token);
}

async function removeHere(context: ProviderContext, store: SessionStore, session: Session): Promise<void> {
  using _lock = await store.lock(session.name);
  // Another sign-in may have that name by now.
  if ((await store.read(session.name))?.credentials !== session.credentials) return;
  const { leftBehind } = await store.remove(session, keyringLimits(context));
  if (leftBehind !== undefined) throw leftBehind;
}
