/** The changes of a list's objects, whatever becomes of the connections that they are read from. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { isItems, isMembers, type Json, type JsonMembers, readJson } from "../lossless-json.ts";
import { compactJson } from "../json-text.ts";
import { asText, metadataOf } from "../json-parts.ts";
import type { ReadAnswer } from "../resource-client.ts";
import { jsonLines } from "./json-lines.ts";
import { isTable, listItems } from "./list-items.ts";
import { listPages } from "./list-pages.ts";
import { bodyOf, type ReadClient, readRequest } from "./read-client.ts";
import { type Change, isNotLater, itemMetadata, tableItems, type WatchedObjects } from "./watched-objects.ts";

/** What is watched. */
export interface WatchRequest {
  /** Of the list. */
  readonly path: string;
  readonly accept: string;
  /** Selectors and the like. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly chunkSize: number;
}

/** What watching needs, and who hears of what. */
export interface WatchOptions {
  /** Ends the watch, quietly. */
  readonly signal: AbortSignal;
  /** A pause that ends early, by rejecting, when the signal does. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Called before a pause after which the watch goes on. */
  readonly onInterrupted?: ((error: AppError) => void) | undefined;
  /** Called when the server no longer knows all changes since the last one, so that everything is listed again. */
  readonly onListAgain?: (() => void) | undefined;
}

/** Where a watch stands. */
export interface WatchState {
  readonly objects: WatchedObjects;
  /** The resource version that was seen last; undefined when everything is to be listed first. */
  version: string | undefined;
}

/** The first and the longest pause before a connection is made again, in milliseconds. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;

/** How a connection ended: by itself or with a failure that may pass, or because the version is too old. */
type Ended = { readonly type: "again"; readonly error?: AppError | undefined } | { readonly type: "expired" };

/**
 * The changes after a state, until the signal ends them.
 *
 * Of every object at least its last state is told, and no state twice or after a later one. What happened while no
 * connection was there is told afterwards, deletions too.
 *
 * @throws {AppError} what the server refuses for good.
 */
export async function* watchChanges(
  client: ReadClient,
  request: WatchRequest,
  state: WatchState,
  options: WatchOptions,
): AsyncGenerator<Change, void, void> {
  const { signal, sleep, random, onInterrupted, onListAgain } = options;
  let failures = 0;
  let refusals = 0;
  while (!signal.aborted) {
    let ended: Ended;
    try {
      if (state.version === undefined) yield* listAgain(client, request, state);
      const events = watchOnce(client, request, state, signal);
      for (;;) {
        const { done, value } = await unlessAborted(events.next(), signal);
        if (done) {
          ended = value;
          break;
        }
        failures = 0;
        refusals = 0;
        if (value !== undefined) yield value;
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = connectionError(client, thrown);
      if (error.code === "SESSION_REJECTED") refusals += 1;
      // A new token is taken once.
      if (refusals > 1 || !mayPass(error)) throw error;
      ended = { type: "again", error };
    }
    if (signal.aborted) return;
    if (ended.type === "expired") {
      onListAgain?.();
      state.version = undefined;
      // A server for which every version is too old is not asked without a pause.
      if (failures === 0) {
        failures = 1;
        continue;
      }
    }
    failures += 1;
    if (ended.type === "again" && ended.error !== undefined) onInterrupted?.(ended.error);
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 20)) *
      (0.5 + random() / 2);
    await sleep(pause, signal).catch(() => {});
  }
}

/** What is waited for, or the signal's reason: a body that does not end with its request holds up nobody. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** What broke a connection; anything but our own errors comes from the stream itself. */
function connectionError({ what }: ReadClient, thrown: unknown): AppError {
  if (thrown instanceof AppError) return failureOrThrow(thrown);
  return new AppError("NETWORK", `The watch of ${what} was interrupted.`, { cause: thrown });
}

function mayPass({ code, retryable }: AppError): boolean {
  return retryable || code === "SESSION_REJECTED";
}

