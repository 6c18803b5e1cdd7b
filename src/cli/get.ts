/** `get`: with `--raw`, an answer of the control plane in use as it came; else a list of organizations or projects. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { textOf } from "../http/api-answer.ts";
import type { ApiClient } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { belowBase } from "../kube/discovery.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { openControlPlane } from "./control-plane.ts";
import { printOrganizations } from "./organizations/print.ts";
import { printProjects } from "./projects/print.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";

// The same words as their own commands have.
const PROJECTS: readonly string[] = ["projects", "project"];
const ORGANIZATIONS: readonly string[] = ["organizations", "organization", "orgs"];

/** `get`, which knows `--raw`, `organizations` and `projects` so far. */
export function getCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("get")
    .description("Print what the control plane in use answers at a path; list organizations or projects")
    .argument("[words...]")
    .usage("--raw <path> | organizations | projects [options]")
    .option(
      "--raw <path>",
      "path below the control plane, such as /openapi/v3; the answer is printed as it came",
    )
    .option("-o, --output <format>", "for organizations and projects: table, wide, json, yaml or name")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl get projects\n  datumctl get --raw /version\n  datumctl get --raw /openapi/v3\n" +
        "  datumctl get --raw '/api/v1/namespaces?limit=5'",
    );
  addScopeFlags(command);
  command.action(async (words, flags) => {
    const given = contextOf(command);
    const { organization, namespace: _, ...elsewhere } = scopeFlags(command);
    const isNamed = Object.values(elsewhere).some((value) => value !== undefined);
    if (flags.raw === undefined && words.length === 1 && !isNamed) {
      // These lists come from other control planes than the one in use.
      const [word = ""] = words;
      if (PROJECTS.includes(word)) {
        return await printProjects(given, { organization, output: flags.output });
      }
      if (ORGANIZATIONS.includes(word) && organization === undefined) {
        return await printOrganizations(given, { output: flags.output });
      }
    }
    if (flags.raw !== undefined && flags.output !== undefined) {
      throw new AppError("USAGE", "--raw and -o cannot be combined: the answer is printed as it came.");
    }
    const path = rawPath(words, flags.raw);
    using plane = await openControlPlane(given, scopeFlags(command));
    await runGetRaw(given, plane.client, path);
  });
  return command;
}

function rawPath(words: readonly string[], raw: string | undefined): string {
  if (raw === undefined) {
    const [path, ...more] = words;
    const asked = words.map((word) => printable(word, 60)).join(" ");
    throw new AppError("USAGE", "get works with --raw, organizations and projects so far.", {
      hint: path?.startsWith("/") && more.length === 0
        ? `For a path: ${shellLine(["datumctl", "get", "--raw", path])}`
        : `For resources: datumctl auth update-kubeconfig, with --project ID or --server URL, then kubectl get ${asked}`
          .trimEnd(),
    });
  }
  if (words.length > 0) {
    throw new AppError("USAGE", "get --raw takes a path and no other words.", {
      hint: "For example: datumctl get --raw /version",
    });
  }
  if (!/^\/[^\s#]*$/.test(raw)) {
    throw new AppError("USAGE", "--raw takes a path that begins with a slash.", {
      hint: "For example: datumctl get --raw '/api/v1/namespaces?limit=5'",
    });
  }
  return raw;
}

/** Prints the body of a successful answer byte for byte; on a terminal, without control characters. */
export async function runGetRaw(
  { out, terminal }: Pick<CommandContext, "out" | "terminal">,
  client: ApiClient,
  path: string,
): Promise<void> {
  const answer = await client.send({
    method: "GET",
    path: belowBase(client.baseUrl, path),
    accept: "application/json, */*",
  });
  if (answer.status < 200 || answer.status > 299) throw client.refusal(answer);
  const text = textOf(answer);
  out.text(terminal.outIsTerminal ? text.split("\n").map((line) => shown(line)).join("\n") : text);
}

function shown(line: string): string {
  return line.split("\t").map((part) => keepBlanks(part)).join("\t");
}

/** {@link printable} without its trimming, so that a line keeps its indentation. */
function keepBlanks(text: string): string {
  const [, before = "", middle = "", after = ""] = /^( *)(.*?)( *)$/s.exec(text) ?? [];
  return before + printable(middle, Infinity) + after;
}
