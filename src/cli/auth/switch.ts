/** Owns `auth switch`: which of the signed-in users is the active one. */

import { Command } from "@commander-js/extra-typings";
import { printable } from "../../text.ts";
import { activateSession } from "../../sessions/config.ts";
import type { CommandDeps, Deps } from "../context.ts";
import {
  meantSession,
  sessionsHere,
  tellOfFolder,
  tellWhatComesFirst,
  trusted,
  whoAndWhere,
} from "../session-words.ts";

/** `auth switch`: makes one stored session the active one. */
export function switchCommand(deps: CommandDeps): Command {
  const command = new Command("switch")
    .description("Make another signed-in user the active one")
    .argument("[user]", "e-mail or session name; asked for when left out")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth switch\n  datumctl auth switch ada@example.com\n\n" +
        "kubeconfig entries stay with the session they were made for, unless made with --follow-active.",
    );
  command.action((user) => runSwitch(deps(command), { user }));
  return command as unknown as Command;
}

interface SwitchInput {
  readonly user: string | undefined;
}

/** Makes one stored session the active one of where it is kept: of the person, or of the project folder. */
export async function runSwitch(deps: Deps, input: SwitchInput): Promise<void> {
  const sessions = await sessionsHere(deps);
  const meant = await meantSession(
    deps,
    sessions,
    input.user,
    "Switch to which user?",
    "datumctl auth switch",
  );
  const { session, place } = await trusted(deps, meant);
  await activateSession(place, session.name);
  const where = place.project === undefined ? "" : ` in ${printable(place.project)}`;
  deps.out.line(`Switched to ${whoAndWhere(session, sessions)}${where}.`);
  tellWhatComesFirst(deps, session.name);
  if (place.project === undefined) await tellOfFolder(deps);
}
