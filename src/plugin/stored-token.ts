/**
 * The usual case of `auth get-token`: a named session, or the active one for an entry that follows it, whose stored token is
 * fresh, where no other flag has a say. It is loaded in the program's place, so it takes the least code. Whatever else there
 * is, get-token.ts answers, from the beginning.
 */

import { ALL, namesOf, variableInForce } from "../providers/registry.ts";
import { activeAtHand, sessionAtHand } from "../sessions/at-hand.ts";
import { preferredKind } from "../sessions/fresh-token.ts";
import { openAtHand } from "../sessions/open-at-hand.ts";
import { mayHaveFailed } from "../sessions/recent-failure.ts";
import { isFresh, type TimedToken, timedToken } from "../sessions/token.ts";
import type { Clock } from "../system/clock.ts";
import { type Environment, environment, type Folders, foldersOf } from "../system/environment.ts";
import { type ParentProcess, parentProcess, startedAfter } from "../system/parent-process.ts";
import { writeErr, writeOut } from "../system/terminal.ts";
import { type GetTokenFlags, type GetTokenRequest, getTokenRequest, readGetToken } from "./arguments.ts";
import { openDeliveries } from "./deliveries.ts";
import { chooseForm, type Form, formatExecCredential } from "./exec-credential.ts";
import { printAnswer, type Printer } from "./print.ts";
import { isOfEntry, isRightSession } from "./right-session.ts";

/** The flags that the usual case has. */
const USUAL: ReadonlySet<string> = new Set<keyof GetTokenFlags>([
  "output",
  "session",
  "activeFor",
  "clientId",
  "token",
  "minimumLife",
  "requestTimeout",
  "quiet",
]);

/** What the names in sessions stand for. */
const CLOUDS = namesOf(ALL);

/** How long an open keyring may take here, in milliseconds: the rest of the call's time is for its tool. */
const KEYRING_TIME = 1000;

/** What a call is given from outside. */
export interface StoredTokenContext extends Pick<Printer, "writeOut" | "writeErr"> {
  readonly env: Environment;
  readonly now: Clock;
  readonly parent: ParentProcess;
}

/**
 * Prints the stored token that a line of `auth get-token` means, and records who got it. Returns the exit code; undefined,
 * before anything is printed, where the case is not the usual one.
 */
export async function runStoredToken(
  args: readonly string[],
  context: StoredTokenContext = {
    env: environment,
    now: Date.now,
    parent: parentProcess,
    writeOut,
    writeErr,
  },
): Promise<number | undefined> {
  const answer = await storedAnswer(args, context).catch(() => undefined);
  return answer === undefined ? undefined : printAnswer(answer, { ...context, errorFormat: "human" });
}

async function storedAnswer(
  args: readonly string[],
  context: StoredTokenContext,
): Promise<string | undefined> {
  const { env } = context;
  const flags = readGetToken(args);
  if (flags === undefined || !Object.keys(flags).every((flag) => USUAL.has(flag))) return undefined;
  const form = chooseForm(flags, env);
  if (form.wrong !== undefined || env("DATUMCTL_ERROR_FORMAT") !== undefined) return undefined;
  const request = getTokenRequest(flags);
  const token = await storedToken(request, form, context);
  if (token === undefined) return undefined;
  return form.output === "token" ? `${token.token}\n` : formatExecCredential(form.output, token);
}

/** The token, recorded when it goes to kubectl; undefined for one that the whole of get-token has to look at. */
async function storedToken(
  request: GetTokenRequest,
  form: Form,
  { env, now, parent }: StoredTokenContext,
): Promise<TimedToken | undefined> {
  const folders = foldersOf(env);
  const name = request.session ?? activeName(request, env, folders);
  const found = name === undefined ? undefined : await sessionAtHand(folders, name, CLOUDS);
  if (found === undefined || !isOfEntry(found.session, request)) return undefined;
  const { paths } = found;
  // What failed a moment ago is not tried again.
  if (form.output !== "token" && mayHaveFailed(paths.failure, now)) return undefined;
  const opened = await openAtHand(found, CLOUDS, {
    bus: env("DBUS_SESSION_BUS_ADDRESS"),
    timeout: KEYRING_TIME,
  });
  // A CI job's token is for that job.
  if (opened === undefined || opened.credentials.tokenSource?.kind === "workload") return undefined;
  const { session, credentials } = opened;
  if (!isRightSession(session, request, form, env)) return undefined;
  const kind = request.token ?? (form.output === "token" ? "access" : preferredKind(session));
  const token = timedToken(credentials, kind);
  if (token === undefined || !isFresh(token, request, now())) return undefined;
  if (form.info === undefined) return token;
  const before = await openDeliveries(paths.deliveries, now).record(parent.id, token.token);
  // The same process comes back for it: its server may have refused it.
  return before === undefined || await startedAfter(parent, before, now) ? token : undefined;
}

/** The active session's name, for an entry that follows it, which no folder changes. */
function activeName(
  { activeFor }: GetTokenRequest,
  env: Environment,
  folders: Folders,
): string | undefined {
  const decided = activeFor === undefined || variableInForce(env, ALL) !== undefined;
  return decided ? undefined : activeAtHand(folders);
}
