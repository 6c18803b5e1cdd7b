/** Proves that flags may stand before the words of their command, and that nothing else is taken for one. */

import { Command } from "@commander-js/extra-typings";
import assert from "node:assert/strict";
import { withWordsFirst } from "../../src/cli/flags-first.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { runLine } from "./run-line.ts";

function program() {
  const get = new Command("get").option("-n, --namespace <name>").option("-A, --all").option("-w, --watch");
  const namespace = new Command("namespace").alias("ns").option("--dry-run [how]").option("-o <form>");
  return new Command("datumctl").option("-q, --quiet").option("--session <name>")
    .addCommand(get).addCommand(new Command("create").addCommand(namespace));
}

const MOVED = {
  "-n shop get pods": "get -n shop pods",
  "-nshop get pods": "get -nshop pods",
  "--namespace=shop -Aw get pods -o wide": "get --namespace=shop -Aw pods -o wide",
  "-q --session ada -n shop get": "get -q --session ada -n shop",
  "-n get get get": "get -n get get",
  "-o yaml create ns x": "create ns -o yaml x",
  "-n shop get pods -- -n x": "get -n shop pods -- -n x",
};

for (const [line, wanted] of Object.entries(MOVED)) {
  Deno.test(`flags before their command: ${line}`, () => {
    assert.equal(withWordsFirst(line.split(" "), program())?.join(" "), wanted);
  });
}

const LEFT = [
  "-x get pods",
  "-n get",
  "-n shop",
  "-n shop pods",
  "shop get",
  "-n -- get",
  "-n shop -- get pods",
  "-o yaml get",
  "-n shop --nope get",
];

for (const line of LEFT) {
  Deno.test(`no flags of a command before it: ${line}`, () => {
    assert.equal(withWordsFirst(line.split(" "), program()), undefined);
  });
}

Deno.test("help for a command whose flags stand first is that command's", async () => {
  await using sandbox = await openSandbox();
  for (const line of ["-n shop delete --help", "-n shop delete pods x -h", "-q get --help"]) {
    const { stdout } = await runLine(line.split(" "), { store: sandbox.store });
    assert.match(stdout, /^Usage: datumctl (?:delete|get) /, line);
  }
  for (const line of ["--help -n shop", "-V get"]) {
    const { stdout } = await runLine(line.split(" "), { store: sandbox.store });
    assert.doesNotMatch(stdout, /^Usage: datumctl get/, line);
  }
});

Deno.test("a line with its flags first is run; a wrong one is told as it was typed", async () => {
  await using sandbox = await openSandbox();
  const run = async (line: string) => await runLine(line.split(" "), { store: sandbox.store });
  assert.match((await run("-n shop get pods")).stderr, /^error: Nobody is signed in here\./);
  assert.match((await run("--output json auth list")).stdout, /^\[\]/);
  const wrong = await run("--nope get pods");
  assert.deepEqual([wrong.code, wrong.stderr], [
    2,
    "error: Unknown option '--nope'.\nSee datumctl --help.\n",
  ]);
  assert.match((await run("-n shop get pods --nope")).stderr, /'--nope'.*\nSee datumctl get --help\./);
});
