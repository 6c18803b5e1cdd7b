/** Reads a whole list from a Kubernetes API, part by part. */

import { isObject, type JsonObject } from "../encoding.ts";
import type { ApiClient } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import { objects } from "./objects.ts";

/** The number of objects to ask for at once, and the most parts to read. */
const PART = 500;
const MOST_PARTS = 200;

/** The most bytes of all parts. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Every object of the list at a path, such as `/api/v1/namespaces`.
 *
 * @throws {AppError} `INVALID` when the list does not end, `NETWORK` when it has more than 64 MiB, and what a
 * request throws.
 */
export async function listObjects(client: ApiClient, path: string): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  const budget = { bytes: MOST_BYTES, left: MOST_BYTES };
  const query: Record<string, string> = { limit: String(PART) };
  for (let part = 1; part <= MOST_PARTS; part += 1) {
    const answer = await client.get(path, {
      query,
      budget,
    });
    // Not spread as arguments, because there can be too many.
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
