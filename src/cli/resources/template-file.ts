/** Reads the template that `-o` names a file of. */

import { AppError } from "../../errors.ts";
import { readGivenFile } from "../../system/given-file.ts";
import { printable } from "../../text.ts";

/** The text of a file that `-o` names. @throws {AppError} `USAGE` where it is not there, `STORAGE` where it cannot be read. */
export async function readTemplate(path: string): Promise<string> {
  const text = await readGivenFile(path, "-o", "Give the template on the command line: -o jsonpath=…");
  if (text !== undefined) return text;
  throw new AppError("USAGE", `The path "${printable(path)}" does not exist.`);
}
