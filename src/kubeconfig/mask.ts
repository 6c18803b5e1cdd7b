/** Hides what may be a secret in the text of a kubeconfig. */

import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { rangeOf } from "../splice/yaml-ranges.ts";
import { isOurExec, runsLauncher } from "./edit.ts";
import { looksSecret, namesSecret } from "./secret-words.ts";

/** How a part of a kubeconfig is shown: what of it is hidden, and how its own parts are shown. */
interface View {
  /** True when a scalar here is hidden. Quoted values are passed as they are meant. */
  hides(value: unknown): boolean;
  /** True when everything within is hidden, comments included. */
  readonly hidesAll: boolean;
  field(name: string): View;
  /** `before` is the previous item, if that is a text. */
  item(before: string): View;
}

const isText = (value: unknown): value is string => typeof value === "string";

/** Only the keys and the structure are shown. */
const HIDDEN: View = { hides: () => true, hidesAll: true, field: () => HIDDEN, item: () => HIDDEN };

/** An unknown part: hidden is what its name or its own words make a secret. */
const UNKNOWN: View = {
  hides: (value) => isText(value) && looksSecret(value),
  hidesAll: false,
  field: (name) => namesSecret(name) ? HIDDEN : UNKNOWN,
  item: (before) => before.startsWith("-") && looksSecret(before) ? HIDDEN : UNKNOWN,
};

/** A scalar that is shown unless `hides` says otherwise; a collection in its place is {@link UNKNOWN}. */
function scalar(hides: (value: string) => boolean): View {
  return { ...UNKNOWN, hides: (value) => isText(value) && hides(value) };
}

/** A mapping with known field names; other fields are {@link UNKNOWN}. */
function fields(known: Readonly<Record<string, View>>): View {
  return {
    ...UNKNOWN,
    field: (name) => Object.hasOwn(known, name) ? known[name] ?? UNKNOWN : UNKNOWN.field(name),
  };
}

function list(entry: View): View {
  return { ...UNKNOWN, item: () => entry };
}

const JWT = /^eyJ[\w-]+\./;

/** A name, a path, a certificate: shown unless it contains a token. */
const PLAIN = scalar((value) => JWT.test(value));

