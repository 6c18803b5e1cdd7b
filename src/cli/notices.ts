/** Notices that several commands print: what takes precedence, what stays valid, where a key is, what ends soon. */

import { AppError, failureOrThrow } from "../errors.ts";
import { printable } from "../text.ts";
import { systemAccount } from "../keyring/store.ts";
import { dueExpiryWarning } from "../providers/studio/expiry.ts";
import type { StoredSession } from "../sessions/acting.ts";
import type { SavedSession } from "../sessions/save.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import type { CommandContext } from "./context.ts";

/** Warns that commands act as the session of a variable, where that is not the active one. */
export function warnOfPrecedence({ out, env, choice, providers }: CommandContext, active?: string): void {
  const variable = choice.variable === undefined
    ? providers.variableInForce(env)
    : choice.variable.session === (active ?? choice.variable.session)
    ? undefined
    : choice.variable.name;
  if (variable !== undefined) out.warn(`${variable} is set and takes precedence over the active session.`);
}

/** Warns that a folder's file or the project folder has a session, which takes precedence over the active one. */
export async function warnOfProjectFolder({ out, store, choice }: CommandContext): Promise<void> {
  const file = await choice.folderFile?.().catch((thrown) => void failureOrThrow(thrown));
  if (file?.session !== undefined) {
    out.warn(
      `In ${file.folder} and its subfolders, the session "${file.session}" of ${file.path} takes precedence ` +
        "over the active one.",
    );
  }
  const local = await store.nearestProject();
  if (local?.project === undefined) return;
  out.warn(
    `In ${
      printable(local.project)
    } and its subfolders, that folder's own session takes precedence over the active one.`,
  );
}

/** Says where the session's key is kept, and why not in the store that was tried first. */
export function printKeyLocation(
  { out, store }: CommandContext,
  { session, fallbackReason }: SavedSession,
): void {
  // Nobody asked for a key in a file, so that is something to act on.
  const tell = fallbackReason === undefined ? out.info : out.important;
  if (fallbackReason !== undefined) tell(`warning: ${fallbackReason.message}`);
  tell(`Credentials: encrypted on this machine, their key in ${store.secretStore(session.keyStore).name}.`);
  if (session.keyStore === "file") tell("Whoever can read your files can use this session.");
}

/** Warns of a token that nothing renews and that ends within a week, once a day. */
export async function warnOfExpiry(
  { out, now, quiet }: CommandContext,
  store: SessionStore,
  session: Session,
): Promise<void> {
  if (quiet) return;
  const warning = await dueExpiryWarning(store, session, now());
  if (warning !== undefined) out.warn(warning);
}

/** The error for a session that was removed while its item in the keyring was not. `done` says what became of the session. */
export async function keyLeftBehind(
  done: string,
  { session, store }: StoredSession,
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

/** What stays valid after a session was removed here, and where it can be ended; undefined where nothing does. */
export async function staysValid(
  { providers }: CommandContext,
  session: Session,
): Promise<string | undefined> {
  return (await providers.of(session).load()).staysValid?.(session);
}
