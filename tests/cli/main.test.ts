/** Proves the command line's frame: help with examples, usage errors with suggestions, formats and exit codes. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { lineAgain } from "../../src/cli/main.ts";
import { CODES } from "../../src/errors.ts";
import { VERSION } from "../../src/version.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { commandsIn } from "./help-text.ts";
import { runLine, type RunOptions } from "./run-line.ts";

async function line(words: string, options: Partial<RunOptions> = {}) {
  await using sandbox = await openSandbox();
  return await runLine(words === "" ? [] : words.split(" "), { store: sandbox.store, ...options });
}

async function everyCommand(words: readonly string[] = []): Promise<string[]> {
  const { stdout } = await line([...words, "--help"].join(" "));
  const found: string[] = [];
  for (const name of commandsIn(stdout)) {
    found.push([...words, name].join(" "), ...await everyCommand([...words, name]));
  }
  return found;
}

const COMMANDS = await everyCommand();

Deno.test("the commands of this version are all there", () => {
  for (
    const words of [
      ...[
        "login",
        "logout",
        "whoami",
        "version",
        "help",
        "auth",
        "auth login",
        "auth logout",
        "auth list",
        "auth switch",
      ],
      ...["auth get-token", "auth update-kubeconfig"],
    ]
  ) assert.ok(COMMANDS.includes(words), words);
});

Deno.test("every command's --help goes to stdout, says how it is called and has examples", async () => {
  for (const words of ["", ...COMMANDS]) {
    const { code, stdout, stderr } = await line(`${words} --help`.trim());
    assert.equal(code, 0, words);
    assert.equal(stderr, "", words);
    assert.match(stdout, new RegExp(`^Usage: datumctl ${words}`), words);
    assert.match(stdout, /\nExamples:\n {2}(?:datumctl|kubectl|curl) /, words);
    assert.doesNotMatch(stdout, /\[command\] \[command\]|undefined/);
    const viaHelp = await line(`help ${words}`.trim());
    assert.equal(viaHelp.stdout, stdout, words);
  }
});

Deno.test("a help's descriptions are wrapped between words at the terminal's columns", async () => {
  const lines = async (words: string, columns: number) => {
    const { stdout } = await line(words, { columns });
    return (stdout.split("\nExamples:\n")[0] ?? "").split("\n").filter((text) => !text.startsWith("Usage"));
  };
  for (const words of ["--help", "login --help", "auth update-kubeconfig --help"]) {
    for (const text of await lines(words, 80)) assert.ok(text.length <= 80, text);
    const wide = await lines(words, 200);
    assert.ok(wide.some((text) => text.length > 80), words);
    const joined = (texts: string[]) => texts.join(" ").replace(/\s+/g, " ");
    assert.equal(joined(await lines(words, 80)), joined(wide), "no word is broken");
  }
  assert.match((await line("tokens list --help")).stdout, /\nFlags of every command: datumctl --help\n$/);
  assert.doesNotMatch((await line("--help")).stdout, /Flags of every command/);
  assert.match((await line("login --help")).stdout, /-v[^\n]* ID token/);
});

Deno.test("the examples of every help are understood by the command line", async () => {
  for (const words of ["", ...COMMANDS]) {
    const { stdout } = await line(`${words} --help`.trim());
    const [, examples = ""] = /\nExamples:\n([^]*)/.exec(stdout) ?? [];
    for (const [, example = ""] of examples.matchAll(/^ {2}datumctl (.+)$/gm)) {
      // What stands behind -- is another program's.
      const args = example.replace(/ {2,}#.*$/, "").replace(/ -- .*$/, "").split(" ");
      // With --help behind it a known line shows help; an unknown flag or word is an error before that.
      const { code, stderr } = await line([...args.filter((arg) => !arg.includes("$(")), "--help"].join(" "));
      assert.equal(code, 0, `${example}: ${stderr}`);
    }
  }
});

Deno.test("a word or flag that is not known suggests the nearest, exits 2 and prints nothing on stdout", async () => {
  const typos: readonly (readonly [string, RegExp])[] = [
    ["lgoin", /Unknown command 'lgoin'\.\nDid you mean login\?\n$/],
    ["auth lst", /Unknown command 'lst'\.\nDid you mean list\?\n$/],
    ["auth swich ada", /Did you mean switch\?/],
    ["auth list --outptu json", /Did you mean --output\?/],
    ["login --no-browsr", /Did you mean --no-browser\?/],
    ["help lgoin", /Did you mean login\?/],
    ["frobnicate", /Unknown command 'frobnicate'\.\n[^\n]*datumctl/],
    ["auth frobnicate", /Unknown command/],
    ["rollout status", /Unknown command 'rollout'\.\nSee datumctl --help\.\n$/],
    ["-f lgoin", /Unknown option '-f'/],
    ["auth status --foo", /Unknown command 'status'\.\nSee datumctl auth --help\.\n$/],
    ["ctx set acme", /Unknown command 'set'\.\nAvailable: datumctl ctx use, datumctl ctx list\./],
    ["ctx switch", /Unknown command 'switch'\.\n.*datumctl ctx use/],
    ["tokens describe", /Missing required argument 'id'\.\nSee datumctl tokens describe --help\.\n$/],
    ["version --client", /Unknown option '--client'\.\nSee datumctl version --help\.\n$/],
    ["auth list more", /[Tt]oo many arguments/],
    ["auth switch a b", /[Tt]oo many arguments/],
    ["login --timeout", /argument missing/],
    ["auth list -o csv", /-o takes table, wide, json, yaml or name\./],
    ["--error-format xml auth list", /Allowed choices are human, json, yaml/],
    ["--request-timeout soon auth list", /--request-timeout takes a duration/],
    ["--profile a --session b whoami", /two different sessions/],
    ["--request-timeout 0s auth list", /--request-timeout takes a duration longer than none/],
    ["login --timeout 0s", /--timeout takes a duration longer than none/],
  ];
  for (const [words, message] of typos) {
    const { code, stdout, stderr } = await line(words);
    assert.equal(code, 2, `${words}: ${stderr}`);
    assert.equal(stdout, "", words);
    assert.match(stderr, /^error: [A-Z-]/, words);
    assert.match(stderr, message, words);
  }
});

Deno.test("a usage error in JSON or YAML is that error and nothing else", async () => {
  for (
    const words of [
      "lgoin --error-format json",
      "--error-format=json auth list -o csv",
      "--error-format json",
    ]
  ) {
    const ran = await line(words);
    if (ran.code === 0) assert.match(ran.stdout, /^Usage/);
    else onlyPrintedError(ran, { code: "USAGE", retryable: false }, words);
  }
  const yaml = parse((await line("lgoin", { env: { DATUMCTL_ERROR_FORMAT: "yaml" } })).stderr);
  assert.deepEqual(yaml.error, {
    code: "USAGE",
    message: "Unknown command 'lgoin'.",
    hint: "Did you mean login?",
    retryable: false,
  });
});

Deno.test("an error format in the variable that there is not is wrong usage, unless a flag says another", async () => {
  const env = { DATUMCTL_ERROR_FORMAT: "xml" };
  const { code, stderr } = await line("auth list", { env });
  assert.equal(code, 2);
  assert.match(stderr, /^error: DATUMCTL_ERROR_FORMAT takes human, json or yaml\.\n/);
  assert.equal((await line("auth list --error-format json", { env })).code, 0);
});

Deno.test("a get-token line with a word too many tells kubectl once, and on stdout in its own form", async () => {
  await using sandbox = await openSandbox();
  const spec = { interactive: false };
  const apiVersion = "client.authentication.k8s.io/v1";
  const env = { KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec }) };
  for (const shown of [true, false]) {
    const ran = await runLine(["auth", "get-token", "--otput=x"], { store: sandbox.store, env });
    assert.equal(ran.code, 2);
    assert.equal(JSON.parse(ran.stdout).reason, "USAGE");
    assert.equal(/^error: Unknown option/.test(ran.stderr), shown);
  }
});

Deno.test("a command that is to trust an authority is the one that was typed", () => {
  const again = lineAgain([
    "login",
    "--hostname",
    "auth.x.example",
    "--certificate-authority=a.pem",
    "-s",
    "a b",
  ]);
  assert.equal(again, "datumctl login --hostname auth.x.example -s 'a b'");
  assert.equal(lineAgain(["--profile", "work", "login"]), "datumctl --profile work login");
});

Deno.test("a flag for help before a command's words is for that command", async () => {
  for (
    const [before, behind] of [
      ["--help get", "get --help"],
      ["-h ctx use", "ctx use --help"],
      ["auth --help login", "auth login --help"],
      ["--help get pods", "get --help"],
      ["--help exec -- ls --help", "exec --help"],
      ["--help -q", "--help"],
      ["delete --help ns default -l --yes", "delete --help"],
      ["--help delete ns --all --namespace x", "delete --help"],
    ] as const
  ) assert.equal((await line(before)).stdout, (await line(behind)).stdout, before);
});

Deno.test("a word whose group was left out is told with it", async () => {
  const hint = async (words: string) => (await line(words)).stderr.split("\n")[1];
  assert.equal(await hint("configure-docker"), "Did you mean datumctl auth configure-docker?");
  assert.equal(await hint("switch ada@example.com"), "Did you mean datumctl auth switch?");
  assert.match(await hint("ls") ?? "", /^Did you mean (?:datumctl [a-z]+ list, ){5}datumctl auth list\?$/);
});

Deno.test("a flag that takes no value says so, and repeats none", async () => {
  for (const words of ["--quiet=s3cret whoami", "whoami --quiet=s3cret", "trust --list=s3cret"]) {
    const { code, stderr } = await line(words);
    assert.equal(code, 2, words);
    assert.match(stderr, /^error: (--\w+) takes no value\.\nWrite it alone: \1\n$/, words);
  }
});

Deno.test("a word from the command line steers no terminal in its error", async () => {
  await using sandbox = await openSandbox();
  for (
    const args of [["\u001b[2J\u202e"], ["auth", "\u009b2J"], ["auth", "list", "--\u001b[2J"], [
      "help",
      "\u001b",
    ]]
  ) {
    const { code, stderr } = await runLine(args, { store: sandbox.store });
    assert.equal(code, 2);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stderr, /[\u001b\u009b\u202e]/, JSON.stringify(args));
  }
});

Deno.test("what follows a line break in a word of the command line is not taken for advice", async () => {
  await using sandbox = await openSandbox();
  for (
    const args of [["auth", "list", "a\n\u0000b"], ["auth", "get-token", "-", "\n\u001b[2J"], [
      "x\n(Did you mean y?)\nz",
    ]]
  ) {
    const { code, stderr } = await runLine(args, { store: sandbox.store });
    assert.equal(code, 2);
    assert.match(stderr, /^error: [^\n]*\nSee datumctl[a-z -]* --help\.\n$/, JSON.stringify(args));
    assert.doesNotMatch(stderr, /[^\P{Cc}\n]/u);
  }
});

Deno.test("a word that holds others shows its help when it stands alone", async () => {
  for (const words of ["", "auth"]) {
    const { code, stdout } = await line(words);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: datumctl/);
  }
});

Deno.test("help exit-codes lists every code once, with its exit", async () => {
  const { code, stdout } = await line("help exit-codes");
  assert.equal(code, 0);
  for (const [name, { exit }] of Object.entries(CODES)) {
    assert.match(stdout, new RegExp(`^${name} +${exit} +(yes|no) +\\S`, "m"));
  }
  for (const line of stdout.split("\n")) assert.ok(line.length < 120, line);
});

Deno.test("the version, for people and for programs", async () => {
  assert.equal((await line("--version")).stdout, `${VERSION}\n`);
  assert.match((await line("version")).stdout, new RegExp(`^Version: +${VERSION}\n`));
  const json = JSON.parse((await line("version -o json")).stdout);
  assert.equal(json.version, VERSION);
  assert.deepEqual(parse((await line("version -o yaml")).stdout), json);
  assert.match((await line("version --help")).stdout, /table, json, yaml or name/);
});

Deno.test("flags of every command stand before, between or after its words", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: "ada" });
  for (
    const words of [
      "--profile ada whoami -o name",
      "whoami --profile ada -o name",
      "whoami -o name --session=ada",
    ]
  ) {
    assert.equal((await runLine(words.split(" "), { store: sandbox.store })).stdout, "ada\n", words);
  }
});

Deno.test("a fault of our own is INTERNAL, with the frames under -v and never its words", async () => {
  await using sandbox = await openSandbox();
  const folder = (): never => {
    throw new TypeError("secret-token");
  };
  const folders = Object.defineProperties({ config: "", sessions: "" }, {
    config: { get: folder },
    sessions: { get: folder },
  });
  const store = sandbox.store.with({ folders });
  for (const words of ["auth list", "auth list -v"]) {
    const { code, stderr } = await runLine(words.split(" "), { store });
    assert.equal(code, 1);
    assert.match(stderr, /^error: Something went wrong inside datumctl \(TypeError\)\.\n/);
    assert.doesNotMatch(stderr, /secret-token/);
    assert.equal(/\n\s+at /.test(stderr), words.endsWith("-v"));
  }
});
