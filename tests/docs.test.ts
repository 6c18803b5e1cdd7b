/** Proves that the pages in docs/ say what the program does: its codes, its commands and flags, its own links. */

import assert from "node:assert/strict";
import { ROOT } from "../scripts/compile.ts";
import { codeRows } from "../src/cli/code-meanings.ts";
import { runCommandLine } from "../src/cli/main.ts";
import { SessionStore } from "../src/sessions/store.ts";
import { commandsIn, flagsIn } from "./cli/help-text.ts";
import { PAGES } from "./e2e/doc-blocks.ts";
import { HOSTILE, resultOf } from "./e2e/hostile-rows.ts";
import { testHost } from "./host.ts";
import { CLOUDS } from "./clouds.ts";

const page = (path: string) => Deno.readTextFileSync(`${ROOT}${path}`);

/** What a command's `--help` tells. */
interface Help {
  readonly flags: readonly string[];
  readonly words: readonly string[];
  /** The formats that `-o` takes; none where there is no `-o`. */
  readonly formats: readonly string[];
}

/** The help of every command, by its words; "" is the program itself. */
async function allHelp(): Promise<ReadonlyMap<string, Help>> {
  const found = new Map<string, Help>();
  const visit = async (words: readonly string[]): Promise<void> => {
    const help = readHelp(await helpText([...words, "--help"]));
    found.set(words.join(" "), help);
    const hidden = words.length === 0 ? ["docker-credential"] : [];
    for (const word of [...help.words, ...hidden]) await visit([...words, word]);
  };
  await visit([]);
  return found;
}

async function helpText(args: readonly string[]): Promise<string> {
  let text = "";
  const unused = () => assert.fail("help needs nothing of its surroundings");
  const host = {
    ...testHost({}, { sleep: unused, notice: unused, workingFolder: unused }),
    openNetwork: unused,
    interrupted: new AbortController().signal,
  };
  const code = await runCommandLine(args, {
    ...host,
    terminal: {
      outIsTerminal: false,
      errIsTerminal: false,
      canAsk: false,
      columns: () => 80,
      writeOut(part) {
        text += part;
        return true;
      },
      writeErr: unused,
      keys: unused,
      readIn: unused,
    },
    store: new SessionStore(host, CLOUDS, { folders: { config: "", sessions: "" }, secretStore: unused }),
    providers: CLOUDS,
    errorFormat: "human",
  });
  assert.equal(code, 0);
  return text;
}

function readHelp(text: string): Help {
  return {
    flags: flagsIn(text),
    words: commandsIn(text),
    formats: formatsIn(/^ {2}-o, --output <format>([^]*?)(?=\n {2}(?: {4})?-|\n\n)/m.exec(text)?.[1] ?? ""),
  };
}

const formatsIn = (text: string): readonly string[] => text.match(/\b(?:table|wide|json|yaml|name)\b/g) ?? [];

