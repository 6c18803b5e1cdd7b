/** Owns which parts of a kubeconfig's text are secrets, and the text with those made unreadable. */

import {
  type Document,
  isAlias,
  isCollection,
  isScalar,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from "yaml";

const WORDS = "token|secret|passw|passphrase|private-?key|key-?data|api-?key|assertion|bearer";

/** Fields whose values are secrets; `value` is that of an exec section's variable. */
const SECRET_FIELD = new RegExp(`^value$|${WORDS}`, "i");

/** Fields that tell where a secret is, and hold none. */
const LOCATION_FIELD = /(?:file|path|endpoint|url)$/i;

/** A flag whose value is the next argument. */
const SECRET_FLAG = new RegExp(`^--?[\\w.-]*(?:${WORDS})[\\w.-]*$`, "i");

/** The beginning of a secret within a text: behind a flag, a variable or a header, or the user in a URL. */
const SECRET_BEHIND = new RegExp(
  `(?:${WORDS})[\\w.-]*=|(?<=(?:^|[\\s"'])-[\\w.-]{0,60})(?:${WORDS})[\\w.-]*\\s+|(?:authorization:|bearer\\s)|://(?=[^/\\s@]+@)`,
  "i",
);

/** The same in a comment, where a commented-out field counts as well. */
const SECRET_IN_COMMENT = new RegExp(
  `(#[^\\r\\n]*?(?:(?<![\\w-])value["']?[ \\t]*:|(?:${WORDS})[\\w.-]*["']?[ \\t]*:|${SECRET_BEHIND.source}))[ \\t]*[^\\s][^\\r\\n]*`,
  "gi",
);

// Our own flag's only values, worth seeing in a diff of our own entry.
const OWN_FLAG = /^--token=(?:access|id)$/;

/**
 * The text with every secret replaced by `REDACTED`, line by line, so that as many lines remain: values of fields that
 * are named like secrets, exec arguments and variables, passwords in URLs, in every style of YAML, by alias too, and
 * in comments. It is to be looked at; what cannot be read as YAML comes back with no word of it left.
 */
export function withoutSecrets(text: string): string {
  const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
  const body = text.slice(mark.length);
  const document = parseDocument(body, { merge: true, intAsBigInt: true, logLevel: "error" });
  if (document.errors.length > 0) return mark + blank(body);
  const ranges = secretRanges(document, body);
  let clean = "";
  let at = 0;
  for (const [from, to] of ranges.sort(([a], [b]) => a - b)) {
    // A secret within a secret.
    if (to <= at) continue;
    clean += body.slice(at, Math.max(at, from)) + blank(body.slice(Math.max(at, from), to));
    at = to;
  }
  return mark + (clean + body.slice(at)).replace(SECRET_IN_COMMENT, "$1 REDACTED");
}

type Range = readonly [from: number, to: number];

function secretRanges(document: Document, text: string): Range[] {
  const ranges: Range[] = [];
  const take = (value: unknown) => {
    const node = isAlias(value) ? value.resolve(document) : value;
    const range = (node as Node | null | undefined)?.range;
    if (range) ranges.push([range[0], range[1]]);
    // What it holds by alias stands elsewhere.
    if (isCollection(node)) visit(node, { Alias: (_, alias) => take(alias) });
  };
  visit(document, {
    Pair(_, { key, value }) {
      const name = nameOf(key, document);
      if (SECRET_FIELD.test(name) && !LOCATION_FIELD.test(name)) take(value);
    },
    Seq(_, { items }) {
      items.forEach((item, index) => {
        if (SECRET_FLAG.test(nameOf(item, document))) take(items[index + 1]);
      });
    },
    Scalar(_, scalar) {
      const range = behind(scalar, text);
      if (range !== undefined) ranges.push(range);
    },
  });
  return ranges;
}

function nameOf(value: unknown, document: Document): string {
  const node = isAlias(value) ? value.resolve(document) : value;
  return isScalar(node) ? String(node.value) : "";
}

/** The part of a text that a flag, a variable or a URL makes a secret. */
function behind({ value, range }: Scalar, text: string): Range | undefined {
  if (typeof value !== "string" || !range || OWN_FLAG.test(value) || !SECRET_BEHIND.test(value)) {
    return undefined;
  }
  const found = SECRET_BEHIND.exec(text.slice(range[0], range[1]));
  // Written with escapes or over several lines, it need not be found as it is meant.
  return [found === null ? range[0] : range[0] + found.index + found[0].length, range[1]];
}

/** Every line's words replaced, its indentation and its end kept. */
function blank(text: string): string {
  return text.replace(/[^\s][^\r\n]*/g, "REDACTED");
}
