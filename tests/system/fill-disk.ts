/** A process that tries to replace a file on a small disk, and prints what it was told. */

// deno-lint-ignore-file no-console -- it speaks to the test that started it

import { AppError } from "../../src/errors.ts";
import { listFolder, readTextFile } from "../../src/system/files.ts";
import { prepareReplacement, writeFileAtomically } from "../../src/system/replacement.ts";

const [folder = ""] = Deno.args;
const path = `${folder}/a`;
await writeFileAtomically(path, "old");
try {
  await prepareReplacement(path, 100_000);
  console.log("there was room");
} catch (thrown) {
  if (!(thrown instanceof AppError)) throw thrown;
  console.log(JSON.stringify({
    error: `${thrown.code} ${thrown.message}`,
    hint: thrown.hint,
    kept: await readTextFile(path),
    names: await listFolder(folder),
  }));
}
