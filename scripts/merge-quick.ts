/**
 * Puts what a quick command loads beside `core.js` into its own chunk: it starts sooner than with a dozen chunks. What it
 * shares with other chunks is in the program twice then, so it must hold no state that both would change.
 */

import type { Plugin } from "esbuild";
import { CORE } from "./merge-start.ts";

/** The module that is called lazily by `main.ts`, by the beginning of its chunk's name. */
const QUICK = /^quick-\d+\.js$/;

/** Merges the chunk of `status`, where there is one, with those that it imports statically. It must not be minified. */
export async function mergeQuick(folder: string): Promise<void> {
  const name = [...Deno.readDirSync(folder)].map(({ name }) => name).find((name) => QUICK.test(name));
  if (name === undefined) return;
  const path = `${folder}/${name}`;
  const { build, stop } = await import("esbuild");
  try {
    await build({
      absWorkingDir: folder,
      entryPoints: [path],
      outfile: path,
      allowOverwrite: true,
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "esnext",
      plugins: [STAYS],
      logLevel: "warning",
    });
  } finally {
    await stop();
  }
}

/** Leaves the core, and all that is loaded lazily, where it is. */
const STAYS: Plugin = {
  name: "stays",
  setup({ onResolve }) {
    onResolve(
      { filter: /^\.\// },
      ({ path, kind }) =>
        kind === "dynamic-import" || path === `./${CORE}` ? { path, external: true } : undefined,
    );
  },
};
