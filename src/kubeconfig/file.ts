/** The kubeconfig files: which there are, what they say together, and changing them under kubectl's own lock. */

import { isRecord } from "../splice/yaml-text.ts";
import { AppError } from "../errors.ts";
import { printable, shellWord } from "../text.ts";
import type { Session } from "../sessions/session.ts";
import { matchesServer } from "../sessions/name.ts";
import { type Environment, onWindows } from "../system/environment.ts";
import { lockingSharedFiles, readSharedFile, replaceSharedFile } from "../system/shared-file.ts";
import { defaultKubeconfigs } from "./default-files.ts";
import { withoutSecrets } from "./mask.ts";
import {
  isOurExec,
  type KubeconfigEdit,
  type KubeconfigRemoval,
  type ListName,
  runsLauncher,
} from "./edit.ts";
import { ownerIn } from "./identity.ts";
import {
  editKubeconfig,
  namedEntries,
  type ParsedKubeconfig,
  parseKubeconfig,
  refuseDuplicateNames,
} from "./text.ts";
import { unifiedDiff } from "./diff.ts";

export { defaultKubeconfigs } from "./default-files.ts";

/**
 * The kubeconfig files in kubectl's order of precedence: only the one of `--kubeconfig`, else those that
 * `$KUBECONFIG` lists (separated by `;` on Windows, else by `:`), else `~/.kube/config`.
 *
 * @throws {AppError} `STORAGE` when no variable names a home.
 */
export function kubeconfigPaths(flag: string | undefined, env: Environment, windows = onWindows): string[] {
  if (flag !== undefined && flag !== "") return [flag];
  const paths = defaultKubeconfigs(env, windows);
  if (paths.length > 0) return paths;
  const variable = windows ? "USERPROFILE" : "HOME";
  throw new AppError("STORAGE", `Cannot tell which kubeconfig is meant: ${variable} is not set.`, {
    hint: "Name the file: set KUBECONFIG, or use --kubeconfig FILE.",
  });
}

/** One file of the list, with its content. */
export interface KubeconfigFile {
  readonly path: string;
  /** The bytes that were read; undefined when there is no such file. */
  readonly bytes: Uint8Array | undefined;
  readonly config: ParsedKubeconfig;
}

/** The files of the list, and what they say together. */
export interface Kubeconfig {
  /** In order of precedence, missing ones included. */
  readonly files: readonly KubeconfigFile[];
  readonly currentContext: string | undefined;
}

/** An entry, with the file that holds it. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly file: KubeconfigFile;
  /** The fields under `cluster`, `user` or `context`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Who one of our user entries acts as. */
export interface OwnUser {
  readonly name: string;
  /** The session that it names; undefined when it follows the active one. */
  readonly session?: string | undefined;
  /** The API host, or the issuer's URL, of the only sessions that it may act as. */
  readonly activeFor?: string | undefined;
  /** The path of the file with its token; absent where kubectl runs the plugin. */
  readonly tokenFile?: string | undefined;
  /** The launcher that it runs; undefined when it runs the program. */
  readonly launcher?: string | undefined;
  /** The launcher's first argument. */
  readonly handle?: string | undefined;
}

/** A context with its cluster and user. */
export interface KubeconfigContext {
  readonly name: string;
  readonly cluster: string | undefined;
  readonly user: string | undefined;
  readonly namespace: string | undefined;
  readonly server: string | undefined;
  /** Base64 of PEM. */
  readonly certificateAuthorityData: string | undefined;
  /** The user entry, when it is one of ours. */
  readonly own: OwnUser | undefined;
}

/**
 * Refuses files that no entry can be added to.
 *
 * @throws {AppError} like {@link loadKubeconfig}; also `KUBECONFIG` when a name occurs twice.
 */
export async function checkKubeconfigs(paths: readonly string[]): Promise<void> {
  for (const { config } of (await loadKubeconfig(paths)).files) refuseDuplicateNames(config);
}

