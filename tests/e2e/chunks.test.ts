/** Proves what a source test cannot: how the built chunks start, and that each of them loads in a binary. */

import assert from "node:assert/strict";
import { bundlingTest } from "../bundling-test.ts";
import { bundle, compileChunks, ROOT } from "../../scripts/compile.ts";

/** At the beginning of a line, or behind another one in a chunk without blanks; not the text "import" in a list. */
const IMPORT = /(?:^|(?<=[";}]))(?:import|export)\b(?!\s*\(|["'][\],])[^;"'()]*["']([^"']+)["']/gm;

/** The chunks that are loaded together with `entry`, and what they import from outside of the bundle. */
function loadedAtOnce(chunks: ReadonlyMap<string, string>, entry: string) {
  const loaded = new Set<string>();
  const foreign = new Set<string>();
  const visit = (name: string) => {
    const source = chunks.get(name);
    assert.ok(source !== undefined, `the bundle has no ${name}`);
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const [, specifier = ""] of source.matchAll(IMPORT)) {
      if (specifier.startsWith("./")) visit(specifier.slice(2));
      else foreign.add(specifier);
    }
  };
  visit(entry);
  return { loaded, foreign };
}

async function withBundle(
  use: (folder: string, chunks: Map<string, string>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await bundle(`${ROOT}main.ts`, folder);
    const chunks = new Map<string, string>();
    for await (const { name } of Deno.readDir(folder)) {
      chunks.set(name, await Deno.readTextFile(`${folder}/${name}`));
    }
    await use(folder, chunks);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("loadedAtOnce() follows what is imported at once, not what is imported lazily", () => {
  const chunks = new Map([
    ["main.js", `import {\n  a\n} from "./a.js";\nconst later = await import("./lazy.js");\nvar s = "x";`],
    ["a.js", `import "node:fs";\nexport { b } from "./b.js";`],
    ["b.js", `export {\n  c\n};\nconst c = "./lazy.js";`],
    ["lazy.js", `import "node:os";`],
  ]);
  const { loaded, foreign } = loadedAtOnce(chunks, "main.js");
  assert.deepEqual([...loaded], ["main.js", "a.js", "b.js"]);
  assert.deepEqual([...foreign], ["node:fs"]);
});

/** The chunk of a module. */
function chunkOf(chunks: ReadonlyMap<string, string>, module: string): string {
  const pattern = new RegExp(`^${module}(?:-\\d+)?(?:-[A-Z0-9]{8})?\\.js$`);
  return [...chunks.keys()].find((name) => pattern.test(name)) ?? assert.fail(`no chunk of ${module}`);
}

bundlingTest(
  "what the binary loads at a start imports nothing from outside of it, node: least of all",
  async () => {
    await withBundle((_folder, chunks) => {
      const loadedWith = (module: string) => {
        const { loaded, foreign } = loadedAtOnce(chunks, chunkOf(chunks, module));
        assert.deepEqual([...foreign], [], module);
        return loaded;
      };
      for (const module of ["main", "usual", "stored-token", "open-item"]) {
        assert.deepEqual([...loadedWith(module)], [chunkOf(chunks, module)], "a short way is one chunk");
      }
      const core = loadedWith("core");
      assert.ok(core.size <= 2, "the program is one chunk, with another for its exports");
      assert.deepEqual([...loadedWith("quick").difference(core)], [chunkOf(chunks, "quick")]);
      return Promise.resolve();
    });
  },
);

bundlingTest(
  "the whole command line loads its framework at once, but no node:, nor what measures foreign scripts",
  async () => {
    await withBundle((_folder, chunks) => {
      const { loaded, foreign } = loadedAtOnce(chunks, chunkOf(chunks, "process"));
      assert.deepEqual([...foreign], []);
      const holds = (text: string) => [...loaded].some((name) => chunks.get(name)?.includes(text));
      assert.ok(holds("commander.unknownOption"), "the framework was not found");
      // A property of Unicode's that only `string-width` looks for.
      assert.ok(![...loaded].some((name) => chunks.get(name)?.includes("RGI_Emoji")));
      assert.ok([...chunks.values()].some((text) => text.includes("RGI_Emoji")), "it is in no chunk");
      return Promise.resolve();
    });
  },
);

bundlingTest("every chunk loads in a binary made as ours is", async () => {
  await withBundle(async (folder, chunks) => {
    // main.js is the program itself, which every other end-to-end test runs.
    const names = [...chunks.keys()].filter((name) => name !== "main.js");
    assert.ok(names.length > 0, "the bundle has no lazy chunk");
    const entry = "every-chunk.js";
    await Deno.writeTextFile(
      `${folder}/${entry}`,
      `for (const name of Deno.args) await import("./" + name);\nconsole.log("loaded", Deno.args.length);\n`,
    );
    const { path } = await compileChunks({ folder, entry, out: `${folder}/out/every-chunk` });
    const { stdout, stderr } = await new Deno.Command(path, { args: names, stdin: "null" }).output();
    assert.equal(
      new TextDecoder().decode(stdout),
      `loaded ${names.length}\n`,
      new TextDecoder().decode(stderr),
    );
  });
});
