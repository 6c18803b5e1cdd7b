/** The command line of `status`, read without a framework so that prompts need not wait for one to load. */

import type { StatusForm } from "./print.ts";

/** A line of `status` that is answered here. */
export interface StatusLine extends StatusForm {
  /** `--profile` or `--session`. */
  readonly named: string | undefined;
}

/**
 * Reads a command line as `status` with the flags of a prompt, each at most once. Undefined for any other: then the whole
 * command line answers, which knows every flag and says what is wrong.
 *
 * @example
 * ```ts
 * import { readStatus } from "./arguments.ts";
 * console.assert(readStatus(["status", "--short"])?.short === true);
 * console.assert(readStatus(["status", "--help"]) === undefined);
 * ```
 */
export function readStatus([word, ...args]: readonly string[]): StatusLine | undefined {
  if (word !== "status") return undefined;
  let short = false;
  let format: string | undefined;
  let named: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--short") {
      short = true;
      continue;
    }
    const split = arg.indexOf("=");
    const flag = split < 0 ? arg : arg.slice(0, split);
    const value = split < 0 ? args[++at] : arg.slice(split + 1);
    // What looks like a flag is left to the framework.
    if (value === undefined || (split < 0 && value.startsWith("-"))) return undefined;
    if (flag === "--format" && format === undefined) format = value;
    else if ((flag === "--profile" || flag === "--session") && named === undefined) named = value;
    else return undefined;
  }
  return short && format !== undefined ? undefined : { short, format, output: "table", named };
}
