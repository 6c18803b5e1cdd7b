/** `patch`: changes fields of objects by a patch. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import type { Json } from "../kube/lossless-json.ts";
import { managerOf } from "../kube/write/managed-fields.ts";
import { PATCH_TYPES, patchHere, patchObject, type PatchOptions } from "../kube/write/patch.ts";
import { readGivenFile } from "../system/given-file.ts";
import { printable } from "../text.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { changeChosen, choose } from "./resources/choose.ts";
import { endWithFailures } from "./resources/failures.ts";
import { addDryRunFlag, dryRunOf, takeBooleanValues } from "./resources/flags.ts";
import { addFilenameFlags, type FilenameFlags, filenameFlags } from "./resources/manifests.ts";
import { openResources } from "./resources/plane.ts";
import {
  addResultFlags,
  openResults,
  type ResultFlags,
  resultFlags,
  tellWarnings,
} from "./resources/results.ts";
import { sayWhere } from "./resources/where.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { valueOption } from "./complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl patch configmap a -p '{"data":{"color":"blue"}}'
  datumctl patch dnszone/example-com --type=merge -p 'spec: {nameservers: 3}'
  datumctl patch configmap a --type=json \\
      -p '[{"op":"remove","path":"/data/color"}]'
  datumctl patch -f zone.yaml --patch-file=change.yaml --type=merge \\
      --dry-run=server

A strategic patch, the default, is for Kubernetes' own kinds; all others take --type=merge and --type=json.`;

/** `patch`. */
export function patchCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("patch")
    .description("Change fields of objects by a patch")
    .argument("[objects...]", "TYPE NAME… or TYPE/NAME…")
    .option("-p, --patch <patch>", "the patch, as JSON or YAML")
    .option("--patch-file <file>", "a file with the patch")
    .addOption(
      valueOption(
        ["strategic", "merge", "json"],
        "--type <type>",
        "strategic, merge or json (default: strategic)",
      ),
    )
    .addOption(
      valueOption(
        ["status", "scale"],
        "--subresource <name>",
        "patch this sub-resource of the object, such as status or scale",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--field-manager <name>",
        `as whom the fields are written (default: ${managerOf("patch")})`,
      ),
    )
    .addOption(new Option("--local", "not supported").hideHelp())
    .addHelpText("after", EXAMPLES);
  addFilenameFlags(command, "patch");
  addDryRunFlag(command);
  addResultFlags(command);
  addScopeFlags(command, { namespace: true });
  takeBooleanValues(command);
  command.action((args, flags) =>
    runPatch(contextOf(command), {
      ...flags,
      ...filenameFlags(command),
      ...resultFlags(command),
      ...scopeFlags(command),
      args,
    })
  );
  return command;
}

/** The words and flags of `patch`, as they were typed. */
export interface PatchInput extends FilenameFlags, ResultFlags, ScopeFlags {
  readonly args: readonly string[];
  readonly patch?: string | undefined;
  readonly patchFile?: string | undefined;
  readonly type?: string | undefined;
  readonly subresource?: string | undefined;
  readonly fieldManager?: string | undefined;
  readonly local?: boolean | undefined;
  readonly dryRun?: string | undefined;
}

/** Patches the objects that the input names. */
export async function runPatch(cli: CommandContext, input: PatchInput): Promise<void> {
  if (input.local) {
    throw new AppError(
      "USAGE",
      "--local is not supported: patch asks the control plane which kinds there are.",
      {
        hint: "To change nothing there: -f FILE --dry-run=client",
      },
    );
  }
  const options = await patchOptions(input);
  const results = await openResults(cli, input);
  using plane = await openResources(cli, input);
  const chosen = await choose(cli, plane, input.args, input);
  sayWhere(cli, plane);
  const errors = await changeChosen(
    cli,
    plane,
    chosen,
    "patching",
    // As for kubectl, a manifest is patched as it stands there when nothing is asked of the server.
    async ({ ref, document }) =>
      options.dryRun === "client" && document !== undefined
        ? patchHere(document, options)
        : await patchObject(plane.client, ref, options),
    async ({ object, outcome, warnings }) => {
      tellWarnings(cli, warnings);
      // Here kubectl says nothing of a dry run.
      await results.print(object, outcome);
    },
  );
  endWithFailures(cli, errors);
}

/** @throws {AppError} `USAGE` and `INVALID`. */
async function patchOptions(input: PatchInput): Promise<PatchOptions> {
  return {
    type: typeOf(input.type ?? "strategic"),
    patch: await readPatch(input),
    subresource: input.subresource,
    fieldManager: input.fieldManager || managerOf("patch"),
    dryRun: dryRunOf(input.dryRun),
  };
}

function typeOf(text: string): PatchOptions["type"] {
  const type = text.toLowerCase();
  if (type === "strategic" || type === "merge" || type === "json") return type;
  throw new AppError(
    "USAGE",
    `--type takes ${Object.keys(PATCH_TYPES).join(", ")}, not "${printable(text, 60)}".`,
  );
}

async function readPatch({ patch = "", patchFile = "" }: PatchInput): Promise<Json> {
  if (patch !== "" && patchFile !== "") {
    throw new AppError("USAGE", "-p and --patch-file cannot be combined.");
  }
  if (patch === "" && patchFile === "") {
    throw new AppError("USAGE", "There is no patch.", {
      hint: "Give it with -p, or its file with --patch-file.",
    });
  }
  const text = patch !== ""
    ? patch
    : await readGivenFile(patchFile, "--patch-file", "Give the patch with -p.");
  if (text === undefined) {
    throw new AppError("USAGE", `The file "${printable(patchFile)}" of --patch-file does not exist.`);
  }
  const { readDocuments } = await import("../kube/manifest.ts");
  const [document, ...more] = readDocuments(text, patch !== "" ? "the patch" : printable(patchFile));
  if (document !== undefined && more.length === 0) return document;
  throw new AppError(
    "INVALID",
    document === undefined ? "The patch is empty." : "There is more than one patch.",
    {
      hint: "Write one patch as JSON or YAML.",
    },
  );
}
