/** `get`: prints objects of the control plane in use, and follows their changes; with `--raw`, an answer as it came. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { get, type GetOptions } from "../kube/read/get.ts";
import { readOutput } from "../kube/read/output.ts";
import type { ReadContext } from "../kube/read/show.ts";
import { hasControlPlanes } from "../providers/datum/facts.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { shellLine } from "../text.ts";
import { type CommandContext, type ContextOf, exitWith } from "./context.ts";
import { openControlPlane } from "./control-plane.ts";
import { actingSession } from "./pick-session.ts";
import { endWithFailures } from "./resources/failures.ts";
import { listed, takeBooleanValues } from "./resources/flags.ts";
import { addFilenameFlags, type FilenameFlags, filenameFlags, readManifests } from "./resources/manifests.ts";
import { openResources, readContext, type ResourcePlane } from "./resources/plane.ts";
import { openProgress } from "./resources/progress.ts";
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
  datumctl get dnszones
  datumctl get dnszone example-com -o yaml
  datumctl get dnszone/example-com configmap/web -n shop
  datumctl get configmaps,secrets -l app=web -A
  datumctl get -f zone.yaml
  datumctl get dnszones -w
  datumctl get dnszones --sort-by .spec.domainName -o wide
  datumctl get dnszones -o jsonpath='{.items[*].metadata.name}'
  datumctl get dnszones \\
      -o custom-columns=NAME:.metadata.name,DOMAIN:.spec.domainName
  datumctl get --raw '/api/v1/namespaces?limit=5'
  datumctl get dnszones --as zoe@example.com

By themselves, organizations and projects are your organizations, and the projects of the one in use.`;

/** `get`. */
export function getCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("get")
    .description("Print objects, and follow their changes")
    .argument("[objects...]", "TYPE, TYPE NAME… or TYPE/NAME…; several types with commas")
    .addOption(
      valueOption(
        [
          "table",
          "wide",
          "json",
          "yaml",
          "name",
          "jsonpath=",
          "jsonpath-file=",
          "jsonpath-as-json=",
          "custom-columns=",
          "custom-columns-file=",
        ],
        "-o, --output <format>",
        "table, wide, json, yaml, name, jsonpath=…, jsonpath-file=…, jsonpath-as-json=…, custom-columns=… " +
          "or custom-columns-file=…",
      ),
    )
    .option("-l, --selector <labels>", "only objects with these labels, such as app=web,tier!=db")
    .option("--field-selector <fields>", "only objects with these fields, such as metadata.name=web")
    .option("-A, --all-namespaces", "in all namespaces")
    .option("-w, --watch", "go on with every change, until Ctrl-C")
    .option("--watch-only", "every change from now on, without what is there already")
    .option("--output-watch-events", "with -w or --watch-only: say what happened to each object, too")
    .addOption(
      valueOption("nothing", "--sort-by <path>", "sort by a field, such as .metadata.creationTimestamp"),
    )
    .addOption(
      valueOption("nothing", "-L, --label-columns <labels>", "a column for each of these labels").argParser(
        listed,
      ),
    )
    .option("--show-labels", "a last column with all labels")
    .option("--show-kind", "names with their types, as TYPE/NAME")
    .option("--no-headers", "leave out the header line")
    .option("--show-managed-fields", "with -o json or yaml: metadata.managedFields, too")
    .addOption(
      valueOption(
        ["status", "scale"],
        "--subresource <name>",
        "read this of each named object, such as status or scale",
      ),
    )
    .option("--ignore-not-found", "do not fail for named objects that are not there")
    .addOption(
      valueOption(
        "nothing",
        "--raw <path>",
        "path below the control plane, such as /openapi/v3; the answer is printed as it came",
      ),
    )
    .addOption(new Option("--template <template>").hideHelp())
    .addHelpText("after", EXAMPLES);
  addFilenameFlags(command, "get");
  addChunkSizeFlag(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((words, flags) =>
    runGet(contextOf(command), {
      ...flags,
      ...filenameFlags(command),
      ...scopeFlags(command),
      words,
      given: givenFlags(command),
    })
  );
  return command;
}

