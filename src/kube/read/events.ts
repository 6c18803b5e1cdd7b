/** `events`: what happened lately, as `kubectl events` prints it. */

import { AppError } from "../../errors.ts";
import { escaped } from "../describe/description.ts";
import { eventAge, trimmed } from "../describe/events.ts";
import { groupVersionOf } from "../discovery.ts";
import { goSort } from "../go-sort.ts";
import { asText, membersOf, metadataOf, textOf } from "../json-parts.ts";
import { jsonText, sortedNames } from "../json-text.ts";
import { isMembers, type JsonMembers, memberOf } from "../lossless-json.ts";
import { resolveResource } from "../resource-names.ts";
import { alignTabbedColumns } from "../table-layout.ts";
import { collectionPath } from "../write/object-ref.ts";
import { yamlText } from "../yaml-printer.ts";
import { listItems, withoutManagedFields } from "./list-items.ts";
import { listPages } from "./list-pages.ts";
import type { Output } from "./output.ts";
import { OBJECTS } from "./read-client.ts";
import type { ReadOptions } from "./read-pages.ts";
import { type ReadContext, shownText, type ShowOptions } from "./show.ts";
import { watchChanges, type WatchOptions, type WatchRequest } from "./watch-changes.ts";
import { WatchedObjects } from "./watched-objects.ts";

/** Which events are shown, and how. */
export interface EventsOptions
  extends Pick<ShowOptions, "noHeaders" | "showManagedFields">, Pick<ReadOptions, "chunkSize" | "onWarning"> {
  readonly output: Output;
  readonly namespace: string;
  readonly allNamespaces: boolean;
  /** Only events about the object `TYPE/NAME`. */
  readonly about?: string | undefined;
  /** Only events of these types, in any case; all where there is none. */
  readonly types: readonly string[];
  /** Told that parts of the list are of different times. */
  readonly onExpired?: (() => void) | undefined;
}

/**
 * Prints the events, the last one at the end.
 *
 * @returns false where there is none, for which nothing is printed.
 * @throws {AppError} `USAGE`, `NOT_FOUND` for a type that is not served, and what reading throws.
 */
export async function printEvents(context: ReadContext, options: EventsOptions): Promise<boolean> {
  const { client } = context;
  const request = await requestOf(context, options);
  const events: JsonMembers[] = [];
  for await (const page of listPages(client, { ...options, ...request })) {
    for (const event of listItems(page, client.what)) if (isShown(event, options)) events.push(event);
  }
  if (events.length === 0) return false;
  const sorted = goSort(events.map((event) => ({ event, at: lastSeen(event) })), (a, b) => a.at < b.at);
  await new EventPrinter(context, options).list(sorted.map(({ event }) => event));
  return true;
}

/**
 * Prints the events that the server has, in its order, and every further one until the signal ends it.
 *
 * @throws {AppError} as {@link printEvents}.
 */
export async function watchEvents(
  context: ReadContext,
  options: EventsOptions & WatchOptions,
): Promise<void> {
  const { client } = context;
  const request = await requestOf(context, options);
  const printer = new EventPrinter(context, options);
  const objects = new WatchedObjects();
  let version: string | undefined;
  let isExpired = false;
  const onExpired = () => {
    isExpired = true;
    options.onExpired?.();
  };
  for await (const page of listPages(client, { ...options, ...request, onExpired })) {
    for (const event of listItems(page, client.what)) {
      objects.add(event);
      if (isShown(event, options)) await printer.single(event);
    }
    version = asText(metadataOf(page).resourceVersion);
  }
  // What was read at different times is compared with a new list first.
  const state = { objects, version: isExpired ? undefined : version };
  for await (const { type, object } of watchChanges(client, request, state, options)) {
    // Every event is deleted after a while.
    if (type !== "DELETED" && isShown(object, options)) await printer.single(object);
  }
}

const EVENTS = { group: "", version: "v1", plural: "events", kind: "Event" };

async function requestOf(context: ReadContext, options: EventsOptions): Promise<WatchRequest> {
  const { namespace, allNamespaces, about = "", chunkSize } = options;
  const fieldSelector = about === "" ? undefined : await selectorOf(context, about);
  return {
    path: collectionPath({ ...EVENTS, namespaced: !allNamespaces }, namespace),
    accept: OBJECTS,
    query: { fieldSelector },
    chunkSize,
  };
}

