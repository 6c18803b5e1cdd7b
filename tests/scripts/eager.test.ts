/** Proves that functions on the list are compiled at once, and do what they did. */

import assert from "node:assert/strict";
import { functionsIn, markCalled } from "../../scripts/eager.ts";
import { inScratch } from "../scratch.ts";

/** A chunk as the bundler writes it. */
const CHUNK = `import {
  other
} from "./chunk-A.js";

// src/a.ts
var names = new Map([["x", early(1)]]);
function early(n) {
  return late2(n) + 1;
}
async function late2(n) {
  const text = \`{
  }\`;
  return n + text.length;
}
function unused() {
  return 0;
}

// src/b.ts
function early3() {
  function inner() {
    return 2;
  }
  return inner();
}
function* several() {
  yield early3();
}
export {
  early,
  several
};
`;

const CALLED = new Set(["src/a.ts early", "src/a.ts late", "src/b.ts several"]);

Deno.test("functions on the list stand in parentheses, before what calls them; the others stay", () => {
  const marked = markCalled(CHUNK, CALLED);
  assert.match(marked, /^var early = \(function early\(n\) \{\n {2}return late2\(n\) \+ 1;\n\}\);\n/);
  assert.match(marked, /^var late2 = \(async function late2\(n\) \{[^]*?\n\}\);$/m);
  assert.match(marked, /^var several = \(function\* several\(\) \{[^]*?\n\}\);$/m);
  for (const name of ["unused", "early3"]) assert.match(marked, new RegExp(`^function ${name}\\(`, "m"));
  assert.ok(marked.indexOf("var several") < marked.indexOf("var names"));
  assert.equal(markCalled(CHUNK, new Set()), CHUNK);
});

Deno.test("a marked chunk does the same", async () => {
  await inScratch(async (folder) => {
    await Deno.writeTextFile(`${folder}/chunk-A.js`, "export const other = 1;\n");
    const show =
      "\nconsole.log(await names.get('x'), await early(4), [...several()], late2.name, unused(), other);\n";
    const run = async (name: string, text: string) => {
      await Deno.writeTextFile(`${folder}/${name}.js`, text + show);
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-config", `${folder}/${name}.js`],
        env: { NO_COLOR: "1" },
      }).output();
      assert.ok(success);
      return new TextDecoder().decode(stdout);
    };
    assert.equal(await run("marked", markCalled(CHUNK, CALLED)), await run("plain", CHUNK));
  });
});

Deno.test("each function is found with its module, where it begins and where it ends", () => {
  const found = functionsIn(CHUNK);
  assert.deepEqual(found.map(({ key }) => key), [
    ...["src/a.ts early", "src/a.ts late", "src/a.ts unused"],
    ...["src/b.ts early", "src/b.ts several"],
  ]);
  for (const { start, end } of found) {
    assert.match(CHUNK.slice(start, end), /^(?:async )?function\*? \w+\([^]*\}$/);
    assert.equal(CHUNK[end], "\n");
  }
});
