/** The label of a field in a description: its name in words with capital letters. */

/** What keeps all its capitals. */
const ACRONYMS = new Set(["API", "URL", "UID", "OSB", "GUID"]);

/** A word: capitals up to the one that begins the next word, small letters with a capital before them, or the rest. */
const ASCII_WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+/g;
// A text, because the runtime would read it at each start, which takes long.
const WORD = String.raw`\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|[^\p{Lu}\p{Ll}]+`;

/**
 * The label of a field, as kubectl 1.35 makes it. A name that has anything but letters and hyphens stays as it is.
 *
 * @example
 * ```ts
 * import { fieldLabel } from "./field-label.ts";
 * console.assert(fieldLabel("lastTransitionTime") === "Last Transition Time");
 * console.assert(fieldLabel("apiVersion") === "API Version" && fieldLabel("podIPs") === "Pod I Ps");
 * ```
 */
export function fieldLabel(name: string): string {
  const isAscii = /^[A-Za-z-]*$/.test(name);
  if (!isAscii && !new RegExp(String.raw`^[\p{L}-]*$`, "u").test(name)) return name;
  return (name.match(isAscii ? ASCII_WORD : new RegExp(WORD, "gu")) ?? []).map((word) => {
    const capitals = word.toUpperCase();
    return ACRONYMS.has(capitals) ? capitals : titleCase(word);
  }).join(" ");
}

function titleCase(word: string): string {
  const [first = "", ...rest] = word;
  // Some letters have two capitals, such as `ß`; only the first one stays a capital.
  const [capital = "", ...more] = first.toUpperCase();
  return capital + [...more, ...rest].join("").toLowerCase();
}
