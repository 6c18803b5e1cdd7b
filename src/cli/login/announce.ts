/** What is said after a sign-in of any kind: the session's name, and what comes next. */

import type { Session } from "../../sessions/session.ts";
import { defaultSessionName } from "../../sessions/new-name.ts";
import type { CommandContext } from "../context.ts";

/** Says the session's name where nobody would guess it: `label` is what usually stands before the `@`. */
export function tellName({ out }: CommandContext, session: Session, label: string): void {
  if (session.name !== defaultSessionName(label, session.apiHost)) out.info(`Session: ${session.name}`);
}

/** The one command that fits after a sign-in. */
export async function nextCommand({ providers }: CommandContext, session: Session): Promise<string> {
  return (await providers.of(session).load()).nextCommand;
}

/** Tells that command, and what helps with it. */
export async function tellNext({ out, providers }: CommandContext, session: Session): Promise<void> {
  const { nextCommand, nextHelp } = await providers.of(session).load();
  out.info(`Next: ${nextCommand}${nextHelp === undefined ? "" : `\n${nextHelp}`}`);
}
