/** What `label` and `annotate` are: changes of the labels or annotations of objects. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import type { JsonMembers } from "../../kube/lossless-json.ts";
import { asText, metadataOf } from "../../kube/json-parts.ts";
import { managerOf } from "../../kube/write/managed-fields.ts";
import {
  type Changed,
  changeMetadata,
  type ChangeOptions,
  type MetadataChanges,
  type MetadataField,
  metadataLines,
  readChanges,
  splitArguments,
} from "../../kube/write/metadata-changes.ts";
import { type DryRun, splitApiVersion } from "../../kube/write/object-ref.ts";
import type { ScopeFlags } from "../../providers/datum/scope.ts";
import { printable } from "../../text.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { addScopeFlags, scopeFlags } from "../scope-flags.ts";
import { addChoiceFlags, changeChosen, type ChoiceFlags, choiceFlags, choose, selects } from "./choose.ts";
import { endWithFailures } from "./failures.ts";
import { addDryRunFlag, dryRunOf, takeBooleanValues } from "./flags.ts";
import { openResources } from "./plane.ts";
import { addResultFlags, openResults, type ResultFlags, resultFlags, tellWarnings } from "./results.ts";
import { sayWhere } from "./where.ts";
import { valueArgument, valueOption } from "../complete/declare.ts";

/** Which of the two commands it is. */
export type MetadataVerb = "label" | "annotate";

const FIELDS: Readonly<Record<MetadataVerb, MetadataField>> = { label: "labels", annotate: "annotations" };

/** Makes one of the two commands. */
export function metadataChanger(
  contextOf: ContextOf,
  verb: MetadataVerb,
  examples: string,
): CommandUnknownOpts {
  const field = FIELDS[verb];
  const command = new Command(verb)
    .description(`Set or remove ${field} of objects`)
    .addArgument(
      valueArgument(
        "objects",
        "[words...]",
        "TYPE NAME… or TYPE/NAME…, then KEY=VALUE to set and KEY- to remove",
      ),
    )
    .option("--overwrite", `replace ${field} that have another value`)
    .option("--list", `print the ${field}, with the changes made, and write nothing`)
    .addOption(
      valueOption(
        "nothing",
        "--resource-version <version>",
        "change the object only if it still has this resourceVersion",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--field-manager <name>",
        `as whom the fields are written (default: ${managerOf(verb)})`,
      ),
    )
    .addOption(new Option("--local", "not supported").hideHelp())
    .addHelpText("after", examples);
  addChoiceFlags(command, verb);
  addDryRunFlag(command);
  addResultFlags(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((words, flags) =>
    runMetadata(contextOf(command), verb, {
      ...flags,
      ...choiceFlags(command),
      ...resultFlags(command),
      ...scopeFlags(command),
      words,
    })
  );
  return command;
}

/** The words and flags of `label` and `annotate`, as they were typed. */
export interface MetadataInput extends ChoiceFlags, ResultFlags, ScopeFlags {
  readonly words: readonly string[];
  readonly overwrite?: boolean | undefined;
  readonly list?: boolean | undefined;
  readonly resourceVersion?: string | undefined;
  readonly fieldManager?: string | undefined;
  readonly local?: boolean | undefined;
  readonly dryRun?: string | undefined;
}

/** Changes the labels or annotations of the objects that the input chooses. */
export async function runMetadata(
  cli: CommandContext,
  verb: MetadataVerb,
  input: MetadataInput,
): Promise<void> {
  const field = FIELDS[verb];
  const { objects: args, changes } = checkedWords(input, verb);
  const dryRun = dryRunOf(input.dryRun);
  const results = await openResults(cli, input);
  using plane = await openResources(cli, input);
  // As for kubectl, --all says nothing where objects are named.
  const all = input.all && args.length === 1 && !args[0]?.includes("/");
  const chosen = await choose(cli, plane, args, { ...input, all });
  const isSingle = chosen.objects.length + chosen.errors.length === 1 && !selects({ ...input, all });
  if (input.resourceVersion && !isSingle) {
    throw new AppError("USAGE", "--resource-version can be used with a single object only.");
  }
  const options: ChangeOptions = {
    fieldManager: input.fieldManager || managerOf(verb),
    overwrite: input.overwrite ?? false,
    resourceVersion: input.resourceVersion || undefined,
    dryRun: input.list ? "client" : dryRun,
  };
  if (!input.list) sayWhere(cli, plane, input);
  const errors = await changeChosen(
    cli,
    plane,
    chosen,
    verb === "label" ? "labeling" : "annotating",
    ({ ref }) => changeMetadata(plane.client, ref, field, changes, options),
    async (changed) => {
      tellWarnings(cli, changed.warnings);
      if (input.list) return listIn(cli, changed.object, field, isSingle);
      tellAbsent(cli, changed, field, dryRun);
      await results.print(changed.object, changed.outcome, dryRun);
    },
  );
  endWithFailures(cli, errors);
}

/** @throws {AppError} `USAGE`. */
function checkedWords(
  { words, list, output, local }: MetadataInput,
  verb: MetadataVerb,
): { readonly objects: readonly string[]; readonly changes: MetadataChanges } {
  if (local) {
    throw new AppError("USAGE", "--local is not supported.", { hint: "To write nothing: --dry-run=client" });
  }
  const field = FIELDS[verb];
  // kubectl annotate lists all the same.
  if (list && output && verb === "label") {
    throw new AppError("USAGE", "--list and -o cannot be combined.");
  }
  const { objects, changes } = splitArguments(words, field);
  const isOnlyList = list && changes.length === 0;
  return { objects, changes: isOnlyList ? { set: {}, remove: [] } : readChanges(changes, field) };
}

/** Prints an object's labels or annotations; one of several is named first. */
function listIn(
  { out }: CommandContext,
  object: JsonMembers,
  field: MetadataField,
  isSingle: boolean,
): void {
  const { group } = splitApiVersion(asText(object.apiVersion));
  const name = `${asText(object.kind)}.${group}/${asText(metadataOf(object).name)}`;
  if (!isSingle) out.line(printable(`Listing ${field} for ${name}:`, Infinity));
  for (const line of metadataLines(object, field)) out.line(isSingle ? line : ` ${line}`);
}

/** Says, as kubectl does, which labels were to be removed and are not there. */
function tellAbsent(
  { out }: CommandContext,
  { absent }: Changed,
  field: MetadataField,
  dryRun: DryRun,
): void {
  if (field !== "labels" || dryRun === "client") return;
  for (const key of absent) out.line(`label ${JSON.stringify(printable(key, Infinity))} not found.`);
}