/** An address may contain a password, or a key in its query. */
const ADDRESS = scalar((value) => /[@?#]/.test(value) || JWT.test(value));

// The arguments of our entries contain no secrets, as their flags' names tell.
const OWN_ARGUMENT = /^(?:auth|get-token|--token=(?:access|id)|--(?<flag>[a-z-]+)(?:=.*)?)$/s;

const ARGUMENT = scalar((value) => {
  const match = OWN_ARGUMENT.exec(value);
  return match === null || namesSecret(match.groups?.flag ?? "");
});

/** The first argument may be a launcher's handle, which tells nothing. */
const ARGUMENTS: View = {
  ...UNKNOWN,
  item: (before) =>
    before === "" ? scalar((value) => !runsLauncher([value]) && ARGUMENT.hides(value)) : ARGUMENT,
};

const OWN_EXEC = fields({
  apiVersion: PLAIN,
  command: PLAIN,
  installHint: PLAIN,
  interactiveMode: PLAIN,
  args: ARGUMENTS,
  env: list(fields({ name: PLAIN, value: HIDDEN })),
});

const OWN_USER = fields({ name: PLAIN, user: fields({ exec: OWN_EXEC }) });

/** Another program's user entry: every scalar except its name may be a credential. */
const STRANGER: View = { ...HIDDEN, field: (name) => name === "name" ? PLAIN : HIDDEN };

/** User entries. Ours are recognized by what they run. */
const USERS = list(STRANGER);

const KUBECONFIG = fields({
  apiVersion: PLAIN,
  kind: PLAIN,
  "current-context": PLAIN,
  clusters: list(fields({
    name: PLAIN,
    cluster: fields({
      server: ADDRESS,
      "proxy-url": ADDRESS,
      "tls-server-name": PLAIN,
      "certificate-authority": PLAIN,
      "certificate-authority-data": PLAIN,
    }),
  })),
  contexts: list(fields({
    name: PLAIN,
    context: fields({ cluster: PLAIN, user: PLAIN, namespace: PLAIN }),
  })),
  users: USERS,
});

/** The characters of a key; any other key may be a misplaced secret. */
const KEY = /^(?!eyJ)[\w./-]{1,64}$/;

/**
 * The text with everything that may be a secret replaced by `REDACTED`, keeping its lines: every value and comment
 * of a user entry that is not ours, and everywhere else what its words and form make a secret, in every style of
 * YAML, through aliases, and in comments. It is for people to read; a text that is not YAML loses all its words.
 */
export function withoutSecrets(text: string): string {
  const byteOrderMark = text.startsWith("\ufeff") ? "\ufeff" : "";
  const body = text.slice(byteOrderMark.length);
  const document = parseDocument(body, { merge: true, intAsBigInt: true, logLevel: "error" });
  if (document.errors.length > 0) return byteOrderMark + blank(body);
  const { values, parts } = new Hidden(document);
  let clean = "";
  let at = 0;
  for (const [from, to] of merged([...values, ...hiddenComments(body, merged(parts))])) {
    clean += body.slice(at, from) + blank(body.slice(from, to));
    at = to;
  }
  return byteOrderMark + clean + body.slice(at);
}

type Range = readonly [from: number, to: number];

/** Ranges in order, overlapping ones merged. */
function merged(ranges: readonly Range[]): Range[] {
  const out: [number, number][] = [];
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = out.at(-1);
    if (last !== undefined && from < last[1]) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/** What is hidden in a document, except single comments. */
class Hidden {
  /** The ranges of hidden values. */
  readonly values: Range[] = [];
  /** The ranges whose comments are all hidden. */
  readonly parts: Range[] = [];
  readonly #anchored: ReadonlyMap<unknown, unknown>;
  // A list instead of recursion, because a file may be of any depth.
  readonly #work: [node: unknown, view: View][] = [];

  constructor(document: Document) {
    this.#anchored = anchored(document.contents);
    const seen = new Map<unknown, Set<View>>();
    this.#work.push([document.contents, KUBECONFIG]);
    for (let next = this.#work.pop(); next !== undefined; next = this.#work.pop()) {
      const [given, view] = next;
      const node = this.#resolved(given);
      const views = seen.get(node) ?? new Set();
      if (views.has(view)) continue;
      seen.set(node, views.add(view));
      if (isScalar(node) && view.hides(node.value)) this.#hide(this.values, node, rangeOf(node)?.[1]);
      if (isCollection(node) && view.hidesAll) this.#hide(this.parts, node, rangeOf(node)?.[2]);
      if (isMap(node)) this.#lookAtMap(node, view);
      if (isSeq(node)) this.#lookAtList(node, view);
    }
  }

  #hide(ranges: Range[], from: unknown, to: number | undefined): void {
    const begin = rangeOf(from)?.[0];
    if (begin !== undefined && to !== undefined) ranges.push([begin, to]);
  }

  #lookAtMap({ items, range }: YAMLMap, view: View): void {
    items.forEach(({ key, value }, index) => {
      const name = this.#textOf(key);
      if (isScalar(key) && !KEY.test(name)) this.#hide(this.values, key, rangeOf(key)?.[1]);
      else if (isCollection(key)) this.#work.push([key, HIDDEN]);
      // A merged mapping is treated as if it were written here.
      const inner = name === "<<" ? view : view.field(name);
      this.#work.push([value, inner]);
      // Commented-out fields are above and below the others, down to the next key.
      const next = rangeOf(items[index + 1]?.key)?.[0] ?? (view === KUBECONFIG ? Infinity : range?.[2]);
      if (inner.hidesAll || (inner === USERS && this.#hasStrangers(value))) this.#hide(this.parts, key, next);
    });
  }

  #lookAtList(list: YAMLSeq, view: View): void {
    list.items.forEach((item, index) => {
      const inner = view.item(this.#textOf(list.items[index - 1]));
      this.#work.push([item, inner === STRANGER && this.#isOurs(item) ? OWN_USER : inner]);
    });
  }

  #hasStrangers(users: unknown): boolean {
    const list = this.#resolved(users);
    return !isSeq(list) || list.items.some((entry) => !this.#isOurs(entry));
  }

  #isOurs(entry: unknown): boolean {
    const args = this.#resolved(this.#child(this.#child(this.#child(entry, "user"), "exec"), "args"));
    return isSeq(args) && isOurExec(args.items.map((item) => this.#textOf(item)));
  }

  #child(node: unknown, key: string): unknown {
    const map = this.#resolved(node);
    return isMap(map) ? map.items.find((pair) => this.#textOf(pair.key) === key)?.value : undefined;
  }

  #textOf(node: unknown): string {
    const scalar = this.#resolved(node);
    return isScalar(scalar) ? String(scalar.value) : "";
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? this.#anchored.get(node) : node;
  }
}

/** What each alias below a node stands for: the last node with its anchor. */
function anchored(root: unknown): Map<unknown, unknown> {
  const targets = new Map<unknown, unknown>();
  const anchors = new Map<string, unknown>();
  const work = [root];
  while (work.length > 0) {
    const node = work.pop();
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if (isScalar(node) || isCollection(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      if (isMap(node)) { for (const { key, value } of node.items.toReversed()) work.push(value, key); }
      if (isSeq(node)) { for (const item of node.items.toReversed()) work.push(item); }
    }
  }
  return targets;
}

/** The ranges of the comments that are hidden: all of them within `parts`, which are in order. */
function* hiddenComments(text: string, parts: readonly Range[]): Generator<Range> {
  let part = 0;
  for (const { index, 0: line } of text.matchAll(/[^\n]+/g)) {
    const sign = /(?:^|[\s{}[\],])#+/.exec(line);
    if (sign === null) continue;
    const [from, to] = [index + sign.index + sign[0].length, index + line.length];
    while ((parts[part]?.[1] ?? Infinity) < from) part += 1;
    const [begin = Infinity] = parts[part] ?? [];
    if (begin < from || looksSecret(text.slice(from, to))) yield [from, to];
  }
}

/** A text with the words of every line replaced; indentation and line ends stay. */
function blank(text: string): string {
  return text.replace(/[^\s][^\r\n]*/g, "REDACTED");
}
