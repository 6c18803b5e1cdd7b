/** Owns how commands name sessions: by e-mail, by name, by picking one. */

import { AppError, failureOrThrow } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { variableInForce } from "../providers/ambient.ts";
import { systemAccount } from "../keyring/store.ts";
import type { Session } from "../sessions/session.ts";
import {
  AMBIENT,
  defaultSessionName,
  isCalled,
  labelOf,
  nameOfPerson,
  OF_CREDENTIALS_FILE,
} from "../sessions/name.ts";
import { chooseSession, type ChosenSession } from "../sessions/choose.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type CommandContext, keyringLimits } from "./context.ts";

/** A session, and the place that it is in. */
export interface PlacedSession {
  readonly session: Session;
  readonly store: SessionStore;
}

/** Every session of a place that can be read, the person's own unless told; the others are warned of. */
export async function readableSessions({ store: own, out }: CommandContext, store = own): Promise<Session[]> {
  const { sessions, damaged } = await store.list();
  for (const error of damaged) out.warn(`${error.message} ${error.hint ?? ""}`.trim());
  return sessions;
}

/** As {@link readableSessions}, with their place. */
export async function placedSessions(cli: CommandContext, store = cli.store): Promise<PlacedSession[]> {
  return (await readableSessions(cli, store)).map((session) => ({ session, store }));
}

/** A session that a command acts as, and the dependencies with the place that it is in. */
export interface ActingSession extends ChosenSession {
  readonly deps: CommandContext;
}

/**
 * The session that a command acts as. Throws what {@link chooseSession} does, and what opening it does for one that is in
 * a project's folder.
 */
export async function actingSession(cli: CommandContext): Promise<ActingSession> {
  const chosen = await trusted(cli, await chooseSession(cli.store, cli.choice));
  return { ...chosen, deps: { ...cli, store: chosen.store } };
}

/** As it was sealed, where it is in a project's folder: anybody may have made that, and nothing it says is told. */
export async function trusted<Placed extends PlacedSession>(
  cli: CommandContext,
  placed: Placed,
): Promise<Placed> {
  const { session, store } = placed;
  if (store.project === undefined) return placed;
  return { ...placed, session: (await store.open(session, keyringLimits(cli))).session };
}

/**
 * The sessions that are of use here: the person's own, and those of the project folder that their keys open. The others
 * are warned of.
 */
export async function sessionsHere(cli: CommandContext): Promise<PlacedSession[]> {
  const local = await cli.store.nearestProject();
  const own = await placedSessions(cli);
  if (local === undefined) return own;
  const ours: PlacedSession[] = [];
  for (const placed of await placedSessions(cli, local)) {
    try {
      ours.push(await trusted(cli, placed));
    } catch (thrown) {
      const { message, hint = "" } = failureOrThrow(thrown);
      cli.out.warn(`${message} ${hint}`.trim());
    }
  }
  return [...own, ...ours];
}

/** A session went, and the keyring's item did not. `done` says what became of the session. */
export async function keyLeftBehind(
  done: string,
  { session, store }: PlacedSession,
  { code, message, cause }: AppError,
): Promise<AppError> {
  const { account } = await systemAccount(store.account(session.name));
  return new AppError(
    code === "KEYRING_TIMEOUT" ? code : "STORAGE",
    `${done}, but the keyring's item "${printable(account, Infinity)}" (service datumctl) ` +
      `was left behind: ${message}`,
    {
      hint: "Remove that item with your keyring's own program; by itself it opens nothing.",
      cause,
      // The session is gone: the same call would find nobody.
      retryable: false,
    },
  );
}

/** What no removal from this machine ends, and where it is ended; undefined where there is no such thing. */
export function staysValid({ kind, clientId, authHost, apiHost }: Session): string | undefined {
  const id = printable(clientId);
  switch (kind) {
    case "api-token":
      return `The token ${id} itself may still be valid. To delete it, as an administrator: ${
        shellLine(["datumctl", "tokens", "delete", clientId])
      }`;
    case "pat":
      return `The personal access token itself stays valid at ${apiHost} until it is revoked there.`;
    case "service-account":
      return `The key of ${id} itself stays valid at ${authHost} until it is removed there.`;
    default:
      return undefined;
  }
}

/** Where the key of a session's credentials is kept, in words. */
export function storedIn(session: Session): string {
  if (isAmbient(session)) return "nowhere: it comes from a variable";
  return session.keyStore === "system" ? "keyring" : "key file";
}

/** {@link storedIn} for programs. */
export function storageOf(session: Session): "keyring" | "file" | "none" {
  if (isAmbient(session)) return "none";
  return session.keyStore === "system" ? "keyring" : "file";
}

const REFUSED = "cannot be renewed: sign in again";

/** When the token at hand ends, and whether another follows by itself. */
export function tokenEnds(session: Session, now: number): string {
  const { kind, tokenExpires, expires, renewalRefused } = session;
  if (tokenExpires === undefined) {
    if (kind === "workload" && !isAmbient(session)) return "when the CI job's token expires";
    const made = kind === "service-account" || kind === "api-token" || kind === "pat";
    return made ? "renewed when needed" : "unknown";
  }
  const over = Date.parse(tokenExpires) <= now ? "expired" : "valid";
  const next = renewalRefused !== undefined ? `, ${REFUSED}` : expires === undefined ? ", renews itself" : "";
  return `${tokenExpires} (${over}${next})`;
}

