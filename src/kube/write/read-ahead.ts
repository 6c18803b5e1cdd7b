/** Reads objects together where many of one collection are to be applied: one list instead of a request for each. */

import { failureOrThrow } from "../../errors.ts";
import { groupVersionOf } from "../discovery.ts";
import { asItems, asText, metadataOf } from "../json-parts.ts";
import { isMembers, type JsonMembers } from "../lossless-json.ts";
import { ask, errorOf, isGood, type ResourceClient } from "../resource-client.ts";
import { kindKey } from "./kinds.ts";
import { collectionPath, objectPath, type ObjectRef } from "./object-ref.ts";
import type { Manifest } from "./write-all.ts";

/** Fewer documents of one collection are read one by one. */
const FEW = 8;

/** A list may hold this many times as many objects as there are documents; what stands behind them is read one by one. */
const MOST_OTHERS = 2;

/** The most objects of a page, and of all pages of a collection. */
const LARGEST_PAGE = 500;
const MOST_OBJECTS = 2_000;

/** What a list said of an object. */
export interface SeenObject {
  /** Undefined where the object is not there. */
  readonly object: JsonMembers | undefined;
}

/** Some objects of a collection, by their names. */
interface Collection {
  readonly objects: Map<string, JsonMembers>;
  /** Whether these are all. */
  readonly isWhole: boolean;
}

/** The collections of some documents, each read when the first of its objects is asked for. */
export class ReadAhead {
  readonly #client: ResourceClient;
  readonly #counts = new Map<string, number>();
  readonly #collections = new Map<string, Promise<Collection | undefined>>();

  /** @param usual the namespace of a document that names none. */
  constructor(client: ResourceClient, manifests: readonly Manifest[], usual: string) {
    this.#client = client;
    for (const { document } of manifests) {
      const namespace = asText(metadataOf(document).namespace) || usual;
      const key = keyOf(asText(document.apiVersion), asText(document.kind), namespace);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
  }

  /**
   * What is known of an object; undefined where nothing is. It is told once, for it is about to change.
   *
   * @throws {AppError} `INVALID` for what has no path; `SESSION_REJECTED`.
   */
  async take(ref: ObjectRef): Promise<SeenObject | undefined> {
    const { resource: { group, version, kind }, namespace, name } = ref;
    const key = keyOf(groupVersionOf(group, version), kind, namespace);
    const count = this.#counts.get(key) ?? 0;
    // Other Secrets are nobody's business.
    if (count < FEW || (group === "" && kind === "Secret")) return undefined;
    objectPath(ref);
    let reading = this.#collections.get(key);
    if (reading === undefined) this.#collections.set(key, reading = this.#read(ref, count));
    const collection = await reading;
    const object = collection?.objects.get(name);
    if (collection === undefined || (object === undefined && !collection.isWhole)) return undefined;
    collection.objects.delete(name);
    return { object };
  }

  /** Undefined where the collection cannot be listed: then each object is asked for. */
  async #read(ref: ObjectRef, count: number): Promise<Collection | undefined> {
    const { group, version, kind } = ref.resource;
    const type = { apiVersion: groupVersionOf(group, version), kind };
    const most = Math.min(count * MOST_OTHERS, MOST_OBJECTS);
    const objects = new Map<string, JsonMembers>();
    let next: string | undefined;
    try {
      do {
        const read = await ask(this.#client, {
          method: "GET",
          path: collectionPath(ref.resource, ref.namespace),
          query: { limit: String(Math.min(LARGEST_PAGE, most - objects.size)), continue: next },
          repeatable: true,
        });
        if (!isGood(read)) throw errorOf(this.#client, read);
        if (read.body === undefined) return undefined;
        // The items of some lists do not say what they are.
        for (const item of asItems(read.body.items).filter(isMembers)) {
          objects.set(asText(metadataOf(item).name), { ...item, ...type });
        }
        next = asText(metadataOf(read.body).continue) || undefined;
      } while (next !== undefined && objects.size < most);
    } catch (thrown) {
      // No other request can do better then.
      if (failureOrThrow(thrown).code === "SESSION_REJECTED") throw thrown;
      return undefined;
    }
    return { objects, isWhole: next === undefined };
  }
}

function keyOf(apiVersion: string, kind: string, namespace: string): string {
  return `${kindKey(apiVersion, kind)} ${namespace}`;
}
