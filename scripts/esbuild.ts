/** The bundler's own bundler, in the version that is pinned here: it joins and shortens chunks that are bundled already. */

import { build, type Plugin, stop, transform } from "esbuild";

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
 * @returns the text of the joined chunk
 */
export async function joinChunk(
  folder: string,
  text: string,
  isJoined: (name: string) => boolean,
): Promise<string> {
  const stays: Plugin = {
    name: "stays",
    setup({ onResolve }) {
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
    stdin: { contents: text, resolveDir: folder },
    write: false,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "esnext",
    external: ["node:*"],
    plugins: [stays],
    logLevel: "warning",
  });
  if (joined === undefined) throw new Error("esbuild made nothing.");
  return joined.text;
}

/** The same chunk in fewer bytes. */
export async function shorten(text: string): Promise<string> {
  const { code } = await transform(text, {
    minify: true,
    format: "esm",
    platform: "browser",
    target: "esnext",
    legalComments: "eof",
  });
  return code;
}
