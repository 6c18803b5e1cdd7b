/** Owns a folder of a test's own, and the shell scripts that stand there for programs. */

/** A new folder, which goes with all that is in it when it is disposed of. */
export async function scratchFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "datumctl-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Does some work in a new folder, which is gone afterwards. */
export async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  await using folder = await scratchFolder();
  return await work(folder.path);
}

/** Writes a shell script that can be run. */
export async function writeScript(path: string, body: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}
