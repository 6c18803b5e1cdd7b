/** Opens a session that is about to be replaced. */

import { failureOrThrow } from "../errors.ts";
import type { KeyringLimits } from "../keyring/store.ts";
import type { OpenedSession } from "./open.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./store.ts";

/**
 * The session, opened. Undefined where the new sign-in is what mends it: its key is lost, its file is damaged, or
 * `--keyring file` gives up its keyring.
 *
 * @throws {AppError} what opening throws otherwise, such as for a keyring that is locked
 */
export async function openUnlessLost(
  store: SessionStore,
  session: Session,
  limits: KeyringLimits,
  keyring?: string | undefined,
): Promise<OpenedSession | undefined> {
  try {
    return await store.open(session, limits);
  } catch (thrown) {
    const { code } = failureOrThrow(thrown);
    const lost = code === "KEYRING_ITEM_MISSING" || code === "STORAGE";
    if (lost || keyring === "file") return undefined;
    throw thrown;
  }
}
