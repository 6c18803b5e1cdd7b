/** Bundles a way of `status` as one small module: prompts wait for it, and each module more is a part of what it takes. */

import type { Plugin } from "esbuild";

/** What is always needed, although it is loaded lazily elsewhere. */
const AT_ONCE = /(?:^|\/)(?:folder-file|no-session|project-folder)\.ts$/;

/** What only opens a session, or waits for a lock; to call it is refused. */
const NEVER = /\/(?:seal|credentials|sealed-fields|locks|keyring\/(?:file|system))\.ts$/;

const EXPORTED = /^export (?:async )?(?:function\*?|const|class) (\w+)/gm;

const LAZILY = /\bimport\(("[^"]+")\)/g;

/**
 * Writes the module of an entry and of all that it imports statically. What it would load lazily is refused there: it
 * gives up, and `scripts/first.js` goes on to the next one.
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
      const source = await Deno.readTextFile(path);
      if (NEVER.test(path)) return { contents: refusing(source) };
      const imported: string[] = [];
      const text = source.replace(LAZILY, (_, module: string) => {
        if (!AT_ONCE.test(module.slice(1, -1))) return "Promise.reject(null)";
        const name = `atOnce${imported.length}`;
        imported.push(`import * as ${name} from ${module};\n`);
        return name;
      });
      return { contents: imported.join("") + text, loader: "ts" };
    });
  },
};

/** A module whose exports throw when they are called; a `null` is no error of ours. */
function refusing(source: string): string {
  const names = [...source.matchAll(EXPORTED)].map(([, name]) => `refuse as ${name}`);
  return `function refuse() { throw null; }\nexport { ${names.join(", ")} };\n`;
}
