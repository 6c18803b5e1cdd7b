/** Owns under which name a new session is kept, and that it becomes the active one. */

import { AppError } from "../errors.ts";
import type { Session } from "../sessions/session-file.ts";
import { defaultSessionName } from "../sessions/session-name.ts";
import { activateSession } from "../sessions/config.ts";
import type { SessionPlace } from "../sessions/place.ts";

/**
 * Makes a session that is stored the active one. It stays stored when that fails, and the error says so. Throws
 * `STORAGE`, `BUSY`.
 */
export async function makeActive(place: SessionPlace, name: string): Promise<void> {
  try {
    await activateSession(place, name);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(
      thrown.code,
      `The session "${name}" is signed in and stored, but it could not be made the active one: ${thrown.message}`,
      { hint: `Make it active: datumctl auth switch ${name}`, cause: thrown },
    );
  }
}

/** What makes two sessions the same one. */
export type Identity = Pick<Session, "kind" | "issuer" | "apiHost"> & {
  readonly user: Pick<Session["user"], "subject">;
};

/** The session of an identity that there is already. */
export function ofSameIdentity(sessions: readonly Session[], identity: Identity): Session | undefined {
  return sessions.find((session) =>
    session.kind === identity.kind && session.issuer === identity.issuer &&
    session.user.subject === identity.user.subject && session.apiHost === identity.apiHost
  );
}

/** The name that a session gets by itself, with a number where another identity has that one. */
export function freeName(sessions: readonly Session[], label: string, apiHost: string): string {
  const name = defaultSessionName(label, apiHost);
  const taken = new Set(sessions.map((session) => session.name));
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name.slice(0, 120)}-${count}`;
  return free;
}

/** Stores under a free name; the next one, where another process took it at the same moment. */
export async function underFreeName<T>(free: boolean, store: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await store();
    } catch (thrown) {
      const taken = free && thrown instanceof AppError && thrown.code === "IDENTITY_MISMATCH";
      if (!taken || attempt === 5) throw thrown;
    }
  }
}
