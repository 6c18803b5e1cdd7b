/** `events`: what happened lately, to everything or to one object. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { type EventsOptions, printEvents, watchEvents } from "../kube/read/events.ts";
import { type Output, readOutput } from "../kube/read/output.ts";
import { printable } from "../text.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { type CommandContext, type ContextOf, exitWith } from "./context.ts";
import { listed, takeBooleanValues } from "./resources/flags.ts";
import { openResources, readContext } from "./resources/plane.ts";
import {
  addChunkSizeFlag,
  chunkSizeOf,
  tellExpired,
  warningsOnce,
  watchOptions,
} from "./resources/reading.ts";
import { readTemplate } from "./resources/template-file.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl events
  datumctl events --for dnszone/example-com
  datumctl events -A --types Warning
  datumctl events -w
  datumctl events -o jsonpath='{range .items[*]}{.reason}{"\\n"}{end}'`;

/** `events`. */
export function eventsCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("events")
    .description("List what happened lately, the last at the end")
    .addOption(valueOption("object", "--for <object>", "only what happened to this object: TYPE/NAME"))
    .addOption(
      valueOption(
        { list: ["Normal", "Warning"] },
        "--types <list>",
        "only events of these types: Normal, Warning",
      ).argParser(listed),
    )
    .option("-A, --all-namespaces", "of all namespaces")
    .option("-w, --watch", "go on with every further event, until Ctrl-C")
    .option("--no-headers", "leave out the header line")
    .addOption(new Option("--headers").hideHelp())
    .option("--show-managed-fields", "with -o json or yaml: also who set which field")
    .addOption(
      valueOption(
        ["json", "yaml", "name", "jsonpath=", "jsonpath-file=", "jsonpath-as-json="],
        "-o, --output <format>",
        "json, yaml, name, jsonpath=…, jsonpath-file=… or jsonpath-as-json=…",
      ),
    )
    .addHelpText("after", EXAMPLES);
  addChunkSizeFlag(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((flags) => runEvents(contextOf(command), { ...flags, ...scopeFlags(command) }));
  return command;
}

/** The flags of `events`, as they were typed. */
export interface EventsInput extends ScopeFlags {
  readonly for?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly allNamespaces?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly headers?: boolean | undefined;
  readonly showManagedFields?: boolean | undefined;
  readonly chunkSize?: string | undefined;
  readonly output?: string | undefined;
}

/** Prints events. A watch ends with 130. */
export async function runEvents(cli: CommandContext, input: EventsInput): Promise<void> {
  const { types = [], allNamespaces = false } = input;
  checkTypes(types);
  const chunkSize = chunkSizeOf(input.chunkSize);
  const output = await outputOf(input.output);
  using plane = await openResources(cli, input);
  const options: EventsOptions = {
    output,
    namespace: plane.namespace,
    allNamespaces,
    about: input.for,
    types,
    noHeaders: input.headers === false,
    showManagedFields: input.showManagedFields,
    chunkSize,
    onWarning: warningsOnce(cli),
    onExpired: () => tellExpired(cli),
  };
  const context = readContext(cli, plane);
  if (input.watch) {
    await watchEvents(context, { ...options, ...watchOptions(cli) });
    exitWith(130);
  }
  if (await printEvents(context, options)) return;
  cli.out.info(allNamespaces ? "No events found." : `No events found in ${plane.namespace} namespace.`);
}

/** @throws {AppError} `USAGE`. */
function checkTypes(types: readonly string[]): void {
  const wrong = types.find((type) => !["normal", "warning"].includes(type.toLowerCase()));
  if (wrong === undefined) return;
  throw new AppError("USAGE", `--types takes Normal and Warning, not "${printable(wrong, 60)}".`);
}

/** @throws {AppError} `USAGE`, and what reading a file throws. */
async function outputOf(format: string | undefined): Promise<Output> {
  const output = await readOutput(format, readTemplate);
  if (output.type === "custom-columns" || output.type === "table" && output.wide) {
    throw new AppError("USAGE", "Events have no other columns.", {
      hint: "Use -o jsonpath=…, or datumctl get events with -o wide or -o custom-columns=….",
    });
  }
  return output;
}
