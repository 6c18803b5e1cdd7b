/** What all forms of `create` share: their flags, and creating what they make. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { isMembers, type JsonMembers } from "../../kube/lossless-json.ts";
import { metadataOf } from "../../kube/json-parts.ts";
import { type CreateOptions, isUnnamed, type Written } from "../../kube/write/create.ts";
import { createAll } from "../../kube/write/documents.ts";
import { managerOf } from "../../kube/write/managed-fields.ts";
import type { Manifest } from "../../kube/write/write-all.ts";
import type { ScopeFlags } from "../../providers/datum/scope.ts";
import type { CommandContext } from "../context.ts";
import { addValidateFlag, validationOf, writeDocuments } from "../resources/documents.ts";
import { addDryRunFlag, dryRunOf } from "../resources/flags.ts";
import { openResources, writeContext } from "../resources/plane.ts";
import {
  addResultFlags,
  openResults,
  type ResultFlags,
  resultFlags,
  type Results,
  tellWarnings,
} from "../resources/results.ts";
import { sayWhere } from "../resources/where.ts";
import { addScopeFlags, scopeFlags } from "../scope-flags.ts";
import { valueOption } from "../complete/declare.ts";

/** How objects are created, as it was typed. */
export interface CreateFlags extends ResultFlags, ScopeFlags {
  readonly fieldManager?: string | undefined;
  readonly dryRun?: string | undefined;
  readonly validate?: string | undefined;
}

/** Adds the flags of every form of `create`, which stand behind any of its words. */
export function addCreateFlags(command: CommandUnknownOpts): void {
  command.addOption(
    valueOption(
      "nothing",
      "--field-manager <name>",
      `who the fields are written as (default: ${managerOf("create")})`,
    ),
  );
  addDryRunFlag(command);
  addValidateFlag(command);
  addResultFlags(command);
  addScopeFlags(command, { namespace: true });
}

/** The values of {@link addCreateFlags}. */
export function createFlags(command: CommandUnknownOpts): CreateFlags {
  const { fieldManager, dryRun, validate } = command.opts() as CreateFlags;
  return { fieldManager, dryRun, validate, ...resultFlags(command), ...scopeFlags(command) };
}

/** The checked form of {@link CreateFlags}. @throws {AppError} `USAGE`. */
async function readFlags(cli: CommandContext, flags: CreateFlags) {
  const options: CreateOptions = {
    fieldManager: flags.fieldManager || managerOf("create"),
    validation: validationOf(flags.validate),
    dryRun: dryRunOf(flags.dryRun),
  };
  return { options, results: await openResults(cli, flags) };
}

/** Creates what manifests say. They are read when the flags are known to be right. */
export async function createManifests(
  cli: CommandContext,
  flags: CreateFlags,
  read: () => Promise<readonly Manifest[]>,
): Promise<void> {
  const { options, results } = await readFlags(cli, flags);
  const manifests = await read();
  using plane = await openResources(cli, flags);
  sayWhere(cli, plane);
  const error = await writeDocuments<Written>(cli, plane, {
    manifests,
    doing: "creating",
    outcome: "created",
    write: (shared) => createAll(writeContext(cli, plane), manifests, { ...shared, ...options }),
    tell: async ({ object, warnings }) => {
      tellWarnings(cli, warnings);
      await print(results, object, options);
    },
  });
  if (error !== undefined) throw error;
}

/** Creates an object that was made from the command line; a dry run of the client asks nobody. */
export async function createMade(
  cli: CommandContext,
  flags: CreateFlags,
  make: () => Promise<JsonMembers>,
): Promise<void> {
  if (dryRunOf(flags.dryRun) !== "client") {
    return await createManifests(
      cli,
      flags,
      async () => [{ document: await make(), source: "the command line" }],
    );
  }
  const { options, results } = await readFlags(cli, flags);
  const made = await make();
  const { namespace } = flags;
  const isWithin = namespace !== undefined && made.kind !== "Namespace";
  const metadata = isWithin ? { ...metadataOf(made), namespace } : metadataOf(made);
  await print(results, { ...made, metadata }, options);
}

async function print(results: Results, object: JsonMembers, { dryRun }: CreateOptions): Promise<void> {
  // The server has made no name yet.
  const isNameless = isUnnamed(object) && isMembers(object.metadata);
  const shown = isNameless ? { ...object, metadata: { ...metadataOf(object), name: "<unknown>" } } : object;
  await results.print(shown, "created", dryRun);
}
