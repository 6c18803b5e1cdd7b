/** Proves with the compiled program in a real terminal where colours are, and that elsewhere there are none. */

// deno-lint-ignore-file no-control-regex -- escapes are what is looked for

import assert from "node:assert/strict";
import { findProgram } from "../../src/system/processes.ts";
import { shellLine } from "../../src/text.ts";
import { withoutColours } from "../without-colours.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const hasTerminals = Deno.build.os === "linux" &&
  findProgram("script", Deno.env.get("PATH")) !== undefined;

// deno-lint-ignore no-console
if (!hasTerminals) console.error("skipped: colours in a terminal, for there is no script of util-linux here");

const inTerminal = { ignore: !hasTerminals };

/** What a command line left: on the terminal, and in files that a stream was sent into instead. */
interface Seen {
  readonly code: number;
  readonly terminal: string;
  readonly out: string;
  readonly err: string;
}

/** Runs a line in a terminal of its own. */
async function seen(
  world: World,
  words: readonly string[],
  { env = {}, away = [] }: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    /** The streams that are no terminal. */
    readonly away?: readonly ("out" | "err")[];
  } = {},
): Promise<Seen> {
  const [out, err] = ["out", "err"].map((name) => `${world.temporary}/${name}`) as [string, string];
  for (const path of [out, err]) await Deno.writeTextFile(path, "");
  const line = [
    shellLine([world.binary, ...words]),
    "< /dev/null",
    ...away.map((stream) => stream === "out" ? `> ${shellLine([out])}` : `2> ${shellLine([err])}`),
  ].join(" ");
  const { code, stdout } = await world.start("script", ["-qec", line, "/dev/null"], {
    env: { TERM: "xterm-256color", ...env },
  }).finished;
  return {
    code,
    terminal: stdout.replaceAll("\r\n", "\n"),
    out: await Deno.readTextFile(out),
    err: await Deno.readTextFile(err),
  };
}

async function signIn(world: World): Promise<void> {
  for (const email of ["grace@example.com", ADA]) assert.equal((await world.login(email)).code, 0);
  await world.ok(["ctx", "use", "acme/web"]);
}

/** Lines whose text does not depend on the clock, with the exit code of each. */
const LINES: readonly (readonly [words: readonly string[], code: number])[] = [
  [["auth", "list"], 0],
  [["ctx"], 0],
  [["ctx", "list", "--refresh"], 0],
  [["organizations", "list"], 0],
  [["api-resources"], 0],
  [["get", "namespaces", "-o", "custom-columns=NAME:.metadata.name"], 0],
  [["describe", "namespace", "default"], 0],
  [["auth", "whoami"], 0],
  [["auth", "switch", ADA], 0],
  [["--help"], 0],
  [["auth"], 0],
  [["login", "--help"], 0],
  [["help", "exit-codes"], 0],
  [["logn"], 2],
  [["get", "nothing"], 1],
  [["ctx", "use", "acme/nothing"], 1],
];