/** The part of docs/commands.md whose heading names the command. */
function section(words: string): string {
  const parts = page("docs/commands.md").split(/^## /m);
  const found = parts.find((part) => part.split("\n")[0]?.includes(`\`${words}\``));
  return found ?? assert.fail(`docs/commands.md has no heading with \`${words}\``);
}

Deno.test("help is read as it is printed", async () => {
  const help = await allHelp();
  assert.ok(help.get("")?.words.includes("login"));
  assert.ok(help.get("auth update-kubeconfig")?.flags.includes("--dry-run"));
  assert.deepEqual(help.get("auth list")?.flags, ["-o", "--output", "-h", "--help"]);
});

Deno.test("docs/commands.md has every command, each of its flags, and an example", async () => {
  const [everywhere, where] =
    page("docs/commands.md").split(/^## /m).find((part) => part.startsWith("Everywhere"))?.split(
      "\n### Where a command acts\n",
    ) ?? [];
  for (const [words, { flags }] of await allHelp()) {
    // The flags that say where are listed once.
    const text = words === "" ? everywhere ?? assert.fail("no section Everywhere") : section(words) + where;
    const missing = flags.filter((flag) =>
      words === "" || !["-h", "--help"].includes(flag) ? !new RegExp(`\`${flag}[\` ]`).test(text) : false
    );
    assert.deepEqual(missing, [], `flags of "${words}" that its section lacks`);
    if (words !== "") assert.match(text, /^```sh\ndatumctl /m, `an example of "${words}"`);
  }
});

Deno.test("docs/commands.md has no flag that its command lacks", async () => {
  const help = await allHelp();
  for (const part of page("docs/commands.md").split(/^## /m).slice(2)) {
    const words = /`([^`]+)`/.exec(part)?.[1] ?? assert.fail(`a heading without a command: ${part}`);
    const flags = help.get(words)?.flags ?? assert.fail(`"${words}" is no command`);
    for (const [, row = ""] of part.matchAll(/^\| (`-.*?) \|/gm)) {
      for (const [flag] of row.matchAll(/(?<=`)--?[a-z][a-z-]*/g)) {
        assert.ok(flags.includes(flag), `${words} ${flag}`);
      }
    }
  }
});

Deno.test("docs/commands.md lists the formats of -o as each command's help does", async () => {
  const help = await allHelp();
  assert.deepEqual(help.get("auth list")?.formats, ["table", "wide", "json", "yaml", "name"]);
  for (const [words, { formats }] of help) {
    if (words === "") continue;
    const row = /^\| `-o`.*? \|(.*?)(?:;.*)?\|$/m.exec(section(words))?.[1] ?? "";
    assert.deepEqual(formatsIn(row), formats, words);
  }
});

Deno.test("every datumctl line in the docs is made of commands and flags that exist", async () => {
  const help = await allHelp();
  const everywhere = [...help.get("")?.flags ?? [], "--session", "--no-open"];
  let lines = 0;
  for (const path of PAGES) {
    for (const [, block = ""] of page(path).matchAll(/^```sh\n([^]*?)^```/gm)) {
      for (
        const [, line = ""] of block.replaceAll("\\\n", " ").matchAll(
          /(?:^|\$\(|[=\w]+ )datumctl ([^#\n)|;]*)/gm,
        )
      ) {
        // What stands behind -- is another program's.
        const words = (line.trim().split(/\s+--(?:\s|$)/)[0] ?? "").split(/\s+/);
        const length = [3, 2, 1].find((length) => help.has(words.slice(0, length).join(" ")));
        const name = words.slice(0, length ?? 0).join(" ");
        assert.ok(help.has(name) && name !== "", `${path}: datumctl ${line}`);
        // A command takes the flags of those that it is below, too.
        const chain = name.split(" ").map((_, at, words) => words.slice(0, at + 1).join(" "));
        const known = [...chain.flatMap((one) => help.get(one)?.flags ?? []), ...everywhere];
        for (const word of words.filter((word) => /^-./.test(word))) {
          assert.ok(known.includes(word.replace(/=.*/, "")), `${path}: ${word} in datumctl ${line}`);
        }
        lines++;
      }
    }
  }
  assert.ok(lines > 25, `only ${lines} lines were found`);
});

Deno.test("docs/errors.md has the table of help exit-codes, with a remedy for each code", () => {
  const rows = page("docs/errors.md").split("\n").map((line) => line.split(" | ").map((cell) => cell.trim()))
    .filter(([first]) => /^\| `[A-Z_]+`$/.test(first ?? ""));
  assert.deepEqual(
    rows.map(([code, exit, retryable, meaning]) => [code?.slice(3, -1), exit, retryable, meaning]),
    codeRows().map((
      { code, exit, retryable, meaning },
    ) => [code, String(exit), retryable ? "yes" : "no", meaning]),
  );
  for (const [code, , , , remedy = ""] of rows) assert.ok(remedy.length > 10, `a remedy for ${code}`);
});

Deno.test("docs/hostile-issuer.md lists every row of the hostile issuer's table with its result, and no other", () => {
  const parts = page("docs/hostile-issuer.md").split(/^### /m).slice(1).map((part) => ({
    heading: part.split("\n")[0],
    rows: part.split("\n").filter((line) => line.startsWith("| ")).slice(2).map((line) =>
      line.split("|").slice(1, -1).map((cell) => cell.trim())
    ),
  }));
  assert.deepEqual(
    parts,
    HOSTILE.map(({ heading, rows }) => ({ heading, rows: rows.map((row) => [row.what, resultOf(row)]) })),
  );
});

Deno.test("links between the pages lead somewhere", () => {
  for (const path of PAGES) {
    for (const [, target = ""] of page(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const folder = path.replace(/[^/]*$/, "");
      const to = file === "" ? path : new URL(`${folder}${file}`, "file:///").pathname.slice(1);
      const text = page(to);
      if (anchor === undefined) continue;
      const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
        title.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-")
      );
      assert.ok(anchors.includes(anchor), `${path}: no heading for ${target}`);
    }
  }
});

Deno.test("README.md names each command and each page once in its lists", () => {
  const listed = page("README.md").split("\n").flatMap((line) =>
    /^(?:\| (`datumctl [^|]*?) *\||- (\[[^\]]*\]\([^)]*\)))/.exec(line)?.slice(1).find((one) => one) ?? []
  );
  assert.ok(listed.length > 40, `only ${listed.length} entries were found`);
  assert.deepEqual(listed.filter((one, at) => listed.indexOf(one) !== at), []);
});
