/** Owns what becomes of the sessions at Studio that a new one takes the place of: removed here, their tokens revoked. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { Exchange } from "../../oauth/http.ts";
import { revokeStudioToken, type StudioRevoked } from "../../providers/studio/device-login.ts";
import type { SupersededToken } from "../../sessions/credentials.ts";
import type { Session } from "../../sessions/session.ts";
import { type OpenedSession, openSession } from "../../sessions/open.ts";
import type { SessionPlace } from "../../sessions/store.ts";
import { LOCK_WAIT, lockSession, readSession } from "../../sessions/read.ts";
import { removeSession } from "../../sessions/remove.ts";
import { prepareSession } from "../../sessions/write.ts";
import { boundedSignal } from "../../system/clock.ts";
import { type Deps, keyringBound } from "../context.ts";
import { isLive } from "../session-words.ts";
import { withdrawToken } from "../../providers/studio/export.ts";
import { openUnlessLost } from "../keeping.ts";

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
  deps: Deps,
  place: SessionPlace,
  session: Session,
  keyring: string | undefined,
): Promise<Replaced> {
  return { session, opened: await openUnlessLost(deps, place, session, keyring) };
}

/**
 * The sessions of a place that count in a sign-in: the person's own, and in a project's folder those that open, as they
 * were sealed. Of the others nothing is taken and nothing told: they are refused, with `force` only where the new session
 * is to have their name. Throws as {@link openSession}.
 */
export async function countedSessions(
  deps: Deps,
  place: SessionPlace,
  sessions: readonly Session[],
  { wantedName, keyring, force }: {
    readonly wantedName: string | undefined;
    readonly keyring: string | undefined;
    readonly force: boolean;
  },
): Promise<readonly Session[]> {
  if (place.project === undefined) return sessions;
  const counted: Session[] = [];
  for (const session of sessions) {
    const opened = force && session.name !== wantedName
      ? await openUnlessLost(deps, place, session, keyring)
      : await openSession(place, session, keyringBound(deps));
    if (opened !== undefined) counted.push(opened.session);
  }
  return counted;
}

/** As {@link countedSessions}, for one whose opening was tried. */
export function counts({ project }: SessionPlace, { opened }: Replaced): boolean {
  return project === undefined || opened !== undefined;
}

/** The tokens that go with these sessions, and what is left of those that they took the place of themselves. */
export function supersededTokens(replaced: readonly Replaced[], now: number): SupersededToken[] {
  const tokens = replaced.flatMap(({ opened }) => {
    if (opened?.credentials.recipe === undefined) return [];
    const { session: { issuer, name, user, expires }, credentials } = opened;
    const { accessToken: token, superseded = [] } = credentials;
    const older = superseded.filter((token) => isLive(token, now));
    return token === undefined ? older : [{ issuer, token, name: user.name ?? name, expires }, ...older];
  });
  return [...new Map(tokens.map((superseded) => [superseded.token, superseded])).values()];
}

/** Revokes a token within a time of its own: the sign-in's may be over. Throws as {@link revokeStudioToken}. */
async function revokeToken(
  { fetch, now, log }: Exchange,
  token: { readonly host: string; readonly token: string },
  timeout: number,
  interrupted?: AbortSignal,
): Promise<StudioRevoked> {
  const slow = () => new AppError("NETWORK", "Studio did not answer in time.");
  using bounded = boundedSignal(timeout, slow, interrupted);
  return await revokeStudioToken({ fetch, now, signal: bounded.signal, ...(log && { log }) }, token);
}

