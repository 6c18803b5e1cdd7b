/** The bundler's own bundler, in the version that is pinned here: it joins and shortens chunks that are bundled already. */

import { build, type Plugin, stop } from "esbuild";

/** Runs `work`, which asks esbuild, and ends its process afterwards. */
export async function withEsbuild<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await stop();
  }
}

/**
 * Joins a chunk with those that it imports statically, as far as they are to be joined; what is loaded lazily stays where it
 * is.
 *
 * @param text the chunk's own text
 * @param change is given the text of each chunk before
 * @returns the text of the joined chunk
 */
export async function joinChunk(
  folder: string,
  text: string,
  isJoined: (name: string) => boolean,
  change = (text: string) => text,
): Promise<string> {
  const joins: Plugin = {
    name: "joins",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\.js$/ }, async ({ path }) => ({ contents: change(await Deno.readTextFile(path)) }));
      onResolve(
        { filter: /^\.\// },
        ({ path, kind }) =>
          kind === "dynamic-import" || !isJoined(path.slice("./".length))
            ? { path, external: true }
            : undefined,
      );
    },
  };
  const { outputFiles: [joined] } = await build({
    absWorkingDir: folder,
    stdin: { contents: change(text), resolveDir: folder },
    write: false,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "esnext",
    external: ["node:*"],
    plugins: [joins],
    logLevel: "warning",
  });
  if (joined === undefined) throw new Error("esbuild made nothing.");
  return joined.text;
}

/** Makes the chunks of a folder shorter, as far as the entry leads to them; the others go. */
export async function shorten(folder: string, entry: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [`${folder}/${entry}`],
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "esnext",
    external: ["node:*"],
    logLevel: "warning",
  });
  for await (const { name } of Deno.readDir(folder)) await Deno.remove(`${folder}/${name}`);
  for (const { path, contents } of outputFiles) await Deno.writeFile(path, contents);
}
