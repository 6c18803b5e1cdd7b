/** `delete`: deletes objects, and waits until they are gone. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { type ChosenObject, type ChosenObjects, describeRef } from "../kube/write/chosen-objects.ts";
import {
  type Deleted,
  deleteObject,
  type DeleteOptions,
  heldBack,
  stillThereError,
  waitUntilGone,
} from "../kube/write/delete.ts";
import { deletedLine, type ObjectRef, refLabel } from "../kube/write/object-ref.ts";
import { printable } from "../text.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { confirm } from "./prompt/confirm.ts";
import {
  addChoiceFlags,
  changeChosen,
  type ChoiceFlags,
  choiceFlags,
  choose,
  selects,
} from "./resources/choose.ts";
import { endWithFailures } from "./resources/failures.ts";
import { addDryRunFlag, dryRunOf, durationOf, takeBareFlags, takeBooleanValues } from "./resources/flags.ts";
import { openResources, type ResourcePlane, writeContext } from "./resources/plane.ts";
import { sayWhere } from "./resources/where.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl delete dnszone example-com
  datumctl delete configmap/a secret/b
  datumctl delete -f zone.yaml
  datumctl delete configmaps -l app=web
  datumctl delete configmaps --all --yes --wait=false

With --all or a selector it asks first, on a terminal; elsewhere it needs --yes.`;

/** `delete`. */
export function deleteCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("delete")
    .description("Delete objects by name, by manifest, or by selector")
    .argument("[objects...]", "TYPE NAME…, TYPE/NAME…, or TYPE with a selector")
    .option("-y, --yes", "with --all or a selector: do not ask for confirmation")
    .option("-i, --interactive", "ask before anything is deleted")
    .option("--wait", "wait until the objects are gone, which is the default; --wait=false does not", true)
    .addOption(new Option("--no-wait").hideHelp())
    .option("--timeout <duration>", "how long to wait for it; 0s, the default, is a week")
    .addOption(
      valueOption(
        ["background", "foreground", "orphan"],
        "--cascade <mode>",
        "background (the default), foreground or orphan: what becomes of its dependents",
      ),
    )
    .option("--grace-period <seconds>", "time to end in; negative, the default, is the object's own")
    .option("--now", "the same as --grace-period=1")
    .option("--force", "with --grace-period=0: do not wait for what runs to end")
    .option("--ignore-not-found", "do not fail for what is not there; the default with --all and selectors")
    .addOption(valueOption(["name"], "-o, --output <format>", "name: print TYPE/NAME of what was deleted"))
    .addHelpText("after", EXAMPLES);
  addChoiceFlags(command, "delete");
  addDryRunFlag(command);
  addScopeFlags(command, { namespace: true });
  takeBareFlags(command, { "--cascade": "background" });
  takeBooleanValues(command);
  command.action((args, flags) =>
    runDelete(contextOf(command), { ...flags, ...choiceFlags(command), ...scopeFlags(command), args })
  );
  return command;
}

/** The words and flags of `delete`, as they were typed. */
export interface DeleteInput extends ChoiceFlags, ScopeFlags {
  readonly args: readonly string[];
  readonly yes?: boolean | undefined;
  readonly interactive?: boolean | undefined;
  readonly wait: boolean;
  readonly timeout?: string | undefined;
  readonly cascade?: string | undefined;
  readonly gracePeriod?: string | undefined;
  readonly now?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly ignoreNotFound?: boolean | undefined;
  readonly dryRun?: string | undefined;
  readonly output?: string | undefined;
}

const WEEK = 7 * 24 * 3_600_000;

/** How long a wait lasts before a person is told what it waits for, in milliseconds. */
const PATIENCE = 5_000;

/** Deletes what the input chooses. */
export async function runDelete(cli: CommandContext, input: DeleteInput): Promise<void> {
  if (input.output !== undefined && input.output !== "name") {
    throw new AppError("USAGE", "delete prints in no other format than -o name.");
  }
  const options = deleteOptions(cli, input);
  const timeout = durationOf(input.timeout ?? "0", "--timeout");
  const isAsked = options.dryRun === "none" && (input.interactive || selects(input)) && !input.yes;
  if (isAsked && !cli.terminal.canAsk) throw needsYes();
  using plane = await openResources(cli, input);
  const chosen = await choose(cli, plane, input.args, input);
  sayWhere(cli, plane, input);
  if (isAsked && chosen.objects.length > 0) await askFor(cli, chosen.objects);
  if (!input.allNamespaces) warnOfWidth(cli, plane, chosen.objects);
  const { deleted, errors } = await deleteChosen(cli, plane, chosen, { ...options, output: input.output });
  if (chosen.objects.length === 0 && errors.length === 0) cli.out.text("No resources found\n");
  const held = input.wait && options.dryRun === "none"
    ? await waitForThem(cli, plane, deleted, timeout || WEEK)
    : undefined;
  if (deleted.some(({ ref }) => ref.resource.kind === "CustomResourceDefinition")) await plane.kinds.forget();
  endWithFailures(cli, held === undefined ? errors : [...errors, held]);
}

