/** Owns what a kubeconfig's text says, and the one way to change it: text in, text out, only the intended lines. */

import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from "yaml";
import { AppError } from "../errors.ts";
import { sameData } from "../same-data.ts";
import { type ListChange, SplicedText } from "./kubeconfig-splice.ts";
import { CannotSplice } from "./yaml-places.ts";
import { isRecord } from "./yaml-text.ts";

/** The exec section of a user entry (client.authentication.k8s.io/v1), with the fields in kubectl's spelling. */
export interface ExecEntry {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly interactiveMode: "Never" | "IfAvailable" | "Always";
  readonly provideClusterInfo: boolean;
  readonly installHint: string;
  /** Null says "nothing of ours": variables that a person put into an entry of ours stay. */
  readonly env: readonly { readonly name: string; readonly value: string }[] | null;
}

/** A cluster to add or update. */
export interface ClusterEdit {
  readonly name: string;
  readonly server: string;
  /** Base64 of PEM; null takes what is there away; without it, it stays. */
  readonly certificateAuthorityData?: string | null;
}

/** A user to add or update: every other credential in the entry goes. */
export interface UserEdit {
  readonly name: string;
  readonly exec: ExecEntry;
}

/** A context to add or update; without a namespace, the one that is there stays. */
export interface ContextEdit {
  readonly name: string;
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string;
}

/** Entries to take away by name; `currentContext` is emptied when it is the one named here. */
export interface KubeconfigRemoval {
  readonly clusters?: readonly string[];
  readonly users?: readonly string[];
  readonly contexts?: readonly string[];
  readonly currentContext?: string;
}

/** What shall be different in a kubeconfig; removals come first. */
export interface KubeconfigEdit {
  readonly clusters?: readonly ClusterEdit[];
  readonly users?: readonly UserEdit[];
  readonly contexts?: readonly ContextEdit[];
  readonly currentContext?: string;
  readonly remove?: KubeconfigRemoval;
}

