/** `auth switch`: makes one of the signed-in users the active one. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { printable } from "../../text.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import { warnOfPrecedence, warnOfProjectFolder } from "../notices.ts";
import { pickSession, sessionsHere } from "../pick-session.ts";
import { whoAndWhere } from "../session-labels.ts";
import { sealedInProject } from "../../sessions/acting.ts";
import { valueArgument } from "../complete/declare.ts";

/** `auth switch`. */
export function switchCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("switch")
    .description("Make another signed-in user the active one")
    .addArgument(valueArgument("session", "[user]", "e-mail or session name; asked for when left out"))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth switch\n  datumctl auth switch ada@example.com\n\n" +
        "kubeconfig entries stay with the session they were made for, unless made with --follow-active.",
    );
  command.action((user) => runSwitch(contextOf(command), { user }));
  return command;
}

interface SwitchInput {
  readonly user: string | undefined;
}

/** Makes a stored session the active one of its store: the user's own, or the project folder's. */
export async function runSwitch(cli: CommandContext, input: SwitchInput): Promise<void> {
  const sessions = await sessionsHere(cli);
  const meant = await pickSession(
    cli,
    sessions,
    input.user,
    "Switch to which user?",
    "datumctl auth switch",
  );
  const { session, store } = await sealedInProject(meant, keyringLimits(cli));
  await store.activate(session.name);
  const where = store.project === undefined ? "" : ` in ${printable(store.project)}`;
  cli.out.success(`Switched to ${whoAndWhere(session, sessions)}${where}.`);
  warnOfPrecedence(cli, session.name);
  if (store.project === undefined) await warnOfProjectFolder(cli);
}
