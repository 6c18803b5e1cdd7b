/** Many objects written one by one: in which order, several at once, and what became of each. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { printable } from "../../text.ts";
import type { ApiResource } from "../discovery.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { isUnserved, type ResourceClient } from "../resource-client.ts";
import { asText, metadataOf } from "../json-parts.ts";
import { definedKinds, findKind, kindKey, type KnownKinds, servedKind, unknownKind } from "./kinds.ts";
import { lookUntil, type Time } from "./look-until.ts";
import { type DryRun, objectLabel, type ObjectRef, splitApiVersion } from "./object-ref.ts";

/** A document that was read from somewhere. */
export interface Manifest {
  readonly document: JsonMembers;
  /** Where it is from, for messages: a file, an address, the standard input. */
  readonly source: string;
}

/** What writing many objects works with. */
export interface WriteContext extends Time {
  readonly client: ResourceClient;
  readonly kinds: KnownKinds;
}

/** How many objects are written. */
export interface WriteAllOptions<Done> {
  /** Where an object goes that names no namespace. */
  readonly namespace: string;
  /** Whether an object that names another namespace fails. */
  readonly onlyThatNamespace: boolean;
  readonly dryRun: DryRun;
  /** How long an object waits for its kind to be served that the same input defines, in milliseconds. */
  readonly patience: number;
  /** Writes one object. Its name is empty where the server is to make one. */
  readonly write: (ref: ObjectRef, document: JsonMembers) => Promise<Done>;
  /** Whether the object was not there before. */
  readonly isNew: (done: Done) => boolean;
  /** Told of each result as soon as all before it are told of, in the order of the input. */
  readonly onResult?: ((result: WriteResult<Done>) => void) | undefined;
  /** Told after each object how many are done, and of how many. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

/** What became of one document. */
export type WriteResult<Done> =
  & { readonly manifest: Manifest; readonly label: string }
  & (
    | { readonly type: "done"; readonly ref: ObjectRef; readonly done: Done }
    | { readonly type: "failed"; readonly error: AppError }
    /** A dry run cannot tell, because of what the same input makes. */
    | { readonly type: "unchecked"; readonly why: string }
  );

/**
 * Writes all documents: Namespaces and definitions of kinds first, then runs of documents of one kind in the input's
 * order, several requests at a time within each. A document that fails does not stop the others.
 *
 * @returns the results in the input's order.
 * @throws {AppError} `INTERRUPTED`, and `SESSION_REJECTED` when no other request can do better.
 */
export async function writeAll<Done>(
  context: WriteContext,
  manifests: readonly Manifest[],
  options: WriteAllOptions<Done>,
): Promise<WriteResult<Done>[]> {
  return await new WriteRun(context, manifests, options).run();
}

/** A document with its place in the input. */
interface Task {
  readonly manifest: Manifest;
  readonly at: number;
}

class WriteRun<Done> {
  readonly #context: WriteContext;
  readonly #options: WriteAllOptions<Done>;
  readonly #tasks: readonly Task[];
  readonly #results: WriteResult<Done>[] = [];
  readonly #found = new Map<string, Promise<ApiResource | undefined>>();
  /** The kinds that the input defines, each with its definition. */
  readonly #defined: ReadonlyMap<string, Task>;
  readonly #namespaces: ReadonlyMap<string, Task>;
  #written = 0;
  #told = 0;
  #fatal: unknown;

