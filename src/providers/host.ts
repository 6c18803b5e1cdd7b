/** Reads host names as people type them. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";

/**
 * A `host[:port]` out of what was typed: that itself, or an https URL of it; lower case, without the default port.
 *
 * @throws {AppError} `USAGE`, naming the flag
 *
 * @example
 * ```ts
 * import { parseHost } from "./host.ts";
 * console.assert(parseHost("https://Auth.Example.com:443/", "--hostname") === "auth.example.com");
 * console.assert(parseHost("localhost:8443", "--hostname") === "localhost:8443");
 * ```
 */
export function parseHost(text: string, flag: string): string {
  const wrong = (what: string) =>
    new AppError("USAGE", `${flag} "${printable(text, 100)}" ${what}.`, {
      hint: `Give a host such as auth.example.com or auth.example.com:8443.`,
    });
  // A URL's parser drops line breaks and tabs without a word.
  if (/[\s\p{Cc}\p{Cf}]/u.test(text)) throw wrong("holds a space or an invisible character");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "https") throw wrong("is not an https address");
  const rest = scheme === undefined ? text : text.slice(`${scheme}://`.length);
  let url: URL;
  try {
    url = new URL(scheme === undefined ? `https://${text}` : text);
  } catch {
    throw wrong("is not a host name");
  }
  if (text.includes("@")) throw wrong("holds a user name or password");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || /[?#\\]|\/./.test(rest)) {
    throw wrong("holds more than a host and a port");
  }
  if (!/^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/.test(url.hostname)) {
    throw wrong("is not a host name");
  }
  return url.host;
}
