/** Bundles `status` as one small module: prompts wait for it, and each module more would be a part of what it takes. */

import type { Plugin } from "esbuild";

/** What is always needed, although it is loaded lazily elsewhere. */
const AT_ONCE = /(?:^|\/)(?:project-folder|no-session)\.ts$/;

const LAZILY = /\bimport\(("[^"]+")\)/g;

/**
 * Writes the module of an entry and of all that it imports statically. What it would load lazily is refused there:
 * `scripts/first.js` asks the whole program then.
 *
 * @throws {Error} when it imports a package.
 */
export async function bundleStatus(entry: string, out: string): Promise<void> {
  const { build, stop } = await import("esbuild");
  try {
    await build({
      entryPoints: [entry],
      outfile: out,
      bundle: true,
      minify: true,
      format: "esm",
      platform: "neutral",
      target: "esnext",
      packages: "bundle",
      plugins: [NOTHING_LATER],
      logLevel: "warning",
    });
  } finally {
    await stop();
  }
}

/** Loads modules at once, or never. */
const NOTHING_LATER: Plugin = {
  name: "nothing later",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const imported: string[] = [];
      const text = (await Deno.readTextFile(path)).replace(LAZILY, (_, module: string) => {
        if (!AT_ONCE.test(module.slice(1, -1))) return "Promise.reject()";
        const name = `atOnce${imported.length}`;
        imported.push(`import * as ${name} from ${module};\n`);
        return name;
      });
      return { contents: imported.join("") + text, loader: "ts" };
    });
  },
};
