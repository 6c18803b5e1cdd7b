/**
 * Puts what a way of `status` loads beside `core.js` into its own chunk: a start is shorter than with a dozen chunks. What it
 * shares with other chunks is in the program twice then, so it must hold no state that both would change.
 */

import type { Plugin } from "esbuild";
import { CORE } from "./merge-start.ts";

/** `src/cli/status/quick.ts`, which `main.ts` loads lazily, by the beginning of its chunk's name. */
const QUICK = /^quick-\d+\.js$/;

/** Merges these chunks, where there are any, with those that they import statically. The bundle must not be minified. */
export async function mergeQuick(folder: string): Promise<void> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => QUICK.test(name));
  if (names.length === 0) return;
  const { build, stop } = await import("esbuild");
  try {
    await build({
      absWorkingDir: folder,
      entryPoints: names.map((name) => `${folder}/${name}`),
      outdir: folder,
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
