/** What commands share that write documents: which documents they take, and what is told of each of them. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { membersOf, metadataOf } from "../../kube/json-parts.ts";
import { readLabelSelector } from "../../kube/label-selector.ts";
import type { FieldValidation } from "../../kube/write/apply.ts";
import type { WrittenDocuments } from "../../kube/write/documents.ts";
import { failuresError, isDefinition, type Manifest, type WriteResult } from "../../kube/write/write-all.ts";
import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { interruptedAfter, tellFailures } from "./failures.ts";
import { takeBareFlags } from "./flags.ts";
import { addFilenameFlags, type FilenameFlags, filenameFlags, readManifests } from "./manifests.ts";
import type { ResourcePlane } from "./plane.ts";
import { openProgress } from "./progress.ts";
import { inTurn } from "./results.ts";
import { valueOption } from "../complete/declare.ts";

/** Which documents are taken. */
export interface DocumentFlags extends FilenameFlags {
  readonly selector?: string | undefined;
  readonly kustomize?: string | undefined;
}

/** Adds `-f`, `-R` and `-l` to a command. */
export function addDocumentFlags(command: CommandUnknownOpts, doing: string): void {
  addFilenameFlags(command, doing);
  command.option("-l, --selector <labels>", `${doing} only what has these labels, such as app=web,tier!=db`);
  command.addOption(command.createOption("-k, --kustomize <folder>").hideHelp());
}

/** The values of {@link addDocumentFlags}. */
export function documentFlags(command: { opts(): unknown }): DocumentFlags {
  const { selector, kustomize } = command.opts() as DocumentFlags;
  return { ...filenameFlags(command), selector, kustomize };
}

/** The documents that a command's flags choose. @throws {AppError} as {@link readManifests}; `USAGE` for `-k`. */
export async function readDocuments(cli: CommandContext, flags: DocumentFlags): Promise<Manifest[]> {
  if (flags.kustomize !== undefined) {
    throw new AppError("USAGE", "Kustomizations are not understood.", {
      hint:
        "Build it with another program, and send it on standard input: kubectl kustomize FOLDER | datumctl apply -f -",
    });
  }
  const isSelected = readLabelSelector(flags.selector ?? "");
  const manifests = await readManifests(cli, flags);
  return manifests.filter(({ document }) => isSelected(membersOf(metadataOf(document), "labels") ?? {}));
}

/** Adds `--validate` to a command. */
export function addValidateFlag(command: CommandUnknownOpts): void {
  command.addOption(
    valueOption(
      ["strict", "warn", "ignore"],
      "--validate <mode>",
      "strict (the default), warn or ignore: what becomes of fields that the server does not know",
    ),
  );
  takeBareFlags(command, { "--validate": "strict" });
}

const VALIDATIONS: ReadonlyMap<string, FieldValidation> = new Map([
  ...["strict", "true"].map((word) => [word, "Strict"] as const),
  ["warn", "Warn"],
  ...["ignore", "false"].map((word) => [word, "Ignore"] as const),
]);

/** What `--validate` says. @throws {AppError} `USAGE`. */
export function validationOf(text = "strict"): FieldValidation {
  const found = VALIDATIONS.get(text);
  if (found !== undefined) return found;
  throw new AppError("USAGE", `--validate takes strict, warn or ignore, not "${printable(text, 60)}".`);
}

/** Flags of kubectl's for what is always so here, or is not done. */
export interface ServerSideFlags {
  readonly serverSide?: boolean | undefined;
  readonly prune?: boolean | undefined;
}

/** Adds `--server-side`, which says nothing new, and `--prune`, which is refused. */
export function addServerSideFlags(command: CommandUnknownOpts): void {
  for (const flag of ["--server-side", "--no-server-side", "--prune"]) {
    command.addOption(command.createOption(flag).hideHelp());
  }
}

/** @throws {AppError} `USAGE` for what is not done. */
export function checkServerSide({ serverSide, prune }: ServerSideFlags): void {
  if (serverSide === false) {
    throw new AppError("USAGE", "There is no apply but the server's: --server-side=false is not possible.", {
      hint: "Leave the flag out. What kubectl apply wrote is taken over.",
    });
  }
  if (prune) {
    throw new AppError("USAGE", "--prune is not done: it deletes what it does not find in the files.", {
      hint: "Delete what is to go by name or by file: datumctl delete -f FILE",
    });
  }
}

/** How long an object waits for its kind to be served that the same input defines, in milliseconds. */
const PATIENCE = 60_000;

type DoneResult<Done> = Extract<WriteResult<Done>, { readonly type: "done" }>;

/** How documents are written, and how it is told. */
export interface DocumentsOptions<Done> {
  readonly manifests: readonly Manifest[];
  /** For the progress: `applying`. */
  readonly doing: string;
  /** What it comes to: `applied`. */
  readonly outcome: string;
  readonly write: (options: WrittenDocuments<Done>) => Promise<WriteResult<Done>[]>;
  /** Prints what became of a document, in the input's order. */
  readonly tell: (done: Done, result: DoneResult<Done>) => void | Promise<void>;
}

/**
 * Writes documents, and tells of each that was written as soon as it is known. Failures are told at the end.
 *
 * @returns the error to end the command with; undefined where all went well.
 * @throws {AppError} as {@link writeAll}.
 */
export async function writeDocuments<Done>(
  cli: CommandContext,
  { kinds, namespace, onlyThatNamespace }: Pick<ResourcePlane, "kinds" | "namespace" | "onlyThatNamespace">,
  { manifests, doing, outcome, write, tell }: DocumentsOptions<Done>,
): Promise<AppError | undefined> {
  using progress = openProgress(cli, doing);
  const results: WriteResult<Done>[] = [];
  const told = inTurn();
  const options: WrittenDocuments<Done> = {
    namespace,
    onlyThatNamespace,
    patience: PATIENCE,
    onProgress: progress.show,
    onResult(given) {
      const result = named(given);
      results.push(result);
      told.add(() => {
        if (result.type === "failed") return;
        progress.clear();
        if (result.type === "done") return tell(result.done, result);
        cli.out.info(`${result.label} was not checked, for ${result.why}.`);
      });
    },
  };
  const failures = () => results.flatMap((result) => result.type === "failed" ? [result.error] : []);
  try {
    await write(options);
    await told.end();
  } catch (thrown) {
    progress.clear();
    tellFailures(cli, failures());
    throw interruptedAfter(thrown, results.length, manifests.length);
  } finally {
    // What is served may be another thing now.
    if (manifests.some(isDefinition)) await kinds.forget();
  }
  if (results.length > 1) tellFailures(cli, failures());
  return failuresError(results, outcome);
}

/** A result whose error names the document. */
function named<Done>(result: WriteResult<Done>): WriteResult<Done> {
  if (result.type !== "failed" || result.error.message.startsWith(result.label)) return result;
  const { label, manifest, error: { code, message, hint, retryable, cause } } = result;
  const error = new AppError(code, `${label} of ${manifest.source}: ${message}`, { hint, retryable, cause });
  return { ...result, error };
}
