/** `apply`: makes objects what documents say, by the server's own apply. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import type { JsonMembers } from "../kube/lossless-json.ts";
import { appliedListJson } from "../kube/list-text.ts";
import { withoutManagedFields } from "../kube/read/list-items.ts";
import { shownText } from "../kube/read/show.ts";
import type { Applied, ApplyOptions } from "../kube/write/apply.ts";
import { conflictText } from "../kube/write/conflict.ts";
import { applyAll } from "../kube/write/documents.ts";
import { APPLY_MANAGER } from "../kube/write/managed-fields.ts";
import type { DryRun } from "../kube/write/object-ref.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import {
  addDocumentFlags,
  addServerSideFlags,
  addValidateFlag,
  checkServerSide,
  type DocumentFlags,
  documentFlags,
  readDocuments,
  type ServerSideFlags,
  validationOf,
  writeDocuments,
} from "./resources/documents.ts";
import { addDryRunFlag, dryRunOf, takeBooleanValues } from "./resources/flags.ts";
import { openResources, writeContext } from "./resources/plane.ts";
import {
  addResultFlags,
  openResults,
  type ResultFlags,
  resultFlags,
  type Results,
  tellWarnings,
} from "./resources/results.ts";
import { sayWhere } from "./resources/where.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl apply -f zone.yaml
  datumctl apply -f zones/ -R
  datumctl apply -f https://example.com/zone.yaml --dry-run=server
  generate | datumctl apply -f -

It says created, configured or unchanged of each object. See first what would change: datumctl diff`;

/** `apply`. */
export function applyCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("apply")
    .description("Create or change objects to be what manifests say")
    .option("--force-conflicts", "take over fields that somebody else has changed")
    .addOption(
      valueOption(
        "nothing",
        "--field-manager <name>",
        `who the fields are written as (default: ${APPLY_MANAGER})`,
      ),
    )
    .addHelpText("after", EXAMPLES);
  addDocumentFlags(command, "apply");
  addDryRunFlag(command);
  addValidateFlag(command);
  addResultFlags(command);
  addServerSideFlags(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((flags) =>
    runApply(contextOf(command), {
      ...flags,
      ...(command.opts() as ServerSideFlags),
      ...documentFlags(command),
      ...resultFlags(command),
      ...scopeFlags(command),
    })
  );
  return command;
}

/** The flags of `apply`, as they were typed. */
export interface ApplyInput extends DocumentFlags, ResultFlags, ScopeFlags, ServerSideFlags {
  readonly forceConflicts?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly dryRun?: string | undefined;
  readonly validate?: string | undefined;
}

/** Applies what the input names. */
export async function runApply(cli: CommandContext, input: ApplyInput): Promise<void> {
  checkServerSide(input);
  const options: ApplyOptions = {
    fieldManager: input.fieldManager || APPLY_MANAGER,
    validation: validationOf(input.validate),
    force: input.forceConflicts ?? false,
    dryRun: dryRunOf(input.dryRun),
  };
  const print = openPrinter(cli, await openResults(cli, input), input, options.dryRun);
  const manifests = await readDocuments(cli, input);
  if (manifests.length === 0) throw new AppError("USAGE", "The selector chooses none of the objects.");
  using plane = await openResources(cli, input);
  sayWhere(cli, plane);
  const error = await writeDocuments<Applied>(cli, plane, {
    manifests,
    doing: "applying",
    outcome: "applied",
    write: (shared) => applyAll(writeContext(cli, plane), manifests, { ...shared, ...options }),
    tell: async (done, { label }) => {
      tellWarnings(cli, done.warnings);
      for (const change of done.replaced) cli.out.info(`${label}: ${conflictText(change)} is replaced.`);
      await print.one(done);
    },
  });
  if (error !== undefined) throw error;
  await print.end();
}

/** Prints lines as they come; objects at the end, several as one list, as kubectl does. */
function openPrinter(
  cli: CommandContext,
  results: Results,
  { output = "", showManagedFields }: ResultFlags,
  dryRun: DryRun,
) {
  const objects: JsonMembers[] = [];
  return {
    async one({ object, outcome }: Applied): Promise<void> {
      if (output === "" || output === "name") await results.print(object, outcome, dryRun);
      else objects.push(object);
    },
    async end(): Promise<void> {
      const [only] = objects;
      if (only === undefined) return;
      if (objects.length === 1) return await results.print(only, "");
      const isHidden = !showManagedFields && ["json", "yaml"].includes(output);
      const items = isHidden ? objects.map(withoutManagedFields) : objects;
      if (output !== "json") {
        return await results.print({ apiVersion: "v1", items, kind: "List", metadata: {} }, "");
      }
      cli.out.text(shownText({ isTerminal: cli.terminal.outIsTerminal }, appliedListJson(items)));
    },
  };
}
