/** `describe`: reads objects, with what belongs to their descriptions, and prints these as kubectl does. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import type { ApiResource } from "../discovery.ts";
import { asMembers, asText, metadataOf } from "../json-parts.ts";
import { readLabelSelector } from "../label-selector.ts";
import type { Json, JsonMembers } from "../lossless-json.ts";
import { listItems } from "../read/list-items.ts";
import { listPages } from "../read/list-pages.ts";
import { bodyOf, OBJECTS, readAnswer, readRequest } from "../read/read-client.ts";
import { type OpenTarget, openTargets, pagesOf, type ReadOptions } from "../read/read-pages.ts";
import { objectIn, type ReadContext, shownText } from "../read/show.ts";
import { type ReadTarget, resolveTargets, withServedKinds } from "../read/targets.ts";
import { findKind, unknownKind } from "../write/kinds.ts";
import { objectPath } from "../write/object-ref.ts";
import { type Manifest, targetOf } from "../write/write-all.ts";
import { describe, type DescribeClock, type RelatedName, relatedRequests } from "./describe.ts";

/** What describing needs. */
export interface DescribeContext extends ReadContext, Pick<DescribeClock, "minutesEast"> {}

/** What `describe` is told beside what to describe. */
export interface DescribeOptions
  extends Pick<ReadOptions, "labelSelector" | "chunkSize" | "onExpired" | "onWarning"> {
  readonly namespace: string;
  readonly allNamespaces?: boolean | undefined;
  readonly events: boolean;
  /** Told why events are missing from a description that goes without them. */
  readonly onMissingEvents?: ((error: AppError) => void) | undefined;
}

/** What became of a `describe`. */
export interface DescribeResult {
  /** What could not be described; the rest was printed. */
  readonly errors: readonly AppError[];
  /** Whether nothing was found, and nothing else tells of it. */
  readonly isNothing: boolean;
  /** A sentence for each word that means more than one resource. */
  readonly ambiguities: readonly string[];
}

/** How many objects are described before the first of them is printed. */
const AT_ONCE = 32;

/**
 * Describes what the arguments mean. A single name that is none may be the beginning of others.
 *
 * @throws {AppError} `USAGE`, and what nothing is printed after.
 */
export async function describeObjects(
  context: DescribeContext,
  args: readonly string[],
  options: DescribeOptions,
): Promise<DescribeResult> {
  return await withServedKinds(context.kinds, async () => {
    const selects = (options.labelSelector ?? "") !== "";
    const { targets, ambiguities } = await resolveTargets(context.kinds, args, { ...options, selects });
    const run = new Descriptions(context, options);
    await run.targets(args, targets);
    return run.result(ambiguities);
  });
}

/**
 * Describes the objects of manifests as the server has them.
 *
 * @throws {AppError} `USAGE` for a selector that is none.
 */
export async function describeManifests(
  context: DescribeContext,
  manifests: readonly Manifest[],
  options: DescribeOptions & { readonly onlyThatNamespace: boolean },
): Promise<DescribeResult> {
  const isSelected = readLabelSelector(options.labelSelector ?? "");
  const chosen = manifests.filter(({ document }) => isSelected(asMembers(metadataOf(document).labels)));
  const run = new Descriptions(context, options);
  await run.manifests(chosen, options);
  return run.result([]);
}

/** An object, and what the server's discovery says that it is. */
interface Found {
  readonly resource: ApiResource;
  readonly object: JsonMembers;
}

class Descriptions {
  readonly #context: DescribeContext;
  readonly #options: DescribeOptions;
  readonly #errors: AppError[] = [];
  #found = 0;
  #written = 0;

  constructor(context: DescribeContext, options: DescribeOptions) {
    this.#context = context;
    this.#options = options;
  }

