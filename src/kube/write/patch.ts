/** Patching one object. */

import { AppError } from "../../errors.ts";
import { compactJson } from "../json-text.ts";
import { isMembers, type Json, type JsonMembers } from "../lossless-json.ts";
import { ask, errorOf, objectOf, type ResourceClient, warningsOf } from "../resource-client.ts";
import { asItems, asMembers } from "../json-parts.ts";
import { maybeDone, type Written } from "./create.ts";
import { patchedHere } from "./local-patch.ts";
import { type DryRun, objectPath, type ObjectRef, refLabel } from "./object-ref.ts";
import { readExisting } from "./read.ts";
import { maskOf } from "./secret-mask.ts";

/** How a patch is understood. */
export const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

/** A patch, and how it is sent. */
export interface PatchOptions {
  readonly type: keyof typeof PATCH_TYPES;
  readonly patch: Json;
  /** The object itself unless given. */
  readonly subresource?: string | undefined;
  readonly fieldManager: string;
  readonly dryRun: DryRun;
}

/** An object that was patched. */
export interface Patched extends Written {
  readonly outcome: "patched" | "patched (no change)";
}

/**
 * Patches an object. The request is sent once: a patch can do another thing the second time.
 *
 * @throws {AppError} `NOT_FOUND` for no such object; `INVALID` for a patch that the server does not take; what a request
 * throws.
 */
export async function patchObject(
  client: ResourceClient,
  ref: ObjectRef,
  options: PatchOptions,
): Promise<Patched> {
  const { type, patch, subresource = "", fieldManager, dryRun } = options;
  const live = await readExisting(client, ref, subresource);
  if (dryRun === "client") return patchHere(live, options);
  const read = await ask(client, {
    method: "PATCH",
    path: objectPath(ref, subresource),
    query: { fieldManager, dryRun: dryRun === "server" ? "All" : undefined },
    contentType: PATCH_TYPES[type],
    body: compactJson(patch),
    repeatable: dryRun === "server",
  }).catch((error) => {
    throw dryRun === "none" ? maybeDone(error, `${refLabel(ref)} may have been patched`) : error;
  });
  const mask = maskOf([live, patchedPart(live, patch)]);
  if (read.answer.status === 415 && type === "strategic") {
    throw new AppError("INVALID", errorOf(client, read, mask).message, {
      hint: "This kind has no strategic merge: use --type=merge or --type=json.",
    });
  }
  const object = objectOf(client, read, mask);
  return { object, outcome: outcomeOf(live, object), warnings: warningsOf(read).map(mask) };
}

/** Patches an object that is here, and writes nothing. @throws {AppError} `INVALID`, as {@link patchedHere}. */
export function patchHere(
  object: JsonMembers,
  { type, patch }: Pick<PatchOptions, "type" | "patch">,
): Patched {
  const patched = patchedHere(object, type, patch);
  return { object: patched, outcome: outcomeOf(object, patched), warnings: [] };
}

function outcomeOf(before: JsonMembers, after: JsonMembers): Patched["outcome"] {
  return compactJson(before) === compactJson(after) ? "patched (no change)" : "patched";
}

/** What a patch brings, as an object like the one that it is for. */
function patchedPart({ apiVersion = null, kind = null }: JsonMembers, patch: Json): JsonMembers {
  if (isMembers(patch)) return { ...patch, apiVersion, kind };
  return { apiVersion, kind, data: asItems(patch).map((operation) => asMembers(operation).value ?? null) };
}
