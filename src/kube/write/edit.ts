/** Saving an object that a person edited. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import type { Json, JsonMembers } from "../lossless-json.ts";
import {
  ask,
  errorOf,
  isGood,
  objectOf,
  refusalStatus,
  type ResourceClient,
  warningsOf,
} from "../resource-client.ts";
import { asMembers, asText, metadataOf } from "../json-parts.ts";
import type { FieldValidation } from "./apply.ts";
import { maybeDone, type Written } from "./create.ts";
import { mergePatch } from "./merge-patch.ts";
import { objectPath, type ObjectRef, refLabel } from "./object-ref.ts";
import { maskOf } from "./secret-mask.ts";

/** How an edit is saved. */
export interface EditOptions {
  readonly fieldManager: string;
  readonly validation: FieldValidation;
  /** The object itself unless given. */
  readonly subresource?: string | undefined;
}

/** What became of an edit. */
export type Edited =
  | Written & { readonly outcome: "edited" }
  | { readonly outcome: "not changed" }
  /** The server did not take it; the lines say why, safe to print. */
  | { readonly outcome: "refused"; readonly error: AppError; readonly lines: readonly string[] };

/**
 * Saves what a person made of an object: the difference, and only if the object is still the one that they saw.
 *
 * @throws {AppError} `INVALID` where it has become another object; `CONFLICT` where somebody else has changed it since; what
 * a request throws.
 */
export async function saveEdit(
  client: ResourceClient,
  ref: ObjectRef,
  original: JsonMembers,
  edited: JsonMembers,
  { fieldManager, validation, subresource }: EditOptions,
): Promise<Edited> {
  checkIdentity(ref, original, edited);
  const patch = editPatch(original, edited);
  if (patch === undefined) return { outcome: "not changed" };
  const mask = maskOf([original, edited]);
  const read = await ask(client, {
    method: "PATCH",
    path: objectPath(ref, subresource),
    query: { fieldManager, fieldValidation: validation },
    contentType: "application/merge-patch+json",
    body: compactJson(patch),
    repeatable: false,
  }).catch((error) => {
    throw maybeDone(error, `${refLabel(ref)} may have been changed`);
  });
  if (isGood(read)) {
    return { outcome: "edited", object: objectOf(client, read, mask), warnings: warningsOf(read).map(mask) };
  }
  const error = errorOf(client, read, mask);
  if (error.code === "CONFLICT") throw changedSince(ref);
  if (error.code !== "INVALID") throw error;
  const { message = "", causes = [] } = refusalStatus(read) ?? {};
  const lines = causes.length === 0
    ? [message || error.message]
    : causes.map((cause) => `${cause.field}: ${cause.message}`);
  return { outcome: "refused", error, lines: lines.map((line) => printable(mask(line), 1000)) };
}

function changedSince(ref: ObjectRef): AppError {
  return new AppError("CONFLICT", `${refLabel(ref)} was changed by somebody else since it was opened.`, {
    hint: "Open it again and make the change there.",
  });
}

/** @throws {AppError} `INVALID` where it has become another object. */
function checkIdentity(ref: ObjectRef, original: JsonMembers, edited: JsonMembers): void {
  const [before, after] = [original, edited].map((object) => {
    const { name, namespace } = metadataOf(object);
    return compactJson([object.apiVersion, object.kind, name, namespace].map((part) => part ?? null));
  });
  if (before === after) return;
  throw new AppError("INVALID", `The apiVersion, kind, name or namespace of ${refLabel(ref)} was changed.`, {
    hint: "Leave them as they are; for another object there is create.",
  });
}

/**
 * The difference with the version of the object that it is for; undefined where there is none.
 *
 * @throws {AppError} `INVALID` for an object without a version.
 */
export function editPatch(original: JsonMembers, edited: JsonMembers): JsonMembers | undefined {
  const patch = editDifference(original, edited);
  if (Object.keys(patch).length === 0) return undefined;
  const resourceVersion = asText(metadataOf(original).resourceVersion);
  if (resourceVersion !== "") return withVersion(patch, resourceVersion);
  throw new AppError(
    "INVALID",
    "The object has no resourceVersion, so nobody can say whether it was changed since.",
    {
      hint: "Change it with apply or patch.",
    },
  );
}

/** What was changed, as a merge patch. The version that a person left in the text, or took out of it, is no change. */
export function editDifference(original: JsonMembers, edited: JsonMembers): JsonMembers {
  return mergePatch(withVersion(original, ""), withVersion(edited, ""));
}

function withVersion(object: JsonMembers, resourceVersion: Json): JsonMembers {
  return { ...object, metadata: { ...asMembers(object.metadata), resourceVersion } };
}
