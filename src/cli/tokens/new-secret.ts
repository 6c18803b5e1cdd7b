/** Prints a secret that was just made, or where it was stored instead. */

import { AppError } from "../../errors.ts";
import { printable, printableValue } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { outputOption } from "../complete/declare.ts";
import { PLAIN } from "../output/style.ts";
import { formatPairs, toYaml, wrongFormat } from "../output/table.ts";
import type { LostSecret } from "./secret-destination.ts";

/** `-o` of the commands that make a secret. */
export const newSecretOutput = () => outputOption(FORMATS);

const FORMATS = ["table", "json", "yaml"] as const;

/**
 * An output format that shows the secret: with `name` it would be lost.
 *
 * @throws {AppError} `USAGE` for another format
 */
export function newSecretFormat(text: string | undefined): typeof FORMATS[number] {
  const format = FORMATS.find((known) => known === (text ?? "table"));
  if (format !== undefined) return format;
  throw wrongFormat(
    FORMATS,
    "The secret is shown only once, so it is printed in full, or stored with --secret-file.",
  );
}

/** A token with its secret, or with where that is stored. `lines` are printed above it in a table. */
export async function formatNewSecret(
  token: {
    readonly id: string;
    readonly secret: string;
    readonly name?: string | undefined;
    readonly role?: string | undefined;
  },
  lines: readonly (readonly [title: string, value: string])[],
  savedIn: readonly string[],
  format: typeof FORMATS[number],
  style = PLAIN,
): Promise<string> {
  const { secret, ...rest } = token;
  const shown = savedIn.length === 0 ? { secret } : { secretIn: savedIn };
  switch (format) {
    case "json":
      return JSON.stringify(printableValue({ ...rest, ...shown }), undefined, 2) + "\n";
    case "yaml":
      return await toYaml(printableValue({ ...rest, ...shown }));
    case "table": {
      const last = savedIn.length === 0
        ? ["Secret", secret] as const
        : ["Secret in", savedIn.join(", ")] as const;
      const rows = lines.map(([title, value]) => [title, printable(value)] as const);
      return await formatPairs([...rows, last], style);
    }
  }
}

/**
 * Prints it.
 *
 * @throws {AppError} what the output fails with, saying what was done and what to do
 */
export function printNewSecret({ out }: CommandContext, text: string, { done, remedy }: LostSecret): void {
  try {
    out.text(text);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(thrown.code, `${done}, but it could not be printed: ${thrown.message}`, {
      hint: remedy,
      retryable: false,
      cause: thrown,
    });
  }
}
