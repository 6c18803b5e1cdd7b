/** The unified diff of two texts, as `diff -u` prints it and `patch` reads it. */

/** The names in the diff's header; `/dev/null` for a missing file. */
export interface DiffNames {
  readonly before: string;
  readonly after: string;
}

// With more differing lines than this, the middle is shown as replaced: the search takes their square.
const LONGEST_SEARCH = 2_000;

type Step = " " | "-" | "+";

/** The unified diff with three lines of context; "" when the texts are equal. Line endings are kept as they are. */
export function unifiedDiff(before: string, after: string, names: DiffNames): string {
  if (before === after) return "";
  const a = linesOf(before);
  const b = linesOf(after);
  const rows: { step: Step; line: string; a: number; b: number }[] = [];
  let [i, j] = [0, 0];
  for (const step of steps(a, b)) {
    rows.push({ step, line: (step === "+" ? b[j] : a[i]) as string, a: i, b: j });
    if (step !== "+") i += 1;
    if (step !== "-") j += 1;
  }
  let out = `--- ${names.before}\n+++ ${names.after}\n`;
  for (const [from, to] of hunks(rows.map((row) => row.step))) {
    const hunk = rows.slice(from, to);
    const first = hunk[0] as (typeof rows)[number];
    const countA = hunk.filter((row) => row.step !== "+").length;
    const countB = hunk.filter((row) => row.step !== "-").length;
    out += `@@ -${span(first.a, countA)} +${span(first.b, countB)} @@\n`;
    for (const { step, line } of hunk) {
      out += step + line + (line.endsWith("\n") ? "" : "\n\\ No newline at end of file\n");
    }
  }
  return out;
}

/** `start,count` of a hunk's header. A count of 1 is left out, and an empty span names the line before it. */
function span(start: number, count: number): string {
  if (count === 1) return String(start + 1);
  return `${count === 0 ? start : start + 1},${count}`;
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Index ranges of rows, each change with up to three rows around it; touching ranges are merged. */
function hunks(rows: readonly Step[]): [number, number][] {
  const ranges: [number, number][] = [];
  rows.forEach((step, index) => {
    if (step === " ") return;
    const last = ranges.at(-1);
    if (last !== undefined && index - 3 <= last[1]) last[1] = Math.min(rows.length, index + 4);
    else ranges.push([Math.max(0, index - 3), Math.min(rows.length, index + 4)]);
  });
  return ranges;
}

function steps(a: readonly string[], b: readonly string[]): Step[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (
    tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]
  ) tail += 1;
  const middle = shortest(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return [...Array<Step>(head).fill(" "), ...middle, ...Array<Step>(tail).fill(" ")];
}

/** The shortest edit from one list of lines to the other: Myers, "An O(ND) Difference Algorithm" (1986). */
function shortest(a: readonly string[], b: readonly string[]): Step[] {
  const replaced = () => [...a.map((): Step => "-"), ...b.map((): Step => "+")];
  if (a.length === 0 || b.length === 0) return replaced();
  const limit = Math.min(a.length + b.length, LONGEST_SEARCH);
  // For each number of differences, how far each diagonal (a's index minus b's) got in `a`.
  const trail: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let differences = 0; differences <= limit; differences += 1) {
    const next = new Map(reach);
    for (let diagonal = -differences; diagonal <= differences; diagonal += 2) {
      const down = diagonal === -differences ||
        (diagonal !== differences && (reach.get(diagonal - 1) ?? -1) < (reach.get(diagonal + 1) ?? -1));
      let x = down ? reach.get(diagonal + 1) ?? 0 : (reach.get(diagonal - 1) ?? 0) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      next.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) {
        return walkBack([...trail, reach], a.length, b.length);
      }
    }
    trail.push(reach);
    reach = next;
  }
  return replaced();
}

function walkBack(trail: readonly Map<number, number>[], lengthA: number, lengthB: number): Step[] {
  const steps: Step[] = [];
  let [x, y] = [lengthA, lengthB];
  for (let differences = trail.length - 1; differences >= 0; differences -= 1) {
    const reach = trail[differences] as Map<number, number>;
    const diagonal = x - y;
    const down = diagonal === -differences ||
      (diagonal !== differences && (reach.get(diagonal - 1) ?? -1) < (reach.get(diagonal + 1) ?? -1));
    const from = down ? diagonal + 1 : diagonal - 1;
    const fromX = reach.get(from) ?? 0;
    const fromY = fromX - from;
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      steps.push(" ");
      x -= 1;
      y -= 1;
    }
    if (differences > 0) steps.push(down ? "+" : "-");
    [x, y] = [fromX, fromY];
  }
  return steps.reverse();
}
