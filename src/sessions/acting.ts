/** The session that a command acts as, opened where its file alone is not to be trusted. */

import type { KeyringLimits } from "../keyring/store.ts";
import { chooseSession, type ChosenSession, type SessionChoice } from "./choose.ts";

import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";

/** A session, and the store that it is in. */
export interface StoredSession {
  readonly session: Session;
  readonly store: SessionStore;
}

/**
 * The session that a command acts as.
 *
 * @throws {AppError} what {@link chooseSession} throws; for a session of a project folder, what opening it throws
 */
export async function actingSession(
  store: SessionStore,
  choice: SessionChoice,
  limits: KeyringLimits,
): Promise<ChosenSession> {
  return await sealedInProject(await chooseSession(store, choice), limits);
}

/**
 * A session of a project folder as it was sealed: others may have written its file, so nothing it says is shown. Any
 * other session as it is.
 */
export async function sealedInProject<Stored extends StoredSession>(
  stored: Stored,
  limits: KeyringLimits,
): Promise<Stored> {
  const { session, store } = stored;
  if (store.project === undefined) return stored;
  return { ...stored, session: (await store.open(session, limits)).session };
}
