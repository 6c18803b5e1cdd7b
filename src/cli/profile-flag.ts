/** The flag that makes a printed line act as a session, where it would otherwise act as another one. */

import { failureOrThrow } from "../errors.ts";
import { chooseSession } from "../sessions/choose.ts";
import type { Session } from "../sessions/session.ts";
import type { CommandContext } from "./context.ts";

/** `--profile NAME`; nothing where a line without it acts as that session. */
export async function profileFlag(
  { store, choice }: CommandContext,
  { name }: Pick<Session, "name">,
): Promise<readonly string[]> {
  const flags = ["--profile", name];
  try {
    const acting = await chooseSession(store, { ...choice, flag: undefined, credentialsFile: undefined });
    return acting.session.name === name ? [] : flags;
  } catch (thrown) {
    failureOrThrow(thrown);
    return flags;
  }
}
