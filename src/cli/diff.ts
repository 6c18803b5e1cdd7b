/** `diff`: shows what `apply` would change, and changes nothing. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { compareBytes } from "../kube/json-text.ts";
import type { Applied, ApplyOptions } from "../kube/write/apply.ts";
import { diffText, LIVE, MERGED, type ObjectDiff, objectDiff } from "../kube/write/diff.ts";
import { applyAll } from "../kube/write/documents.ts";
import { APPLY_MANAGER } from "../kube/write/managed-fields.ts";
import { ProgramError, runInForeground } from "../system/processes.ts";
import { makeScratchFolder } from "../system/scratch-folder.ts";
import { printable, printableLines } from "../text.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { type CommandContext, type ContextOf, exitWith } from "./context.ts";
import {
  addDocumentFlags,
  addServerSideFlags,
  checkServerSide,
  type DocumentFlags,
  documentFlags,
  readDocuments,
  type ServerSideFlags,
  writeDocuments,
} from "./resources/documents.ts";
import { takeBooleanValues } from "./resources/flags.ts";
import { openResources, writeContext } from "./resources/plane.ts";
import { tellWarnings } from "./resources/results.ts";
import { styledDiff } from "./output/style.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl diff -f zone.yaml
  datumctl diff -f zones/ -R
  KUBECTL_EXTERNAL_DIFF='diff -y' datumctl diff -f zone.yaml

Exit code 0: nothing would change; 1: something would; above 1: an error. KUBECTL_EXTERNAL_DIFF names a
program that compares two folders instead: the objects as they are, and as they would be.`;

/** `diff`. */
export function diffCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("diff")
    .description("Show what apply would change")
    .option(
      "--force-conflicts",
      "as apply --force-conflicts would: with fields that somebody else has changed",
    )
    .addOption(
      valueOption(
        "nothing",
        "--field-manager <name>",
        `who the fields would be written as (default: ${APPLY_MANAGER})`,
      ),
    )
    .option("--show-managed-fields", "show metadata.managedFields, too")
    .addHelpText("after", EXAMPLES);
  addDocumentFlags(command, "compare");
  addServerSideFlags(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((flags) =>
    runDiff(contextOf(command), {
      ...flags,
      ...(command.opts() as ServerSideFlags),
      ...documentFlags(command),
      ...scopeFlags(command),
    })
  );
  return command;
}

/** The flags of `diff`, as they were typed. */
export interface DiffInput extends DocumentFlags, ScopeFlags, ServerSideFlags {
  readonly forceConflicts?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly showManagedFields?: boolean | undefined;
}

/** An error whose exit code is not the one of a difference. */
class FailedDiff extends AppError {
  constructor({ code, message, hint, retryable, cause }: AppError) {
    super(code, message, { hint, retryable, cause });
  }

  override get exitCode(): number {
    return Math.max(2, super.exitCode);
  }
}

/** Shows what would change. Ends with exit code 1 where something would, and above 1 where something fails. */
export async function runDiff(cli: CommandContext, input: DiffInput): Promise<void> {
  let isDifferent: boolean;
  try {
    isDifferent = await showDifference(cli, input);
  } catch (thrown) {
    throw thrown instanceof AppError ? new FailedDiff(thrown) : thrown;
  }
  if (isDifferent) exitWith(1);
}

async function showDifference(cli: CommandContext, input: DiffInput): Promise<boolean> {
  checkServerSide(input);
  const options: ApplyOptions = {
    fieldManager: input.fieldManager || APPLY_MANAGER,
    validation: "Strict",
    force: input.forceConflicts ?? false,
    dryRun: "server",
  };
  const manifests = await readDocuments(cli, input);
  using plane = await openResources(cli, input);
  const diffs = new Map<string, ObjectDiff>();
  const error = await writeDocuments<Applied>(cli, plane, {
    manifests,
    doing: "comparing",
    outcome: "compared",
    write: (shared) => applyAll(writeContext(cli, plane), manifests, { ...shared, ...options }),
    tell: (done, { ref }) => {
      tellWarnings(cli, done.warnings);
      const diff = objectDiff(ref, done, input);
      diffs.set(diff.name, diff);
    },
  });
  const sorted = [...diffs.values()].sort((a, b) => compareBytes(a.name, b.name));
  const isDifferent = await show(cli, sorted);
  if (error !== undefined) throw error;
  return isDifferent;
}

async function show(cli: CommandContext, diffs: readonly ObjectDiff[]): Promise<boolean> {
  const external = cli.env("KUBECTL_EXTERNAL_DIFF");
  if (external !== undefined) return await showElsewhere(cli, external, diffs);
  const text = diffText(diffs);
  const shown = cli.terminal.outIsTerminal ? printableLines(text) : text;
  cli.out.text(styledDiff(shown, cli.style.out));
  return text !== "";
}

/** Lets another program show it. What of its arguments has signs in it that a shell knows is left out, as by kubectl. */
async function showElsewhere(
  { interrupted }: CommandContext,
  external: string,
  diffs: readonly ObjectDiff[],
): Promise<boolean> {
  const [program = "", ...args] = external.split(" ");
  await using scratch = await makeScratchFolder("diff");
  const folders = [
    await scratch.add(LIVE, diffs.map(({ name, live }) => [name, live])),
    await scratch.add(MERGED, diffs.map(({ name, merged }) => [name, merged])),
  ];
  const plain = args.filter((arg) => /^[a-zA-Z0-9-=]+$/.test(arg));
  let code: number;
  try {
    code = await runInForeground(program, [...folders, ...plain], interrupted);
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    throw new AppError("USAGE", `KUBECTL_EXTERNAL_DIFF: ${printable(thrown.message)}.`, {
      hint: "Name a program that compares two folders, such as: diff -u -N",
    });
  }
  if (code > 1) {
    throw new AppError("INVALID", `${printable(program)} of KUBECTL_EXTERNAL_DIFF ended with code ${code}.`);
  }
  return code === 1;
}
