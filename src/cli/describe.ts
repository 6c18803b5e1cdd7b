/** `describe`: objects as text to read, with what happened to each lately. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import {
  describeManifests,
  describeObjects,
  type DescribeOptions,
} from "../kube/describe/describe-objects.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { styledKeys } from "./output/style.ts";
import { endWithFailures } from "./resources/failures.ts";
import { takeBooleanValues } from "./resources/flags.ts";
import { addFilenameFlags, type FilenameFlags, filenameFlags, readManifests } from "./resources/manifests.ts";
import { openResources, readContext } from "./resources/plane.ts";
import { addChunkSizeFlag, chunkSizeOf, tellExpired, warningsOnce } from "./resources/reading.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";

const EXAMPLES = `
Examples:
  datumctl describe dnszones
  datumctl describe dnszone example-com
  datumctl describe dnszones exam
  datumctl describe dnszone/example-com configmap/web -n shop
  datumctl describe configmaps -l app=web -A
  datumctl describe -f zone.yaml

A single name that is not there stands for all names that begin with it.`;

/** `describe`. */
export function describeCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("describe")
    .description("Show objects as text, with their events")
    .argument("[objects...]", "TYPE, TYPE NAME…, TYPE NAME_PREFIX or TYPE/NAME…")
    .option("-l, --selector <labels>", "only objects with these labels, such as app=web,tier!=db")
    .option("-A, --all-namespaces", "in all namespaces")
    .option("--show-events", "show events, which is the default; --show-events=false does not", true)
    .addOption(new Option("--no-show-events").hideHelp());
  command.addHelpText("after", EXAMPLES);
  addFilenameFlags(command, "describe");
  addChunkSizeFlag(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((args, flags) =>
    runDescribe(contextOf(command), { ...flags, ...filenameFlags(command), ...scopeFlags(command), args })
  );
  return command;
}

/** The words and flags of `describe`, as they were typed. */
export interface DescribeInput extends FilenameFlags, ScopeFlags {
  readonly args: readonly string[];
  readonly selector?: string | undefined;
  readonly allNamespaces?: boolean | undefined;
  readonly showEvents: boolean;
  readonly chunkSize?: string | undefined;
}

/** Prints the descriptions. */
export async function runDescribe(cli: CommandContext, input: DescribeInput): Promise<void> {
  const { args, filename, allNamespaces = false } = input;
  checkWords(input);
  const chunkSize = chunkSizeOf(input.chunkSize);
  using plane = await openResources(cli, input);
  const reading = readContext(cli, plane);
  const context = {
    ...reading,
    write: (text: string) => reading.write(styledKeys(text, cli.style.out)),
    minutesEast: (time: Date) => -time.getTimezoneOffset(),
  };
  const tellMissing = warningsOnce(cli);
  const options: DescribeOptions = {
    namespace: plane.namespace,
    allNamespaces,
    labelSelector: input.selector,
    chunkSize,
    events: input.showEvents,
    onMissingEvents: ({ message }) => tellMissing(`events are missing here: ${message}`),
    onWarning: warningsOnce(cli),
    onExpired: () => tellExpired(cli),
  };
  const { errors, isNothing, ambiguities } = filename === undefined
    ? await describeObjects(context, args, options)
    : await describeManifests(context, await readManifests(cli, input), {
      ...options,
      onlyThatNamespace: plane.onlyThatNamespace && !allNamespaces,
    });
  for (const ambiguity of ambiguities) cli.out.info(ambiguity);
  if (isNothing) {
    cli.out.info(
      allNamespaces ? "No resources found" : `No resources found in ${plane.namespace} namespace.`,
    );
  }
  endWithFailures(cli, errors);
}

/** @throws {AppError} `USAGE`. */
function checkWords({ args, filename }: DescribeInput): void {
  if (filename !== undefined && args.length > 0) {
    throw new AppError("USAGE", "Objects are either named or read with -f, not both.");
  }
  if (filename === undefined && args.length === 0) {
    throw new AppError("USAGE", "You must say which type of resource to describe.", {
      hint: "Write TYPE, TYPE NAME or TYPE/NAME; see the types: datumctl api-resources",
    });
  }
}
