/** Finds the sessions that a command is about: the one it acts as, all that are here, or one that the user picks. */

import { AppError, failureOrThrow } from "../errors.ts";
import { printable } from "../text.ts";
import {
  actingSession as sealedActingSession,
  sealedInProject,
  type StoredSession,
} from "../sessions/acting.ts";
import { chooseSession, type ChosenSession } from "../sessions/choose.ts";
import { ENV_PREFIX, isCalled, nameOfPerson, OF_CREDENTIALS_FILE } from "../sessions/name.ts";
import { defaultSessionName, labelOf } from "../sessions/new-name.ts";
import type { Session } from "../sessions/session.ts";
import { type CommandContext, keyringLimits } from "./context.ts";
import { sessionNames } from "./session-labels.ts";
import { isFromEnvironment } from "./session-life.ts";

/** Every session of a store that can be read, the user's own store unless another is given; warns of the others. */
export async function readableSessions({ store: own, out }: CommandContext, store = own): Promise<Session[]> {
  const { sessions, damaged } = await store.list();
  for (const error of damaged) out.warn(`${error.message} ${error.hint ?? ""}`.trim());
  return sessions;
}

/** {@link readableSessions}, with their store. */
export async function storedSessions(cli: CommandContext, store = cli.store): Promise<StoredSession[]> {
  return (await readableSessions(cli, store)).map((session) => ({ session, store }));
}

/** The session that a command acts as, and the context with the store that it is in. */
export interface ActingSession extends ChosenSession {
  readonly context: CommandContext;
}

/** {@link actingSession} of a command's flags. */
export async function actingSession(cli: CommandContext): Promise<ActingSession> {
  const chosen = await sealedActingSession(cli.store, cli.choice, keyringLimits(cli));
  return { ...chosen, context: { ...cli, store: chosen.store } };
}

/** The sessions that can be used here: the user's own, and those of the project folder that their keys open. Warns of the others. */
export async function sessionsHere(cli: CommandContext): Promise<StoredSession[]> {
  const local = await cli.store.nearestProject();
  const own = await storedSessions(cli);
  if (local === undefined) return own;
  const ours: StoredSession[] = [];
  for (const stored of await storedSessions(cli, local)) {
    try {
      ours.push(await sealedInProject(stored, keyringLimits(cli)));
    } catch (thrown) {
      const { message, hint = "" } = failureOrThrow(thrown);
      cli.out.warn(`${message} ${hint}`.trim());
    }
  }
  return [...own, ...ours];
}

/**
 * Refuses a session that a flag gives to one command, for another program that is to act as it.
 *
 * @throws {AppError} `USAGE`
 */
export function refuseCredentialsFile({ name }: Session): void {
  if (name !== OF_CREDENTIALS_FILE) return;
  throw new AppError(
    "USAGE",
    "The key of --credentials-file is for one command; kubectl could not find it.",
    {
      hint:
        "Set DATUMCTL_CREDENTIALS_FILE instead, which kubectl hands on; or sign in: datumctl login --credentials FILE",
    },
  );
}

/**
 * Refuses a session that comes from a variable, where something is to be remembered or removed.
 *
 * @throws {AppError} `USAGE`
 */
export function checkStored(session: Session, hint: string): void {
  if (!isFromEnvironment(session)) return;
  const variable = session.name.slice(ENV_PREFIX.length);
  throw new AppError("USAGE", `The session from ${variable} is not stored.`, { hint });
}

/**
 * The session that a user means: the one of that name, or the only one of that e-mail.
 *
 * @throws {AppError} `NOT_FOUND`; `USAGE`, naming the sessions, when the e-mail has several
 */
function matchSession(sessions: readonly StoredSession[], user: string, command: string): StoredSession {
  const named = sessions.find(({ session }) => session.name === user.normalize("NFC"));
  if (named !== undefined) return named;
  const found = sessions.filter(({ session }) => belongsTo(session, user));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new AppError("USAGE", `${printable(user)} has ${found.length} sessions: ${sessionNames(found)}.`, {
      hint: `Name one of them: ${command} ${only.session.name}`,
    });
  }
  throw new AppError("NOT_FOUND", `${printable(user)} is not signed in here.`, {
    hint: sessions.length === 0 ? "Sign in: datumctl login" : `Signed in: ${sessionNames(sessions)}.`,
  });
}

function belongsTo({ user }: Session, name: string): boolean {
  return isCalled(user, name) || user.subject === name;
}

/**
 * Picks a session: by its user, else the one that `--profile` or a variable names exactly, else the only one, else by
 * asking on a terminal.
 *
 * @throws {AppError} `NOT_SIGNED_IN` when there is none of that name; `USAGE` when the user and `--profile` mean two
 */
export async function pickSession(
  cli: CommandContext,
  sessions: readonly StoredSession[],
  user: string | undefined,
  question: string,
  command: string,
  store = cli.store,
): Promise<StoredSession> {
  const { flag, credentialsFile, variable } = cli.choice;
  if (user === "") {
    throw new AppError("USAGE", "The user's name is empty.", {
      hint: `Name an e-mail or a session: ${command} USER`,
    });
  }
  if (user !== undefined && flag === undefined) return matchSession(sessions, user, command);
  if (flag !== undefined || credentialsFile !== undefined || variable !== undefined) {
    const chosen = await chooseSession(store, cli.choice);
    const { session } = chosen;
    checkStored(
      session,
      "To act as someone else, unset the variable, or name a stored session with --profile.",
    );
    if (user === undefined || user === session.name || belongsTo(session, user)) return chosen;
    throw new AppError(
      "USAGE",
      `--profile names the session "${session.name}", which does not belong to ${printable(user)}.`,
      {
        hint: `Use one of the two: ${command} ${printable(user)}, or ${command} ${session.name}`,
      },
    );
  }
  const [first, ...others] = sessions;
  if (first === undefined) {
    const given = cli.providers.variableInForce(cli.env);
    throw new AppError("NOT_SIGNED_IN", "Nobody is signed in here.", {
      hint: given === undefined
        ? "Sign in: datumctl login"
        : `The session from ${given} is not stored; unset the variable to stop using it.`,
    });
  }
  if (others.length === 0) return first;
  const active = await cli.store.active();
  const labels = sessions.map(({ session, store }): [string, string] => {
    // Only the name is shown: others may have written the rest of the file.
    if (store.project !== undefined) return [session.name, `in ${printable(store.project)}`];
    const label = labelOf(session);
    const known = [label, defaultSessionName(nameOfPerson(session.user), session.apiHost)];
    return [
      label,
      `${session.apiHost}${known.includes(session.name) ? "" : `  (${session.name})`}${
        session.name === active ? "  active" : ""
      }`,
    ];
  });
  const hint = `Name the user: ${command} ${first.session.name}. Signed in: ${sessionNames(sessions)}.`;
  const { pick } = await import("./prompt/picker.ts");
  const index = await pick(cli.terminal, cli.interrupted, question, labels, hint);
  return sessions[index] ?? first;
}
