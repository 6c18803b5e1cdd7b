/** `ctx list`: lists what can be chosen, with a mark at what is in use. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ChosenSession } from "../../sessions/choose.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { findScope } from "../../providers/datum/find-scope.ts";
import { scopeParts } from "../scope-lines.ts";
import { actingSession } from "../pick-session.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { listTargets, targetName, type TargetRow } from "./targets.ts";
import { outputOption } from "../complete/declare.ts";

/** `ctx list`. */
export function ctxListCommand(contextOf: ContextOf): CommandUnknownOpts {
  const list = new Command("list").alias("ls")
    .description("List what can be chosen: every organization with its projects")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText("after", "\nExamples:\n  datumctl ctx list\n  datumctl ctx list -o name");
  // Commander gives the value to the same flag of `ctx`, wherever it stands.
  list.action(() => runCtxList(contextOf(list), list.optsWithGlobals() as { readonly output?: string }));
  return list;
}

/** Prints the targets, with a mark at the one that commands act on. */
export async function runCtxList(
  cli: CommandContext,
  input: { readonly output?: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const chosen = await actingSession(cli);
  const rows = await listTargets(chosen.context, chosen.session);
  const isActedOn = await actedOn(cli, chosen);
  cli.out.text(
    await formatListing<TargetRow>(
      {
        rows,
        columns: [
          { title: "In use", text: (row) => isActedOn(row) ? "*" : "" },
          { title: "Organization", text: ({ organization }) => organization },
          { title: "Project", text: ({ project }) => project ?? "" },
          { title: "Name", text: ({ displayName }) => displayName ?? "" },
        ],
        name: targetName,
        isActive: isActedOn,
        object: (row) => ({
          organization: row.organization,
          project: row.project ?? null,
          displayName: row.displayName ?? null,
          inUse: isActedOn(row),
        }),
      },
      format,
      cli.style.out,
    ),
  );
  if (rows.length === 0 && format === "table") cli.out.info("You are not a member of any organization.");
}

async function actedOn(cli: CommandContext, chosen: ChosenSession): Promise<(row: TargetRow) => boolean> {
  const { organization, project } = scopeParts(await findScope({}, cli.env, chosen), chosen.session.apiHost);
  return (row) =>
    project === undefined
      ? row.project === undefined && row.organization === organization
      : row.project === project && (organization ?? row.organization) === row.organization;
}
