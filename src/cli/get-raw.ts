/** `get --raw`: an answer of the control plane in use, as it came. */

import { AppError } from "../errors.ts";
import type { ApiClient } from "../http/api-client.ts";
import { textOf } from "../http/api-answer.ts";
import { belowBase } from "../kube/discovery.ts";
import { printable } from "../text.ts";
import type { CommandContext } from "./context.ts";

/** What stands beside `--raw`. */
export interface RawInput {
  readonly words: readonly string[];
  readonly raw: string;
  readonly output?: string | undefined;
  readonly selector?: string | undefined;
  readonly watch?: boolean | undefined;
  readonly watchOnly?: boolean | undefined;
}

/** @throws {AppError} `USAGE` for what `--raw` cannot stand beside, and for a path that is none. */
export function checkRaw({ words, raw, output, selector, watch, watchOnly }: RawInput): void {
  if (words.length > 0) {
    throw new AppError("USAGE", "get --raw takes a path and no other words.", {
      hint: "For example: datumctl get --raw /version",
    });
  }
  const other = output ? "-o" : watch ? "-w" : watchOnly ? "--watch-only" : selector ? "-l" : undefined;
  if (other !== undefined) {
    throw new AppError("USAGE", `--raw and ${other} cannot be combined: the answer is printed as it came.`);
  }
  if (!/^\/[^\s#]*$/.test(raw)) {
    throw new AppError("USAGE", "--raw takes a path that begins with a slash.", {
      hint: "For example: datumctl get --raw '/api/v1/namespaces?limit=5'",
    });
  }
}

/** Prints the body of a successful answer byte for byte; on a terminal, without control characters. */
export async function runGetRaw(
  { out, terminal }: Pick<CommandContext, "out" | "terminal">,
  client: ApiClient,
  path: string,
): Promise<void> {
  const answer = await client.send({
    method: "GET",
    path: belowBase(client.baseUrl, path),
    accept: "application/json, */*",
  });
  if (answer.status < 200 || answer.status > 299) throw client.refusal(answer);
  const text = textOf(answer);
  out.text(terminal.outIsTerminal ? text.split("\n").map((line) => shown(line)).join("\n") : text);
}

function shown(line: string): string {
  return line.split("\t").map((part) => keepBlanks(part)).join("\t");
}

/** {@link printable} without its trimming, so that a line keeps its indentation. */
function keepBlanks(text: string): string {
  const [, before = "", middle = "", after = ""] = /^( *)(.*?)( *)$/s.exec(text) ?? [];
  return before + printable(middle, Infinity) + after;
}
