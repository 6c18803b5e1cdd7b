/** Leaves the credential of a call for the launcher, which hands it out until a new one must be asked for. */

import { handleOf, type HandOffFile, openHandOff } from "../sessions/hand-off.ts";
import { renewLauncher } from "../sessions/launcher.ts";
import type { Session } from "../sessions/session.ts";
import { ENV_PREFIX } from "../sessions/name.ts";
import { plainServer } from "../sessions/served-servers.ts";
import type { SessionStore } from "../sessions/store.ts";
import {
  defaultMinimumLife,
  type FreshToken,
  reportedExpiry,
  timedToken,
  timeLeft,
} from "../sessions/token.ts";
import type { GetTokenRequest } from "./arguments.ts";
import { LONGEST_LOOK, type ParentProcess } from "../system/parent-process.ts";
import { EXEC_API_VERSIONS, type Form, formatExecCredential } from "./exec-credential.ts";

/** A call that the launcher made. */
export interface LaunchedCall {
  readonly request: GetTokenRequest;
  readonly form: Form;
  readonly store: SessionStore;
  readonly parent: ParentProcess;
  /** When the call must end, on the scale of `performance.now()`. */
  readonly deadline: number;
}

/**
 * The stored credential that a call of the launcher is about; undefined for a handle of another session or token, so that
 * an edited entry cannot put one session's token where another's is looked for.
 */
async function handOffOf(
  name: string,
  { request: { handOff, token }, store: { folders, project } }: Pick<LaunchedCall, "request" | "store">,
): Promise<HandOffFile | undefined> {
  const usable = project === undefined && folders.missing === undefined && !name.startsWith(ENV_PREFIX);
  if (!usable || handOff !== await handleOf(folders, name, token)) return undefined;
  return await openHandOff(folders, handOff);
}

/** What the launcher handed out. */
export interface HandedOut {
  /** Undefined when it is gone. */
  readonly token: string | undefined;
  /** The latest time at which that can have been, in milliseconds since 1970. */
  readonly at: number;
  /** The session as it was after that was read: where a renewal took the token away, it has the next one. */
  readonly session: Session | undefined;
}

/** What the launcher handed out to the parent, or to an earlier process of its number; undefined for another's handle. */
export async function readHandedOut(
  { name }: Session,
  call: Pick<LaunchedCall, "request" | "store" | "parent">,
): Promise<HandedOut | undefined> {
  const { store, parent: { pid } } = call;
  const file = await handOffOf(name, call);
  if (file === undefined) return undefined;
  const token = await file.token();
  const at = (file.noted(pid) ?? store.host.now()) + LONGEST_LOOK;
  return { token, at, session: await store.read(name) };
}

/** Stores the credential of a call for the launcher. A failure costs nothing but time. */
export async function leaveHandOff(token: FreshToken, call: LaunchedCall): Promise<void> {
  const { form: { output, info }, request: { minimumLife }, store, parent: { pid } } = call;
  const [version] = EXEC_API_VERSIONS;
  const server = info?.server && plainServer(info.server);
  // Another job's call must not get this job's token.
  if (output !== version || server === undefined || token.session.kind.tokens === "of a job") return;
  const file = await handOffOf(token.session.name, call);
  if (file === undefined) return;
  await renewLauncher(store.folders).catch(() => {});
  const refreshed = token.expires - (minimumLife ?? defaultMinimumLife(token));
  const until = Math.min(refreshed, reportedExpiry(token));
  if (until <= store.host.now()) return;
  const credential = formatExecCredential(version, token).trimEnd();
  const written = await file.write({ credential, server, until, pid });
  // No lock is held: another process may have removed or renewed the session meanwhile, and looked before the file was there.
  if (written && !await isStillThere(token, call).catch(() => false)) await file.remove();
}

async function isStillThere(token: FreshToken, { store, deadline }: LaunchedCall): Promise<boolean> {
  const session = await store.read(token.session.name);
  if (session === undefined || session.renewalRefused !== undefined) return false;
  if (session.credentials === token.session.credentials) return true;
  const { credentials } = await store.open(session, { timeout: timeLeft(deadline) });
  return timedToken(credentials, token.kind)?.token === token.token;
}