/** Lists everything again, and tells of what changed meanwhile. */
async function* listAgain(
  client: ReadClient,
  request: WatchRequest,
  state: WatchState,
): AsyncGenerator<Change, void, void> {
  let isExpired = false;
  const onExpired = () => {
    isExpired = true;
  };
  let { items, version } = await listAll(client, { ...request, onExpired });
  // Parts of different times are no list to compare with.
  if (isExpired) ({ items, version } = await listAll(client, { ...request, chunkSize: 0 }));
  state.version = version;
  yield* state.objects.changesTo(items);
}

async function listAll(client: ReadClient, request: Parameters<typeof listPages>[1]) {
  const items: JsonMembers[] = [];
  let version = "";
  for await (const page of listPages(client, request)) {
    version = asText(metadataOf(page).resourceVersion);
    for (const item of pageItems(page, client.what)) items.push(item);
  }
  return { items, version };
}

/** The objects of a list, or the rows of a table as tables. */
export function pageItems(page: JsonMembers, what: string): JsonMembers[] {
  return isTable(page) ? tableItems(page) : listItems(page, what);
}

/** The changes of one connection, undefined for what only shows that it lives; returns how it ended. */
async function* watchOnce(
  client: ReadClient,
  { path, accept, query }: WatchRequest,
  state: WatchState,
  signal: AbortSignal,
): AsyncGenerator<Change | undefined, Ended, void> {
  const watch = { ...query, watch: "true", allowWatchBookmarks: "true", resourceVersion: state.version };
  const answer = await client.stream(readRequest(path, accept, watch), signal);
  if (answer.status === 410) {
    await answer.body[Symbol.asyncIterator]().return?.();
    return { type: "expired" };
  }
  if (answer.status < 200 || answer.status > 299) bodyOf(client, await refusalOf(answer));
  let columns: Json = [];
  for await (const { type, object: sent } of jsonLines(answer.body)) {
    if (!isMembers(sent)) continue;
    if (hasColumns(sent)) columns = sent.columnDefinitions;
    // They come with the first table of a connection alone, which may be a bookmark that is not shown.
    const object = isTable(sent) ? { ...sent, columnDefinitions: columns } : sent;
    if (type === "ERROR") {
      if (object.code === 410 || object.reason === "Expired" || object.reason === "Gone") {
        return { type: "expired" };
      }
      bodyOf(client, statusAnswer(object));
    }
    const version = asText(itemMetadata(object).resourceVersion) ||
      asText(metadataOf(object).resourceVersion);
    const isOld = state.version !== undefined && isNotLater(version, state.version);
    if (version !== "" && !isOld) state.version = version;
    if (type === "BOOKMARK" || isOld) yield undefined;
    else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      if (isTable(object) && (!isItems(object.rows) || object.rows.length === 0)) continue;
      yield state.objects.change(type, object);
    }
  }
  return { type: "again" };
}

function hasColumns(object: JsonMembers): object is JsonMembers & { readonly columnDefinitions: Json[] } {
  return isItems(object.columnDefinitions) && object.columnDefinitions.length > 0;
}

/** A refusal is no longer than this. */
const LARGEST_REFUSAL = 1024 * 1024;

async function refusalOf(
  { status, headers, body }: Awaited<ReturnType<ReadClient["stream"]>>,
): Promise<ReadAnswer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size > LARGEST_REFUSAL) break;
  }
  const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const value = readJson(new TextDecoder().decode(bytes));
  return { answer: { status, headers, body: bytes }, body: isMembers(value) ? value : undefined };
}

/** A Status among the events, as the answer that it would have been. */
function statusAnswer(object: JsonMembers): ReadAnswer {
  const status = typeof object.code === "number" && object.code >= 400 && object.code < 600
    ? object.code
    : 500;
  const body = new TextEncoder().encode(compactJson(object));
  const headers = new Headers({ "content-type": "application/json" });
  return { answer: { status, headers, body }, body: object };
}