  constructor(context: WriteContext, manifests: readonly Manifest[], options: WriteAllOptions<Done>) {
    this.#context = context;
    this.#options = options;
    this.#tasks = manifests.map((manifest, at) => ({ manifest, at }));
    this.#defined = new Map(
      this.#tasks.filter(({ manifest }) => isDefinition(manifest)).flatMap((task) =>
        definedKinds(task.manifest.document).map((kind) => [kind, task] as const)
      ),
    );
    this.#namespaces = new Map(
      this.#tasks.filter(({ manifest }) => isNamespace(manifest)).map((
        task,
      ) => [asText(metadataOf(task.manifest.document).name), task]),
    );
  }

  async run(): Promise<WriteResult<Done>[]> {
    const { first = [], later = [] } = Object.groupBy(
      this.#tasks,
      ({ manifest }) => isNamespace(manifest) || isDefinition(manifest) ? "first" : "later",
    );
    for (const stage of [first, ...runsOf(later, kindOf)]) {
      await mapConcurrent(chains(stage, this.#options.namespace), (chain) => this.#writeChain(chain));
      if (this.#fatal !== undefined) throw this.#fatal;
    }
    return this.#results;
  }

  /** Writes documents of the same object, one after the other. */
  async #writeChain(chain: readonly Task[]): Promise<void> {
    for (const task of chain) {
      if (this.#fatal !== undefined) return;
      try {
        this.#results[task.at] = await this.#result(task);
      } catch (thrown) {
        this.#fatal ??= thrown;
        return;
      }
      this.#written += 1;
      this.#tell();
    }
  }

  #tell(): void {
    const { onResult, onProgress } = this.#options;
    onProgress?.(this.#written, this.#tasks.length);
    for (let next = this.#results[this.#told]; next !== undefined; next = this.#results[this.#told]) {
      this.#told += 1;
      onResult?.(next);
    }
  }

  async #result({ manifest }: Task): Promise<WriteResult<Done>> {
    const label = objectLabel(manifest.document);
    try {
      return { manifest, label, ...await this.#write(manifest.document) };
    } catch (thrown) {
      const error = failureOrThrow(thrown);
      if (error.code === "SESSION_REJECTED") throw error;
      return { manifest, label, type: "failed", error };
    }
  }

  async #write(
    document: JsonMembers,
  ): Promise<{ type: "done"; ref: ObjectRef; done: Done } | { type: "unchecked"; why: string }> {
    const { client, kinds } = this.#context;
    const { dryRun } = this.#options;
    const [apiVersion, kind] = [asText(document.apiVersion), asText(document.kind)];
    const definition = this.#defined.get(kindKey(apiVersion, kind));
    const resource = await this.#resource(apiVersion, kind, definition);
    if (resource === undefined) {
      if (dryRun !== "none" && definition !== undefined && this.#isNew(definition)) {
        return { type: "unchecked", why: "its kind is defined by the same input" };
      }
      throw await unknownKind(kinds, client, apiVersion, kind);
    }
    const { ref, document: sent } = targetOf(resource, document, this.#options);
    const namespace = resource.namespaced ? this.#namespaces.get(ref.namespace) : undefined;
    if (dryRun === "server" && namespace !== undefined && this.#isNew(namespace)) {
      return { type: "unchecked", why: "its namespace is made by the same input" };
    }
    const done = definition === undefined
      ? await this.#options.write(ref, sent)
      : await this.#writeWhenServed(ref, sent);
    return { type: "done", ref, done };
  }

  /** Whether an object was not there before; a dry run has not made it. */
  #isNew({ at }: Task): boolean {
    const result = this.#results[at];
    return result?.type === "done" && this.#options.isNew(result.done);
  }

  #resource(
    apiVersion: string,
    kind: string,
    definition: Task | undefined,
  ): Promise<ApiResource | undefined> {
    const key = kindKey(apiVersion, kind);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = this.#look(apiVersion, kind, definition);
    this.#found.set(key, found);
    return found;
  }

  async #look(
    apiVersion: string,
    kind: string,
    definition: Task | undefined,
  ): Promise<ApiResource | undefined> {
    const { client, kinds, now } = this.#context;
    const { dryRun, patience } = this.#options;
    const found = await findKind(kinds, apiVersion, kind);
    const isComing = definition !== undefined && dryRun === "none" &&
      this.#results[definition.at]?.type === "done";
    if (found !== undefined || !isComing) return found;
    return await lookUntil(this.#context, now() + patience, () => servedKind(client, apiVersion, kind));
  }

  /** Writes an object of a kind that one server of several may list before another one serves it. */
  async #writeWhenServed(ref: ObjectRef, document: JsonMembers): Promise<Done> {
    const { now } = this.#context;
    let last: unknown;
    const written = await lookUntil(this.#context, now() + this.#options.patience, async () => {
      try {
        return { done: await this.#options.write(ref, document) };
      } catch (error) {
        if (!(error instanceof AppError) || !isUnserved(error)) throw error;
        last = error;
        return undefined;
      }
    });
    if (written === undefined) throw last;
    return written.done;
  }
}

