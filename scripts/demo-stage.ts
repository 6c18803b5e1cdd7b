/** The stage of the demo: a scratch home, `datumctl` from source on its PATH, and how the story is printed. */

import { pause } from "../src/system/clock.ts";
import { writeLauncher } from "../src/system/own-program.ts";
import { writeAll } from "../src/system/terminal.ts";

/** How a command of the story is run. */
export interface RunOptions {
  /** Beside the stage's own variables, and shown before the command. */
  readonly env?: Readonly<Record<string, string>>;
  /** The exit code that the story expects; 0 unless given. */
  readonly expected?: number;
  /** Told of each line of output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Where the story is told. */
export interface Stage extends AsyncDisposable {
  /** The scratch folder, which is home and working directory of all that runs here. */
  readonly home: string;
  /** Where other programs than datumctl are, by the names that the story calls them. */
  readonly programs: Map<string, string>;
  title(text: string): void;
  /** A part of the story. */
  chapter(title: string): void;
  /** A paragraph, broken to the width of the page. */
  say(text: string): void;
  /** Facts, a name and a value each. */
  facts(rows: readonly (readonly [string, string])[]): void;
  /** Lines as a command's output is shown. */
  show(text: string): void;
  /** Prints a command, its words as a shell would take them, without running it. */
  prompt(words: readonly string[]): void;
  /**
   * Prints a command, runs it and prints what it says; throws when it does not end as expected. Returns its
   * standard output and standard error, in the order they were written.
   */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs datumctl and prints nothing: for tokens, which no screen should show. Returns its standard output. */
  quietly(args: readonly string[]): Promise<string>;
  /** How many commands were shown and run. */
  readonly commands: number;
  /** Waits; on a terminal the seconds are counted. */
  wait(seconds: number): Promise<void>;
}

const WINDOWS = Deno.build.os === "windows";
const WIDTH = 78;
const INDENT = "  ";

/**
 * Sets the stage: makes the scratch folder and the launcher. Disposing of it removes both.
 *
 * When the signal fires, what runs is ended, and whatever is awaited here is rejected with its reason.
 */
export async function setStage(signal: AbortSignal): Promise<Stage> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "datumctl-demo-" }));
  const bin = `${home}/bin`;
  const shim = `${bin}/datumctl${WINDOWS ? ".cmd" : ""}`;
  await Deno.rename(await writeLauncher(bin, new URL("../main.ts", import.meta.url).href), shim);
  const terminal = Deno.stdout.isTerminal();
  const coloured = terminal && !Deno.noColor;
  const env: Record<string, string> = {
    ...await surroundings(home),
    PATH: `${bin}${WINDOWS ? ";" : ":"}${Deno.env.get("PATH") ?? ""}`,
  };
  if (!coloured) env.NO_COLOR = "1";
  const programs = new Map([["datumctl", shim]]);
  let commands = 0;

  const paint = (code: string, text: string) => coloured ? `\u001b[${code}m${text}\u001b[0m` : text;
  const write = (text: string) => writeAll(Deno.stdout, text);
  const show = (text: string) => {
    for (const line of text.split("\n")) {
      write(`${fit(line).map((part) => INDENT + part).join("\n").trimEnd()}\n`);
    }
  };
  const prompt = (words: readonly string[]) =>
    write(`\n${wrapCommand(words).map((line) => `${INDENT}${paint("1", line)}`).join("\n")}\n`);

  async function start(
    words: readonly string[],
    more: Readonly<Record<string, string>>,
    each: (line: string) => void,
  ) {
    signal.throwIfAborted();
    const [program = "", ...args] = words;
    const child = new Deno.Command(program, {
      args,
      cwd: home,
      clearEnv: true,
      env: { ...env, ...more },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const end = () => kill(child);
    signal.addEventListener("abort", end);
    try {
      for await (const line of linesOf(child.stdout)) each(line);
      const { code } = await child.status;
      signal.throwIfAborted();
      return code;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  return {
    home,
    programs,
    get commands() {
      return commands;
    },
    chapter: (title) => write(`\n${paint("1;36", `── ${title} ${"─".repeat(WIDTH - title.length - 4)}`)}\n`),
    title: (text) => write(`\n${paint("1", text)}\n`),
    say: (text) => write(`\n${wrap(text.trim().split(/\s+/), "").join("\n")}\n`),
    facts(rows) {
      const width = Math.max(...rows.map(([name]) => name.length));
      write("\n");
      for (const [name, value] of rows) show(`${name.padEnd(width)}  ${value}`);
    },
    show,
    prompt,
    async run(command, args, { env: more = {}, expected = 0, onLine } = {}) {
      prompt([
        ...Object.entries(more).map(([name, value]) => `${name}=${quoted(value)}`),
        command,
        ...args.map(quoted),
      ]);
      const words = [programs.get(command) ?? command, ...args];
      let output = "";
      // Both streams go through one pipe, so that their lines come in the order they were written.
      const code = await start(
        WINDOWS ? words : ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', ...words],
        more,
        (line) => {
          output += `${line}\n`;
          show(line);
          onLine?.(line);
        },
      );
      commands++;
      if (code !== expected) {
        const said = [command, ...args].join(" ");
        throw new Error(`"${said}" ended with exit code ${code}; ${expected} was expected.`);
      }
      if (code !== 0) show(paint("2", `(exit code ${code})`));
      return output;
    },
    async quietly(args) {
      let output = "";
      const code = await start([shim, ...args], {}, (line) => {
        output += `${line}\n`;
      });
      if (code !== 0) throw new Error(`"datumctl ${args.join(" ")}" ended with exit code ${code}.`);
      return output;
    },
    async wait(seconds) {
      for (let left = Math.ceil(seconds); left > 0; left--) {
        if (terminal) write(`\r${INDENT}${paint("2", `${left} s left …`)} `);
        await pause(1000, signal);
      }
      if (terminal) write("\r\u001b[K");
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(home, { recursive: true });
    },
  };
}

/** The variables that everything on the stage gets: nothing in them leads to the person's own files. */
async function surroundings(home: string): Promise<Record<string, string>> {
  const kept = ["LANG", "LC_ALL", "TERM", "SystemRoot", "ComSpec", "PATHEXT"];
  return {
    ...Object.fromEntries(
      kept.map((name) => [name, Deno.env.get(name)]).filter((pair): pair is [string, string] =>
        pair[1] !== undefined
      ),
    ),
    ...Object.fromEntries(
      ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP"].map((name) => [
        name,
        home,
      ]),
    ),
    DATUMCTL_CONFIG_DIR: `${home}/.config/datumctl`,
    DATUMCTL_KEYRING: "file",
    // A program that ends well at once: the demo itself is the browser.
    BROWSER: `"${Deno.execPath()}" --version`,
    // Where the packages are that this very process runs with: the sources need no other.
    DENO_DIR: await denoFolder(),
    DENO_NO_UPDATE_CHECK: "1",
  };
}

async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "null" })
    .output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended already.
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** A line of output as lines of the page; a word that would run over the page's edge is cut there. */
function fit(text: string, hanging = `${/^ */.exec(text)?.[0]}  `): string[] {
  const most = WIDTH - INDENT.length;
  if (text.length <= most) return [text];
  const cut = text.lastIndexOf(" ", most);
  if (text.slice(0, Math.max(0, cut)).trim() === "") return [`${text.slice(0, most - 1)}…`];
  return [text.slice(0, cut).trimEnd(), ...fit(`${hanging}${text.slice(cut + 1)}`, hanging)];
}

function wrap(words: readonly string[], hanging: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = `${hanging}${word}`;
    }
  }
  return [...lines, line];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line as it would be typed, a flag and its value staying together. */
function wrapCommand(words: readonly string[]): string[] {
  const parts: string[] = [];
  for (const word of words) {
    const last = parts.at(-1);
    if (last !== undefined && /(?:^| )-[\w-]*$/.test(last) && !word.startsWith("-")) {
      parts.push(`${parts.pop()} ${word}`);
    } else parts.push(word);
  }
  const lines = wrap([`$ ${parts[0]}`, ...parts.slice(1)], "    ", WIDTH - INDENT.length - 2);
  return lines.map((line, at) => at < lines.length - 1 ? `${line} \\` : line);
}
