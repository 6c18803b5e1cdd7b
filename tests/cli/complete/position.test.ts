/** Proves what can stand at the cursor, and that every flag and argument says what completes it. */

import assert from "node:assert/strict";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { kindOfArgument, kindOfOption, valueOption } from "../../../src/cli/complete/declare.ts";
import type { Kind } from "../../../src/cli/complete/kinds.ts";
import { pack, unpack } from "../../../src/cli/complete/packed.ts";
import { positionAt } from "../../../src/cli/complete/position.ts";
import { type CommandWords, tableOf } from "../../../src/cli/complete/table.ts";
import { wholeProgram } from "../../../src/cli/complete/words.ts";

const program = await wholeProgram();
const table = tableOf(program);

/** The flags with a value, and the arguments, that do not say what completes them. */
function undeclared(command: CommandUnknownOpts, words = command.name()): string[] {
  const options = command.options.filter((option) =>
    (option.required || option.optional) && kindOfOption(option) === undefined
  ).map(({ flags }) => `${words} ${flags}`);
  const named = command.registeredArguments.filter((argument) => kindOfArgument(argument) === undefined)
    .map((argument) => `${words} ${argument.name()}`);
  return [
    ...options,
    ...named,
    ...command.commands.flatMap((held) => undeclared(held, `${words} ${held.name()}`)),
  ];
}

Deno.test("every flag with a value and every argument says beside it what completes it", () => {
  assert.deepEqual(undeclared(program), [], "declare it with valueOption or valueArgument");
});

Deno.test("a flag that does not say what completes it is found", () => {
  const planted = program.createCommand("planted").option("--planted <name>").argument("[what]");
  planted.addOption(valueOption("session", "--declared <name>"));
  assert.deepEqual(undeclared(planted), ["planted --planted <name>", "planted what"]);
});

function at(line: string) {
  const words = line.split(" ");
  return positionAt(table, words.slice(0, -1), words.at(-1) ?? "");
}

const VALUES: readonly (readonly [line: string, kind: Kind | undefined, head?: string, text?: string])[] = [
  ["auth switch a", "session", "", "a"],
  ["--session a", "session", "", "a"],
  ["--session=a", "session", "--session=", "a"],
  ["get -n a", "namespace", "", "a"],
  ["get -na", "namespace", "-n", "a"],
  ["get -An=a", "namespace", "-An=", "a"],
  ["get -f a", "file", "", "a"],
  ["get pods -l x a", "objects", "", "a"],
  ["get -A pods a", "objects", "", "a"],
  ["get --no-headers a", "objects", "", "a"],
  ["delete --cascade a", "objects", "", "a"],
  ["ctx use a", "target", "", "a"],
  ["projects list --organization a", "organization", "", "a"],
  ["exec a", ["--"], "", "a"],
  ["exec -- a", "line", "", "a"],
  ["exec --project p -- a --project ", "line", "", ""],
  ["auth switch one two", undefined],
  ["get --unknown=a", "nothing", "--unknown=", "a"],
  ["get -- -a", "objects", "", "-a"],
];

for (const [line, kind, head = "", text = ""] of VALUES) {
  Deno.test(`the value at the end of ${JSON.stringify(line)}`, () => {
    assert.deepEqual(at(line).value, kind === undefined ? undefined : { kind, head, text });
  });
}

Deno.test("a packed table knows the commands that a line calls, whole, and the names of the others", () => {
  const text = pack(table);
  const everyWord = (
    command: CommandWords,
  ): string[] => [command.name, ...command.commands.flatMap(everyWord)];
  assert.deepEqual(unpack(text, everyWord(table)), table);
  const named = unpack(text, ["auth", "switch", "ls"]);
  const find = (command: CommandWords | undefined, name: string) =>
    command?.commands.find((held) => held.name === name);
  assert.deepEqual(find(find(named, "auth"), "switch"), find(find(table, "auth"), "switch"));
  assert.deepEqual(find(find(named, "auth"), "list"), find(find(table, "auth"), "list"), "by its other name");
  assert.deepEqual(find(named, "get"), { ...find(table, "get"), flags: [], arguments: [], commands: [] });
});

Deno.test("commands are offered in the place of a command only", () => {
  const names = (line: string) => at(line).commands.map(({ name }) => name);
  assert.ok(names("").includes("auth") && names("a").includes("auth"));
  assert.ok(names("auth ").includes("switch") && !names("auth ").includes("ctx"));
  assert.deepEqual(names("auth switch "), []);
  assert.deepEqual(names("--profile "), []);
});

Deno.test("flags are offered behind a dash, each once, the command's own first, hidden ones never", () => {
  const flags = (line: string) => at(line).flags.flatMap(({ names: [name = ""] }) => name);
  assert.equal(flags("auth switch -")[0], "--help");
  assert.ok(flags("get -").includes("--profile") && !flags("get -").includes("--session"));
  assert.ok(!flags("get -o json --").includes("--output"));
  assert.ok(flags("get -f a --").includes("--filename"), "one that can be repeated");
  assert.deepEqual(flags("get "), []);
  assert.ok(flags("whoami ").includes("--output"), "where nothing else can stand");
});
