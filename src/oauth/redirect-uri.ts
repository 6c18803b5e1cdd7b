/** Loopback redirect URIs: which ones can be listened on, and inserting a port byte for byte. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { isLoopback } from "../http/address.ts";

/** A redirect URI and its parts. RFC 8252, 7.3. */
export interface LoopbackRedirect {
  /** `localhost`, `127.0.0.1` or `[::1]`. */
  readonly hostname: string;
  /** The port that is written in it, even a default one. */
  readonly port: number | undefined;
  /** The URI with a port inserted if it has none; every other byte stays. */
  withPort(port: number): string;
}

/**
 * A redirect URI that a loopback listener can serve.
 *
 * @throws {AppError} `USAGE` when it is not http on loopback.
 * @example
 * ```ts
 * import { loopbackRedirect } from "./redirect-uri.ts";
 * console.assert(loopbackRedirect("http://localhost").withPort(8000) === "http://localhost:8000");
 * console.assert(loopbackRedirect("http://[::1]:80/").port === 80);
 * ```
 */
export function loopbackRedirect(uri: string): LoopbackRedirect {
  const url = URL.parse(uri);
  const [, before = "", authority = "", after = ""] = /^(http:\/\/)([^/?#\\]+)([^#]*)$/i.exec(uri) ?? [];
  // The issuer sees what a URL parser would drop or change.
  const asWritten = authority !== "" && /^[\x21-\x7e]*$/.test(uri) && !authority.includes("@");
  if (url === null || !asWritten || !isLoopback(url.hostname)) {
    throw new AppError("USAGE", `The redirect URI ${printable(uri)} cannot be listened on.`, {
      hint:
        "Use http with the host 127.0.0.1, [::1] or localhost: --redirect-uri http://localhost:8000/callback",
    });
  }
  const port = /:(\d+)$/.exec(authority)?.[1];
  return {
    hostname: url.hostname,
    port: port === undefined ? undefined : Number(port),
    withPort: (free) => port === undefined ? `${before}${authority.replace(/:$/, "")}:${free}${after}` : uri,
  };
}
