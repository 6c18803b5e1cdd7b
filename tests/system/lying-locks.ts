/** Libraries that stand before the C library and make `flock` do what network file systems make of it. */

import { findProgram } from "../../src/system/processes.ts";

/**
 * What `flock` answers: `granted`, to everybody, as where two machines do not share locks; `refused`, with `ENOLCK`, as
 * where the lock service is down.
 */
export type Flock = "granted" | "refused";

const SOURCES: Record<Flock, string> = {
  granted: "int flock(int fd, int operation) { return 0; }",
  refused: "#include <errno.h>\nint flock(int fd, int operation) { errno = ENOLCK; return -1; }",
};

/** True where such libraries can be made. */
export function canLie(): boolean {
  return Deno.build.os === "linux" && findProgram("gcc", Deno.env.get("PATH")) !== undefined;
}

/** Makes such a library in a folder: its path, for `LD_PRELOAD`. */
export async function lyingLocks(folder: string, flock: Flock): Promise<string> {
  const path = `${folder}/${flock}.so`;
  await Deno.writeTextFile(`${folder}/${flock}.c`, SOURCES[flock]);
  const { success, stderr } = await new Deno.Command("gcc", {
    args: ["-shared", "-fPIC", "-o", path, `${folder}/${flock}.c`],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}
