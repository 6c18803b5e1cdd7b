/** Permissions of a file as people write them. */

import { AppError } from "../errors.ts";
import { onWindows } from "./environment.ts";

/**
 * The permissions of a text such as `0640`: who may read a file, since nobody but its owner may ever write or run it.
 *
 * @param flag the flag that they belong to, for the error
 * @throws {AppError} `USAGE` for another text, and on Windows, where a file has no such permissions.
 * @example
 * ```ts
 * import { parseMode } from "./file-mode.ts";
 * console.assert(parseMode("0640", "--mode") === 0o640);
 * ```
 */
export function parseMode(text: string, flag: string, windows = onWindows): number {
  const hint = "For example 0600, or 0640 for its group, too.";
  if (windows) throw new AppError("USAGE", `${flag} has no meaning on Windows.`);
  const mode = /^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : 0;
  if ((mode & 0o400) !== 0 && (mode & 0o133) === 0) return mode;
  throw new AppError(
    "USAGE",
    `${flag} takes permissions in which the owner may read and nobody else may write.`,
    { hint },
  );
}
