/** `auth token`: prints Studio's token. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { freshToken } from "../../sessions/fresh-token.ts";
import { type CommandContext, type ContextOf, tokenLimits } from "../context.ts";
import { warnOfExpiry } from "../notices.ts";
import { studioSession } from "../../providers/studio/acting.ts";

/** `auth token`. */
export function tokenCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("token")
    .description("Print DataChain Studio's token")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth token\n  DATACHAIN_STUDIO_TOKEN=$(datumctl auth token) datachain job run query.py",
    );
  command.action(() => runToken(contextOf(command)));
  return command;
}

/**
 * Prints the token and nothing else.
 *
 * @throws {AppError} `SESSION_EXPIRED` when it has ended
 */
export async function runToken(cli: CommandContext): Promise<void> {
  const instead = "The token of any session: datumctl auth get-token. ";
  const { session, store } = await studioSession(cli, "datumctl auth token", { instead });
  const { token } = await freshToken(store, session, { kind: "access" }, tokenLimits(cli));
  cli.out.line(token);
  await warnOfExpiry(cli, store, session);
}
