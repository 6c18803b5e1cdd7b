/** `ctx`: shows the organization or project that commands act on. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { hasControlPlanes } from "../../providers/datum/facts.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { findScope } from "../../providers/datum/find-scope.ts";
import { describeScope, warnOfRefusedScope } from "../scope-lines.ts";
import { actingSession } from "../pick-session.ts";
import { formatObject, listFormat } from "../output/table.ts";
import { outputOption } from "../complete/declare.ts";

/** `ctx`, without the commands that it holds. */
export function ctxShowCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("ctx")
    .description("Show or choose the organization or project to act on")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl ctx\n  datumctl ctx use my-org-id/my-project-id\n  datumctl ctx list\n\n" +
        "For one command: --organization, --project or --platform-wide; for one terminal: the variables\n" +
        "DATUM_ORGANIZATION and DATUM_PROJECT.",
    );
  command.action((flags) => runCtx(contextOf(command), { output: flags.output }));
  return command;
}

/** Prints what is in use, and what it was set by. */
export async function runCtx(
  cli: CommandContext,
  input: { readonly output?: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const chosen = await actingSession(cli);
  const scope = await findScope({}, cli.env, chosen);
  const { lines, object, name, host } = describeScope(scope, chosen.session);
  if (scope === undefined && (format === "table" || format === "wide" || format === "name")) {
    if (hasControlPlanes(chosen.session)) {
      return cli.out.info("Nothing is in use. Choose something: datumctl ctx use ORG[/PROJECT]");
    }
    const { message, hint = "" } = await cli.providers.nothingInUse(chosen.session);
    return cli.out.info(`${message} ${hint}`);
  }
  const { source, session: { name: session } } = chosen;
  cli.out.text(
    await formatObject(
      [...lines, ["Host", host], ["Session", session], ["Chosen by", source]],
      { ...object, host, session, source },
      name,
      format,
      cli.style.out,
    ),
  );
  warnOfRefusedScope(cli, scope);
}
