/** Reads a kubeconfig's text and edits it: text in, text out, only the intended lines change. */

import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { sameData } from "../splice/same-data.ts";
import { type DataPath, duplicateNames } from "./duplicate-names.ts";
import {
  entriesAfter,
  entriesIn,
  INNER,
  type KubeconfigEdit,
  type ListEdits,
  type ListName,
  LISTS,
  plannedChange,
} from "./edit.ts";
import { type ListChange, SplicedText } from "./splice.ts";
import { CannotSplice, type ParsedMap, rangeOf } from "../splice/yaml-ranges.ts";
import { isRecord } from "../splice/yaml-text.ts";

/** A kubeconfig whose text was read and checked. */
export interface ParsedKubeconfig {
  readonly file: string;
  readonly text: string;
  /** Every field, unknown ones included; integers are bigint. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly document: Document.Parsed;
}

const BYTE_ORDER_MARK = "\ufeff";

/**
 * Reads a kubeconfig's text. An empty text is a kubeconfig without entries.
 *
 * @throws {AppError} `KUBECONFIG`, naming the file and line, unless the text is one YAML document with a mapping of
 * kind Config, version v1, whose lists are lists of mappings.
 */
export function parseKubeconfig(text: string, file: string): ParsedKubeconfig {
  const refuse = (what: string, cause?: unknown) =>
    new AppError("KUBECONFIG", `Cannot use the kubeconfig ${file}: ${what}. It was left as it is.`, {
      hint: "Fix that file, or name another one with --kubeconfig.",
      cause,
    });
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  // "silent" would hide a second document.
  const document = parseDocument(body, { merge: true, intAsBigInt: true, logLevel: "error" });
  const error = document.errors[0];
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1;
    // The parser's message can quote the file; its code cannot.
    throw error.code === "MULTIPLE_DOCS"
      ? refuse(`it holds several YAML documents (the second begins at line ${line})`, error)
      : refuse(`line ${line} is not valid YAML (${error.code.toLowerCase().replaceAll("_", " ")})`, error);
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 100_000 });
  } catch (cause) {
    throw refuse("its YAML aliases cannot be resolved", cause);
  }
  const lineOf = (node: unknown) => {
    const at = rangeOf(node)?.[0] ?? 0;
    return body.slice(0, at).split("\n").length;
  };
  const root: unknown = document.contents;
  const line = (key: string) => lineOf(isMap(root) ? root.get(key, true) : root);
  const range = rangeOf(root);
  if (root === null || (!isMap(root) && data === null && range?.[0] === range?.[1])) {
    return { file, text, data: {}, document };
  }
  if (!isMap(root) || !isRecord(data)) throw refuse(`line ${lineOf(root)} is not a mapping`);
  if ((data["kind"] ?? "Config") !== "Config" && data["kind"] !== "") {
    throw refuse(`line ${line("kind")} says that it is not of kind Config`);
  }
  if ((data["apiVersion"] ?? "v1") !== "v1" && data["apiVersion"] !== "") {
    throw refuse(`line ${line("apiVersion")} names an apiVersion other than v1`);
  }
  for (const name of LISTS) {
    const list = data[name] ?? [];
    if (!Array.isArray(list)) throw refuse(`"${name}" (line ${line(name)}) is not a list`);
    const isEntry = (entry: unknown) =>
      entry === null || isRecord(entry) && (isRecord(entry[INNER[name]] ?? {}));
    const wrong = list.findIndex((entry) => !isEntry(entry));
    if (wrong >= 0) throw refuse(`entry ${wrong + 1} of "${name}" (line ${line(name)} on) is not a mapping`);
  }
  return { file, text, data, document };
}

/** The entries of one list with their positions; null entries have no name. */
export function namedEntries(
  config: ParsedKubeconfig,
  list: ListName,
): { readonly name: string; readonly index: number; readonly fields: Readonly<Record<string, unknown>> }[] {
  return entriesIn(config.data, list).flatMap((entry, index) => {
    const name = entry?.["name"];
    const fields = entry?.[INNER[list]];
    return typeof name === "string" ? [{ name, index, fields: isRecord(fields) ? fields : {} }] : [];
  });
}

/**
 * The kubeconfig's text after an edit. Comments, order, unknown fields, line endings, byte order mark and a missing
 * last line break survive, and only lines of the named entries change. An edit without effect returns the same
 * text. A removal removes every entry of the name.
 *
 * The result is read back and compared with the intended data.
 *
 * @throws {AppError} `KUBECONFIG`, naming the file, when anchors and aliases connect the entry with others, and
 * when an edit that adds is made to a file in which names occur twice.
 */
export function editKubeconfig(config: ParsedKubeconfig, edit: KubeconfigEdit): string {
  const planned = plannedChange(config.data, edit);
  // A removal makes such a file no worse, and perhaps whole.
  const adds = edit.clusters ?? edit.users ?? edit.contexts ?? edit.currentContext;
  if (adds !== undefined) refuseDuplicateNames(config, planned.data);
  if (sameData(config.data, planned.data)) return config.text;
  // Field by field first; when that is not possible, the whole entry is rewritten.
  for (const whole of [false, true]) {
    const text = attempt(config, planned, whole);
    if (text !== undefined) return text;
  }
  // Where the last line has no end, a value and a key behind it would be put at one place.
  if (!/[\r\n]$/.test(config.text)) {
    const end = config.text.includes("\r\n") ? "\r\n" : "\n";
    const ended = editKubeconfig(parseKubeconfig(config.text + end, config.file), edit);
    const text = ended.slice(0, ended.length - end.length);
    if (ended.endsWith(end) && says(text, planned.data)) return text;
  }
  throw tied(config, planned);
}

