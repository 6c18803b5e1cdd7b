/** Applying and creating what many documents say. */

import { AppError } from "../../errors.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { type Applied, applyObject, type ApplyOptions } from "./apply.ts";
import { createObject, type CreateOptions, isUnnamed, type Written } from "./create.ts";
import { objectLabel } from "./object-ref.ts";
import { ReadAhead } from "./read-ahead.ts";
import {
  type Manifest,
  writeAll,
  type WriteAllOptions,
  type WriteContext,
  type WriteResult,
} from "./write-all.ts";

/** What goes with each way of writing documents. */
export type WrittenDocuments<Done> = Omit<WriteAllOptions<Done>, "write" | "isNew" | "dryRun">;

/** Applies documents, as {@link writeAll} and {@link applyObject} do. */
export async function applyAll(
  context: WriteContext,
  manifests: readonly Manifest[],
  options: WrittenDocuments<Applied> & ApplyOptions,
): Promise<WriteResult<Applied>[]> {
  const { client } = context;
  const ahead = new ReadAhead(client, manifests, options.namespace);
  return await writeAll(context, manifests, {
    ...options,
    isNew: ({ outcome }) => outcome === "created",
    write: async (ref, document) => {
      if (isUnnamed(document)) throw nameless(document);
      return await applyObject(client, ref, document, options, await ahead.take(ref));
    },
  });
}

function nameless(document: JsonMembers): AppError {
  return new AppError("INVALID", `${objectLabel(document)} has no name to apply it by.`, {
    hint: "Give it a metadata.name; only create takes a metadata.generateName.",
  });
}

/** Creates documents, as {@link writeAll} and {@link createObject} do. */
export async function createAll(
  context: WriteContext,
  manifests: readonly Manifest[],
  options: WrittenDocuments<Written> & CreateOptions,
): Promise<WriteResult<Written>[]> {
  return await writeAll(context, manifests, {
    ...options,
    isNew: () => true,
    write: (ref, document) => createObject(context.client, ref, document, options),
  });
}
