/** Owns reading a whole list from a Kubernetes API, part by part. */

import { isObject, type KubeClient, type KubeObject } from "./client.ts";

/** How many objects are asked for at once. */
const PART = 500;

/** Every object of the list at a path, such as `/api/v1/namespaces`. Throws what a request throws. */
export async function listObjects(client: KubeClient, path: string): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  let next = "";
  do {
    const part = await client.get(path, {
      query: { limit: String(PART), ...(next === "" ? {} : { continue: next }) },
    });
    if (Array.isArray(part.items)) found.push(...part.items.filter(isObject));
    const token = isObject(part.metadata) ? part.metadata.continue : undefined;
    // The same token again would lead in a circle.
    next = typeof token === "string" && token !== next ? token : "";
  } while (next !== "");
  return found;
}