function isNamespace({ document }: Manifest): boolean {
  return document.kind === "Namespace" && document.apiVersion === "v1";
}

/** True for the definition of a kind. */
export function isDefinition({ document }: Manifest): boolean {
  return document.kind === "CustomResourceDefinition" &&
    splitApiVersion(asText(document.apiVersion)).group === "apiextensions.k8s.io";
}

function kindOf({ manifest: { document } }: Task): string {
  return kindKey(asText(document.apiVersion), asText(document.kind));
}

/** Items in runs of one kind: what a kind needs of another one stands before it, as for kubectl. */
export function runsOf<Item>(items: readonly Item[], kindOf: (item: Item) => string): Item[][] {
  const runs: Item[][] = [];
  let last: string | undefined;
  for (const item of items) {
    const kind = kindOf(item);
    if (kind === last) runs.at(-1)?.push(item);
    else runs.push([item]);
    last = kind;
  }
  return runs;
}

/** The documents by their objects: two of the same object are written one after the other. */
function chains(tasks: readonly Task[], usual: string): Task[][] {
  return [
    ...Map.groupBy(tasks, ({ manifest: { document } }) => {
      const { name, namespace } = metadataOf(document);
      // What gets its name from the server is an object of its own each time.
      if (asText(name) === "") return Symbol("unnamed");
      return `${asText(document.kind)} ${asText(namespace) || usual} ${asText(name)}`;
    }).values(),
  ];
}

/**
 * The object that a document is about, and the document with its namespace.
 *
 * @throws {AppError} `INVALID` for a name or a namespace that is none, or not the one that was asked for.
 */
export function targetOf(
  resource: ApiResource,
  document: JsonMembers,
  { namespace: usual, onlyThatNamespace }: Pick<WriteAllOptions<unknown>, "namespace" | "onlyThatNamespace">,
): { readonly ref: ObjectRef; readonly document: JsonMembers } {
  const metadata = metadataOf(document);
  const { name, namespace: named } = metadata;
  for (const [member, value] of Object.entries({ name, namespace: named })) {
    if (typeof (value ?? "") === "string") continue;
    throw new AppError("INVALID", `${objectLabel(document)} has a ${member} that is no text.`, {
      hint: "Put it in quotes.",
    });
  }
  const ref = { resource, name: asText(name), namespace: asText(named) || usual };
  if (!resource.namespaced) return { ref, document };
  if (onlyThatNamespace && ref.namespace !== usual) {
    const [own, only] = [ref.namespace, usual].map((one) => `"${printable(one, 100)}"`);
    throw new AppError("INVALID", `${objectLabel(document)} is of the namespace ${own}, not of ${only}.`, {
      hint: `Name its own namespace: -n ${printable(ref.namespace, 100)}`,
    });
  }
  return { ref, document: { ...document, metadata: { ...metadata, namespace: ref.namespace } } };
}

/** The error that ends a command of whose objects some failed; undefined where none did. */
export function failuresError(
  results: readonly WriteResult<unknown>[],
  outcome: string,
): AppError | undefined {
  const errors = results.flatMap((result) => result.type === "failed" ? [result.error] : []);
  const [first] = errors;
  if (first === undefined) return undefined;
  if (results.length === 1) return first;
  const isOneCode = errors.every(({ code }) => code === first.code);
  return new AppError(
    isOneCode ? first.code : "INVALID",
    `${errors.length} of ${results.length} objects were not ${outcome}.`,
    {
      hint: "Correct what is told of each, and run the same command again.",
      retryable: errors.every((one) => one.retryable),
    },
  );
}
