/** The line that `status` prints for a prompt, by a template of the user's own or without. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";

/** True for an output that a prompt takes: nothing else is said beside it. */
export function isForPrompt(
  { short, format }: { readonly short: boolean; readonly format: string | undefined },
): boolean {
  return short || format !== undefined;
}

/** What can stand in braces in a template. */
export const PLACEHOLDERS = [
  "user",
  "session",
  "organization",
  "project",
  "scope",
  "life",
  "state",
  "host",
] as const;

type Placeholder = typeof PLACEHOLDERS[number];

/** What stands for each placeholder, safe to print; empty where there is nothing. */
export type PromptValues = Readonly<Record<Placeholder, string>>;

/** A brace that is doubled, a placeholder, or a brace that is neither. */
const BRACES = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

/**
 * Checks a template before anything is read.
 *
 * @throws {AppError} `USAGE` for an unknown placeholder and a single brace.
 */
export function checkTemplate(template: string): void {
  for (const [found, name] of template.matchAll(BRACES)) {
    if (found !== "{{" && found !== "}}" && !PLACEHOLDERS.some((known) => known === name)) {
      const what = found.length > 1
        ? `does not know ${printable(found, 60)}`
        : `has a ${found} that ${found === "{" ? "nothing closes" : "closes nothing"}`;
      throw new AppError("USAGE", `--format ${what}.`, {
        hint: `It takes ${
          PLACEHOLDERS.map((known) => `{${known}}`).join(", ")
        }; a brace itself is written twice.`,
      });
    }
  }
}

/** The template with its placeholders filled in, and one brace for two. */
function filled(template: string, values: PromptValues): string {
  return template.replace(
    BRACES,
    (found, name?: Placeholder) => name === undefined ? found.slice(1) : values[name],
  );
}

/** The one line of `--short` or `--format`, with its end. */
export function promptLine(values: PromptValues, format: string | undefined): string {
  if (format !== undefined) return `${filled(format, values)}\n`;
  const { user, session, scope, life } = values;
  return `${[user || session, scope, life].filter((part) => part !== "").join(" ")}\n`;
}
