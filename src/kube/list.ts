/** Owns reading a whole list from a Kubernetes API, part by part. */

import { isObject, type JsonObject } from "../http/api-answer.ts";
import type { ApiClient } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import { objects } from "./objects.ts";

/** How many objects are asked for at once, and how many such parts are read at the most. */
const PART = 500;
const MOST_PARTS = 200;

/** What all parts may come to, in bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Every object of the list at a path, such as `/api/v1/namespaces`. Throws what a request throws, and `INVALID` when
 * the list does not end; `NETWORK` for more than 64 MiB.
 */
export async function listObjects(client: ApiClient, path: string): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  const allowance = { bytes: MOST_BYTES, left: MOST_BYTES };
  const query: Record<string, string> = { limit: String(PART) };
  for (let part = 1; part <= MOST_PARTS; part += 1) {
    const answer = await client.get(path, {
      query,
      allowance,
    });
    // Not spread as arguments: there can be too many.
    for (const item of objects(answer.items)) found.push(item);
    const token = isObject(answer.metadata) ? answer.metadata.continue : undefined;
    if (typeof token !== "string" || token === "") return found;
    query.continue = token;
  }
  throw new AppError(
    "INVALID",
    `The list ${path} of ${client.what} does not end after ${MOST_PARTS} parts.`,
    {
      hint: "See what there is with kubectl.",
    },
  );
}
