/** The events at the end of a description. */

import { membersOf, textOf } from "../json-parts.ts";
import { goSort } from "../go-sort.ts";
import { goNumber } from "../number-text.ts";
import { humanDuration } from "../human-duration.ts";
import { isMembers, type Json, type JsonMembers, memberOf } from "../lossless-json.ts";
import type { Description } from "./description.ts";

/** Adds events, the one seen last at the end. Those that were last seen at the same time are in kubectl's order. */
export function describeEvents(description: Description, events: readonly Json[], now: Date): void {
  if (events.length === 0) return description.line(0, "Events:", "<none>");
  description.line(0, "Events:");
  description.line(1, "Type", "Reason", "Age", "From", "Message");
  description.line(1, "----", "------", "----", "----", "-------");
  const timed = events.filter(isMembers)
    .map((event) => ({ event, at: timeOf(event, "lastTimestamp") ?? -Infinity }));
  for (const { event } of goSort(timed, (a, b) => a.at < b.at)) {
    description.line(
      1,
      textOf(event, "type"),
      textOf(event, "reason"),
      eventAge(event, now),
      textOf(membersOf(event, "source"), "component") || textOf(event, "reportingComponent"),
      messageOf(event),
    );
  }
}

/** How long ago an event was, and for one that came several times how often and since when. */
export function eventAge(event: JsonMembers, now: Date): string {
  const since = (time: number | undefined) =>
    time === undefined ? "<unknown>" : humanDuration(now.getTime() - time);
  const first = since(timeOf(event, "eventTime") ?? timeOf(event, "firstTimestamp"));
  const series = memberOf(event, "series");
  if (isMembers(series)) {
    return `${since(timeOf(series, "lastObservedTime"))} (x${countOf(series)} over ${first})`;
  }
  return countOf(event) > 1
    ? `${since(timeOf(event, "lastTimestamp"))} (x${goNumber(countOf(event))} over ${first})`
    : first;
}

function messageOf(event: JsonMembers): string {
  const message = trimmed(textOf(event, "message"));
  const path = textOf(membersOf(event, "involvedObject"), "fieldPath");
  return path === "" ? message : `${path}: ${message}`;
}

/** A text without white space at its ends; JavaScript's `trim` has another idea of it than Go. */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && WHITE_SPACE.test(text.charAt(from))) from += 1;
  while (from < to && WHITE_SPACE.test(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

const WHITE_SPACE = /^\p{White_Space}$/u;

function countOf(object: JsonMembers): number | bigint {
  const count = memberOf(object, "count");
  return typeof count === "number" || typeof count === "bigint" ? count : 0;
}

/** A time in milliseconds; undefined for none. */
function timeOf(object: JsonMembers, name: string): number | undefined {
  const time = Date.parse(textOf(object, name));
  return Number.isNaN(time) ? undefined : time;
}
