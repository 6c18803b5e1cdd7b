/** Proves how help is laid out: every command in a group, flags in groups, all of it readable at any width. */

// deno-lint-ignore-file no-control-regex -- escapes are what is looked for

import assert from "node:assert/strict";
import { HELP_GROUPS, NO_GROUP } from "../../src/cli/help-groups.ts";
import { SessionStore } from "../../src/sessions/store.ts";
import { CLOUDS } from "../clouds.ts";
import { testHost } from "../host.ts";
import { withoutColours } from "../without-colours.ts";
import { commandsIn, flagsIn, titlesIn } from "./help-text.ts";
import { runLine, type RunOptions } from "./run-line.ts";

const store = new SessionStore(testHost(), CLOUDS);

async function helpOf(words: readonly string[], options: Partial<RunOptions> = {}): Promise<string> {
  const { code, stdout, stderr } = await runLine([...words, "--help"], { store, ...options });
  assert.equal(code, 0, stderr);
  return stdout;
}

async function everyCommand(words: readonly string[] = []): Promise<readonly (readonly string[])[]> {
  const below = commandsIn(await helpOf(words)).map((name) => everyCommand([...words, name]));
  return [words, ...(await Promise.all(below)).flat()];
}

const COMMANDS = await everyCommand();

Deno.test("every command of the program and of auth stands in one group, and every name there is a command", async () => {
  for (const [words, groups] of Object.entries(HELP_GROUPS)) {
    const help = await helpOf(words.split(" ").slice(1));
    const named = groups.flatMap(([, names]) => names);
    assert.equal(new Set(named).size, named.length, `${words}: a command in two groups`);
    const shown = commandsIn(help);
    const titles = titlesIn(help);
    assert.ok(
      !titles.includes(NO_GROUP),
      `${words}: a command without a group: ${shown.filter((name) => !named.includes(name))}`,
    );
    assert.deepEqual(named.filter((name) => !shown.includes(name)), [], `${words}: names of no command`);
    assert.deepEqual(titles.slice(0, groups.length), groups.map(([title]) => title), "in their order");
  }
});

Deno.test("login's flags stand in groups, the common ones first, --help at the end of the first", async () => {
  const help = await helpOf(["login"]);
  assert.deepEqual(titlesIn(help), [
    "For every sign-in",
    "For any OIDC issuer",
    "For DataChain Studio",
    "For machines",
  ]);
  assert.match(help, /\nFor every sign-in:\n {2}-H, --hostname .*\n {6}--no-browser /);
  assert.match(help, /\n {2}-h, --help +show help\n\nFor any OIDC issuer:\n {6}--issuer /);
  assert.deepEqual(
    flagsIn(help).filter((flag) => ["--team", "--workload", "--issuer"].includes(flag)),
    ["--issuer", "--team", "--workload"],
  );
});

Deno.test("the flags that say where to act, and as whom, have groups of their own", async () => {
  for (const words of ["get", "apply", "proxy"]) {
    const expected = ["Options", "Where to act", "As another user"];
    assert.deepEqual(titlesIn(await helpOf([words])).slice(-3), expected, words);
  }
  assert.deepEqual(titlesIn(await helpOf(["whoami"])), ["Options", "Where to act"]);
});

Deno.test("help on a terminal with colours is the same text, and has no escape elsewhere", async () => {
  for (const words of COMMANDS) {
    for (const columns of [40, 80, 120]) {
      const plain = await helpOf(words, { columns });
      assert.ok(!plain.includes("\u001b"), words.join(" "));
      const coloured = await helpOf(words, { columns, outIsTerminal: true, colour: true });
      assert.match(coloured, /^\u001b\[1mUsage:\u001b\[0m datumctl/u, words.join(" "));
      assert.equal(withoutColours(coloured), plain, words.join(" "));
      assert.equal(await helpOf(words, { columns, outIsTerminal: true }), plain, "colours forbidden");
    }
  }
});

Deno.test("no line but one to copy is wider than the terminal, and none ends before a variable's name", async () => {
  for (const words of COMMANDS) {
    for (const columns of [80, 120]) {
      const help = await helpOf(words, { columns });
      const [listed = ""] = help.split("\nExamples:\n");
      for (const line of listed.split("\n").slice(1)) {
        const isLine = /^ {2,}(?:datumctl|curl|eval) /.test(line);
        assert.ok(isLine || [...line].length <= columns, `${words.join(" ")}: ${line}`);
        assert.doesNotMatch(line, /env:$/, words.join(" "));
      }
    }
  }
});

Deno.test("every example fits a terminal of 80 columns, as it is printed", async () => {
  const wide: string[] = [];
  for (const words of COMMANDS) {
    const [, examples = ""] = (await helpOf(words, { columns: 80 })).split("\nExamples:\n");
    wide.push(
      ...examples.split("\n").filter((line) => [...line].length > 80).map((l) => `${words.join(" ")}: ${l}`),
    );
  }
  assert.deepEqual(wide, []);
});

Deno.test("a flag too long for its column has its description below, where the others have theirs", async () => {
  const help = await helpOf(["login"], { columns: 80 });
  const [, blanks = ""] = /\n {6}--device-authorization-endpoint <url>\n( +)endpoint that/.exec(help) ?? [];
  const [, other = ""] = /\n( {6}--issuer <url> +)issuer URL/.exec(help) ?? [];
  assert.equal(blanks.length, other.length);
});

Deno.test("a mistyped topic of help is told which topic is near", async () => {
  for (
    const [word, near] of [["plugin", "plugins"], ["exit-code", "exit-codes"], ["logn", "login"]] as const
  ) {
    const { code, stderr } = await runLine(["help", word], { store });
    assert.deepEqual([code, stderr.split("\n")[1]], [2, `Did you mean ${near}?`]);
  }
});