/** The names of the command's own flags that a line has. */
function givenFlags(command: CommandUnknownOpts): ReadonlySet<string> {
  const names = command.options.map((option) => option.attributeName());
  return new Set(names.filter((name) => command.getOptionValueSource(name) === "cli"));
}

/** The words and flags of `get`, as they were typed. */
export interface GetInput extends FilenameFlags, ScopeFlags {
  readonly words: readonly string[];
  /** The names of the flags that were typed. */
  readonly given: ReadonlySet<string>;
  readonly output?: string | undefined;
  readonly template?: string | undefined;
  readonly selector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly allNamespaces?: boolean | undefined;
  readonly watch?: boolean | undefined;
  readonly watchOnly?: boolean | undefined;
  readonly outputWatchEvents?: boolean | undefined;
  readonly sortBy?: string | undefined;
  readonly labelColumns?: readonly string[] | undefined;
  readonly showLabels?: boolean | undefined;
  readonly showKind?: boolean | undefined;
  readonly headers: boolean;
  readonly showManagedFields?: boolean | undefined;
  readonly subresource?: string | undefined;
  readonly ignoreNotFound?: boolean | undefined;
  readonly chunkSize?: string | undefined;
  readonly raw?: string | undefined;
}

/** Prints what the line asks for. A watch ends with 130. */
export async function runGet(cli: CommandContext, input: GetInput): Promise<void> {
  const { words, raw } = input;
  checkFlags(input);
  if (raw) {
    const { checkRaw, runGetRaw } = await import("./get-raw.ts");
    checkRaw({ ...input, raw });
    using plane = await openControlPlane(cli, input);
    return await runGetRaw(cli, plane.client, raw);
  }
  const list = listOf(input);
  // Other clouds have no such lists: there the word is a type of the server, if it has that.
  if (list !== undefined && hasControlPlanes((await actingSession(cli)).session)) return await list(cli);
  checkWords(input);
  const output = await readOutput(formatOf(input), readTemplate);
  const chunkSize = chunkSizeOf(input.chunkSize);
  using plane = await openResources(cli, input);
  const options = {
    ...input,
    output,
    chunkSize,
    namespace: plane.namespace,
    labelSelector: input.selector?.trim(),
    fieldSelector: input.fieldSelector?.trim(),
    noHeaders: !input.headers,
    manifests: await manifestsOf(cli, plane, input),
  } satisfies GetOptions;
  await (input.watch || input.watchOnly
    ? follow(cli, plane, words, options)
    : print(cli, plane, words, options));
}

// The same words as their own commands have.
const PROJECTS: readonly string[] = ["projects", "project"];
const ORGANIZATIONS: readonly string[] = ["organizations", "organization", "orgs"];
const LIST_FORMATS: readonly (string | undefined)[] = [
  undefined,
  "",
  "table",
  "wide",
  "json",
  "yaml",
  "name",
];

/**
 * The list that a lone word means, which comes from another control plane than the one in use. With any flag that such a
 * list does not have, the word is a type of the control plane in use, as every other one.
 */
function listOf(
  { words: [word = "", ...more], given, output, organization }: GetInput,
): ((cli: CommandContext) => Promise<void>) | undefined {
  const isAlone = (...flags: readonly string[]) =>
    more.length === 0 && LIST_FORMATS.includes(output) && given.isSubsetOf(new Set(["output", ...flags]));
  if (PROJECTS.includes(word) && isAlone("organization")) {
    return async (cli) => {
      const { printProjects } = await import("./projects/print.ts");
      await printProjects(cli, { organization, output });
    };
  }
  if (!ORGANIZATIONS.includes(word) || !isAlone()) return undefined;
  return async (cli) => {
    const { printOrganizations } = await import("./organizations/print.ts");
    await printOrganizations(cli, { output });
  };
}

/** @throws {AppError} `USAGE` for flags that cannot stand together. */
function checkFlags(
  { output = "", template, showLabels, outputWatchEvents, watch, watchOnly }: GetInput,
): void {
  if (showLabels && !["", "wide", "table"].includes(output)) {
    throw new AppError(
      "USAGE",
      "--show-labels is for tables, and cannot be combined with another -o than wide.",
    );
  }
  if (outputWatchEvents && !watch && !watchOnly) {
    throw new AppError("USAGE", "--output-watch-events can only be used with -w or --watch-only.");
  }
  if (template && /^(?:jsonpath|custom-columns)[a-z-]*=/.test(output)) {
    throw new AppError("USAGE", "-o has a template of its own, so that --template cannot be one, too.");
  }
}

