/** Owns the line that `-v` shows of a request: what was asked of whom, how it ended, how long it took. */

import { printable } from "../text.ts";
import { environment } from "./environment.ts";
import { proxyOf } from "./proxy.ts";

/**
 * One line without its end, never with a query, a header or a body: `GET api.example.com/apis 200 in 75 ms`, with the
 * proxy that it went through.
 */
export function requestLine(
  method: string,
  url: URL,
  end: number | "failed",
  milliseconds: number,
): string {
  const { host, pathname } = url;
  const proxy = proxyOf(url, environment);
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  const how = end === "failed" ? "failed after" : `${end} in`;
  return `${method} ${host}${printable(pathname)}${through} ${how} ${Math.round(milliseconds)} ms`;
}
