/**
 * The text of a kuberc after its policy for plugins was mended, for every version of kubectl that reads one.
 */

import { isMap, isSeq, parseDocument } from "yaml";
import { keyOf, type ParsedMap, rangeOf } from "../splice/yaml-ranges.ts";
import { scalarText } from "../splice/yaml-text.ts";

const POLICY = "credentialPluginPolicy";
const LIST = "credentialPluginAllowlist";

/**
 * The text with an allow-list of these commands in place of its policy; every other line stays. Undefined for
 * a text that is not one mapping with lines of its own.
 */
export function withAllowlist(text: string, commands: readonly string[]): string | undefined {
  const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  const document = parseDocument(ended, { logLevel: "error" });
  const root: unknown = document.contents;
  if (document.errors.length > 0 || !isMap(root) || root.flow === true) return undefined;
  const spans = (root as ParsedMap).items.flatMap((pair) => {
    const key = keyOf(pair);
    const start = rangeOf(pair.key)?.[0];
    const end = rangeOf(pair.value)?.[1] ?? rangeOf(pair.key)?.[1];
    return (key === POLICY || key === LIST) && start !== undefined && end !== undefined
      ? [{ start: lineStart(ended, start), end: lineEnd(ended, end) }]
      : [];
  });
  const policy = [
    `${POLICY}: Allowlist`,
    `${LIST}:`,
    // Every version reads `name`; kubectl 1.35 refuses `command`.
    ...commands.map((command) => `- name: ${scalarText(command)}`),
  ].map((line) => `${line}\n`).join("");
  const at = spans[0]?.start ?? ended.length;
  let made = "";
  let from = 0;
  for (const { start, end } of spans) {
    made += ended.slice(from, start);
    if (start === at) made += policy;
    from = Math.max(from, end);
  }
  made += ended.slice(from);
  return spans.length === 0 ? made + policy : made;
}

/**
 * The text with one more command at the end of its allow-list; undefined where the list has no lines of its
 * own.
 */
export function withOneMore(text: string, command: string): string | undefined {
  const ended = text.endsWith("\n") ? text : `${text}\n`;
  const document = parseDocument(ended, { logLevel: "error" });
  const list: unknown = document.get(LIST, true);
  if (document.errors.length > 0 || !isSeq(list) || list.flow === true) return undefined;
  const [first, last] = [list.items.at(0), list.items.at(-1)];
  const [start, end] = [rangeOf(first)?.[0], rangeOf(last)?.[1]];
  if (start === undefined || end === undefined) return undefined;
  const indent = /^( *)- /.exec(ended.slice(lineStart(ended, start)))?.[1];
  // An item's mapping ends with the last of its lines, or where the next line begins.
  const place = lineEnd(ended, ended[end - 1] === "\n" ? end - 1 : end);
  return indent === undefined
    ? undefined
    : `${ended.slice(0, place)}${indent}- name: ${scalarText(command)}\n${ended.slice(place)}`;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  // The end of a block is the beginning of what follows it.
  if (at > 0 && text[at - 1] === "\n") return at;
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}
