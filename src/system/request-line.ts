/** Owns the line that `-v` shows of a request: what was asked of whom, how it ended, how long it took. */

import { printable } from "../errors.ts";

/** One line without its end, never with a query, a header or a body: `GET api.example.com/apis 200 in 75 ms`. */
export function requestLine(
  method: string,
  { host, pathname }: URL,
  end: number | "failed",
  milliseconds: number,
): string {
  const how = end === "failed" ? "failed after" : `${end} in`;
  return `${method} ${host}${printable(pathname)} ${how} ${Math.round(milliseconds)} ms`;
}
