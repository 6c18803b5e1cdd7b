/** `explain`: which fields a type of resource has, and what they mean. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { explainType } from "../kube/explain/explain-type.ts";
import { shownText } from "../kube/read/show.ts";
import { printable } from "../text.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { styledKeys } from "./output/style.ts";
import { takeBooleanValues } from "./resources/flags.ts";
import { openResources } from "./resources/plane.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import { outputOption, valueArgument, valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl explain dnszones
  datumctl explain dnszone.spec
  datumctl explain dnszone.spec --recursive
  datumctl explain projects.resourcemanager.miloapis.com
  datumctl explain events --api-version=events.k8s.io/v1`;

/** `explain`. */
export function explainCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("explain")
    .description("Show the fields of a type of resource, and what they mean")
    .addArgument(valueArgument("type", "[path...]", "TYPE or TYPE.FIELD.FIELD…"))
    .usage("[options] <TYPE[.FIELD…]>")
    .option("--recursive", "the fields of the fields, too, a line each")
    .addOption(valueOption("version", "--api-version <version>", "as this version has it, such as apps/v1"))
    .addOption(outputOption(["plaintext"]))
    .addHelpText("after", EXAMPLES);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((args, flags) => runExplain(contextOf(command), { ...flags, ...scopeFlags(command), args }));
  return command;
}

/** The words and flags of `explain`, as they were typed. */
export interface ExplainInput extends ScopeFlags {
  readonly args: readonly string[];
  readonly recursive?: boolean | undefined;
  readonly apiVersion?: string | undefined;
  readonly output?: string | undefined;
}

/** How long what explains a resource is kept unless it changes, in milliseconds. */
const KEPT_FOR = 30 * 24 * 3_600_000;

/** Prints an explanation. */
export async function runExplain(cli: CommandContext, input: ExplainInput): Promise<void> {
  const { recursive = false, apiVersion } = input;
  const path = checkWords(input);
  using plane = await openResources(cli, input);
  const cacheOf = (source: string) => plane.openCache({ kind: "openapi", source, longestLife: KEPT_FOR });
  const { text, error } = await explainType({ ...plane, cacheOf }, path, { recursive, apiVersion });
  const shown = shownText({ isTerminal: cli.terminal.outIsTerminal }, text);
  cli.out.text(styledKeys(shown, cli.style.out));
  if (error !== undefined) throw error;
}

/** @throws {AppError} `USAGE`. */
function checkWords({ args, output = "plaintext" }: ExplainInput): string {
  const [path, ...more] = args;
  if (path === undefined || more.length > 0) {
    throw new AppError("USAGE", "explain takes one type of resource, or one field of it.", {
      hint: "For example: datumctl explain dnszone.spec; see the types: datumctl api-resources",
    });
  }
  if (output === "plaintext-openapiv2") {
    throw new AppError("USAGE", "Types are explained from OpenAPI v3 alone, not from v2.", {
      hint: "Leave out -o.",
    });
  }
  if (output !== "plaintext") {
    throw new AppError("USAGE", `-o takes plaintext, not "${printable(output, 60)}".`);
  }
  return path;
}
