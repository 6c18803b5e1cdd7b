/** The parser of Kubernetes' JSONPath templates: text, and actions in braces, with kubectl's error messages. */

/** One step of a path, from the values before it to those after it. */
export type Step =
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "wildcard" | "recursive" }
  | { readonly type: "index"; readonly at: number }
  | {
    readonly type: "slice";
    readonly start: number | undefined;
    readonly end: number | undefined;
    readonly step: number | undefined;
  }
  | { readonly type: "union"; readonly branches: readonly Path[] }
  | { readonly type: "filter"; readonly filter: Filter }
  | { readonly type: "text"; readonly text: string }
  /** A number written with a point is a float, whatever its value. */
  | { readonly type: "constant"; readonly value: boolean | number | bigint; readonly isFloat: boolean }
  | { readonly type: "identifier"; readonly name: string };

/** Steps, one after the other. */
export type Path = readonly Step[];

/** A comparison of two paths, or a test whether the left one finds anything. */
export interface Filter {
  readonly left: Path;
  readonly operator: string;
  readonly right: Path;
}

/** The parts of a template. */
export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "path"; readonly path: Path }
  | { readonly type: "end" }
  | {
    readonly type: "range";
    readonly path: Path;
    readonly body: readonly Part[];
    /** True when an `{end}` closes it. */
    readonly isClosed: boolean;
  };

/** An error in a template, or in applying it. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/**
 * The parts of a template.
 *
 * @throws {TemplateError} in kubectl's words.
 */
export function parseTemplate(template: string): Part[] {
  return nested(new TemplateReader(template).parts());
}

type FlatPart = { readonly type: "text"; readonly text: string } | {
  readonly type: "path";
  readonly path: Path;
};

/** Moves what is between a `range` and its `end` into the range. */
function nested(flat: readonly FlatPart[]): Part[] {
  interface Open {
    readonly path: Path;
    readonly parts: Part[];
  }
  const open: Open[] = [{ path: [], parts: [] }];
  const close = (isClosed: boolean) => {
    const { path, parts } = open.pop() as Open;
    open.at(-1)?.parts.push({ type: "range", path, body: parts, isClosed });
  };
  for (const part of flat) {
    if (part.type === "path" && has(part.path, "end")) {
      if (open.length > 1 && !has(part.path, "range")) close(true);
      else open.at(-1)?.parts.push({ type: "end" });
    } else if (part.type === "path" && has(part.path, "range")) {
      open.push({ path: part.path.filter((step) => !isIdentifier(step, "range")), parts: [] });
    } else open.at(-1)?.parts.push(part);
  }
  while (open.length > 1) close(false);
  return open[0]?.parts ?? [];
}

function has(path: Path, name: string): boolean {
  return path.some((step) => isIdentifier(step, name));
}

function isIdentifier(step: Step, name: string): boolean {
  return step.type === "identifier" && step.name === name;
}

const INDEX = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/;
const NAME_IN_QUOTES = /^'([^']*)'$/;
const COMPARISON = /^([^!<>=]+)([!<>=]+)(.+?)$/su;

