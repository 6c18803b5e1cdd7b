/** Creating one object. */

import { AppError } from "../../errors.ts";
import { compactJson } from "../json-text.ts";
import { type JsonMembers, memberOf } from "../lossless-json.ts";
import { ask, objectOf, type ResourceClient, warningsOf } from "../resource-client.ts";
import { metadataOf } from "../json-parts.ts";
import type { FieldValidation } from "./apply.ts";
import { collectionPath, type DryRun, objectLabel, type ObjectRef } from "./object-ref.ts";
import { maskOf } from "./secret-mask.ts";

/** How objects are created. */
export interface CreateOptions {
  readonly fieldManager: string;
  readonly validation: FieldValidation;
  readonly dryRun: DryRun;
}

/** An object as the server has it now, and what it warns of. */
export interface Written {
  readonly object: JsonMembers;
  readonly warnings: readonly string[];
}

/**
 * Creates an object. The request is sent once: where its answer is lost, the object may be there.
 *
 * @throws {AppError} `CONFLICT` when it exists, `INVALID` for what the server does not take; what a request throws.
 */
export async function createObject(
  client: ResourceClient,
  { resource, namespace }: ObjectRef,
  document: JsonMembers,
  options: CreateOptions,
): Promise<Written> {
  if (options.dryRun === "client") return { object: document, warnings: [] };
  const label = objectLabel(document);
  const mask = maskOf([document]);
  const read = await ask(client, {
    method: "POST",
    path: collectionPath(resource, namespace),
    query: {
      fieldManager: options.fieldManager,
      fieldValidation: options.validation,
      dryRun: options.dryRun === "server" ? "All" : undefined,
    },
    body: compactJson(document),
    repeatable: options.dryRun === "server",
  }).catch((error) => {
    throw options.dryRun === "none" ? maybeDone(error, `${label} may have been created`) : error;
  });
  return { object: objectOf(client, read, mask), warnings: warningsOf(read).map(mask) };
}

/** An error of a request that was not answered, which says what the request may have done. */
export function maybeDone(thrown: unknown, what: string): unknown {
  if (!(thrown instanceof AppError) || thrown.code !== "NETWORK") return thrown;
  // Sending it again without a look would do it twice.
  return new AppError("NETWORK", thrown.message, {
    hint: `${what} all the same: look before you run the command again.`,
    cause: thrown.cause,
    retryable: false,
  });
}

/** True for a document that leaves its name to the server. */
export function isUnnamed(document: JsonMembers): boolean {
  const metadata = metadataOf(document);
  return (memberOf(metadata, "name") ?? "") === "";
}