function needsYes(): AppError {
  return new AppError(
    "USAGE",
    "What --all or a selector chooses is deleted after a question, and there is no terminal to ask on.",
    {
      hint: "Confirm on the command line: --yes. To see what it is: --dry-run=server",
    },
  );
}

/** @throws {AppError} `USAGE`. */
function deleteOptions({ out }: CommandContext, input: DeleteInput): DeleteOptions {
  const { now, force = false, ignoreNotFound = selects(input) } = input;
  if (now && input.gracePeriod !== undefined && input.gracePeriod !== "-1") {
    throw new AppError("USAGE", "--now cannot be combined with --grace-period.");
  }
  const given = now ? 1 : secondsOf(input.gracePeriod ?? "-1");
  if (force && given > 0) {
    throw new AppError("USAGE", "--force cannot be combined with a grace period of more than 0 seconds.");
  }
  const isAtOnce = force && given <= 0;
  if (isAtOnce) {
    out.warn("an immediate deletion does not wait for what runs to end: it may go on running.");
  }
  const seconds = isAtOnce ? 0 : given === 0 ? 1 : given;
  return {
    propagation: propagationOf(input.cascade ?? "background"),
    gracePeriod: seconds < 0 ? undefined : seconds,
    dryRun: dryRunOf(input.dryRun),
    ignoreNotFound,
  };
}

function secondsOf(text: string): number {
  if (/^[+-]?\d{1,10}$/.test(text)) return Number(text);
  throw new AppError("USAGE", `--grace-period takes a number of seconds, not "${printable(text, 60)}".`);
}

const CASCADES: ReadonlyMap<string, DeleteOptions["propagation"]> = new Map([
  ...["background", "true", "1", "t", "T", "TRUE", "True"].map((word) => [word, "Background"] as const),
  ...["orphan", "false", "0", "f", "F", "FALSE", "False"].map((word) => [word, "Orphan"] as const),
  ["foreground", "Foreground"],
]);

function propagationOf(text: string): DeleteOptions["propagation"] {
  const found = CASCADES.get(text);
  if (found !== undefined) return found;
  throw new AppError(
    "USAGE",
    `--cascade takes background, foreground or orphan, not "${printable(text, 60)}".`,
  );
}

/** How many names are shown before a question. */
const MOST_NAMES = 50;

async function askFor(cli: CommandContext, objects: readonly ChosenObject[]): Promise<void> {
  const isOne = objects.length === 1;
  const all = isOne ? "This object is" : `These ${objects.length} objects are`;
  cli.out.important(`${all} to be deleted:`);
  for (const { ref } of objects.slice(0, MOST_NAMES)) cli.out.important(`  ${describeRef(ref)}`);
  if (objects.length > MOST_NAMES) cli.out.important(`  and ${objects.length - MOST_NAMES} more`);
  await confirm(cli, `Delete ${isOne ? "it" : `these ${objects.length} objects`}?`);
}

/** Says, like kubectl, that a namespace on the command line narrows nothing for what is in none. */
function warnOfWidth(
  { out }: CommandContext,
  { onlyThatNamespace }: ResourcePlane,
  objects: readonly ChosenObject[],
): void {
  if (onlyThatNamespace && objects.some(({ ref }) => !ref.resource.namespaced)) {
    out.warn("deleting cluster-scoped resources, not scoped to the provided namespace");
  }
}

async function deleteChosen(
  cli: CommandContext,
  plane: ResourcePlane,
  chosen: ChosenObjects,
  options: DeleteOptions & { readonly output: string | undefined },
): Promise<{ readonly deleted: readonly Deleted[]; readonly errors: readonly AppError[] }> {
  const deleted: Deleted[] = [];
  const { dryRun, gracePeriod, output } = options;
  const lineOf = (ref: ObjectRef) =>
    output === "name" ? refLabel(ref) : deletedLine(ref, gracePeriod === 0, dryRun);
  const errors = await changeChosen(
    cli,
    plane,
    chosen,
    "deleting",
    ({ ref, uid }) => deleteObject(plane.client, ref, options, uid),
    (done) => {
      if (done.outcome === "not there") return;
      deleted.push(done);
      cli.out.line(lineOf(done.ref));
    },
  );
  return { deleted, errors };
}

/** `TIMEOUT` where something is still there when the time is over. */
async function waitForThem(
  cli: CommandContext,
  plane: ResourcePlane,
  deleted: readonly Deleted[],
  timeout: number,
): Promise<AppError | undefined> {
  const began = cli.now();
  let isTold = false;
  const held = await waitUntilGone(writeContext(cli, plane), deleted, timeout, (held) => {
    if (isTold || cli.now() - began < PATIENCE) return;
    isTold = true;
    cli.out.info(`Waiting until these are gone: ${heldBack(held)}.`);
  });
  return held.length === 0 ? undefined : stillThereError(held);
}
