/** `api-resources`: the resource types that a control plane serves. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { printable, printableValue } from "../text.ts";
import { openDiscovery } from "../kube/cached-discovery.ts";
import {
  type ApiResource,
  type DiscoverySource,
  groupVersionOf,
  refuseIncomplete,
} from "../kube/discovery.ts";
import { fullNameOf, preferredResources } from "../kube/resource-names.ts";
import type { ContextOf, Output } from "./context.ts";
import { openControlPlane } from "./control-plane.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { PLAIN, titled } from "./output/style.ts";
import { formatTable, listFormat, toYaml } from "./output/table.ts";
import { outputOption, valueOption } from "./complete/declare.ts";

/** `api-resources`. */
export function apiResourcesCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("api-resources")
    .description("List the resource types of the control plane in use")
    .addOption(
      valueOption("group", "--api-group <group>", "only those in this group; empty means the core group"),
    )
    .option("--namespaced [boolean]", "only namespaced types; with =false, only the others")
    .addOption(
      valueOption(
        { list: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"] },
        "--verbs <list>",
        "only those that support all of these verbs, such as list,get",
      ).argParser(
        wordsOf,
      ),
    )
    .addOption(
      valueOption({ list: "category" }, "--categories <list>", "only those in all of these categories")
        .argParser(wordsOf),
    )
    .option("--no-headers", "leave out the header line")
    .addOption(valueOption(["name", "kind"], "--sort-by <field>", "name or kind (default: group)"))
    .option("--cached [boolean]", "use what an earlier command learned, if anything")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl api-resources\n  datumctl api-resources --namespaced=false -o wide\n" +
        "  datumctl api-resources --verbs=list,get -o name",
    );
  addScopeFlags(command);
  command.action(async (flags) => {
    const given = contextOf(command);
    const input = readInput(flags);
    using plane = await openControlPlane(given, scopeFlags(command));
    await runApiResources(given.out, await openDiscovery(given, plane), input, given.style.out);
  });
  return command;
}

/** The words of a list with commas, added to those of the same flag before it. */
function wordsOf(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], ...text.split(",").filter((word) => word !== "")];
}

/** The flags of `api-resources`, checked. */
export interface ApiResourcesInput {
  readonly group: string | undefined;
  readonly namespaced: boolean | undefined;
  readonly verbs: readonly string[];
  readonly categories: readonly string[];
  readonly headers: boolean;
  readonly sortBy: "group" | "name" | "kind";
  readonly cached: boolean;
  readonly format: ReturnType<typeof listFormat>;
}

function readInput(flags: {
  readonly apiGroup?: string | undefined;
  readonly namespaced?: string | true | undefined;
  readonly verbs?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly headers: boolean;
  readonly sortBy?: string | undefined;
  readonly cached?: string | true | undefined;
  readonly output?: string | undefined;
}): ApiResourcesInput {
  const { sortBy = "group" } = flags;
  if (sortBy !== "group" && sortBy !== "name" && sortBy !== "kind") {
    throw new AppError("USAGE", "--sort-by takes name or kind.");
  }
  return {
    group: flags.apiGroup,
    namespaced: booleanOf(flags.namespaced, "--namespaced"),
    verbs: flags.verbs ?? [],
    categories: flags.categories ?? [],
    headers: flags.headers,
    sortBy,
    cached: booleanOf(flags.cached, "--cached") ?? false,
    format: listFormat(flags.output),
  };
}

function booleanOf(text: string | true | undefined, flag: string): boolean | undefined {
  if (text === undefined || text === true) return text;
  if (text === "true" || text === "false") return text === "true";
  throw new AppError("USAGE", `${flag} takes true or false: ${flag}=false`);
}

/**
 * Prints the resource types.
 *
 * @throws {AppError} `INCOMPLETE`, after printing, when the server did not report everything
 */
export async function runApiResources(
  out: Output,
  source: DiscoverySource,
  input: ApiResourcesInput,
  style = PLAIN,
): Promise<void> {
  const discovery = await source.read({ fresh: !input.cached });
  const rows = preferredResources(discovery)
    .filter(({ verbs }) => verbs.length > 0)
    .filter(({ group }) => input.group === undefined || group === input.group)
    .filter(({ namespaced }) => input.namespaced === undefined || namespaced === input.namespaced)
    .filter(({ verbs }) => input.verbs.every((verb) => verbs.includes(verb)))
    .filter(({ categories }) => input.categories.every((category) => categories.includes(category)));
  const key = { group: "group", name: "plural", kind: "kind" }[input.sortBy] as "group" | "plural" | "kind";
  rows.sort((a, b) => compare(a[key], b[key]) || compare(a.plural, b.plural));
  const text = await formatResources(rows, input);
  const isTitled = input.headers && (input.format === "table" || input.format === "wide");
  out.text(isTitled ? titled(text, style) : text);
  refuseIncomplete(source, discovery);
}

async function formatResources(
  rows: readonly ApiResource[],
  { format, headers }: Pick<ApiResourcesInput, "format" | "headers">,
): Promise<string> {
  switch (format) {
    case "json":
      return JSON.stringify(printableValue(listOf(rows)), undefined, 2) + "\n";
    case "yaml":
      return await toYaml(printableValue(listOf(rows)));
    case "name":
      return rows.map((row) => `${printable(fullNameOf(row))}\n`).join("");
    default: {
      const titles = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES"];
      const columns = format === "wide" ? titles.length : 5;
      return await formatTable(
        [
          ...(headers ? [titles.slice(0, columns)] : []),
          ...rows.map((row) => cellsOf(row).slice(0, columns).map((cell) => printable(cell))),
        ],
        3,
      );
    }
  }
}

function cellsOf({ plural, shortNames, group, version, namespaced, kind, verbs, categories }: ApiResource) {
  return [
    plural,
    shortNames.join(","),
    groupVersionOf(group, version),
    String(namespaced),
    kind,
    verbs.join(","),
    categories.join(","),
  ];
}

/** The resources as kubectl prints them for programs: one APIResourceList of meta/v1. */
function listOf(rows: readonly ApiResource[]): unknown {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: "",
    resources: rows.map((row) => ({
      name: row.plural,
      singularName: row.singular,
      namespaced: row.namespaced,
      group: row.group || undefined,
      version: row.version,
      kind: row.kind,
      verbs: row.verbs,
      shortNames: row.shortNames.length === 0 ? undefined : row.shortNames,
      categories: row.categories.length === 0 ? undefined : row.categories,
    })),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
