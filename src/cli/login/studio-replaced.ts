/** Owns what becomes of the sessions at Studio that a new one takes the place of: removed here, their tokens revoked. */

import { AppError, printable } from "../../errors.ts";
import type { Exchange } from "../../oauth/http.ts";
import { revokeStudioToken, type StudioRevoked } from "../../oauth/studio-device-login.ts";
import type { Session } from "../../sessions/session.ts";
import {
  LOCK_WAIT,
  lockSession,
  type OpenedSession,
  readSession,
  removeSession,
  type SessionPlace,
} from "../../sessions/store.ts";
import { boundedSignal } from "../../system/clock.ts";
import { type Deps, keyringBound } from "../context.ts";
import { withdrawToken } from "../datachain-export.ts";
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
  await revoke(rest, exchange, token, word, ` until ${expires}`);
}

/**
 * Removes a session that has a successor, where that has another name; revokes its token, and takes it out of the file
 * of DataChain's own tools. What fails of it is said, and stops nothing.
 */
export async function endReplaced(
  deps: Deps,
  exchange: Exchange,
  place: SessionPlace,
  { session, opened }: Replaced,
  successor: Session,
): Promise<void> {
  const warn = (text: string) => deps.out.act(`warning: ${text}`);
  try {
    // What is sealed counts.
    const { expires, exportedTo } = opened?.session ?? session;
    const token = opened?.credentials.accessToken;
    const word = `The token "${printable(session.user.name ?? session.name)}" that was here before`;
    const until = expires === undefined ? "" : ` until ${expires}`;
    if (opened === undefined || token === undefined) {
      warn(`${word} cannot be opened, so it is not revoked. It may still be valid${until}.`);
    } else await revoke(deps, exchange, { host: opened.session.issuer, token }, word, until);
    if (session.name !== successor.name) await remove(deps, place, session);
    const left = exportedTo !== undefined && exportedTo !== successor.exportedTo;
    if (left && token !== undefined) await withdrawToken(exportedTo, token);
  } catch (thrown) {
    warn(toFailure(thrown).message);
  }
}

async function revoke(
  deps: Omit<Deps, "interrupted"> & Partial<Pick<Deps, "interrupted">>,
  exchange: Exchange,
  token: { readonly host: string; readonly token: string },
  word: string,
  until: string,
): Promise<void> {
  const timeout = Math.min(deps.requestTimeout, LONGEST_REVOCATION);
  try {
    const revoked = await revokeToken(exchange, token, timeout, deps.interrupted);
    deps.out.note(`${word} is revoked${revoked === "already" ? " already" : ""}.`);
  } catch (thrown) {
    const { message } = toFailure(thrown);
    const where = new URL(token.host).host;
    deps.out.act(
      `warning: ${word} is still valid at ${where}${until}: ${message} Revoke it there, in your profile.`,
    );
  }
}

async function remove(deps: Deps, place: SessionPlace, session: Session): Promise<void> {
  const lock = await lockSession(place, session.name, LOCK_WAIT);
  try {
    // Another sign-in may have that name by now.
    if ((await readSession(place, session.name))?.credentials !== session.credentials) return;
    const { leftBehind } = await removeSession(place, session, keyringBound(deps));
    if (leftBehind !== undefined) throw leftBehind;
  } finally {
    lock.release();
  }
}

/** What a person can be told; anything else, and Ctrl-C, goes on. */
function toFailure(thrown: unknown): AppError {
  if (thrown instanceof AppError && thrown.code !== "INTERRUPTED") return thrown;
  throw thrown;
}
