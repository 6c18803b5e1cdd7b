/** The examples of the documentation: the fenced blocks of its pages, and the lines below "Examples:" in help. */

import { exampleLines } from "../../scripts/man-pages.ts";
import { ROOT } from "../../scripts/compile.ts";

/** An example as it stands there. */
export interface Block {
  /** `README.md`, `docs/fast.md`, or `datumctl get --help`. */
  readonly page: string;
  /** The heading above it, without its marks. */
  readonly heading: string;
  /** How its fence names the language: `sh`, `powershell`. */
  readonly language: string;
  readonly text: string;
}

/** Languages of blocks that somebody types; others show files and what is printed. */
const TYPED = ["sh", "bash", "zsh", "fish", "powershell"];

/** The pages with examples. */
export const PAGES: readonly string[] = [
  "README.md",
  ...[...Deno.readDirSync(`${ROOT}docs`)].map(({ name }) => `docs/${name}`).filter((path) =>
    path.endsWith(".md")
  ).sort(),
];

/** The blocks of a page that somebody types, in order. */
export function blocksOf(page: string, text = Deno.readTextFileSync(`${ROOT}${page}`)): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  for (const found of text.matchAll(/^#+ (.*)$|^( *)```(\w+)\n([^]*?)^\2```$/gm)) {
    const [, title, indent = "", language = "", body = ""] = found;
    if (title !== undefined) heading = title;
    else if (TYPED.includes(language)) {
      blocks.push({ page, heading, language, text: body.replaceAll(`\n${indent}`, "\n").trim() });
    }
  }
  return blocks;
}

/** The examples of every command's help, a block for each line. */
export async function helpBlocks(): Promise<Block[]> {
  return [...await exampleLines()].flatMap(([words, lines]) =>
    joined(lines).filter((line) => /\bdatumctl /.test(line)).map((text) => ({
      page: `${words} --help`,
      heading: words,
      language: "sh",
      text: text.trim(),
    }))
  );
}

/** What names a block in a list: its page and its first line. */
export function nameOf({ page, text }: Block): string {
  return `${page}: ${text.split("\n")[0]}`;
}

/** Lines that a backslash ends are one with those behind them. */
function joined(lines: readonly string[]): string[] {
  return lines.join("\n").split(/(?<!\\)\n/);
}
