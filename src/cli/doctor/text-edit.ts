/** A change of a text file as one shell line, which keeps the file's owner, mode and links. */

import { onWindows } from "../../system/environment.ts";
import { shellQuote, shellWord } from "../../text.ts";

/** Nobody checks a longer change by eye before they paste it. */
const MOST_LINES = 40;

/**
 * The line that turns a file's text into another one, by replacing the lines that differ. It leaves what was
 * there in `FILE.aside`. Undefined where no such line can be shown: on Windows, for a long change, and for a
 * text with carriage returns.
 */
export function editLine(path: string, before: string, after: string): string | undefined {
  if (onWindows || !after.endsWith("\n") || `${before}${after}`.includes("\r")) return undefined;
  const [old, now] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  // A last line without its end would run on into what is added.
  if (head === old.length && head > 0 && !before.endsWith("\n")) head--;
  let tail = 0;
  const most = Math.min(old.length, now.length) - head;
  while (tail < most && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  const lines = now.slice(head, now.length - tail);
  // deno-lint-ignore no-control-regex
  if (lines.length > MOST_LINES || lines.some((line) => /[\u0000-\u001f\u007f]/.test(line))) return undefined;
  const [file, aside] = [shellWord(path), shellWord(`${path}.aside`)];
  const parts = [
    ...(head === 0 ? [] : [`head -n ${head} ${aside}`]),
    ...(lines.length === 0 ? [] : [`printf '%s\\n' ${lines.map(shellQuote).join(" ")}`]),
    ...(tail === 0 ? [] : [`tail -n ${tail} ${aside}`]),
  ];
  return `cp -p ${file} ${aside} && { ${parts.map((part) => `${part};`).join(" ")} } > ${file}`;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
