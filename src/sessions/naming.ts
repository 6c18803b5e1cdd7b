/** Under which name a new session is kept, and that it becomes the active one. */

import { sha256 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { activateSession } from "./config.ts";
import { isSamePerson, type Person } from "./identity.ts";
import { sessionNameOf } from "./name-characters.ts";
import type { SessionStore } from "./store.ts";
import type { Session } from "./session.ts";
import { defaultSessionName } from "./name.ts";

/**
 * Makes a session that is stored the active one. It stays stored when that fails, and the error says so. Throws
 * `STORAGE`, `BUSY`.
 */
export async function makeActive(store: SessionStore, name: string): Promise<void> {
  try {
    await activateSession(store, name);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(
      thrown.code,
      `The session "${name}" is signed in and stored, but it could not be made the active one: ${thrown.message}`,
      { hint: `Make it active: datumctl auth switch ${name}`, cause: thrown },
    );
  }
}

/** The name that a session gets by itself, and one of its own where another identity has that one. */
export async function freeName(
  sessions: readonly Pick<Session, "name" | "issuer" | "user">[],
  label: string,
  identity: Pick<Session, "issuer" | "apiHost"> & Person,
): Promise<string> {
  const usual = defaultSessionName(label, identity.apiHost);
  const { lookAlike, isDoubtful } = [usual, ...sessions.map(({ name }) => name)].every(isPlain)
    ? PLAIN
    : await import("./look-alikes.ts");
  const theirs = sessions.some((session) =>
    lookAlike(session.name, usual) && !isSamePerson(session, identity)
  );
  // Not a number: on another machine, where they came in another order, that would be the other one's name.
  const ending = theirs || isDoubtful(usual) ? `-${await fingerprintOf(identity)}` : "";
  const text = `${label}@${identity.apiHost}`;
  let free = sessionNameOf(text, ending);
  for (let count = 2; sessions.some(({ name }) => lookAlike(name, free)); count++) {
    free = sessionNameOf(text, `${ending}-${count}`);
  }
  return free;
}

/** Of plain letters nobody takes one name for another. */
const PLAIN = {
  lookAlike: (one: string, other: string) => one === other,
  isDoubtful: () => false,
};

function isPlain(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name);
}

/** Six characters that are a person's at every machine. */
async function fingerprintOf({ issuer, user: { subject } }: Person): Promise<string> {
  const digest = await sha256(`${issuer}\n${subject}`);
  return Array.from(digest.subarray(0, 3), (byte) => byte.toString(16).padStart(2, "0")).join("");
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