/**
 * Reads the files. Missing ones count as empty.
 *
 * @throws {AppError} `STORAGE` or `KUBECONFIG`, naming the file.
 */
export async function loadKubeconfig(paths: readonly string[]): Promise<Kubeconfig> {
  const files: KubeconfigFile[] = [];
  for (const path of paths) {
    const bytes = await readSharedFile(path);
    files.push({ path, bytes, config: parseKubeconfig(decode(bytes, path), printable(path)) });
  }
  const current = files.map((file) => file.config.data["current-context"])
    .find((name): name is string => typeof name === "string" && name !== "");
  return { files, currentContext: current };
}

function decode(read: Uint8Array | undefined, path: string): string {
  const bytes = read ?? new Uint8Array();
  const refuse = (what: string, hint: string, cause?: unknown) =>
    new AppError(
      "KUBECONFIG",
      `Cannot use the kubeconfig ${printable(path)}: it is ${what}. It was left as it is.`,
      {
        hint,
        cause,
      },
    );
  const encoding = utf16Encoding(bytes);
  if (encoding !== undefined) throw refuse("UTF-16 text", `Make it UTF-8: ${asUtf8(path, encoding)}`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refuse("not UTF-8 text", "Fix that file, or name another one with --kubeconfig.", cause);
  }
}

/** The kind of UTF-16 of a text, in iconv's name: Windows PowerShell 5 writes such files with `>`. */
function utf16Encoding([first, second]: Uint8Array): string | undefined {
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return "UTF-16";
  // Without a byte order mark: no UTF-8 text has a zero there.
  if (second === 0) return "UTF-16LE";
  return first === 0 ? "UTF-16BE" : undefined;
}

/** The line that converts a file to UTF-8 in place, with an intermediate file that only its owner can read. */
function asUtf8(path: string, encoding: string): string {
  if (onWindows) {
    const file = `-LiteralPath '${path.replaceAll("'", "''")}'`;
    const read = encoding === "UTF-16BE" ? "BigEndianUnicode" : "Unicode";
    return `$text = Get-Content -Raw -Encoding ${read} ${file}; Set-Content -NoNewline -Encoding utf8 ${file} $text`;
  }
  const [from, to] = [shellWord(path), shellWord(`${path}.utf8`)];
  return `(umask 077; iconv -f ${encoding} -t UTF-8 ${from} > ${to}) && cat ${to} > ${from} && rm ${to}`;
}

/** The entry of that name, as kubectl finds it: in the first file that has one. */
export function entryNamed(
  kubeconfig: Kubeconfig,
  list: ListName,
  name: string,
): KubeconfigEntry | undefined {
  return allEntries(kubeconfig, list).find((entry) => entry.name === name);
}

/** All entries of a list by name, each as {@link entryNamed} finds it. */
export function entriesByName(kubeconfig: Kubeconfig, list: ListName): ReadonlyMap<string, KubeconfigEntry> {
  const found = new Map<string, KubeconfigEntry>();
  for (const entry of allEntries(kubeconfig, list)) if (!found.has(entry.name)) found.set(entry.name, entry);
  return found;
}

function allEntries(kubeconfig: Kubeconfig, list: ListName): KubeconfigEntry[] {
  return kubeconfig.files.flatMap((file) =>
    namedEntries(file.config, list).map(({ name, fields }) => ({ name, fields, file }))
  );
}

/** A context, by default the current one, with its server and user; undefined when there is none. */
export function contextNamed(
  kubeconfig: Kubeconfig,
  name: string | undefined = kubeconfig.currentContext,
): KubeconfigContext | undefined {
  const context = name === undefined ? undefined : entryNamed(kubeconfig, "contexts", name);
  if (context === undefined) return undefined;
  const cluster = textOrUndefined(context.fields["cluster"]);
  const user = textOrUndefined(context.fields["user"]);
  const clusterFields = cluster === undefined
    ? undefined
    : entryNamed(kubeconfig, "clusters", cluster)?.fields;
  const userEntry = user === undefined ? undefined : entryNamed(kubeconfig, "users", user);
  return {
    name: context.name,
    cluster,
    user,
    namespace: textOrUndefined(context.fields["namespace"]),
    server: textOrUndefined(clusterFields?.["server"]),
    certificateAuthorityData: textOrUndefined(clusterFields?.["certificate-authority-data"]),
    own: userEntry === undefined ? undefined : ownUser(userEntry),
  };
}