  result(ambiguities: readonly string[]): DescribeResult {
    // What many objects have in common is told once.
    const errors = [...new Map(this.#errors.map((error) => [error.message, error])).values()];
    return { errors, isNothing: this.#found === 0 && errors.length === 0, ambiguities };
  }

  async targets(args: readonly string[], targets: readonly ReadTarget[]): Promise<void> {
    const opened = await this.#open(targets);
    const [error, ...more] = this.#errors;
    const isNameless = error?.code === "NOT_FOUND" && more.length === 0 && args.length === 2;
    // As in kubectl, one of two named objects that is not there hides the other one.
    if (isNameless) {
      return args.some((arg) => arg.includes("/")) ? undefined : await this.#withPrefix(targets);
    }
    for (const { target: { resource }, pages } of opened) {
      for await (const objects of pages) {
        await this.#describeAll(objects, (object) => Promise.resolve({ resource, object }));
      }
    }
  }

  /** Describes all objects whose names begin with the one of targets that are not there. */
  async #withPrefix([target, ...others]: readonly ReadTarget[]): Promise<void> {
    if (target === undefined) return;
    if (others.length > 0) {
      throw new AppError(
        "USAGE",
        "A name that is not there can be the beginning of others of one type only.",
        {
          hint: "Write TYPE NAME for each type.",
        },
      );
    }
    const { name = "", ...list } = target;
    const missing = this.#errors.splice(0);
    for (const { pages } of await this.#open([list], { ...this.#options, labelSelector: undefined })) {
      for await (const objects of pages) {
        const named = objects.filter((object) => asText(metadataOf(object).name).startsWith(name));
        this.#found += named.length;
        for (const text of await mapConcurrent(named, (object) => this.#text({ ...target, object }))) {
          await this.#write(`${text}\n`);
        }
      }
    }
    if (this.#found === 0 && this.#errors.length === 0) this.#errors.push(...missing);
  }

  async #open(targets: readonly ReadTarget[], options: DescribeOptions = this.#options) {
    const { client } = this.#context;
    const opened = await openTargets(client, targets, { ...options, accept: OBJECTS }, this.#errors);
    return opened.map((one) => ({ target: one.target, pages: this.#objects(one) }));
  }

  async *#objects(one: OpenTarget): AsyncGenerator<JsonMembers[], void, void> {
    for await (const page of pagesOf(one, this.#errors)) {
      yield one.target.name === undefined
        ? listItems(page, this.#context.client.what)
        : [objectIn(page, this.#context)];
    }
  }

  async manifests(
    manifests: readonly Manifest[],
    scope: Parameters<typeof targetOf>[2],
  ): Promise<void> {
    const { client, kinds } = this.#context;
    await this.#describeAll(manifests, async ({ document }) => {
      const [apiVersion, kind] = [asText(document.apiVersion), asText(document.kind)];
      const resource = await findKind(kinds, apiVersion, kind);
      if (resource === undefined) throw await unknownKind(kinds, client, apiVersion, kind);
      const { ref } = targetOf(resource, document, scope);
      const answer = await readAnswer(client, readRequest(objectPath(ref), OBJECTS));
      return { resource, object: bodyOf(client, answer, this.#options.onWarning) };
    });
  }

  /** Prints the descriptions of objects in their order. One that fails does not stop the others. */
  async #describeAll<Item>(items: readonly Item[], find: (item: Item) => Promise<Found>): Promise<void> {
    this.#found += items.length;
    for (let at = 0; at < items.length; at += AT_ONCE) {
      const texts = await mapConcurrent(items.slice(at, at + AT_ONCE), async (item) => {
        try {
          return await this.#text(await find(item));
        } catch (thrown) {
          return failureOrThrow(thrown);
        }
      });
      for (const text of texts) {
        if (text instanceof AppError) this.#errors.push(text);
        else await this.#write(this.#written === 0 ? text : `\n\n${text}`);
      }
    }
  }

  async #text({ resource, object }: Found): Promise<string> {
    const { now, minutesEast } = this.#context;
    const related: { [name in RelatedName]?: readonly Json[] | undefined } = {};
    for (const request of relatedRequests(resource, object, this.#options)) {
      related[request.name] = await this.#list(request);
    }
    return describe(resource, object, related, { now: new Date(now()), minutesEast });
  }

  async #list(
    { path, onFailure }: ReturnType<typeof relatedRequests>[number],
  ): Promise<readonly Json[] | undefined> {
    const { client } = this.#context;
    const { chunkSize, onMissingEvents, onWarning } = this.#options;
    try {
      const items: Json[] = [];
      for await (
        const page of listPages(client, { path, accept: OBJECTS, query: {}, chunkSize, onWarning })
      ) {
        for (const item of listItems(page, client.what)) items.push(item);
      }
      return items;
    } catch (thrown) {
      const error = failureOrThrow(thrown);
      if (onFailure === "fail-unless-not-found") {
        if (error.code === "NOT_FOUND") return undefined;
        throw error;
      }
      // A server that has no events at all misses none.
      if (error.code !== "NOT_FOUND") onMissingEvents?.(error);
      return [];
    }
  }

  async #write(text: string): Promise<void> {
    this.#written += 1;
    await this.#context.write(shownText(this.#context, text));
  }
}
