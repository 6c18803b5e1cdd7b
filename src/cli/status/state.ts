/** What `status` tells: the session in force, what it acts on and how long it lasts, from files alone. */

import { AppError } from "../../errors.ts";
import { findScope } from "../../providers/datum/find-scope.ts";
import type { ChosenScope } from "../../providers/datum/scope.ts";
import { sealedInProject } from "../../sessions/acting.ts";
import { chooseSession, type ChosenSession, type SessionChoice } from "../../sessions/choose.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { type Life, lifeOf } from "../session-life.ts";

/** The session in force. */
export interface Status extends Pick<ChosenSession, "session" | "source"> {
  /** False for a project folder's session whose key is in the keyring: of its file only the name counts then. */
  readonly opened: boolean;
  readonly scope: ChosenScope | undefined;
  /** Absent for a session that is not opened. */
  readonly life: Life | undefined;
  /** The line that signs in again; absent where that is not asked for. */
  readonly signInAgain?: (() => Promise<string>) | undefined;
}

/** Key files are read at once, so nothing waits that long. */
const KEY_FILE = { timeout: 5_000, quiet: true };

/**
 * Finds the session that the next command would act as, and what it would act on, as `whoami` does; but no keyring is
 * asked.
 *
 * @throws {AppError} `NOT_SIGNED_IN`; `STORAGE` for a file that cannot be used; for a project folder's session with a key
 * file, what opening it throws
 */
export async function statusOf(
  store: SessionStore,
  choice: Omit<SessionChoice, "folderFile">,
): Promise<Status> {
  let found: ReturnType<SessionStore["folderFile"]> | undefined;
  // A file that is not trusted is never named here.
  const folderFile = () => found ??= store.folderFile();
  const chosen = await chooseSession(store, { ...choice, folderFile });
  const inProject = chosen.store.project !== undefined;
  if (inProject && chosen.session.keyStore === "system") {
    const { session, source } = chosen;
    return { session, source, opened: false, scope: undefined, life: undefined };
  }
  const sealed = await sealedInProject(chosen, KEY_FILE);
  const { session, source } = sealed;
  return {
    session,
    source,
    opened: true,
    scope: await scopeOf(sealed),
    life: lifeOf(session, store.host.now()),
    signInAgain: () => store.providers.signInAgain(session),
  };
}

/** What the session acts on; nothing where the kubeconfig cannot be read, which `whoami` warns of. */
async function scopeOf(chosen: ChosenSession): Promise<ChosenScope | undefined> {
  try {
    return await findScope({}, chosen.store.host.env, chosen, { quickly: true });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code === "USAGE") throw thrown;
    return undefined;
  }
}

/** The exit code of `status`: 0 for a session that can be used, 4 for one that is over. */
export function exitCodeOfStatus({ life }: Status): 0 | 4 {
  return life?.state === "expired" ? 4 : 0;
}
