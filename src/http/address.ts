/** Checks of addresses before anything is sent to them: a whole URL, and a name as one segment of its path. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";

/** True for a host that is this machine by its name: 127.0.0.0/8, [::1], localhost. RFC 8252, 7.3 and 8.3. */
export function isLoopback(hostname: string): boolean {
  // A URL's own parser has already made every spelling of an IPv4 address (hexadecimal, short) into four numbers.
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * A URL that may be asked: https, or http on a loopback host; no user name, password or fragment, and where it is
 * refused no query.
 *
 * @returns the URL, or one sentence's end that says why not ("is not a URL").
 */
export function endpointUrl(text: unknown, { query }: { readonly query?: "refused" } = {}): URL | string {
  if (typeof text !== "string") return "is not a string";
  if (text !== printable(text, Infinity)) return "holds unprintable characters";
  const url = URL.parse(text);
  if (url === null) return "is not a URL";
  if (url.username !== "" || url.password !== "") return "holds a user name or password";
  if (text.includes("#")) return "holds a fragment";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return "is not an https URL";
  }
  return query === "refused" && url.search !== "" ? "holds a query" : url;
}

/** The host and port of a URL, for messages. */
export function hostOf(url: string | URL): string {
  return printable(URL.parse(url)?.host ?? String(url), 260);
}

/**
 * A name as one segment of a URL's path, encoded.
 *
 * @throws {AppError} `INVALID` for an empty name and for `.` and `..`: the request, with its token, would go to another
 * path than was meant.
 * @example
 * ```ts
 * import { pathSegment } from "./address.ts";
 * console.assert(pathSegment("a/b") === "a%2Fb");
 * ```
 */
export function pathSegment(name: string): string {
  if (name !== "" && name !== "." && name !== ".." && name.isWellFormed()) return encodeURIComponent(name);
  throw new AppError("INVALID", `"${printable(name)}" cannot stand in the path of a request.`, {
    hint: "It came from the server or the issuer: ask whoever runs it.",
  });
}
