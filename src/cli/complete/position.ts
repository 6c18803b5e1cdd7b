/** What a command line asks for at the cursor: which flags, commands or values can stand there. Pure. */

import type { Kind, KindName } from "./kinds.ts";
import type { CommandWords, FlagWords } from "./table.ts";

/** What was typed before the cursor. */
export interface Given {
  /** The commands that were named, the program first. */
  readonly commands: readonly [CommandWords, ...CommandWords[]];
  /** The arguments behind them. */
  readonly args: readonly string[];
  /** The values of flags, by their longest name; empty texts for those without a value. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** The value that can stand at the cursor. */
export interface WantedValue {
  readonly kind: Kind;
  /** What stands before it in the same word: `--session=`. */
  readonly head: string;
  /** What was typed of it. */
  readonly text: string;
}

/** What can stand at the cursor. */
export interface Position {
  readonly given: Given;
  readonly commands: readonly CommandWords[];
  readonly flags: readonly FlagWords[];
  readonly value: WantedValue | undefined;
}

/** Reads the words before the cursor as the command line does, and says what can follow them. */
export function positionAt(program: CommandWords, words: readonly string[], current: string): Position {
  const commands: [CommandWords, ...CommandWords[]] = [program];
  const args: string[] = [];
  const flags = new Map<string, string[]>();
  const given = { commands, args, flags };
  let awaiting: FlagWords | undefined;
  let behindDashes = false;
  for (const word of words) {
    if (awaiting !== undefined) {
      add(flags, awaiting, word);
      awaiting = undefined;
    } else if (behindDashes) args.push(word);
    else if (word === "--") behindDashes = true;
    else if (isFlag(word)) awaiting = readFlag(given, word);
    else {
      const held = args.length === 0 ? heldCommand(last(commands), word) : undefined;
      if (held === undefined) args.push(word);
      else commands.push(held);
    }
  }
  const found = (part: Partial<Position>): Position => ({
    given,
    commands: [],
    flags: [],
    value: undefined,
    ...part,
  });
  if (awaiting?.value !== undefined) {
    return found({ value: { kind: awaiting.value, head: "", text: current } });
  }
  if (behindDashes) return found({ value: argumentAt(given, current, true) });
  if (current.startsWith("-")) {
    const value = attachedValue(given, current);
    return value === undefined ? found({ flags: offered(given, current) }) : found({ value });
  }
  const command = last(commands);
  const held = args.length === 0 ? command.commands : [];
  const value = argumentAt(given, current, false);
  const isBare = held.length === 0 && command.arguments.length === 0 && current === "";
  return found({ commands: held, value, flags: isBare ? offered(given, current) : [] });
}

/** The last value of a flag, by its longest name. */
export function flagValue({ flags }: Given, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

function isFlag(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

function last(commands: readonly [CommandWords, ...CommandWords[]]): CommandWords {
  return commands.at(-1) ?? commands[0];
}

/** The command that a word calls within another. */
export function heldCommand({ commands }: CommandWords, word: string): CommandWords | undefined {
  return commands.find(({ name, aliases }) => name === word || aliases.includes(word));
}

function add(flags: Map<string, string[]>, { names: [name = ""] }: FlagWords, value: string): void {
  flags.set(name, [...flags.get(name) ?? [], value]);
}

/** A command takes the flags of those that it is in, too; its own come first. */
function flagNamed({ commands }: Given, name: string): FlagWords | undefined {
  return commands.toReversed().flatMap(({ flags }) => flags).find(({ names }) => names.includes(name));
}

/** Notes a word's flags. Returns the one whose value is the next word. */
function readFlag(
  given: Given & { readonly flags: Map<string, string[]> },
  word: string,
): FlagWords | undefined {
  if (word.startsWith("--")) {
    const [, name = word, value] = /^([^=]+)=([^]*)$/.exec(word) ?? [];
    const flag = flagNamed(given, name);
    if (flag === undefined) return undefined;
    if (value === undefined && flag.value !== undefined && flag.attached === undefined) return flag;
    add(given.flags, flag, value ?? "");
    return undefined;
  }
  for (const { flag, rest } of shortFlags(given, word)) {
    if (flag.value === undefined) add(given.flags, flag, "");
    else if (rest === "") return flag;
    else add(given.flags, flag, rest.replace(/^=/, ""));
  }
  return undefined;
}

/** The flags of a word such as `-Aojson`, up to the first that takes a value, each with what stands behind it. */
function shortFlags(given: Given, word: string): { readonly flag: FlagWords; readonly rest: string }[] {
  const found = [];
  for (let at = 1; at < word.length; at++) {
    const flag = flagNamed(given, `-${word[at]}`);
    if (flag === undefined) break;
    found.push({ flag, rest: word.slice(at + 1) });
    if (flag.value !== undefined) break;
  }
  return found;
}

/** The value that a word with its flag in it holds: `--output=js`, `-ojs`. */
function attachedValue(given: Given, word: string): WantedValue | undefined {
  if (word.startsWith("--")) {
    const [head, name = ""] = /^(--[^=]+)=/.exec(word) ?? [];
    if (head === undefined) return undefined;
    const { value: kind = "nothing" } = flagNamed(given, name) ?? {};
    return { kind, head, text: word.slice(head.length) };
  }
  const { flag, rest } = shortFlags(given, word).at(-1) ?? {};
  if (flag?.value === undefined || rest === undefined || rest === "") return undefined;
  const text = rest.replace(/^=/, "");
  return { kind: flag.value, head: word.slice(0, word.length - text.length), text };
}

/** The flags that can still be given, and that a text is the beginning of. */
function offered({ commands, flags }: Given, text: string): FlagWords[] {
  const [program] = commands;
  const own = last(commands);
  const all = own === program ? program.flags : [...own.flags, ...program.flags];
  const seen = new Set<string>();
  return all.filter(({ names: [name = ""], hidden, repeatable }) => {
    const isNew = !seen.has(name);
    seen.add(name);
    return isNew && hidden === undefined && (repeatable || !flags.has(name));
  }).filter(({ names }) => names.some((name) => name.startsWith(text)));
}

/** The argument at the cursor. */
function argumentAt({ commands, args }: Given, text: string, behindDashes: boolean): WantedValue | undefined {
  const own = last(commands).arguments;
  const argument = own[args.length] ?? (own.at(-1)?.variadic ? own.at(-1) : undefined);
  if (argument === undefined) return undefined;
  const kind: KindName | Kind = argument.kind === "line" && !behindDashes ? ["--"] : argument.kind;
  return { kind, head: "", text };
}
