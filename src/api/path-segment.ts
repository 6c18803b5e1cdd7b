/** Owns how a name becomes one segment of a path. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";

/**
 * A name as one segment of a URL's path, encoded. Throws `INVALID` for what is none, or leads upwards: the request would
 * go to another path than was meant, with its token.
 *
 * @example
 * ```ts
 * import { pathSegment } from "./path-segment.ts";
 * console.assert(pathSegment("a/b") === "a%2Fb");
 * ```
 */
export function pathSegment(name: string): string {
  if (name !== "" && name !== "." && name !== ".." && name.isWellFormed()) return encodeURIComponent(name);
  throw new AppError("INVALID", `"${printable(name)}" cannot stand in the path of a request.`, {
    hint: "It came from the server or the issuer: ask whoever runs it.",
  });
}
