/** The text of objects that a person edits: what stands on top of it, and what counts of it. */

import { jsonText } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { asText, metadataOf } from "../json-parts.ts";
import { withoutManagedFields } from "../read/list-items.ts";
import { yamlText } from "../yaml-printer.ts";

/** The form of the text. */
export type EditFormat = "yaml" | "json";

/** Why a text is opened again. */
export interface EditReason {
  /** What is wrong, in one line. */
  readonly head: string;
  readonly causes: readonly string[];
}

/** The objects as a person edits them: one, or a list of them. */
export function editBody(objects: readonly JsonMembers[], format: EditFormat): string {
  const items = objects.map(withoutManagedFields);
  const [first] = items;
  const whole = items.length === 1 && first !== undefined
    ? first
    : { apiVersion: "v1", kind: "List", items, metadata: {} };
  return format === "json" ? `${jsonText(whole)}\n` : yamlText(whole);
}

const WELCOME = `\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

/** The text with what it is for, and why it is opened again, on top. JSON has no comments unless there is a reason. */
export function withHeader(body: string, reasons: readonly EditReason[], format: EditFormat): string {
  const told = reasons.map(({ head, causes }) => {
    const lines = [causes.length > 0 ? `${head}:` : head, ...causes.map((cause) => `* ${cause}`)];
    return `${lines.map((line) => `# ${line.replace(/[\r\n]+/g, "\n# ")}\n`).join("")}#\n`;
  });
  return `${format === "json" ? "" : WELCOME}${told.join("")}${body}`;
}

/** The text without the lines that begin with a `#`; the ends of its lines are plain ones. */
export function withoutComments(text: string): string {
  return text.replace(/^\ufeff/, "").replace(/\r\n/g, "\n").replace(/^#.*(?:\n|$)/gm, "");
}

/** The object that an edited one was; undefined for one that nobody was shown. */
export function originalOf<Original extends { readonly object: JsonMembers }>(
  edited: JsonMembers,
  originals: readonly Original[],
): Original | undefined {
  const uid = asText(metadataOf(edited).uid);
  return uid === ""
    ? originals.length === 1 ? originals[0] : undefined
    : originals.find(({ object }) => asText(metadataOf(object).uid) === uid);
}