/**
 * Every user entry of ours: its exec arguments start with `auth get-token`, or with a launcher's handle and these, and name
 * a session or a host; or it names the file of its token, and an extension tells whose that is.
 */
export function ownUsers(kubeconfig: Kubeconfig): OwnUser[] {
  return allEntries(kubeconfig, "users").flatMap((entry) => ownUser(entry) ?? []);
}

/** The names of the contexts that use a user entry. */
export function contextsUsing(kubeconfig: Kubeconfig, user: string): string[] {
  const contexts = allEntries(kubeconfig, "contexts").filter(({ fields }) => fields["user"] === user);
  return [...new Set(contexts.map(({ name }) => name))];
}

function ownUser({ name, fields }: KubeconfigEntry): OwnUser | undefined {
  const exec = fields["exec"];
  const words = isRecord(exec) ? exec["args"] : undefined;
  const tokenFile = textOrUndefined(fields["tokenFile"]);
  const owner = exec === undefined && tokenFile !== undefined ? ownerIn(fields["extensions"]) : undefined;
  if (owner !== undefined) return { name, ...owner, tokenFile };
  if (!isOurExec(words)) return undefined;
  const valueOf = (flag: string) => {
    const index = words.findIndex((word) => word === flag || String(word).startsWith(`${flag}=`));
    const word = words[index];
    return index < 0
      ? undefined
      : textOrUndefined(word === flag ? words[index + 1] : String(word).slice(flag.length + 1));
  };
  const launched = isRecord(exec) && runsLauncher(words);
  return {
    name,
    session: valueOf("--session"),
    activeFor: valueOf("--active-for"),
    launcher: launched ? textOrUndefined(exec["command"]) : undefined,
    handle: launched ? textOrUndefined(words[0]) : undefined,
  };
}

