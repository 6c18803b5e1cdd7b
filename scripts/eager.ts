/**
 * Has V8 compile at once what a short way calls. It else reads every function twice: first only to find its end, and again
 * when it is called. A function in parentheses is compiled where it stands (https://v8.dev/blog/preparser#pife).
 */

/** The functions that a cached get-token and a prompt's `status` call: `scripts/record-start.ts` writes it. */
export const LIST = new URL("./called-at-start.txt", import.meta.url);

/** A module's place in a chunk, as the bundler writes it. */
const MODULE = /^\/\/ (\S+)$/;

/** A function of a module, from its first line to its last, as the bundler writes it. */
const FUNCTION = /^((?:async )?function\*? ([\w$]+)\([\s\S]*?^\})$/gm;

/** The functions on the list. */
export async function calledAtStart(): Promise<ReadonlySet<string>> {
  return new Set((await Deno.readTextFile(LIST)).trim().split("\n"));
}

/** A chunk in which functions on a list are compiled at once. They come first, so that all before them can call them still. */
export function markCalled(text: string, called: ReadonlySet<string>): string {
  const first: string[] = [];
  const rest = perModule(
    text,
    (part, module) =>
      part.replace(FUNCTION, (whole, code: string, name: string) => {
        if (!called.has(keyOf(module, name))) return whole;
        first.push(`var ${name} = (${code});\n`);
        return "";
      }),
  );
  return first.join("") + rest;
}

/** The functions of a chunk: each with its line in the list, and where it begins and ends. */
export function functionsIn(
  text: string,
): { readonly key: string; readonly start: number; readonly end: number }[] {
  const found: { readonly key: string; readonly start: number; readonly end: number }[] = [];
  let at = 0;
  perModule(text, (part, module) => {
    for (const { 1: code = "", 2: name = "", index } of part.matchAll(FUNCTION)) {
      found.push({ key: keyOf(module, name), start: at + index, end: at + index + code.length });
    }
    at += part.length;
    return part;
  });
  return found;
}

/** The bundler tells functions of one name apart by a number at the end. */
function keyOf(module: string, name: string): string {
  return `${module} ${name.replace(/\d+$/, "")}`;
}

function perModule(text: string, change: (part: string, module: string) => string): string {
  return text.split(/^(?=\/\/ \S+$)/m).map((part) => {
    const [, module = ""] = MODULE.exec(part.slice(0, part.indexOf("\n"))) ?? [];
    return change(part, module);
  }).join("");
}