/** Takes back a token that could not be kept; the attempt may be over, this is not. What fails of it is said. */
export async function takeBack(
  deps: Deps,
  exchange: Exchange,
  token: { readonly host: string; readonly token: string },
  { name, expires }: { readonly name: string; readonly expires: string },
): Promise<void> {
  const { interrupted: _, ...rest } = deps;
  const word = `The token "${printable(name)}" that was just created`;
  await revoke(rest, exchange, token, {
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
  deps: Deps,
  exchange: Exchange,
  place: SessionPlace,
  replaced: readonly Replaced[],
  successor: Session,
): Promise<void> {
  const tokens = supersededTokens(replaced, deps.now());
  const left: SupersededToken[] = [];
  const logout = place.project === undefined ? "datumctl logout" : "datumctl logout --local";
  for (const older of tokens) {
    const { issuer: host, token, name, expires } = older;
    const revoked = await revoke(deps, exchange, { host, token }, {
      word: `The token "${printable(name)}" that was here before`,
      until: untilOf(expires),
      remedy: `It is revoked with the new one: ${logout}; or revoke it there, in your profile.`,
    });
    if (!revoked) left.push(older);
  }
  if (deps.interrupted.aborted) return;
  if (left.length < tokens.length) await tellFailure(deps, keepSealed(deps, place, successor, left));
  for (const old of replaced) await tellFailure(deps, remove(deps, place, old, successor));
}

async function tellFailure({ out }: Deps, step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (thrown) {
    out.act(`warning: ${failureOrThrow(thrown).message}`);
  }
}

function untilOf(expires: string | undefined): string {
  return expires === undefined ? "" : ` until ${expires}`;
}

/** True when the token is good no longer; else it is said that it is. */
async function revoke(
  deps: Omit<Deps, "interrupted"> & Partial<Pick<Deps, "interrupted">>,
  exchange: Exchange,
  token: { readonly host: string; readonly token: string },
  { word, until, remedy }: { readonly word: string; readonly until: string; readonly remedy: string },
): Promise<boolean> {
  const timeout = Math.min(deps.requestTimeout, LONGEST_REVOCATION);
  try {
    const revoked = await revokeToken(exchange, token, timeout, deps.interrupted);
    deps.out.note(`${word} is revoked${revoked === "already" ? " already" : ""}.`);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const where = new URL(token.host).host;
    deps.out.act(`warning: ${word} is still valid at ${where}${until}: ${thrown.message} ${remedy}`);
    return false;
  }
}

/** Seals anew which older tokens are still to be revoked. */
async function keepSealed(
  deps: Deps,
  place: SessionPlace,
  { name, credentials: sealed }: Session,
  superseded: readonly SupersededToken[],
): Promise<void> {
  using _lock = await lockSession(place, name, LOCK_WAIT);
  const stored = await readSession(place, name);
  // Another sign-in may have that name by now.
  if (stored?.credentials !== sealed) return;
  const { session, credentials, key } = await openSession(place, stored, keyringBound(deps));
  if (key === undefined || credentials.recipe === undefined) return;
  const { superseded: _, ...rest } = credentials;
  const replacement = await prepareSession(place, name, stored, key);
  await replacement.commit(session, superseded.length === 0 ? rest : { ...rest, superseded });
}

/** Removes a session that has a successor of another name, and the copy of its token. */
async function remove(
  deps: Deps,
  place: SessionPlace,
  replaced: Replaced,
  successor: Session,
): Promise<void> {
  const { session, opened } = replaced;
  // What is sealed counts.
  const { user, expires, exportedTo } = opened?.session ?? session;
  const token = opened?.credentials.accessToken;
  if (token === undefined) {
    const [what, until] = counts(place, replaced)
      ? [`token "${printable(user.name ?? session.name)}"`, untilOf(expires)]
      : [`token in ${printable(`${place.project}/.datumctl`)}`, ""];
    const word = `The ${what} that was here before`;
    deps.out.act(`warning: ${word} cannot be opened, so it is not revoked. It may still be valid${until}.`);
  }
  if (session.name !== successor.name) await removeHere(deps, place, session);
  const left = exportedTo !== undefined && exportedTo !== successor.exportedTo;
  if (left && token !== undefined) await withdrawToken({ path: exportedTo, project: place.project }, token);
}

async function removeHere(deps: Deps, place: SessionPlace, session: Session): Promise<void> {
  using _lock = await lockSession(place, session.name, LOCK_WAIT);
  // Another sign-in may have that name by now.
  if ((await readSession(place, session.name))?.credentials !== session.credentials) return;
  const { leftBehind } = await removeSession(place, session, keyringBound(deps));
  if (leftBehind !== undefined) throw leftBehind;
}
