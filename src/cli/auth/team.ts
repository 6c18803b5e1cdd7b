/** `auth team`: shows or sets the team that Studio's commands act as. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { checkedName } from "../../providers/studio/token-fields.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { exportTeam } from "../../providers/studio/export.ts";
import { warnOfExpiry } from "../notices.ts";
import { studioSession } from "../../providers/studio/acting.ts";
import { valueArgument } from "../complete/declare.ts";

/** `auth team`. */
export function teamCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("team")
    .description("Show or set the default team at DataChain Studio")
    .addArgument(valueArgument("nothing", "[name]", "the team; without it, the one that is set is shown"))
    .option("--local", "act on the project folder's own session")
    .addHelpText("after", "\nExamples:\n  datumctl auth team\n  datumctl auth team data-team");
  command.action((name, flags) => runTeam(contextOf(command), { name, ...flags }));
  return command;
}

interface TeamInput {
  readonly name: string | undefined;
  readonly local?: true | undefined;
}

/**
 * Shows the default team on stdout, or sets it.
 *
 * @throws {AppError} `USAGE` for a text that cannot be a team's name
 */
export async function runTeam(cli: CommandContext, { name, local }: TeamInput): Promise<void> {
  const { out } = cli;
  const team = name === undefined ? undefined : checkedName(name, "The team");
  const { session, store, credentials } = await studioSession(cli, "datumctl auth team", { local });
  if (team === undefined) {
    if (session.team !== undefined) out.line(session.team);
    else out.info("There is no default team. Set one: datumctl auth team NAME");
  } else {
    await store.update(session.name, () => ({ team }));
    out.line(`Default team of ${session.name}: ${team}`);
    if (session.exportedTo !== undefined) {
      const { accessToken: token = "" } = credentials;
      const { project } = store;
      await exportTeam({ path: session.exportedTo, project }, { url: session.issuer, token, team });
    }
  }
  await warnOfExpiry(cli, store, session);
}
