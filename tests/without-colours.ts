/** Takes the escapes for colours and attributes out of a text, and no other. */

// deno-lint-ignore no-control-regex -- escapes are what is taken out
const LOOKS = /\u001b\[[\d;]*m/g;

/** The text without its colours. */
export function withoutColours(text: string): string {
  return text.replace(LOOKS, "");
}