/** True for a user entry that names the session, or that follows the active one and may act as this session. */
export function actsAs(user: OwnUser, session: Pick<Session, "name" | "apiHost" | "issuer">): boolean {
  const { session: pinned = session.name, activeFor } = user;
  if (pinned !== session.name) return false;
  return activeFor === undefined ? user.session !== undefined : matchesServer(session, activeFor);
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * What to remove with a session: its user entries, but not those of a session that had its name at another server;
 * their contexts, because kubectl asks for a password when a context's user is gone; their clusters with a name
 * that we give (`datum-…`) and no other use; and the current context if it is one of them.
 */
export function removalOfSession(
  kubeconfig: Kubeconfig,
  session: Pick<Session, "name" | "apiHost" | "issuer">,
): KubeconfigRemoval {
  const users = ownUsers(kubeconfig).filter((user) => user.session !== undefined && actsAs(user, session))
    .map((user) => user.name);
  const given = (name: unknown): name is string => typeof name === "string" && name.startsWith("datum-");
  const contexts = allEntries(kubeconfig, "contexts");
  const going = contexts.filter(({ fields }) => users.includes(String(fields["user"])));
  const stillUsed = new Set(
    contexts.filter((one) => !going.includes(one)).map(({ fields }) => fields["cluster"]),
  );
  const clusters = going.map(({ fields }) => fields["cluster"]).filter(given)
    .filter((name) => !stillUsed.has(name));
  const current = going.find(({ name }) => name === kubeconfig.currentContext)?.name;
  return {
    users: [...new Set(users)],
    contexts: [...new Set(going.map(({ name }) => name))],
    clusters: [...new Set(clusters)],
    currentContext: current,
  };
}

/** An edit, or a function that makes one from the files' content when they can be changed. */
export type EditSource =
  | KubeconfigEdit
  | ((kubeconfig: Kubeconfig) => KubeconfigEdit | Promise<KubeconfigEdit>);

/** One file to change. */
export interface KubeconfigChange {
  readonly path: string;
  readonly before: Uint8Array | undefined;
  readonly after: string;
}

/** One edit per file: an entry changes where it is; a new entry and the current context go to the default file. */
function changedFiles(kubeconfig: Kubeconfig, edit: KubeconfigEdit): KubeconfigChange[] {
  const { files } = kubeconfig;
  const home = files.find((file) => file.bytes !== undefined) ?? files.at(-1);
  return files.flatMap((file) => {
    const mine = (list: ListName) => ({ name }: { readonly name: string }) =>
      (entryNamed(kubeconfig, list, name)?.file ?? home) === file;
    const text = editKubeconfig(file.config, {
      clusters: edit.clusters?.filter(mine("clusters")),
      users: edit.users?.filter(mine("users")),
      contexts: edit.contexts?.filter(mine("contexts")),
      currentContext: file === home ? edit.currentContext : undefined,
      remove: edit.remove,
    });
    if (text === file.config.text) return [];
    return [{ path: file.path, before: file.bytes, after: text }];
  });
}

// A program that ignores the lock can change a file meanwhile, but not for ever.
const ATTEMPTS = 3;

/**
 * Changes the files, each under kubectl's lock, and returns those that changed; none when everything is as wanted
 * already. With `absent: "leave"`, as for a removal, no file, lock or folder is created.
 *
 * @throws {AppError} `BUSY` when another program holds its lock for longer than `lockWait` milliseconds (5,000),
 * `STORAGE`, `KUBECONFIG`, `INTERRUPTED`; the named file is then unchanged.
 */
export async function updateKubeconfig(
  paths: readonly string[],
  edit: EditSource,
  options: { readonly lockWait?: number; readonly absent?: "make" | "leave" } = {},
): Promise<readonly KubeconfigChange[]> {
  const present: string[] = [];
  for (const path of paths) if (await readSharedFile(path) !== undefined) present.push(path);
  const last = options.absent === "leave" ? undefined : paths.at(-1);
  const toLock = present.length === 0 && last !== undefined ? [last] : present;
  if (toLock.length === 0) return [];
  return await lockingSharedFiles(toLock, async (signal) => {
    const done: KubeconfigChange[] = [];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const kubeconfig = await loadKubeconfig(paths);
      const changes = changedFiles(kubeconfig, typeof edit === "function" ? await edit(kubeconfig) : edit);
      let stale: string | undefined;
      for (const change of changes) {
        const after = new TextEncoder().encode(change.after);
        if (await replaceSharedFile(change.path, change.before, after, signal) === "changed") {
          stale = change.path;
          break;
        }
        done.push(change);
      }
      if (stale === undefined) return done;
      if (attempt === ATTEMPTS) {
        throw new AppError("BUSY", `Another program keeps changing ${printable(stale)} without its lock.`, {
          hint: "Run the same command again when it is done.",
        });
      }
    }
    return done;
  }, options.lockWait);
}

/** What {@link updateKubeconfig} would change, as unified diffs without secrets. Takes no lock and writes nothing. */
export async function previewKubeconfig(paths: readonly string[], edit: EditSource): Promise<string> {
  const kubeconfig = await loadKubeconfig(paths);
  const wanted = typeof edit === "function" ? await edit(kubeconfig) : edit;
  return changedFiles(kubeconfig, wanted).map((change) => {
    const before = withoutSecrets(decode(change.before, change.path));
    const path = printable(change.path);
    const names = { before: change.before === undefined ? "/dev/null" : path, after: path };
    return presentable(unifiedDiff(before, withoutSecrets(change.after), names));
  }).join("");
}

/** A diff without the characters that control a terminal. */
function presentable(diff: string): string {
  return diff.split("\n").map((line) => {
    const indent = /^[-+@ ]? */.exec(line)?.[0] ?? "";
    return indent + printable(line.slice(indent.length), 4_000);
  }).join("\n");
}