/** A kubeconfig that was read and found to be one. */
export interface ParsedKubeconfig {
  readonly file: string;
  readonly text: string;
  /** Every field, unknown ones too; whole numbers are bigint. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly document: Document;
}

/** The three lists of a kubeconfig. */
export const LISTS = ["clusters", "users", "contexts"] as const;
/** One of {@link LISTS}. */
export type ListName = typeof LISTS[number];

const INNER = { clusters: "cluster", users: "user", contexts: "context" } as const;

/** Every way to sign in that kubectl would prefer to, or mix with, the exec section. */
const OTHER_CREDENTIALS = [
  "token",
  "tokenFile",
  "client-certificate",
  "client-certificate-data",
  "client-key",
  "client-key-data",
  "username",
  "password",
  "auth-provider",
];

const BYTE_ORDER_MARK = "\ufeff";

/**
 * Reads a kubeconfig's text. An empty one is a kubeconfig without entries.
 *
 * Throws `KUBECONFIG`, naming the file and line, for what is no single YAML document with a mapping of kind
 * Config, version v1, whose lists are lists of mappings.
 */
export function parseKubeconfig(text: string, file: string): ParsedKubeconfig {
  const refuse = (what: string, cause?: unknown) =>
    new AppError("KUBECONFIG", `Cannot use the kubeconfig ${file}: ${what}. It was left as it is.`, {
      hint: "Fix that file, or name another one with --kubeconfig.",
      cause,
    });
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  // Not "silent": that would hide a second document.
  const document = parseDocument(body, { merge: true, intAsBigInt: true, logLevel: "error" });
  const error = document.errors[0];
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1;
    // The parser's own sentence can quote the file; its code cannot.
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
    const at = (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
    return body.slice(0, at).split("\n").length;
  };
  const root: unknown = document.contents;
  const place = (key: string) => lineOf(isMap(root) ? root.get(key, true) : root);
  const range = (root as { range?: readonly number[] } | null)?.range;
  if (root === null || (!isMap(root) && data === null && range?.[0] === range?.[1])) {
    return { file, text, data: {}, document };
  }
  if (!isMap(root) || !isRecord(data)) throw refuse(`line ${lineOf(root)} is not a mapping`);
  if ((data["kind"] ?? "Config") !== "Config" && data["kind"] !== "") {
    throw refuse(`line ${place("kind")} says that it is not of kind Config`);
  }
  if ((data["apiVersion"] ?? "v1") !== "v1" && data["apiVersion"] !== "") {
    throw refuse(`line ${place("apiVersion")} names an apiVersion other than v1`);
  }
  for (const name of LISTS) {
    const list = data[name] ?? [];
    if (!Array.isArray(list)) throw refuse(`"${name}" (line ${place(name)}) is not a list`);
    const isEntry = (entry: unknown) =>
      entry === null || isRecord(entry) && (isRecord(entry[INNER[name]] ?? {}));
    const wrong = list.findIndex((entry) => !isEntry(entry));
    if (wrong >= 0) throw refuse(`entry ${wrong + 1} of "${name}" (line ${place(name)} on) is not a mapping`);
  }
  return { file, text, data, document };
}

/** The entries of one list, with their position; null entries have no name. */
export function entriesOf(
  config: ParsedKubeconfig,
  list: ListName,
): { readonly name: string; readonly index: number; readonly fields: Readonly<Record<string, unknown>> }[] {
  return listOf(config.data, list).flatMap((entry, index) => {
    const name = entry?.["name"];
    const fields = entry?.[INNER[list]];
    return typeof name === "string" ? [{ name, index, fields: isRecord(fields) ? fields : {} }] : [];
  });
}

/**
 * The kubeconfig's text with the edit made: comments, order, unknown fields, line endings, byte order mark and
 * a missing last line break survive, and only lines of the entries named change. An edit that changes nothing
 * gives back the very same text. Of several entries with one name (kubectl refuses such a file) the first is
 * updated; a removal takes all.
 *
 * The result is read again and compared with what was meant. Throws `KUBECONFIG`, naming the file, when anchors
 * and aliases tie the entry to others.
 */
export function editKubeconfig(config: ParsedKubeconfig, edit: KubeconfigEdit): string {
  const intent = intendedChange(config.data, edit);
  if (sameData(config.data, intent.data)) return config.text;
  // Field by field first; where that cannot be, the whole entry is written anew.
  for (const whole of [false, true]) {
    const text = attempt(config, intent, whole);
    if (text !== undefined) return text;
  }
  throw tied(config, intent);
}

interface Intent {
  readonly data: Record<string, unknown>;
  readonly lists: ReadonlyMap<ListName, ListChange>;
}

type Entry = Record<string, unknown> | null;

function listOf(data: Readonly<Record<string, unknown>>, list: ListName): readonly Entry[] {
  return (data[list] ?? []) as readonly Entry[];
}

function intendedChange(data: Readonly<Record<string, unknown>>, edit: KubeconfigEdit): Intent {
  const lists = new Map<ListName, ListChange>();
  const after: Record<string, unknown> = { ...data };
  for (const list of LISTS) {
    const change = listChange(listOf(data, list), list, edit);
    if (change === undefined) continue;
    lists.set(list, change);
    after[list] = entriesAfter(listOf(data, list), change, () => true);
  }
  const current = data["current-context"];
  const emptied = edit.remove?.currentContext !== undefined && edit.remove.currentContext === current;
  if (edit.currentContext !== undefined) after["current-context"] = edit.currentContext;
  else if (emptied) after["current-context"] = "";
  if (Object.keys(data).length === 0 && !sameData(data, after)) {
    return { lists, data: { apiVersion: "v1", kind: "Config", ...after } };
  }
  return { lists, data: after };
}

function entriesAfter(
  entries: readonly Entry[],
  change: ListChange | undefined,
  stays: (index: number) => boolean,
): unknown[] {
  const kept = entries.map((entry, index) => change?.updates.get(index)?.desired ?? entry)
    .filter((_, index) => stays(index) && change?.removed.has(index) !== true);
  return [...kept, ...change?.added ?? []];
}

function listChange(entries: readonly Entry[], list: ListName, edit: KubeconfigEdit): ListChange | undefined {
  const gone = new Set<unknown>(edit.remove?.[list] ?? []);
  const removed = new Set<number>();
  const position = new Map<unknown, number>();
  entries.forEach((entry, index) => {
    const name = entry?.["name"];
    if (gone.has(name)) removed.add(index);
    else if (typeof name === "string" && !position.has(name)) position.set(name, index);
  });
  const updates = new Map<number, { current: unknown; desired: unknown }>();
  const added = new Map<string, unknown>();
  for (const wanted of edit[list] ?? []) {
    const index = position.get(wanted.name);
    const current = index === undefined ? null : entries[index] ?? null;
    const desired = desiredEntry(list, wanted, current);
    if (index === undefined) added.set(wanted.name, desired);
    else if (!sameData(current, desired)) updates.set(index, { current, desired });
  }
  if (updates.size === 0 && removed.size === 0 && added.size === 0) return undefined;
  return { updates, removed, added: [...added.values()] };
}

function desiredEntry(
  list: ListName,
  wanted: ClusterEdit | UserEdit | ContextEdit,
  current: Entry,
): Record<string, unknown> {
  const inner = current?.[INNER[list]];
  const fields: Record<string, unknown> = isRecord(inner) ? { ...inner } : {};
  if ("exec" in wanted) {
    for (const credential of OTHER_CREDENTIALS) delete fields[credential];
    fields["exec"] = desiredExec(wanted.exec, fields["exec"]);
  } else if ("server" in wanted) {
    if (wanted.certificateAuthorityData !== undefined) {
      for (const other of ["certificate-authority", "certificate-authority-data"]) delete fields[other];
    }
    if (typeof wanted.certificateAuthorityData === "string") {
      // kubectl refuses a CA beside the switch that turns checking off.
      delete fields["insecure-skip-tls-verify"];
      fields["certificate-authority-data"] = wanted.certificateAuthorityData;
    }
    fields["server"] = wanted.server;
  } else {
    fields["cluster"] = wanted.cluster;
    if (wanted.namespace !== undefined) fields["namespace"] = wanted.namespace;
    fields["user"] = wanted.user;
  }
  if (current !== null) return { ...current, [INNER[list]]: fields };
  return list === "users"
    ? { name: wanted.name, user: fields }
    : { [INNER[list]]: fields, name: wanted.name };
}

function desiredExec(exec: ExecEntry, current: unknown): Record<string, unknown> {
  const ours = isRecord(current) && isOurExec(current["args"]) ? current : undefined;
  return {
    ...ours,
    apiVersion: exec.apiVersion,
    args: [...exec.args],
    command: exec.command,
    env: exec.env ?? ours?.["env"] ?? null,
    installHint: exec.installHint,
    interactiveMode: exec.interactiveMode,
    provideClusterInfo: exec.provideClusterInfo,
  };
}

/** Whether exec arguments are those of an entry that this program (or the vendor's tool) wrote. */
export function isOurExec(args: unknown): boolean {
  return Array.isArray(args) && args[0] === "auth" && args[1] === "get-token" &&
    args.some((arg) => typeof arg === "string" && /^--(?:session|active-for)(?:=|$)/.test(arg));
}

/** The spliced text when it says exactly what was meant, else undefined. */
function attempt(config: ParsedKubeconfig, intent: Intent, whole: boolean): string | undefined {
  const mark = config.text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  const root = config.document.contents as YAMLMap | null;
  const spliced = new SplicedText(config.text.slice(mark.length), config.document);
  try {
    if (!isMap(root) || root.items.length === 0) spliced.fillEmpty(intent.data);
    else {
      // Lists that are there first: what a list's end gets must stand before a key that follows it.
      const isThere = ([list]: [ListName, ListChange]) => root.has(list) ? 0 : 1;
      const lists = [...intent.lists].sort((a, b) => isThere(a) - isThere(b));
      for (const [list, change] of lists) spliced.changeList(root, list, change, whole);
      const current = { ...config.data };
      const desired = { ...intent.data };
      for (const list of intent.lists.keys()) {
        delete current[list];
        delete desired[list];
      }
      spliced.changeMap(root, current, desired);
      if (digestSays(spliced, root, config, intent)) return mark + spliced.result();
    }
    const text = mark + spliced.result();
    return says(text, intent.data) ? text : undefined;
  } catch (error) {
    if (error instanceof CannotSplice) return undefined;
    throw error;
  }
}

/**
 * Whether the changed text without the items that nothing touches says what was meant without them. Items of a
 * block list do not depend on each other but by anchors; a file that has any is read as a whole.
 */
function digestSays(spliced: SplicedText, root: YAMLMap, config: ParsedKubeconfig, intent: Intent): boolean {
  if (/[&*]/.test(config.text)) return false;
  // The first stays, so that the list stays one.
  const stays = (list: string, index: number) => {
    const change = intent.lists.get(list as ListName);
    return index === 0 || change?.updates.has(index) === true || change?.removed.has(index) === true;
  };
  const text = spliced.digest(root, LISTS, stays);
  if (text === undefined) return false;
  const data = { ...intent.data };
  for (const list of LISTS) {
    const node = root.get(list);
    if (!isSeq(node) || node.flow === true) continue;
    data[list] = entriesAfter(listOf(config.data, list), intent.lists.get(list), stays.bind(undefined, list));
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

function tied(config: ParsedKubeconfig, intent: Intent): AppError {
  const touched = [...intent.lists].map(([list, change]) => ({
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
