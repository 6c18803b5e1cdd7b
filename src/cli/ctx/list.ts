/** `ctx list`: lists what can be chosen, with a mark at what is in use. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ChosenSession } from "../../sessions/choose.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { findScope } from "../../providers/datum/find-scope.ts";
import { scopeParts } from "../scope-lines.ts";
import { type ActingSession, actingSession } from "../pick-session.ts";
import { isFromEnvironment } from "../session-life.ts";
import { formatSpan } from "../../system/clock.ts";
import { formatListing, listFormat } from "../output/table.ts";
import {
  isNamedBy,
  type ListedTargets,
  listTargets,
  targetName,
  type TargetRow,
  targetsListedBefore,
} from "./targets.ts";
import { outputOption } from "../complete/declare.ts";

/** How old the table may be, in milliseconds. */
const LONGEST_LIFE = 10 * 60_000;

/** `ctx list`. */
export function ctxListCommand(contextOf: ContextOf): CommandUnknownOpts {
  const list = new Command("list").alias("ls")
    .description("List what can be chosen: every organization with its projects")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .option("--refresh", "ask the server, however young the last list is")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl ctx list\n  datumctl ctx list --refresh\n  datumctl ctx list -o name\n\n" +
        "The table is at most 10 minutes old, and says so where it was not just asked for.\n" +
        "The other formats, which programs read, always ask the server.",
    );
  list.action(({ refresh }) => {
    // Commander gives the value to the same flag of `ctx`, wherever it stands.
    const { output } = list.optsWithGlobals() as { readonly output?: string };
    return runCtxList(contextOf(list), { output, refresh });
  });
  return list;
}

/** Prints the targets, with a mark at the one that commands act on. */
export async function runCtxList(
  cli: CommandContext,
  input: { readonly output?: string | undefined; readonly refresh?: true | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const chosen = await actingSession(cli);
  const { some, isActedOn } = await actedOn(cli, chosen);
  const before = format === "table" && input.refresh === undefined ? await listedBefore(chosen) : undefined;
  // What is in use may have come since.
  const young = before?.rows.some(isActedOn) || !some ? before : undefined;
  const rows = young?.rows ?? await listTargets(chosen.context, chosen.session);
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
  if (young !== undefined) tellAge(cli, cli.now() - young.at);
}

/** The list of a moment ago. Of a session from a variable there is none: another value of it is another identity. */
async function listedBefore({ context, session }: ActingSession): Promise<ListedTargets | undefined> {
  return isFromEnvironment(session) ? undefined : await targetsListedBefore(context, session, LONGEST_LIFE);
}

function tellAge({ out }: CommandContext, age: number): void {
  if (age < 1000) return;
  out.info(
    `As it was ${formatSpan(Math.floor(age / 1000) * 1000)} ago. To ask again: datumctl ctx list --refresh`,
  );
}

/** What commands act on. */
interface ActedOn {
  /** False where that is no organization or project of the API host. */
  readonly some: boolean;
  readonly isActedOn: (row: TargetRow) => boolean;
}

async function actedOn(cli: CommandContext, chosen: ChosenSession): Promise<ActedOn> {
  const { organization, project } = scopeParts(await findScope({}, cli.env, chosen), chosen.session.apiHost);
  return {
    some: (organization ?? project) !== undefined,
    isActedOn: isNamedBy({ organization, project }),
  };
}