/** The field selector for events about an object. */
async function selectorOf({ kinds }: ReadContext, about: string): Promise<string | undefined> {
  const [type = "", name, ...more] = about.split("/");
  if (name === undefined || more.length > 0) {
    throw new AppError("USAGE", "--for takes an object as TYPE/NAME.", {
      hint: "For example: --for configmap/web",
    });
  }
  const { resource: { group, version, kind } } = await resolveResource(kinds, type.toLowerCase());
  const fields = { kind, apiVersion: groupVersionOf(group, version), name };
  if (name === "") return undefined;
  return Object.entries(fields).map(([field, value]) =>
    `involvedObject.${field}=${value.replace(/[\\,=]/g, "\\$&")}`
  ).join(",");
}

function isShown(event: JsonMembers, { types }: EventsOptions): boolean {
  const type = textOf(event, "type").toLowerCase();
  return types.length === 0 || types.some((one) => one.toLowerCase() === type);
}

/** When an event was last seen: a text that sorts by time, empty for never. */
function lastSeen(event: JsonMembers): string {
  const series = memberOf(event, "series");
  const time = isMembers(series)
    ? textOf(series, "lastObservedTime")
    : textOf(event, "lastTimestamp") || textOf(event, "eventTime");
  const [, seconds = "", fraction = ""] = /^([^.]*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return seconds === "" ? "" : `${seconds}.${fraction.padEnd(9, "0")}`;
}

/** Prints events in one form. */
class EventPrinter {
  readonly #context: Pick<ReadContext, "write" | "isTerminal" | "now">;
  readonly #options: EventsOptions;
  readonly #widths: number[] = [];
  #isTitled: boolean;
  #documents = 0;

  constructor(context: ReadContext, options: EventsOptions) {
    this.#context = context;
    this.#options = options;
    this.#isTitled = options.noHeaders === true;
  }

  async list(events: readonly JsonMembers[]): Promise<void> {
    if (this.#options.output.type === "table") return await this.#rows(events);
    if (this.#options.output.type === "name") {
      for (const event of events) await this.#document(event);
      return;
    }
    const items = events.map((event) => this.#shown(event));
    await this.#document({ kind: "EventList", apiVersion: "v1", metadata: {}, items });
  }

  async single(event: JsonMembers): Promise<void> {
    if (this.#options.output.type === "table") return await this.#rows([event]);
    await this.#document(this.#shown(event));
  }

  /** As kubectl has it: first what an event is. */
  #shown(event: JsonMembers): JsonMembers {
    const { showManagedFields, output: { type } } = this.#options;
    const { kind, apiVersion, ...rest } = event;
    const named = { kind: kind ?? "Event", apiVersion: apiVersion ?? "v1", ...rest };
    const isWhole = showManagedFields || type !== "json" && type !== "yaml";
    return isWhole ? named : withoutManagedFields(named);
  }

  async #document(object: JsonMembers): Promise<void> {
    const { output } = this.#options;
    this.#documents += 1;
    switch (output.type) {
      case "yaml":
        return await this.#write(`${this.#documents > 1 ? "---\n" : ""}${yamlText(object)}`);
      case "name":
        return await this.#write(`event/${asText(metadataOf(object).name)}\n`);
      case "jsonpath":
        return await this.#write(output.template.print(object, { asJson: output.asJson }));
      default:
        return await this.#write(`${jsonText(object, 0, givenNames)}\n`);
    }
  }

  async #rows(events: readonly JsonMembers[]): Promise<void> {
    const { allNamespaces } = this.#options;
    const now = new Date(this.#context.now());
    const lines = events.map((event) => {
      const about = membersOf(event, "involvedObject");
      return [
        ...(allNamespaces ? [asText(metadataOf(event).namespace)] : []),
        eventAge(event, now),
        textOf(event, "type"),
        textOf(event, "reason"),
        `${textOf(about, "kind")}/${textOf(about, "name")}`,
        trimmed(textOf(event, "message")),
      ];
    });
    const titles = [
      ...(allNamespaces ? ["NAMESPACE"] : []),
      "LAST SEEN",
      "TYPE",
      "REASON",
      "OBJECT",
      "MESSAGE",
    ];
    const beginsTitled = !this.#isTitled;
    const text = (beginsTitled ? [titles, ...lines] : lines).map((line) => `${escaped(line.join("\t"))}\n`);
    this.#isTitled = true;
    await this.#write(alignTabbedColumns(text.join(""), this.#widths), beginsTitled);
  }

  async #write(text: string, isTitled = false): Promise<void> {
    await this.#context.write(shownText(this.#context, text), isTitled);
  }
}

/** The names of an object's members in the server's order, which is kubectl's here. */
function givenNames(object: JsonMembers): string[] {
  const names = Object.keys(object);
  // Numbers come first in JavaScript.
  return names.some((name) => /^\d+$/.test(name)) ? sortedNames(object) : names;
}
