/**
 * Puts all chunks that are loaded at the start into one, `core.js`: a start is shorter than with thirty chunks that import
 * each other.
 */

/** Bundles one module into a folder. */
export type BundleModule = (entry: string, outFolder: string) => Promise<void>;

/** The chunk of all that is loaded at the start. */
export const CORE = "core.js";

/** `import {\n  a,\n  b as c\n} from "./chunk-X.js";`, or without names, as the bundler writes it. */
const IMPORT = /^import (?:\{([^}]*)\} from )?"\.\/([^"]+)";\n/gm;

/** `export {\n  a,\n  b as c\n};`, at the end of a chunk. */
const EXPORT = /^export \{([^}]*)\};$/m;

/** Stands for the function `import` while the chunks are merged, so that what is loaded lazily stays where it is. */
const LATER = "__loadLater";

/** Merges what `main.js` of a bundle loads at once. The bundle must not be minified. */
export async function mergeStart(folder: string, bundleModule: BundleModule): Promise<void> {
  const chunks = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".js")) chunks.set(name, await Deno.readTextFile(`${folder}/${name}`));
  }
  const merged = loadedAtOnce(chunks);
  const scratch = await Deno.makeTempDir({ prefix: "datumctl-merge-" });
  try {
    for (const name of merged) {
      const text = chunks.get(name) ?? "";
      await Deno.writeTextFile(`${scratch}/${name}`, text.replaceAll('import("./', `${LATER}("./`));
    }
    await Deno.writeTextFile(`${scratch}/${CORE}`, merged.map((name) => reExport(name, chunks)).join(""));
    await bundleModule(`${scratch}/${CORE}`, `${scratch}/out`);
    const core = await Deno.readTextFile(`${scratch}/out/${CORE}`);
    await Deno.writeTextFile(`${folder}/${CORE}`, core.replaceAll(`${LATER}("./`, 'import("./'));
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  for (const [name, text] of chunks) {
    if (merged.includes(name)) await Deno.remove(`${folder}/${name}`);
    else await Deno.writeTextFile(`${folder}/${name}`, fromCore(text, merged));
  }
}

/** The chunks that `main.js` imports, and those that they import, in the order in which they run. */
function loadedAtOnce(chunks: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  const visit = (name: string, seen: ReadonlySet<string>) => {
    for (const [, , imported = ""] of (chunks.get(name) ?? "").matchAll(IMPORT)) {
      if (!found.has(imported) && !seen.has(imported)) visit(imported, new Set([...seen, imported]));
    }
    if (name !== "main.js") found.add(name);
  };
  visit("main.js", new Set());
  return [...found];
}

/** A line that exports all that a chunk does, under names that no other chunk has. */
function reExport(name: string, chunks: ReadonlyMap<string, string>): string {
  const exported = namesIn(EXPORT.exec(chunks.get(name) ?? "")?.[1] ?? "").map(({ outside }) => outside);
  const list = exported.map((one) => `${one} as ${inCore(name, one)}`).join(", ");
  return list === "" ? `import "./${name}";\n` : `export { ${list} } from "./${name}";\n`;
}

/** A chunk that imports from `core.js` what it imported from the merged ones. */
function fromCore(text: string, merged: readonly string[]): string {
  return text.replace(IMPORT, (line, list: string | undefined, name: string) => {
    if (!merged.includes(name)) return line;
    const names = namesIn(list ?? "").map(({ inside, outside }) => `${inCore(name, inside)} as ${outside}`);
    return names.length === 0 ? "" : `import { ${names.join(", ")} } from "./${CORE}";\n`;
  });
}

function inCore(chunk: string, name: string): string {
  return `${chunk.replace(/\W/g, "_")}_${name}`;
}

/** `a, b as c`: the name on the near side of each, and the one on the far side. */
function namesIn(list: string): { readonly inside: string; readonly outside: string }[] {
  return list.split(",").map((one) => one.trim()).filter((one) => one !== "").map((one) => {
    const [inside = "", outside = inside] = one.split(" as ");
    return { inside, outside };
  });
}