/** Reads a template character by character. */
class TemplateReader {
  readonly #text: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = [...text];
  }

  parts(): FlatPart[] {
    const parts: FlatPart[] = [];
    while (this.#at < this.#text.length) {
      const text = this.#while((character) => character !== "{");
      if (text !== "") parts.push({ type: "text", text });
      if (this.#at >= this.#text.length) break;
      this.#at += 1;
      parts.push({ type: "path", path: this.#action() });
    }
    return parts;
  }

  /** The steps up to the brace that closes the action. */
  #action(): Step[] {
    const steps: Step[] = [];
    for (;;) {
      const character = this.#peek();
      if (isLineEnd(character)) throw new TemplateError("unclosed action");
      if (character === "}") {
        this.#at += 1;
        return steps;
      }
      const next = this.#step(character);
      if (steps.at(-1)?.type === "recursive" && next[0]?.type === "recursive") {
        throw new TemplateError("invalid multiple recursive descent");
      }
      steps.push(...next);
    }
  }

  #step(character: string): Path {
    if (/[-+\d]/.test(character)) return [this.#number()];
    if (ALPHANUMERIC.test(character)) return [this.#identifier()];
    this.#at += 1;
    switch (character) {
      // The current object is always the start.
      case " ":
      case "@":
      case "$":
        return [];
      case "[":
        return this.#brackets();
      case '"':
      case "'":
        return [{ type: "text", text: this.#quoted(character) }];
      case ".":
        return this.#field();
      default:
        throw new TemplateError(`unrecognized character in action: ${nameOfCharacter(character)}`);
    }
  }

  #number(): Step {
    const sign = this.#next();
    const text = sign + this.#while((character) => /[\d.]/.test(character));
    const float = Number(text);
    if (!/\d/.test(text) || Number.isNaN(float)) throw new TemplateError(`cannot parse number ${text}`);
    if (text.includes(".") || Number.isSafeInteger(float)) {
      return { type: "constant", value: float, isFloat: text.includes(".") };
    }
    const integer = BigInt(text.replace("+", ""));
    const fits = BigInt.asIntN(64, integer) === integer;
    return { type: "constant", value: fits ? integer : float, isFloat: !fits };
  }

  #identifier(): Step {
    const name = this.#while((character) => !isTerminator(character));
    if (name === "true" || name === "false") {
      return { type: "constant", value: name === "true", isFloat: false };
    }
    return { type: "identifier", name };
  }

  /** A field after its point; after two points, everything below at any depth. */
  #field(): Step[] {
    if (this.#peek() === ".") {
      this.#at += 1;
      const named = ALPHANUMERIC.test(this.#peek()) ? this.#name() : [];
      return [{ type: "recursive" }, ...named];
    }
    return this.#name();
  }

  #name(): Step[] {
    let name = "";
    for (let character = this.#peek(); !isTerminator(character); character = this.#peek()) {
      this.#at += 1;
      name += character;
      if (character === "\\" && this.#at < this.#text.length) name += this.#next();
    }
    if (name === "*") return [{ type: "wildcard" }];
    return [{ type: "field", name: name.replace(/\\(.)/gsu, "$1") }];
  }

  /** A quoted text, from after its opening quote. */
  #quoted(quote: string): string {
    let text = quote;
    for (;;) {
      const character = this.#peek();
      if (isLineEnd(character)) throw new TemplateError("unterminated quoted string");
      this.#at += 1;
      const closes = character === quote && !text.endsWith("\\");
      text += character;
      if (closes) return unquoted(text, quote);
    }
  }

  #brackets(): Path {
    if (this.#peek() === "?" && this.#text[this.#at + 1] === "(") return [this.#filter()];
    let text = "";
    for (;;) {
      const character = this.#peek();
      if (isLineEnd(character)) throw new TemplateError("unterminated array");
      this.#at += 1;
      if (character === "]") return bracketed(text);
      text += character;
    }
  }

  #filter(): Step {
    this.#at += 2;
    let text = "";
    // A parenthesis in the first quoted text is part of it. One in a later quoted text is not recognized.
    let quote = "";
    let isQuoted = false;
    for (;;) {
      const character = this.#peek();
      if (isLineEnd(character)) throw new TemplateError("unterminated filter");
      this.#at += 1;
      if (character === ")" && !isQuoted) break;
      if (quote === "" && /["']/.test(character)) {
        quote = character;
        isQuoted = true;
      } else if (character === quote && !text.endsWith("\\")) isQuoted = false;
      text += character;
    }
    if (this.#peek() !== "]") throw new TemplateError("unclosed array expect ]");
    this.#at += 1;
    const [, left = text, operator = "exists", right = ""] = COMPARISON.exec(text) ?? [];
    return {
      type: "filter",
      filter: { left: pathOf(left), operator, right: operator === "exists" ? [] : pathOf(right) },
    };
  }

  /** The next character; an empty text at the end. */
  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #next(): string {
    const character = this.#peek();
    this.#at += 1;
    return character;
  }

  #while(holds: (character: string) => boolean): string {
    const start = this.#at;
    while (this.#at < this.#text.length && holds(this.#peek())) this.#at += 1;
    return this.#text.slice(start, this.#at).join("");
  }
}

/** The steps of a text without braces: those of its first action. */
function pathOf(text: string): Path {
  const first = new TemplateReader(`{${text}}`).parts()[0];
  return first?.type === "path" ? first.path : [];
}

/** The content of brackets: alternatives, a name in single quotes, an index, or a slice. */
function bracketed(text: string): Path {
  if (text.includes(",")) {
    return [{ type: "union", branches: text.split(",").map((branch) => pathOf(`[${branch.trim()}]`)) }];
  }
  const name = NAME_IN_QUOTES.exec(text)?.[1];
  // A name is parsed like what follows a point, so that its points need a backslash, too.
  if (name !== undefined) return pathOf(`.${name}`);
  if (text === "*") return [{ type: "slice", start: undefined, end: undefined, step: undefined }];
  const match = INDEX.exec(text);
  if (match === null) throw new TemplateError(`invalid array index ${text}`);
  const [start, end, step] = match.slice(1).map((part) => bound(part?.replace(":", "")));
  return match[2] === undefined ? [{ type: "index", at: start ?? 0 }] : [{ type: "slice", start, end, step }];
}

function bound(digits: string | undefined): number | undefined {
  if (digits === undefined || digits === "") return undefined;
  if (/\d/.test(digits) && Number.isSafeInteger(Number(digits))) return Number(digits);
  throw new TemplateError(`array index ${digits} is not a number`);
}

const ALPHANUMERIC = /^[\p{L}\p{Nd}_]$/u;

function isTerminator(character: string): boolean {
  return isLineEnd(character) || /[ \t.,[\]$@{}]/.test(character);
}

function isLineEnd(character: string): boolean {
  return character === "" || character === "\n" || character === "\r";
}

/** A character as Go's `%#U` names it. */
function nameOfCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  // A text, because the runtime would read the pattern at each start, which takes long.
  const isPrintable = new RegExp(String.raw`^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$`, "u");
  return isPrintable.test(character) ? `U+${code} '${character}'` : `U+${code}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** The value of a quoted text, with the escapes of Go's string literals. */
function unquoted(literal: string, quote: string): string {
  const fail = () => new TemplateError(`unquote string ${literal} error invalid syntax`);
  return literal.slice(1, -1).replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.?))/gsu,
    (_match, byte?: string, short?: string, long?: string, octal?: string, character = "") => {
      const code = short ?? long;
      if (code !== undefined) return characterOf(parseInt(code, 16)) ?? raise(fail());
      if (byte !== undefined) return byteText(parseInt(byte, 16));
      if (octal !== undefined) {
        return parseInt(octal, 8) > 0xff ? raise(fail()) : byteText(parseInt(octal, 8));
      }
      if (character === quote) return quote;
      return ESCAPES[character] ?? raise(fail());
    },
  );
}

function raise(error: Error): never {
  throw error;
}

/** The character of a code; undefined for a surrogate, or a code above the largest. */
function characterOf(code: number): string | undefined {
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);
}

/** A byte as a text; a byte that is no character becomes the replacement character. */
function byteText(byte: number): string {
  return byte < 0x80 ? String.fromCharCode(byte) : "\ufffd";
}