/** @throws {AppError} `USAGE` for words that say nothing, or another thing than `-f`. */
function checkWords({ words: [path = "", ...more], filename }: GetInput): void {
  if (path === "" && filename === undefined) {
    throw new AppError("USAGE", "You must say which type of resource to get.", {
      hint: "Write TYPE, TYPE NAME or TYPE/NAME; see the types: datumctl api-resources",
    });
  }
  if (path !== "" && filename !== undefined) {
    throw new AppError("USAGE", "Objects are either named or read with -f, not both.");
  }
  if (path.startsWith("/")) {
    throw new AppError("USAGE", "What begins with a slash is no TYPE or TYPE/NAME.", {
      hint: more.length > 0
        ? "Write TYPE, TYPE NAME or TYPE/NAME."
        : `For a path: ${shellLine(["datumctl", "get", "--raw", path])}`,
    });
  }
}

/** What `-o` says, with the template of `--template`, which by itself is one of Go. */
function formatOf({ output, template }: GetInput): string | undefined {
  if (!template) return output;
  if (!output) return "go-template";
  return /^(?:jsonpath|custom-columns)[a-z-]*$/.test(output) ? `${output}=${template}` : output;
}

async function manifestsOf(
  cli: CommandContext,
  { onlyThatNamespace }: ResourcePlane,
  { filename, recursive, allNamespaces = false }: GetInput,
): Promise<GetOptions["manifests"]> {
  if (filename === undefined) return undefined;
  const manifests = await readManifests(cli, { filename, recursive });
  const sources = new Set(manifests.map(({ source }) => source));
  return {
    manifests,
    isOneFile: filename.length === 1 && !filename.includes("-") && sources.size === 1,
    onlyThatNamespace: onlyThatNamespace && !allNamespaces,
  };
}

async function print(
  cli: CommandContext,
  plane: ResourcePlane,
  words: readonly string[],
  options: GetOptions,
): Promise<void> {
  const { errors, emptyIn, ambiguities } = await readAll(cli, plane, words, options);
  for (const ambiguity of ambiguities) cli.out.info(ambiguity);
  if (emptyIn === "namespace") cli.out.info(`No resources found in ${plane.namespace} namespace.`);
  if (emptyIn === "everywhere") cli.out.info("No resources found");
  endWithFailures(cli, errors);
}

/** Prints lists and objects, and on a terminal how far a long list is. */
async function readAll(
  cli: CommandContext,
  plane: ResourcePlane,
  words: readonly string[],
  options: GetOptions,
) {
  using progress = openProgress(cli, "reading");
  const clearly =
    <Args extends readonly unknown[], Result>(act: (...args: Args) => Result) => (...args: Args): Result => {
      progress.clear();
      return act(...args);
    };
  const context = readContext(cli, plane);
  const clear: ReadContext = { ...context, write: clearly(context.write) };
  return await get(clear, words, {
    ...options,
    onProgress: progress.show,
    onWarning: clearly(warningsOnce(cli)),
    onExpired: clearly(() => tellExpired(cli)),
  });
}

/** Prints what is there and every change. */
async function follow(
  cli: CommandContext,
  plane: ResourcePlane,
  words: readonly string[],
  options: GetOptions & Pick<GetInput, "watchOnly" | "outputWatchEvents">,
): Promise<void> {
  const { watch } = await import("../kube/read/watch.ts");
  const { interrupted, out } = cli;
  if (options.sortBy) out.warn("--sort-by sorts what is there already; changes are printed as they come.");
  try {
    await watch(readContext(cli, plane), words, {
      ...options,
      ...watchOptions(cli),
      onAmbiguity: out.info,
      onWarning: warningsOnce(cli),
      onExpired: () => tellExpired(cli),
      onListAgain: () =>
        out.info("The server no longer knows all changes since the last one: listing again."),
    });
  } catch (thrown) {
    // Ctrl-C is how a watch ends.
    if (!(thrown instanceof AppError && thrown.code === "INTERRUPTED")) throw thrown;
  }
  if (interrupted.aborted) exitWith(130);
}
