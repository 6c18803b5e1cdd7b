/**
 * Puts all chunks that the program loads at its start into one, `core.js`: a start is shorter than with thirty chunks that
 * import each other.
 */

import { joinChunk } from "./esbuild.ts";

/** The chunk of all that is loaded at the start. */
export const CORE = "core.js";

/** The chunk that the entry loads to run a command line, `src/program.ts`. */
const PROGRAM = /^program-\d+\.js$/;

/** `import {\n  a,\n  b as c\n} from "./chunk-X.js";`, or without names, as the bundler writes it. */
const IMPORT = /^import (?:\{([^}]*)\} from )?"\.\/([^"]+)";\n/gm;

/** Merges what the program of a bundle loads at once, if it has one. The bundle must not be minified. */
export async function mergeStart(folder: string): Promise<void> {
  const chunks = await readChunks(folder);
  const program = [...chunks.keys()].find((name) => PROGRAM.test(name));
  if (program === undefined) return;
  const merged = loadedAtOnce(program, chunks);
  const others = [...chunks].filter(([name]) => !merged.includes(name));
  const names = new CoreNames();
  const changed = others.map(([name, text]) => [name, fromCore(text, merged, names)] as const);
  const entry = `export * from "./${program}";\n${names.exports()}`;
  const core = await joinChunk(folder, entry, (name) => merged.includes(name));
  for (const name of merged) await Deno.remove(`${folder}/${name}`);
  const toCore = (text: string) => text.replaceAll(`import("./${program}")`, `import("./${CORE}")`);
  for (const [name, text] of [...changed, [CORE, core] as const]) {
    await Deno.writeTextFile(`${folder}/${name}`, toCore(text));
  }
}

/** The texts of all chunks in a folder, by their names. */
export async function readChunks(folder: string): Promise<Map<string, string>> {
  const chunks = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".js")) chunks.set(name, await Deno.readTextFile(`${folder}/${name}`));
  }
  return chunks;
}

/** A chunk and those that it imports, and that they import, in the order in which they run. */
function loadedAtOnce(entry: string, chunks: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  const visit = (name: string, seen: ReadonlySet<string>) => {
    for (const [, , imported = ""] of (chunks.get(name) ?? "").matchAll(IMPORT)) {
      if (!found.has(imported) && !seen.has(imported)) visit(imported, new Set([...seen, imported]));
    }
    found.add(name);
  };
  visit(entry, new Set([entry]));
  return [...found];
}

/** Short names, which no two chunks share, for what other chunks import from the core. */
class CoreNames {
  readonly #short = new Map<
    string,
    { readonly chunk: string; readonly name: string; readonly short: string }
  >();

  of(chunk: string, name: string): string {
    const key = `${chunk} ${name}`;
    const known = this.#short.get(key) ?? { chunk, name, short: `_${this.#short.size.toString(36)}` };
    this.#short.set(key, known);
    return known.short;
  }

  /** The lines that export them. */
  exports(): string {
    return [...this.#short.values()]
      .map(({ chunk, name, short }) => `export { ${name} as ${short} } from "./${chunk}";\n`)
      .join("");
  }
}

/** A chunk that imports from `core.js` what it imported from the merged ones. */
function fromCore(text: string, merged: readonly string[], core: CoreNames): string {
  return text.replace(IMPORT, (line, list: string | undefined, name: string) => {
    if (!merged.includes(name)) return line;
    const names = namesIn(list ?? "").map(({ inside, outside }) => `${core.of(name, inside)} as ${outside}`);
    return names.length === 0 ? "" : `import { ${names.join(", ")} } from "./${CORE}";\n`;
  });
}

/** `a, b as c`: the name on the near side of each, and the one on the far side. */
function namesIn(list: string): { readonly inside: string; readonly outside: string }[] {
  return list.split(",").map((one) => one.trim()).filter((one) => one !== "").map((one) => {
    const [inside = "", outside = inside] = one.split(" as ");
    return { inside, outside };
  });
}
