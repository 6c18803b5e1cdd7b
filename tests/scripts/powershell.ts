/** What a parser of PowerShell finds in a script. It stands for PowerShell itself, which this project's tests have not. */

import { Language, Parser } from "web-tree-sitter";
import { cachedProgram, tarEntry } from "../../scripts/npm-packages.ts";

const GRAMMAR = {
  name: "tree-sitter-powershell",
  version: "0.26.4",
  integrity:
    "sha512-5RwNW/qN/cKArZY0znvTOG+OWSau7Agel5K0A8KQ5Nubw/4SyZ5KC02RKCaYcA2ur5UQ8esyxe9+6yXup2MXkw==",
};

/**
 * The lines of a script, counted from 1, that the parser does not understand; none in a good script.
 *
 * @throws {Error} when npm is absent or the registry cannot be reached.
 */
export async function powershellFaults(script: string): Promise<number[]> {
  const file = `${GRAMMAR.name}.wasm`;
  const path = await cachedProgram(GRAMMAR, file, (tar) => tarEntry(tar, `package/${file}`));
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(await Deno.readFile(path)));
  const tree = parser.parse(script);
  const faults: number[] = [];
  const look = (node: NonNullable<typeof tree>["rootNode"]) => {
    if (node.isError || node.isMissing) faults.push(node.startPosition.row + 1);
    else if (node.hasError) { for (const child of node.children) if (child !== null) look(child); }
  };
  if (tree !== null) look(tree.rootNode);
  tree?.delete();
  parser.delete();
  return faults;
}