/**
 * Refuses a file in which a name occurs twice, or would after a change: kubectl reads no entry of such a file.
 *
 * @throws {AppError} `KUBECONFIG`, naming the file, each list and name, and the lines.
 */
export function refuseDuplicateNames(
  { file, text, data: current, document }: ParsedKubeconfig,
  data: Readonly<Record<string, unknown>> = current,
): void {
  const duplicates = duplicateNames(data);
  if (duplicates.length === 0) return;
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  const lineOf = (path: DataPath) => {
    const range = rangeOf(document.getIn(path, true));
    return range ? body.slice(0, range[0]).split("\n").length : undefined;
  };
  const found = duplicates.map(({ path, name, positions }) => {
    const lines = positions.map((position) => lineOf([...path, position]));
    const where = lines.includes(undefined) ? "" : ` (lines ${lines.join(", ")})`;
    return `${name === "" ? "an entry without a name" : `"${printable(name, 80)}"`} stands ${
      positions.length === 2 ? "twice" : `${positions.length} times`
    } in "${path.join(".")}"${where}`;
  });
  throw new AppError(
    "KUBECONFIG",
    `kubectl cannot use the kubeconfig ${file}: ${found.join("; ")}. It was left as it is.`,
    { hint: "Give each its own name, or remove the one too many; or name another file with --kubeconfig." },
  );
}

/** The edited text when it has exactly the intended data, else undefined. */
function attempt(config: ParsedKubeconfig, planned: ListEdits, whole: boolean): string | undefined {
  const byteOrderMark = config.text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  const root = config.document.contents;
  const spliced = new SplicedText(config.text.slice(byteOrderMark.length), config.document);
  try {
    if (!isMap(root) || root.items.length === 0) spliced.fillEmpty(planned.data);
    else {
      // Existing lists first: what is appended to a list must come before a following key.
      const isThere = ([list]: [ListName, ListChange]) => root.has(list) ? 0 : 1;
      const lists = [...planned.lists].sort((a, b) => isThere(a) - isThere(b));
      for (const [list, change] of lists) spliced.changeList(root, list, change, whole);
      const current = { ...config.data };
      const desired = { ...planned.data };
      for (const list of planned.lists.keys()) {
        delete current[list];
        delete desired[list];
      }
      spliced.changeMap(root, current, desired);
      if (digestSays(spliced, root, config, planned)) return byteOrderMark + spliced.result();
    }
    const text = byteOrderMark + spliced.result();
    return says(text, planned.data) ? text : undefined;
  } catch (error) {
    if (error instanceof CannotSplice) return undefined;
    throw error;
  }
}

/**
 * True when the edited text without its untouched items has the intended data without them. Items of a block list
 * are independent except for anchors, so a file with anchors is read whole.
 */
function digestSays(
  spliced: SplicedText,
  root: ParsedMap,
  config: ParsedKubeconfig,
  planned: ListEdits,
): boolean {
  if (/[&*]/.test(config.text)) return false;
  // The first item stays, so that the list remains a list.
  const stays = (list: ListName, index: number) => {
    const change = planned.lists.get(list);
    return index === 0 || change?.updates.has(index) === true || change?.removed.has(index) === true;
  };
  const text = spliced.digest(root, LISTS, stays);
  if (text === undefined) return false;
  const data = { ...planned.data };
  for (const list of LISTS) {
    const node = root.get(list);
    if (!isSeq(node) || node.flow === true) continue;
    data[list] = entriesAfter(
      entriesIn(config.data, list),
      planned.lists.get(list),
      stays.bind(undefined, list),
    );
  }
  return says(text, data);
}

function says(text: string, data: Record<string, unknown>): boolean {
  try {
    return sameData(parseKubeconfig(text, "").data, data);
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

function tied(config: ParsedKubeconfig, planned: ListEdits): AppError {
  const touched = [...planned.lists].map(([list, change]) => ({
    list,
    index: [...change.updates.keys(), ...change.removed][0],
  }));
  const { list, index } = touched.find((one) => one.index !== undefined) ?? touched[0] ?? {};
  const root = config.document.contents;
  const spliced = new SplicedText(config.text, config.document);
  const where = isMap(root) && list !== undefined && index !== undefined
    ? `entry ${index + 1} of "${list}" (line ${spliced.lineOfItem(root, list, index)})`
    : list === undefined
    ? '"current-context"'
    : `"${list}"`;
  return new AppError(
    "KUBECONFIG",
    `Cannot change ${where} of the kubeconfig ${config.file} without touching other entries. It was left as it is.`,
    { hint: "Write that entry without YAML anchors and aliases, or name another file with --kubeconfig." },
  );
}
