/** Our kubeconfig entries: the user's name, the exec section, and how the three entries belong together. */

import { AppError } from "../errors.ts";
import { ENTRY_WRITER } from "../hints.ts";
import { printable } from "../text.ts";
import { entryNamed, type Kubeconfig, ownUsers } from "./file.ts";
import type { ExecEntry, KubeconfigEdit, TokenFileUserEdit, UserEdit } from "./edit.ts";
import { type EntryIdentity, userName } from "./identity.ts";
import { namedEntries } from "./text.ts";

/** The user of an entry. */
function userEdit(options: EntryOptions): UserEdit | TokenFileUserEdit {
  const { session, activeFor, tokenFile } = options.identity;
  const name = userName(options.identity);
  return tokenFile === undefined
    ? { name, exec: execEntry(options) }
    : { name, tokenFile, owner: { session, activeFor } };
}

/** The parts of an exec section. */
export interface ExecOptions {
  /** The program to run, by a path that survives an upgrade. */
  readonly command: string;
  readonly identity: EntryIdentity;
  /** The launcher's first argument, where the program is the launcher. */
  readonly handle?: string | undefined;
  /** `IfAvailable` by default. */
  readonly interactiveMode?: ExecEntry["interactiveMode"] | undefined;
  /** Set only when a person chose; otherwise the session decides. */
  readonly token?: "access" | "id" | undefined;
  /** False when kubectl cannot tell its plugin which server asks; see `tooLargeToTell`. */
  readonly provideClusterInfo?: boolean | undefined;
  /** The command that writes this entry again; by default, a line that shows how. */
  readonly writtenBy?: string | undefined;
}

/** The exec section: client.authentication.k8s.io/v1, as the Kubernetes authentication documentation has it. */
export function execEntry(
  {
    command,
    identity,
    handle,
    interactiveMode = "IfAvailable",
    token,
    provideClusterInfo = true,
    writtenBy = ENTRY_WRITER,
  }: ExecOptions,
): ExecEntry {
  return {
    apiVersion: "client.authentication.k8s.io/v1",
    command,
    args: [
      ...(handle === undefined ? [] : [handle]),
      "auth",
      "get-token",
      "--output=client.authentication.k8s.io/v1",
      ...(identity.session === undefined ? [] : [`--session=${identity.session}`]),
      ...(identity.activeFor === undefined ? [] : [`--active-for=${identity.activeFor}`]),
      ...(identity.session === undefined || !identity.clientId ? [] : [`--client-id=${identity.clientId}`]),
      ...(token === undefined ? [] : [`--token=${token}`]),
    ],
    interactiveMode,
    provideClusterInfo,
    installHint: "kubectl signs in with datumctl here: install it. " +
      `If it is installed elsewhere, write this entry again: ${writtenBy}`,
    env: null,
  };
}

/** All options of one `update-kubeconfig`. */
export interface EntryOptions extends ExecOptions {
  /** The name of the cluster entry. */
  readonly cluster: string;
  /** Without it, the cluster entry exists already and stays as it is. */
  readonly server?: string | undefined;
  readonly context: string;
  /** PEM. Without it, an authority of the cluster entry is removed. */
  readonly certificateAuthority?: string | undefined;
  /** Makes the context the current one. */
  readonly switchTo: boolean;
}

/**
 * Refuses to move an existing cluster entry to another host: contexts that use it would send their tokens to a
 * server that nobody chose. Different targets can have the same name, such as the project `web` at
 * `api.example.com` and a project `web-api.example.com` at the default host.
 *
 * @throws {AppError} `KUBECONFIG`, naming both servers.
 */
export function checkClusterHost(kubeconfig: Kubeconfig, cluster: string, server: string): void {
  const entry = entryNamed(kubeconfig, "clusters", cluster);
  const before = entry?.fields["server"];
  if (entry === undefined || typeof before !== "string" || before === "") return;
  if (URL.canParse(before) && new URL(before).origin === new URL(server).origin) return;
  throw new AppError(
    "KUBECONFIG",
    `The cluster entry ${cluster} in ${printable(entry.file.path)} points to ${
      printable(withoutUser(before))
    }; contexts ` +
      `that use it would then point to ${server}. It was left as it is.`,
    {
      hint: "Write this one to a file of its own (--kubeconfig PATH); or, if the old entry is not needed, " +
        `remove it first: kubectl config delete-cluster ${cluster}`,
    },
  );
}

/** An address without the user, password and query that it may contain. */
function withoutUser(address: string): string {
  return address.replace(/^([^/]*\/*)[^/]*@/, "$1…@").replace(/[?#][^]*$/, "");
}

/**
 * Refuses to take over another session's user entry, whose contexts would then act as this one. Different sessions
 * can have the same entry name: a session `work` at `api.example.com`, and one that is named
 * `work@api.example.com`.
 *
 * @throws {AppError} `KUBECONFIG` when the entry belongs to another session.
 */
export function checkUserEntry(kubeconfig: Kubeconfig, identity: EntryIdentity): void {
  const name = userName(identity);
  const taken = ownUsers(kubeconfig).find((user) =>
    user.name === name && (user.session !== identity.session ||
      // An entry that runs the plugin is never one of a token file.
      (user.tokenFile === undefined) !== (identity.tokenFile === undefined))
  );
  if (taken === undefined) return;
  const whose = taken.session === undefined
    ? "the active session"
    : `the session "${printable(taken.session)}"`;
  throw new AppError("KUBECONFIG", `The user entry ${name} acts as ${whose}. It was left as it is.`, {
    hint: "Write this one to a file of its own (--kubeconfig PATH); or, if the old entry is not needed, " +
      `remove it first: kubectl config delete-user ${name}`,
  });
}

/** The other contexts that use the same user entry, if that changes. */
export function contextsChangedAlong(kubeconfig: Kubeconfig, options: EntryOptions): string[] {
  const user = userName(options.identity);
  const before = entryNamed(kubeconfig, "users", user)?.fields;
  const now = userEdit(options);
  const same = "exec" in now
    ? settings(before?.["exec"]) === settings(now.exec)
    : before?.["tokenFile"] === now.tokenFile;
  if (before === undefined || same) return [];
  const contexts = kubeconfig.files.flatMap(({ config }) => namedEntries(config, "contexts"))
    .filter(({ name, fields }) => name !== options.context && fields["user"] === user);
  return [...new Set(contexts.map(({ name }) => name))];
}

function settings(exec: unknown): string {
  const { command, args, interactiveMode }: Readonly<Record<string, unknown>> = Object(exec);
  return [command, interactiveMode, ...Array.isArray(args) ? args : []].join("\0");
}

/** The edit that adds or updates cluster, user and context. */
export function entryEdit(options: EntryOptions): KubeconfigEdit {
  const { cluster, server, context, certificateAuthority, switchTo } = options;
  const user = userName(options.identity);
  return {
    clusters: server === undefined ? undefined : [{
      name: cluster,
      server,
      certificateAuthorityData: certificateAuthority === undefined ? null : base64(certificateAuthority),
    }],
    users: [userEdit(options)],
    contexts: [{ name: context, cluster, user }],
    currentContext: switchTo ? context : undefined,
  };
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