/** True while a session, or a token, has not ended. */
export function isLive({ expires }: Pick<Session, "expires">, now: number): boolean {
  return expires === undefined || Date.parse(expires) > now;
}

/** True for a session that is known to be over: it has ended, or its issuer refused to renew it. */
export function isOver(session: Session, now: number): boolean {
  return session.renewalRefused !== undefined || !isLive(session, now);
}

/** When a session ends for good. */
export function sessionEnds({ kind, expires, renewalRefused }: Session, now: number): string {
  if (renewalRefused !== undefined) return REFUSED;
  if (expires === undefined) return kind === "workload" ? "when its CI job ends" : "renews itself";
  return isLive({ expires }, now) ? expires : `${expires} (expired)`;
}

/** True for a session that comes from a variable: nothing of it is stored. */
function isAmbient({ name }: Session): boolean {
  return name.startsWith(AMBIENT);
}

/** Says that the active session is not the one that commands act as, where a variable gives another than that one. */
export function tellWhatComesFirst({ out, env, choice }: CommandContext, active?: string): void {
  const variable = choice.variable === undefined
    ? variableInForce(env)
    : choice.variable.session === (active ?? choice.variable.session)
    ? undefined
    : choice.variable.name;
  if (variable !== undefined) out.warn(`${variable} is set and takes precedence over the active session.`);
}

/** Says that the person's active session is not the one that counts here, where a project folder has its own. */
export async function tellOfFolder({ out, store }: CommandContext): Promise<void> {
  const local = await store.nearestProject();
  if (local?.project === undefined) return;
  out.warn(
    `In ${
      printable(local.project)
    } and its subfolders, that folder's own session takes precedence over the active one.`,
  );
}

/** Refuses a session that a flag gives to one command, where another program is to act as it. Throws `USAGE`. */
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

/** Refuses a session that comes from a variable, where something is to be remembered or removed. Throws `USAGE`. */
export function checkStored(session: Session, hint: string): void {
  if (!isAmbient(session)) return;
  const variable = session.name.slice(AMBIENT.length);
  throw new AppError("USAGE", `The session from ${variable} is not stored.`, { hint });
}

/**
 * The session that a person means: the one of that name, or the only one of that e-mail. Throws `NOT_FOUND`, or
 * `USAGE` naming the sessions when the e-mail has several.
 */
function matchSession(sessions: readonly PlacedSession[], user: string, command: string): PlacedSession {
  const named = sessions.find(({ session }) => session.name === user.normalize("NFC"));
  if (named !== undefined) return named;
  const found = sessions.filter(({ session }) => isOf(session, user));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new AppError("USAGE", `${printable(user)} has ${found.length} sessions: ${names(found)}.`, {
      hint: `Name one of them: ${command} ${only.session.name}`,
    });
  }
  throw new AppError("NOT_FOUND", `${printable(user)} is not signed in here.`, {
    hint: sessions.length === 0 ? "Sign in: datumctl login" : `Signed in: ${names(sessions)}.`,
  });
}

function isOf({ user }: Session, name: string): boolean {
  return isCalled(user, name) || user.subject === name;
}

/**
 * The session that a person means: by its user, else the one that `--profile` or a variable names exactly,
 * else the only one, else asking on a terminal. Throws `NOT_SIGNED_IN` where there is none of the name, `USAGE` when
 * the user and `--profile` mean two.
 */
export async function meantSession(
  cli: CommandContext,
  sessions: readonly PlacedSession[],
  user: string | undefined,
  question: string,
  command: string,
  store = cli.store,
): Promise<PlacedSession> {
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
    if (user === undefined || user === session.name || isOf(session, user)) return chosen;
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
    const given = variableInForce(cli.env);
    throw new AppError("NOT_SIGNED_IN", "Nobody is signed in here.", {
      hint: given === undefined
        ? "Sign in: datumctl login"
        : `The session from ${given} is not stored; unset the variable to stop using it.`,
    });
  }
  if (others.length === 0) return first;
  const active = await cli.store.active();
  const labels = sessions.map(({ session, store }) => {
    // What its file says beside its name may be anybody's words.
    if (store.project !== undefined) return `${session.name}  in ${printable(store.project)}`;
    const usual = defaultSessionName(nameOfPerson(session.user), session.apiHost);
    return `${labelOf(session)}  ${session.apiHost}${session.name === usual ? "" : `  (${session.name})`}${
      session.name === active ? "  active" : ""
    }`;
  });
  const hint = `Name the user: ${command} ${first.session.name}. Signed in: ${names(sessions)}.`;
  const { pick } = await import("./prompt/picker.ts");
  const index = await pick(cli.terminal, cli.interrupted, question, labels, hint);
  return sessions[index] ?? first;
}

/** Whom a session is of, and where; with its name where another of those sessions would be called the same. */
export function whoAndWhere(session: Session, sessions: readonly PlacedSession[]): string {
  const words = (one: Session) => `${labelOf(one)} at ${one.apiHost}`;
  const same = sessions.filter((other) => words(other.session) === words(session));
  return same.length > 1 ? `${words(session)} (${session.name})` : words(session);
}

function names(sessions: readonly PlacedSession[]): string {
  return sessions.map(({ session }) => session.name).join(", ");
}
