/** Reads the private authority that `DATUMCTL_CERTIFICATE_AUTHORITY` names. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Environment } from "../system/environment.ts";
import { readGivenFile } from "../system/given-file.ts";
import { certificatesOf } from "../system/network.ts";

/**
 * The certificates of the file that the variable names; undefined where it is not set.
 *
 * @throws {AppError} `USAGE`
 */
export async function authorityOfVariable(env: Environment): Promise<string | undefined> {
  const path = env("DATUMCTL_CERTIFICATE_AUTHORITY");
  if (path === undefined) return undefined;
  const text = await readGivenFile(
    path,
    "DATUMCTL_CERTIFICATE_AUTHORITY",
    "Name a file of certificates (PEM).",
  );
  if (text !== undefined) return certificatesOf(text).join("\n") + "\n";
  throw new AppError(
    "USAGE",
    `The file ${printable(path)} of DATUMCTL_CERTIFICATE_AUTHORITY does not exist.`,
  );
}
