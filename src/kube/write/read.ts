/** One object as the server has it now. */

import type { JsonMembers } from "../lossless-json.ts";
import { ask, objectOf, type ReadAnswer, type ResourceClient } from "../resource-client.ts";
import { objectPath, type ObjectRef } from "./object-ref.ts";

/** Asks for an object, or for a sub-resource of it. */
export async function askForObject(
  client: ResourceClient,
  ref: ObjectRef,
  subresource = "",
): Promise<ReadAnswer> {
  return await ask(client, { method: "GET", path: objectPath(ref, subresource), repeatable: true });
}

/** An object; undefined where the server has none of that name. */
export async function readObject(client: ResourceClient, ref: ObjectRef): Promise<JsonMembers | undefined> {
  const read = await askForObject(client, ref);
  return read.answer.status === 404 ? undefined : objectOf(client, read);
}

/** An object that must be there, or a sub-resource of it. @throws {AppError} `NOT_FOUND` where it is not. */
export async function readExisting(
  client: ResourceClient,
  ref: ObjectRef,
  subresource = "",
): Promise<JsonMembers> {
  return objectOf(client, await askForObject(client, ref, subresource));
}