testInWorld(
  "on a terminal each command says the same as in a pipe, with colours and one mark more",
  async (world) => {
    await signIn(world);
    for (const [words, code] of LINES) {
      const what = words.join(" ");
      const plain = await world.datumctl(words);
      assert.equal(plain.code, code, `${what}: ${plain.stderr}`);
      assert.ok(!`${plain.stdout}${plain.stderr}`.includes("\u001b"), `${what}: an escape in a pipe`);
      const { terminal, code: coded } = await seen(world, words);
      assert.equal(coded, code, what);
      assert.match(terminal, /\u001b\[[\d;]+m/, what);
      assert.equal(withoutColours(terminal).replace(/^✓ /, ""), plain.stdout + plain.stderr, what);
    }
    const { terminal } = await seen(world, ["auth", "list"]);
    assert.match(terminal, /^\u001b\[1mName +Email +Status\u001b\[0m$/m);
    assert.match(terminal, /^\u001b\[32mAda Lovelace +ada@example\.com +Active\u001b\[0m$/m);
    assert.match(
      (await seen(world, ["ctx", "list"])).terminal,
      /^\u001b\[32m\* +acme +web +Web shop\u001b\[0m$/m,
    );
    assert.match(
      (await seen(world, ["get", "namespaces"])).terminal,
      /^\u001b\[1mNAME +STATUS +AGE\u001b\[0m\ndefault +Active +\d+/,
    );
    assert.match(
      (await seen(world, ["get", "nothing"])).terminal,
      /^\u001b\[1;31merror:\u001b\[0m There .*\n\u001b\[2mSee .*: \u001b\[0m\u001b\[36mdatumctl api-resources\u001b\[0m\n$/,
    );
  },
  inTerminal,
);

testInWorld(
  "NO_COLOR, TERM=dumb and CLICOLOR=0 forbid colours on a terminal; nothing brings them to a pipe",
  async (world) => {
    await signIn(world);
    for (const words of [["auth", "list"], ["auth", "switch", ADA], ["logn"], ["--help"]]) {
      const plain = await world.datumctl(words);
      for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }, { CLICOLOR: "0" }]) {
        const { terminal } = await seen(world, words, { env });
        assert.equal(terminal, plain.stdout + plain.stderr, JSON.stringify(env));
      }
      assert.ok((await seen(world, words, { env: { NO_COLOR: "" } })).terminal.includes("\u001b"));
      const forced = await world.datumctl(words, {
        env: { CLICOLOR_FORCE: "1", FORCE_COLOR: "1", CLICOLOR: "1", TERM: "xterm-256color" },
      });
      assert.deepEqual([forced.stdout, forced.stderr], [plain.stdout, plain.stderr]);
    }
  },
  inTerminal,
);

testInWorld("each stream is judged by itself", async (world) => {
  await signIn(world);
  // Its result goes to stdout, and a warning to stderr.
  const env = { DATUMCTL_PROFILE: `grace@example.com@${world.cloud.apiHost}` };
  const words = ["auth", "list"];
  const whole = (await seen(world, words, { env })).terminal;
  assert.match(whole, /\u001b\[1mName[^]*\u001b\[33mwarning:\u001b\[0m DATUMCTL_PROFILE/);
  const outAway = await seen(world, words, { env, away: ["out"] });
  assert.match(outAway.terminal, /^\u001b\[33mwarning:\u001b\[0m DATUMCTL_PROFILE/);
  assert.match(outAway.out, /^Name /);
  assert.ok(!outAway.out.includes("\u001b"));
  const errAway = await seen(world, words, { env, away: ["err"] });
  assert.match(errAway.terminal, /^\u001b\[1mName /);
  assert.match(errAway.err, /^warning: DATUMCTL_PROFILE/);
  assert.ok(!errAway.err.includes("\u001b"));
  const help = await seen(world, ["--help"], { away: ["out"] });
  assert.equal(help.out, (await world.datumctl(["--help"])).stdout);
}, inTerminal);

testInWorld(
  "what programs read has no colour on a terminal either: tokens, their errors, -o",
  async (world) => {
    await signIn(world);
    for (
      const words of [
        ["auth", "get-token"],
        ["auth", "get-token", "-o", "client.authentication.k8s.io/v1"],
        ["auth", "get-token", "--profile", "nobody@nowhere"],
        ["auth", "get-token", "--nonsense"],
        ["completion", "bash"],
        ...["json", "yaml", "name"].flatMap((form) => [
          ["auth", "list", "-o", form],
          ["ctx", "list", "-o", form],
          ["whoami", "-o", form],
          ["get", "namespaces", "-o", form],
        ]),
        ["get", "--raw", "/version"],
        ["ctx", "use", "acme/nothing", "--error-format", "json"],
        ["logn", "--error-format", "yaml"],
      ]
    ) {
      const { terminal } = await seen(world, words);
      assert.notEqual(terminal, "", words.join(" "));
      assert.ok(!terminal.includes("\u001b"), `${words.join(" ")}: ${JSON.stringify(terminal)}`);
    }
  },
  inTerminal,
);

testInWorld(
  "a sign-in is marked where the locale's characters are UTF-8, and the words are there without",
  async (world) => {
    await signIn(world);
    const switched = async (env: Readonly<Record<string, string | undefined>>) =>
      (await seen(world, ["auth", "switch", ADA], { env })).terminal;
    assert.match(await switched({ LANG: "C.UTF-8" }), /^\u001b\[32m✓\u001b\[0m Switched to ada@example\.com/);
    for (const env of [{ LANG: "C" }, { LC_ALL: "POSIX" }, { LANG: undefined }]) {
      assert.match(await switched(env), /^Switched to ada@example\.com/, JSON.stringify(env));
    }
  },
  inTerminal,
);
