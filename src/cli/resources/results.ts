/** Prints what became of objects that a command wrote: kubectl's result lines, or with `-o` the objects. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import type { JsonMembers } from "../../kube/lossless-json.ts";
import { ObjectPrinter } from "../../kube/read/object-printer.ts";
import { readOutput } from "../../kube/read/output.ts";
import { type DryRun, objectLabel, resultLine } from "../../kube/write/object-ref.ts";
import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { readTemplate } from "./template-file.ts";
import { valueOption } from "../complete/declare.ts";

/** How results are printed. */
export interface ResultFlags {
  readonly output?: string | undefined;
  readonly showManagedFields?: boolean | undefined;
}

/** Adds `-o` and `--show-managed-fields` to a command that prints result lines by itself. */
export function addResultFlags(command: CommandUnknownOpts): void {
  command
    .addOption(
      valueOption(
        ["json", "yaml", "name", "jsonpath=", "jsonpath-file=", "jsonpath-as-json="],
        "-o, --output <format>",
        "print the object: json, yaml, name, jsonpath=…, jsonpath-as-json=…",
      ),
    )
    .option("--show-managed-fields", "with -o json or yaml: metadata.managedFields, too");
}

/** The values of {@link addResultFlags}. */
export function resultFlags(command: { opts(): unknown }): ResultFlags {
  const { output, showManagedFields } = command.opts() as ResultFlags;
  return { output, showManagedFields };
}

/** Prints one result after the other. */
export interface Results {
  /** Prints `configmap/a patched`, or the object. */
  readonly print: (object: JsonMembers, outcome: string, dryRun?: DryRun) => Promise<void>;
}

/** @throws {AppError} `USAGE` for an unknown format, and what reading a file of `-o jsonpath-file=` throws. */
export async function openResults(cli: CommandContext, flags: ResultFlags): Promise<Results> {
  const output = await readOutput(flags.output, readTemplate);
  if (flags.output && (output.type === "table" || output.type === "custom-columns")) {
    throw new AppError(
      "USAGE",
      `-o ${printable(flags.output, 60)} is for reading, not for what is written.`,
      {
        hint: "-o takes json, yaml, name, jsonpath=…, jsonpath-file=… or jsonpath-as-json=….",
      },
    );
  }
  const write = (text: string) => Promise.resolve(cli.out.text(text));
  const context = { write, isTerminal: cli.terminal.outIsTerminal };
  const printer = new ObjectPrinter(context, { output, showManagedFields: flags.showManagedFields });
  return {
    async print(object, outcome, dryRun = "none") {
      if (output.type === "table") cli.out.line(resultLine(objectLabel(object), outcome, dryRun));
      else await printer.single(object);
    },
  };
}

/** Tells what a server warns of beside its answer. */
export function tellWarnings({ out }: Pick<CommandContext, "out">, warnings: readonly string[]): void {
  for (const warning of warnings) out.warn(printable(warning, 1000));
}

/** Work that is asked for by callbacks and done one piece after the other. */
export interface InTurn {
  readonly add: (work: () => void | Promise<void>) => void;
  /** Resolves when all is done. @throws what a piece of work throws; none after it is done. */
  readonly end: () => Promise<void>;
}

/** Begins with nothing to do. */
export function inTurn(): InTurn {
  let last = Promise.resolve();
  return {
    add(work) {
      last = last.then(work);
      // What it throws is for `end`.
      last.catch(() => {});
    },
    end: () => last,
  };
}
