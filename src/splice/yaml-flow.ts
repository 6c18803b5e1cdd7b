/** Adds items to YAML's flow collections, `[…]` and `{…}`, and removes them, with exactly the commas needed. */

/** The range of an item, or of a key with its value. */
export type Span = readonly [start: number, end: number];

/** A replacement of the text between two offsets. */
export interface Replaced {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Adds items, already encoded, behind the last one and the comments that follow it. `gone` are the items that
 * {@link removeFlow} removes.
 */
export function addFlow(
  text: string,
  spans: readonly Span[],
  gone: ReadonlySet<number>,
  items: readonly string[],
  /** Where the inside of the collection begins, what separates two items, and what begins a line for one. */
  { inside, separator, line }: { readonly inside: number; readonly separator: string; readonly line: string },
): Replaced[] {
  const last = spans.at(-1);
  if (last === undefined) return [{ start: inside, end: inside, text: items.join(", ") }];
  const added = items.join(separator);
  const all = gone.size === spans.length;
  const [following = ""] = /^(?:\s*,)?(?:\s*#[^\r\n]*)*/.exec(text.slice(last[1])) ?? [];
  if (!following.includes("#")) {
    return [{ start: last[1], end: last[1], text: all ? added : separator + added }];
  }
  const end = last[1] + following.length;
  const parted = all || following.trimStart().startsWith(",");
  return [...(parted ? [] : [{ start: last[1], end: last[1], text: "," }]), {
    start: end,
    end,
    text: line + added,
  }];
}

/** Removes items, each run of them with exactly the commas that would be left over. */
export function removeFlow(text: string, spans: readonly Span[], gone: ReadonlySet<number>): Replaced[] {
  const splices: Replaced[] = [];
  let index = 0;
  while (index < spans.length) {
    const first = spans[index] as Span;
    if (!gone.has(index)) {
      index += 1;
      continue;
    }
    const before = spans[index - 1];
    while (gone.has(index)) index += 1;
    const next = spans[index];
    const last = spans[index - 1] as Span;
    if (next !== undefined) splices.push({ start: first[0], end: next[0], text: "" });
    else if (before !== undefined) splices.push({ start: before[1], end: last[1], text: "" });
    else {
      const comma = /^\s*,/.exec(text.slice(last[1]))?.[0].length ?? 0;
      splices.push({ start: first[0], end: last[1], text: "" });
      if (comma > 0) splices.push({ start: last[1], end: last[1] + comma, text: "" });
    }
  }
  return splices;
}
