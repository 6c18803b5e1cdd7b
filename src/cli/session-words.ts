/** Owns how commands name sessions: by e-mail, by name, by picking one. */

import { AppError, printable } from "../errors.ts";
import { defaultSessionName, labelOf, type Session } from "../sessions/session.ts";
import { chooseSession, listSessions } from "../sessions/store.ts";
import type { Deps } from "./context.ts";

/** Every session that can be read; the others are warned of. */
export async function readableSessions({ place, out }: Deps): Promise<Session[]> {
  const { sessions, damaged } = await listSessions(place);
  for (const error of damaged) out.warn(`${error.message} ${error.hint ?? ""}`.trim());
  return sessions;
}

/** Where the key of a session's credentials is kept, in words. */
export function storedIn(session: Session): string {
  return session.keyStore === "system" ? "keyring" : "key file";
}

/**
 * The session that a person means: the one of that name, or the only one of that e-mail. Throws `NOT_FOUND`, or
 * `USAGE` naming the sessions when the e-mail has several.
 */
function matchSession(sessions: readonly Session[], user: string, command: string): Session {
  const named = sessions.find(({ name }) => name === user);
  if (named !== undefined) return named;
  const found = sessions.filter((session) => isOf(session, user));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new AppError("USAGE", `${printable(user)} has ${found.length} sessions: ${names(found)}.`, {
      hint: `Name one of them: ${command} ${only.name}`,
    });
  }
  throw new AppError("NOT_FOUND", `${printable(user)} is not signed in here.`, {
    hint: sessions.length === 0 ? "Sign in: datumctl login" : `Signed in are: ${names(sessions)}.`,
  });
}

function isOf({ user: { email, subject } }: Session, user: string): boolean {
  return email?.toLowerCase() === user.toLowerCase() || subject === user;
}

/**
 * The session that a person means: by its user, else the one that `--profile` or `DATUMCTL_PROFILE` names exactly,
 * else the only one, else asking on a terminal. Throws `NOT_SIGNED_IN` where there is none of the name, `USAGE` when
 * the user and `--profile` mean two.
 */
export async function meantSession(
  deps: Deps,
  sessions: readonly Session[],
  user: string | undefined,
  question: string,
  command: string,
): Promise<Session> {
  const { flag, variable } = deps.choice;
  if (user === "") {
    throw new AppError("USAGE", "The user's name is empty.", {
      hint: `Name an e-mail or a session: ${command} USER`,
    });
  }
  if (user !== undefined && flag === undefined) return matchSession(sessions, user, command);
  if (flag !== undefined || variable !== undefined) {
    const { session } = await chooseSession(deps.place, deps.choice);
    if (user === undefined || user === session.name || isOf(session, user)) return session;
    throw new AppError("USAGE", `${printable(user)} is not of the session "${session.name}" of --profile.`, {
      hint: `Name one of the two: ${command} ${printable(user)}, or ${command} ${session.name}`,
    });
  }
  const [first, ...others] = sessions;
  if (first === undefined) {
    throw new AppError("NOT_SIGNED_IN", "Nobody is signed in here.", { hint: "Sign in: datumctl login" });
  }
  if (others.length === 0) return first;
  const labels = sessions.map((session) => {
    const usual = defaultSessionName(session.user.email ?? session.user.subject, session.apiHost);
    return `${labelOf(session)}  ${session.apiHost}${session.name === usual ? "" : `  (${session.name})`}`;
  });
  const hint = `Name the user: ${command} ${first.name}. Signed in are: ${names(sessions)}.`;
  const { pick } = await import("./picker.ts");
  const index = await pick(deps.terminal, deps.interrupted, question, labels, hint);
  return sessions[index] ?? first;
}

function names(sessions: readonly Session[]): string {
  return sessions.map(({ name }) => name).join(", ");
}
