/** The edit of a kubeconfig: the entries and fields that it must hold afterwards. */

import { sameData } from "../splice/same-data.ts";
import { type EntryOwner, extensionsWith } from "./identity.ts";
import type { ListChange } from "./splice.ts";
import { isRecord } from "../splice/yaml-text.ts";

/** The exec section of a user entry (client.authentication.k8s.io/v1), with kubectl's field names. */
export interface ExecEntry {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly interactiveMode: "Never" | "IfAvailable" | "Always";
  readonly provideClusterInfo: boolean;
  readonly installHint: string;
  /** Null sets nothing: variables that a person put into our entry stay. */
  readonly env: readonly { readonly name: string; readonly value: string }[] | null;
}

/** A cluster to add or update. */
export interface ClusterEdit {
  readonly name: string;
  readonly server: string;
  /** Base64 of PEM. Null removes the current one; undefined keeps it. */
  readonly certificateAuthorityData?: string | null | undefined;
}

/** A user to add or update. Every other credential in the entry is removed. */
export interface UserEdit {
  readonly name: string;
  readonly exec: ExecEntry;
}

/** As {@link UserEdit}, for a user whose token is in a file. */
export interface TokenFileUserEdit {
  readonly name: string;
  /** An absolute path. */
  readonly tokenFile: string;
  readonly owner: EntryOwner;
}

/** A context to add or update. Without a namespace, the current one stays. */
export interface ContextEdit {
  readonly name: string;
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string | undefined;
}

/** Entries to remove, by name. `currentContext` is emptied when it is the one named here. */
export interface KubeconfigRemoval {
  readonly clusters?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly contexts?: readonly string[] | undefined;
  readonly currentContext?: string | undefined;
}

/** The changes of a kubeconfig. Removals come first. */
export interface KubeconfigEdit {
  readonly clusters?: readonly ClusterEdit[] | undefined;
  readonly users?: readonly (UserEdit | TokenFileUserEdit)[] | undefined;
  readonly contexts?: readonly ContextEdit[] | undefined;
  readonly currentContext?: string | undefined;
  readonly remove?: KubeconfigRemoval | undefined;
}

/** The three lists of a kubeconfig. */
export const LISTS = ["clusters", "users", "contexts"] as const;
/** One of {@link LISTS}. */
export type ListName = typeof LISTS[number];

/** The key of each list's entries that holds their fields. */
export const INNER = { clusters: "cluster", users: "user", contexts: "context" } as const;

/** Every way to sign in that kubectl would prefer to the exec section, or mix with it. */
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

/** The result of an edit: the data after it, and the changes of each list. */
export interface ListEdits {
  readonly data: Record<string, unknown>;
  readonly lists: ReadonlyMap<ListName, ListChange>;
}

type Entry = Record<string, unknown> | null;

/** The entries of one list, null entries included. */
export function entriesIn(data: Readonly<Record<string, unknown>>, list: ListName): readonly Entry[] {
  return (data[list] ?? []) as readonly Entry[];
}

/** The data of a kubeconfig after an edit. */
export function plannedChange(data: Readonly<Record<string, unknown>>, edit: KubeconfigEdit): ListEdits {
  const lists = new Map<ListName, ListChange>();
  const after: Record<string, unknown> = { ...data };
  for (const list of LISTS) {
    const change = listChange(entriesIn(data, list), list, edit);
    if (change === undefined) continue;
    lists.set(list, change);
    after[list] = entriesAfter(entriesIn(data, list), change, () => true);
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

/** The entries after a change, limited to those that `stays` accepts. */
export function entriesAfter(
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
  wanted: ClusterEdit | UserEdit | TokenFileUserEdit | ContextEdit,
  current: Entry,
): Record<string, unknown> {
  const inner = current?.[INNER[list]];
  const fields: Record<string, unknown> = isRecord(inner) ? { ...inner } : {};
  if ("exec" in wanted) {
    for (const credential of OTHER_CREDENTIALS) delete fields[credential];
    fields["exec"] = desiredExec(wanted.exec, fields["exec"]);
  } else if ("tokenFile" in wanted) {
    for (const credential of [...OTHER_CREDENTIALS, "exec"]) delete fields[credential];
    fields["extensions"] = extensionsWith(wanted.owner, fields["extensions"]);
    fields["tokenFile"] = wanted.tokenFile;
  } else if ("server" in wanted) {
    if (wanted.certificateAuthorityData !== undefined) {
      for (const other of ["certificate-authority", "certificate-authority-data"]) delete fields[other];
    }
    if (typeof wanted.certificateAuthorityData === "string") {
      // kubectl refuses an authority beside the switch that turns verification off.
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

/** The first argument of entries that run the launcher. */
const HANDLE = /^[a-z2-7]{16}$/;

/** True for exec arguments that this program (or the vendor's tool) wrote. */
export function isOurExec(args: unknown): args is readonly unknown[] {
  if (!Array.isArray(args)) return false;
  const [group, command] = runsLauncher(args) ? args.slice(1) : args;
  return group === "auth" && command === "get-token" &&
    args.some((arg) => typeof arg === "string" && /^--(?:session|active-for)(?:=|$)/.test(arg));
}

/** True for arguments of the launcher, which takes a handle first. */
export function runsLauncher([first]: readonly unknown[]): boolean {
  return typeof first === "string" && HANDLE.test(first);
}
