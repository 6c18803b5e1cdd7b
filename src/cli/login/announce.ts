/** What is said after a sign-in of any kind: the session's name, and what comes next. */

import { hasControlPlanes } from "../../providers/datum/facts.ts";
import type { Session } from "../../sessions/session.ts";
import { defaultSessionName } from "../../sessions/new-name.ts";
import { shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { flagOf } from "../ctx/remember.ts";
import { profileFlag } from "../profile-flag.ts";

/** Says the session's name where nobody would guess it: `label` is what usually stands before the `@`. */
export function tellName({ out }: CommandContext, session: Session, label: string): void {
  if (session.name !== defaultSessionName(label, session.apiHost)) out.info(`Session: ${session.name}`);
}

/** The one command that fits after a sign-in, and what helps with it on a line of its own. */
export interface NextStep {
  readonly command: string;
  readonly help?: string | undefined;
}

/** The next step of a session; where something is in use, a line that works as it is printed. */
export async function nextStep(cli: CommandContext, session: Session): Promise<NextStep> {
  if (session.inUse !== undefined && hasControlPlanes(session)) {
    const profile = await profileFlag(cli, session);
    const line = (...words: readonly string[]) => shellLine(["datumctl", ...words, ...profile]);
    return {
      command: line("auth", "update-kubeconfig", ...flagOf(session.inUse)),
      help: `Or without kubectl: ${line("api-resources")}`,
    };
  }
  const { nextCommand, nextHelp } = await cli.providers.of(session).load();
  return { command: nextCommand, help: nextHelp };
}

/** Tells the next step. */
export async function tellNext(cli: CommandContext, session: Session): Promise<void> {
  const { command, help } = await nextStep(cli, session);
  cli.out.info(`Next: ${command}${help === undefined ? "" : `\n${help}`}`);
}
