/** Proves that the chunks of a start become one, and that what is loaded lazily stays apart and works with it. */

import assert from "node:assert/strict";
import { bundlingTest } from "../bundling-test.ts";
import { withEsbuild } from "../../scripts/esbuild.ts";
import { mergeStart } from "../../scripts/merge-start.ts";

const CHUNKS = {
  "main.js": `var { run } = await import("./program-1.js");\nawait run();\n`,
  "program-1.js": `import {\n  greet\n} from "./chunk-A.js";\nimport "./chunk-B.js";\n\n` +
    `async function run() {\n  await greet();\n}\n\nexport {\n  run\n};\n`,
  "chunk-A.js": `import {\n  name as who\n} from "./chunk-B.js";\n\n// a.ts\n` +
    `async function greet() {\n  const { later } = await import("./later.js");\n  globalThis.told.push(who, later());\n}\n\n` +
    `export {\n  greet\n};\n`,
  "chunk-B.js":
    `// b.ts\nglobalThis.told = [];\nvar name = "Ada";\nlet count = 0;\nfunction add() {\n  count += 1;\n}\n\n` +
    `export {\n  name,\n  count,\n  add\n};\n`,
  "later.js": `import {\n  add,\n  count,\n  name as n\n} from "./chunk-B.js";\n\n` +
    `function later() {\n  add();\n  return \`\${n} \${count}\`;\n}\n\nexport {\n  later\n};\n`,
};

async function merged(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(CHUNKS)) await Deno.writeTextFile(`${folder}/${name}`, text);
    await withEsbuild(() => mergeStart(folder));
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

bundlingTest("the chunks of a start are one, and the rest imports from it", async () => {
  await merged(async (folder) => {
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assert.deepEqual(names, ["core.js", "later.js", "main.js"]);
    assert.match(await Deno.readTextFile(`${folder}/core.js`), /import\("\.\/later\.js"\)/);
    assert.match(await Deno.readTextFile(`${folder}/later.js`), /from "\.\/core\.js"/);
  });
});

bundlingTest("what runs is the same: one state for all, and variables that change are seen", async () => {
  await merged(async (folder) => {
    await Deno.writeTextFile(`${folder}/run.js`, `import "./main.js";\nconsole.log(JSON.stringify(told));\n`);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", `${folder}/run.js`],
    }).output();
    assert.equal(new TextDecoder().decode(stdout), '["Ada","Ada 1"]\n', new TextDecoder().decode(stderr));
  });
});
