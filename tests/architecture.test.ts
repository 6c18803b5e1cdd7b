/** Proves that the program's modules keep the rules of the house, and that the checker of the rules can fail. */

import assert from "node:assert/strict";
import { type Breach, breaches, commandFiles, type Rule } from "./architecture.ts";
import { scratchFolder } from "./scratch.ts";

const ROOT = new URL("../", import.meta.url);

function house(modules: Record<string, string>): string[] {
  return breaches(new Map(Object.entries(modules))).map(({ text }) => text);
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

/**
 * The modules that do not keep a rule yet. The list only ever gets shorter: one that keeps the rule now must leave it.
 */
const NOT_YET: Partial<Readonly<Record<Rule, readonly string[]>>> = {};

Deno.test("every module of the program keeps the rules of the house", async () => {
  const sources = await programSources();
  assert.ok(sources.size > 10, "the program was not found");
  const found = breaches(sources);
  const isExcepted = ({ rule, path }: Breach) => NOT_YET[rule]?.includes(path) ?? false;
  assert.deepEqual(found.filter((breach) => !isExcepted(breach)).map(({ text }) => text), []);
  for (const [rule, paths] of Object.entries(NOT_YET)) {
    const kept = paths.filter((path) =>
      !found.some((breach) => breach.rule === rule && breach.path === path)
    );
    assert.deepEqual(kept, [], `modules that keep the rule "${rule}" now: take them off NOT_YET`);
  }
});

Deno.test("the files of commands are known as such", async () => {
  const commands = commandFiles(await programSources());
  assert.ok(commands.length >= 30, commands.join("\n"));
  assert.ok(commands.includes("src/cli/auth/switch.ts"));
});

Deno.test("a house in order has no breach", () => {
  assert.deepEqual(
    house({
      "main.ts":
        `import { run } from "./src/plugin/run.ts"; run(Deno.args); await import("./src/cli/all.ts");`,
      "src/cli/all.ts": `import { Command } from "@commander-js/extra-typings"; import "../plugin/run.ts";`,
      "src/plugin/run.ts": `import { AppError } from "../errors.ts"; import "../system/files.ts";
        export function run(args: unknown) { throw new AppError("no Deno.exit() here", args); }`,
      "src/cli/group.ts": `import { Command } from "@commander-js/extra-typings";
        export function groupOf(name: string): Command { return new Command(name); }`,
      "src/cli/auth/group.ts": `import { listCommand } from "./list.ts";
        export function authCommand(): Command { return groupOf("auth").addCommand(listCommand()); }`,
      "src/cli/auth/list.ts": `import { chosenCommand } from "./shared.ts";
        export function listCommand(): Command { return chosenCommand("Sign in: datumctl login"); }`,
      "src/cli/auth/shared.ts": `export function chosenCommand(line: string): string { return line; }`,
      "src/kube/yaml.ts": `import { parse } from "yaml"; parse("datumctl logs: what datumctl keeps");
        /** datumctl login */ import type { Names } from "../system/tls-probe.ts"; export type N = Names;
        await import("../system/tls-probe.ts");`,
      "src/system/tls-probe.ts": `import { connect } from "node:tls"; export const names = connect;`,
      "src/hints.ts": "export const again = (name: string) => `datumctl login --profile ${name}`;",
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
  [
    "node: above the short way, below cli",
    { "src/kubeconfig/a.ts": `import "node:path";` },
    /^src\/kubeconfig\/a\.ts imports node:path/,
  ],
  [
    "the TLS probe loaded at once",
    {
      "src/providers/a.ts": `import { probe } from "../system/tls-probe.ts"; probe();`,
      "src/system/tls-probe.ts": "",
    },
    /^src\/providers\/a\.ts loads src\/system\/tls-probe\.ts at once\.$/,
  ],
  ["the framework below cli", { "src/plugin/a.ts": `import "commander";` }, /CLI framework/],
  ["the framework in kube", { "src/kube/a.ts": `import "npm:commander@15.1.0";` }, /CLI framework/],
  ["a package imported lazily", { "src/kube/a.ts": `await import("yaml");` }, /fails in the bundle/],
  [
    "node: that main.ts loads at once",
    { "main.ts": `import "./src/cli/a.ts";`, "src/cli/a.ts": `import "node:path";` },
    /^main\.ts loads node:path at once, by way of main\.ts → src\/cli\/a\.ts\.$/,
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
  [
    "the YAML reader that exec loads at once",
    {
      "main.ts": `await import("./src/cli/tree.ts");`,
      "src/cli/tree.ts": `await import("./exec.ts"); await import("./list.ts");`,
      "src/cli/exec.ts": `import "../kubeconfig/text.ts";`,
      "src/cli/list.ts": `import "../kubeconfig/text.ts";`,
      "src/kubeconfig/text.ts": `import "yaml";`,
    },
    /^src\/cli\/exec\.ts loads yaml at once, by way of src\/cli\/exec\.ts → src\/kubeconfig\/text\.ts\.$/,
  ],
  [
    "the framework that a prompt's status loads at once",
    {
      "src/cli/status/quick.ts": `import "../status.ts";`,
      "src/cli/status.ts": `import "commander"; import "../kubeconfig/text.ts";`,
      "src/kubeconfig/text.ts": "",
    },
    /^src\/cli\/status\/quick\.ts loads commander at once/,
  ],
  [
    "a command that imports a command",
    {
      "src/cli/auth/list.ts": `import { switchCommand } from "./switch.ts";
        export function listCommand(): Command { return switchCommand(); }`,
      "src/cli/auth/switch.ts":
        `export function switchCommand(): CommandUnknownOpts { return new Command("switch"); }`,
    },
    /^src\/cli\/auth\/list\.ts is a command and imports another, src\/cli\/auth\/switch\.ts\.$/,
  ],
  [
    "a command that loads another lazily, of however many lines",
    {
      "src/cli/get.ts": `export function getCommand(): Command { return new Command("get"); }
        await import("./login/command.ts");`,
      "src/cli/login/command.ts":
        `export function loginCommandLine(): Command { return new Command("login"); }`,
    },
    /imports another/,
  ],
  [
    "a line to run in a low layer",
    { "src/keyring/a.ts": `export const hint = "Sign in: datumctl login --keyring file";` },
    /^src\/keyring\/a\.ts names a command line: datumctl login\.$/,
  ],
  [
    "a line to run in a template of a low layer",
    { "src/sessions/a.ts": "export const hint = (name: string) => `Now: datumctl auth switch ${name}`;" },
    /names a command line: datumctl auth\.$/,
  ],
  ["an area out of its order", {
    "src/http/a.ts": `import "../oauth/b.ts";`,
    "src/oauth/b.ts": "",
  }, /uphill/],
];

/** The areas from top to bottom; each row must refuse an import of the row above. */
const ROWS = [
  "cli",
  "plugin",
  "sign-in",
  "providers",
  "kube",
  "kubeconfig",
  "sessions",
  "oauth",
  "http",
  "keyring",
];

for (const [at, high] of ROWS.entries()) {
  const low = ROWS[at + 1] ?? "system";
  Deno.test(`the checker lets ${high} import ${low}, and not the other way round`, () => {
    const [above, below] = [`src/${high}/a.ts`, `src/${low}/b.ts`];
    assert.deepEqual(house({ [above]: `import "../${low}/b.ts";`, [below]: "" }), []);
    assert.deepEqual(house({ [above]: "", [below]: `import "../${high}/a.ts";` }), [
      `${below} imports ${above}, uphill.`,
    ]);
  });
}

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

/** Which of these lines `deno check` calls a comparison of what can never be equal. */
async function neverEqual(...lines: readonly string[]): Promise<string[]> {
  await using folder = await scratchFolder();
  const path = `${folder.path}/planted.ts`;
  await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
  const args = ["check", "--quiet", "--config", new URL("deno.json", ROOT).pathname, path];
  const { stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
  const text = new TextDecoder().decode(stderr);
  const found = [...text.matchAll(/(TS\d+) \[ERROR\][^]*?planted\.ts:(\d+):/g)];
  assert.equal(text === "", found.length === 0, text);
  return found.map(([, code, line]) => {
    assert.equal(code, "TS2367", text);
    return lines[Number(line) - 1] ?? text;
  });
}

Deno.test(
  "a cloud or kind of a session compared with a literal does not compile",
  async () => {
    const planted = ["provider", "kind"].map((member) =>
      `export const ${member} = (session: Session) => session.${member} === "user";`
    );
    const refused = await neverEqual(
      `import type { Session } from "${new URL("src/sessions/session.ts", ROOT)}";`,
      `export const same = (one: Session, other: Session) => one.provider === other.provider && one.kind === other.kind;`,
      ...planted,
    );
    assert.deepEqual(refused, planted);
  },
);

Deno.test("the type check tells what is opaque from a text, with a brand or without", async () => {
  const opaque = `export const opaque = (cloud: { readonly [brand]: true }) => cloud === "datum";`;
  const refused = await neverEqual(
    "declare const brand: unique symbol;",
    `export const text = (cloud: "datum" | "oidc") => cloud === "datum";`,
    opaque,
    `export const branded = (cloud: string & { readonly [brand]: true }) => cloud === "datum";`,
  );
  assert.deepEqual(refused, [opaque]);
});
