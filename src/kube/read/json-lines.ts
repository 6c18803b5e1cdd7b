/** JSON objects, one on each line, of a body that comes in pieces. */

import { AppError } from "../../errors.ts";
import { isMembers, type JsonMembers, readJson } from "../lossless-json.ts";

/** The longest line, in characters. */
const LONGEST = 64 * 1024 * 1024;

/**
 * The objects of a body.
 *
 * @throws {AppError} `NETWORK` for a line that is no JSON object or too long.
 */
export async function* jsonLines(
  body: AsyncIterable<Uint8Array>,
  longest = LONGEST,
): AsyncGenerator<JsonMembers, void, void> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let size = 0;
  for await (const bytes of body) {
    const lines = decoder.decode(bytes, { stream: true }).split("\n");
    for (const [index, part] of lines.entries()) {
      size += part.length;
      if (size > longest) throw unreadable("a line that is too long");
      parts.push(part);
      if (index === lines.length - 1) break;
      const line = parts.join("");
      parts = [];
      size = 0;
      if (line.trim() !== "") yield objectOf(line);
    }
  }
  const last = parts.join("") + decoder.decode();
  if (last.trim() !== "") yield objectOf(last);
}

function objectOf(line: string): JsonMembers {
  const value = readJson(line);
  if (isMembers(value)) return value;
  throw unreadable("a line that is no JSON object");
}

function unreadable(what: string): AppError {
  return new AppError("NETWORK", `The watch ended with ${what}.`, { hint: "Run the same command again." });
}
