/** Proves that the program's modules keep the rules of the house, and that the checker of the rules can fail. */

import assert from "node:assert/strict";
import { breaches } from "./architecture.ts";

const ROOT = new URL("../", import.meta.url);

function house(modules: Record<string, string>): string[] {
  return breaches(new Map(Object.entries(modules)));
}

async function programSources(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  const add = async (path: string) => void sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  const walk = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await walk(path);
      else if (entry.name.endsWith(".ts")) await add(path);
    }
  };
  await add("main.ts");
  await walk("src");
  return sources;
}

Deno.test("every module of the program keeps the rules of the house", async () => {
  const sources = await programSources();
  assert.ok(sources.size > 10, "the program was not found");
  assert.deepEqual(breaches(sources), []);
});

Deno.test("a house in order has no breach", () => {
  assert.deepEqual(
    house({
      "main.ts":
        `import { run } from "./src/plugin/run.ts"; run(Deno.args); await import("./src/cli/all.ts");`,
      "src/cli/all.ts": `import { Command } from "@commander-js/extra-typings"; import "../plugin/run.ts";`,
      "src/plugin/run.ts": `import { AppError } from "../errors.ts"; import "../system/files.ts";
        export function run(args: unknown) { throw new AppError("no Deno.exit() here", args); }`,
      "src/kube/yaml.ts": `import { parse } from "yaml"; import path from "node:path"; parse(path);`,
      "src/system/files.ts": `import type { ErrorCode } from "../errors.ts"; export type E = ErrorCode;
        export const read = Deno.readFile; console.error(globalThis.process?.argv0);`,
      "src/errors.ts":
        `/* Deno.exit */ export class AppError extends Error {} export type ErrorCode = string;`,
    }),
    [],
  );
});

const BAD: ReadonlyArray<readonly [name: string, modules: Record<string, string>, breach: RegExp]> = [
  [
    "an import uphill",
    { "src/oauth/a.ts": `import "../sessions/b.ts";`, "src/sessions/b.ts": "" },
    /^src\/oauth\/a\.ts imports src\/sessions\/b\.ts, uphill\.$/,
  ],
  [
    "an import of a type uphill",
    {
      "src/system/a.ts": `import type { B } from "../keyring/b.ts";`,
      "src/keyring/b.ts": "export type B = 1",
    },
    /uphill/,
  ],
  [
    "a type named by import() uphill",
    { "src/errors.ts": `export type B = import("./cli/b.ts").B;`, "src/cli/b.ts": "export type B = 1" },
    /uphill/,
  ],
  [
    "a lazy import uphill",
    { "src/kube/a.ts": `await import("../cli/b.ts");`, "src/cli/b.ts": "" },
    /uphill/,
  ],
  [
    "a re-export uphill",
    { "src/oauth/a.ts": `export * from "../kube/b.ts";`, "src/kube/b.ts": "" },
    /uphill/,
  ],
  [
    "system on anything but errors, text and encoding",
    { "src/system/a.ts": `import "../version.ts";`, "src/version.ts": "" },
    /system stands on errors, text and encoding alone/,
  ],
  ["a module in no known area", { "src/utils/a.ts": "" }, /src\/utils\/a\.ts is in no area/],
  ["an import from the tests", { "src/cli/a.ts": `import "../../tests/b.ts";` }, /not part of the program/],
  [
    "a circle of modules",
    { "src/kube/a.ts": `import "./b.ts";`, "src/kube/b.ts": `import "./a.ts";` },
    /^A circle: src\/kube\/a\.ts → src\/kube\/b\.ts → src\/kube\/a\.ts\.$/,
  ],
  [
    "a circle of areas that no two modules make",
    {
      "src/text.ts": `import "./splice/b.ts";`,
      "src/splice/b.ts": "",
      "src/splice/c.ts": `import "../text.ts";`,
    },
    /^A circle: text → splice → text\.$/,
  ],
  ["Deno outside system", { "src/cli/a.ts": `Deno.exit(1);` }, /src\/cli\/a\.ts touches Deno/],
  ["a type of Deno's outside system", { "src/cli/a.ts": `export type F = Deno.FsFile;` }, /touches Deno/],
  ["Deno by globalThis", { "src/kube/a.ts": `globalThis.Deno.exit();` }, /touches Deno/],
  ["Deno under another name", { "src/kube/a.ts": `export const { exit } = Deno;` }, /touches Deno/],
  ["console outside system", { "src/cli/a.ts": `console.log(1);` }, /console/],
  ["Buffer", { "src/kube/a.ts": `export const b = Buffer.from("");` }, /Node's global Buffer/],
  ["process", { "src/cli/a.ts": `process.exit(1);` }, /Node's global process\.exit/],
  ["process by globalThis", { "src/cli/a.ts": `globalThis.process.env;` }, /Node's global process\.env/],
  ["more of process than argv0", { "src/system/a.ts": `process.env;` }, /Node's global process\.env/],
  ["node: on the short way", { "src/sessions/a.ts": `import "node:fs";` }, /node:fs, which loads/],
  ["the framework below cli", { "src/plugin/a.ts": `import "commander";` }, /CLI framework/],
  ["the framework in kube", { "src/kube/a.ts": `import "npm:commander@15.1.0";` }, /CLI framework/],
  ["a package imported lazily", { "src/kube/a.ts": `await import("yaml");` }, /fails in the bundle/],
  [
    "node: that main.ts loads at once",
    { "main.ts": `import "./src/kube/a.ts";`, "src/kube/a.ts": `import "node:path";` },
    /^main\.ts loads node:path at once, by way of main\.ts → src\/kube\/a\.ts\.$/,
  ],
  [
    "the framework that main.ts loads at once",
    { "main.ts": `import "./src/cli/a.ts";`, "src/cli/a.ts": `import "commander";` },
    /^main\.ts loads commander at once/,
  ],
  [
    "a slow package that a command loads at once",
    {
      "main.ts": `await import("./src/cli/tree.ts");`,
      "src/cli/tree.ts": `await import("./list.ts");`,
      "src/cli/list.ts": `import "./table.ts"; await import("./picker.ts");`,
      "src/cli/table.ts": `import "string-width";`,
      "src/cli/picker.ts": `import "string-width";`,
    },
    /^src\/cli\/list\.ts loads string-width at once, by way of src\/cli\/list\.ts → src\/cli\/table\.ts\.$/,
  ],
];

for (const [name, modules, breach] of BAD) {
  Deno.test(`the checker finds ${name}`, () => {
    const found = house(modules);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", breach);
  });
}

Deno.test("the checker takes a variable or a property of the same name for no global", () => {
  assert.deepEqual(
    house({
      "src/kube/a.ts": `export function f(process: { exit(): void }) { process.exit(); }
        export const g = (x: { Buffer: number }) => x.Buffer; export const h = { console: 1 };`,
    }),
    [],
  );
});
