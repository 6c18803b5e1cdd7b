/** A user entry of ours: its parts, the session that it acts as, and the line that writes it again. */

import { contextNamed, entryNamed, type Kubeconfig, type OwnUser } from "../../kubeconfig/file.ts";
import { controlPlaneName, scopeOfServer } from "../../providers/datum/control-plane-address.ts";
import { matchesServer } from "../../sessions/name.ts";
import type { Session } from "../../sessions/session.ts";
import { isRecord } from "../../splice/yaml-text.ts";
import { shellLine } from "../../text.ts";
import type { SessionFile } from "./stored.ts";

/** What is known of the sessions that entries name. */
export interface KnownSessions {
  readonly sessions: readonly SessionFile[];
  /** The name of the active session. */
  readonly active: string | undefined;
}

/** A user entry of ours. */
export interface OwnEntry {
  readonly kubeconfig: Kubeconfig;
  readonly user: OwnUser;
  readonly exec: Readonly<Record<string, unknown>> | undefined;
  /** One of its contexts: the line that writes the entry again names it. */
  readonly context: string | undefined;
  readonly known: KnownSessions;
}

/** The exec section of a user entry. */
export function execOf(
  kubeconfig: Kubeconfig,
  { name }: OwnUser,
): Readonly<Record<string, unknown>> | undefined {
  const exec = entryNamed(kubeconfig, "users", name)?.fields["exec"];
  return isRecord(exec) ? exec : undefined;
}

/** The interactive modes of client.authentication.k8s.io/v1. */
export const MODES: readonly unknown[] = ["Never", "IfAvailable", "Always"];

/**
 * The line that writes an entry as it is, for this program; undefined without a context whose cluster is
 * there.
 */
export function rewriteLine({ kubeconfig, user, context: name, exec, known }: OwnEntry): string | undefined {
  const context = name === undefined ? undefined : contextNamed(kubeconfig, name);
  if (context?.cluster === undefined || context.server === undefined) return undefined;
  const session = sessionOf(user, known);
  const scope = session?.provider.kubernetes === "own" ? scopeOfServer(context.server) : undefined;
  const host = URL.parse(context.server)?.host ?? "";
  const usual = scope !== undefined && controlPlaneName(host, scope) === context.name;
  const target = scope === undefined
    ? ["--cluster", context.cluster]
    : [`--${scope.kind}`, scope.id, ...host === session?.apiHost ? [] : ["--hostname", host]];
  const mode = exec?.["interactiveMode"];
  return shellLine([
    ...["datumctl", "auth", "update-kubeconfig", ...target],
    ...usual ? [] : ["--context", context.name],
    ...name === kubeconfig.currentContext ? [] : ["--no-switch"],
    ...user.launcher === undefined ? [] : ["--fast"],
    ...user.tokenFile === undefined ? [] : ["--token-file", user.tokenFile],
    ...typeof mode === "string" && mode !== "IfAvailable" && MODES.includes(mode)
      ? ["--exec-interactive-mode", mode]
      : [],
    ...tokenFlag(exec),
    ...user.session === undefined ? ["--follow-active"] : ["--profile", user.session],
  ]);
}

function tokenFlag(exec: OwnEntry["exec"]): string[] {
  const args = exec?.["args"];
  const kind = Array.isArray(args) ? /^--token=(access|id)$/m.exec(args.join("\n"))?.[1] : undefined;
  return kind === undefined ? [] : ["--token", kind];
}

/** The session that an entry acts as: the one that it names, else the active one. */
export function sessionOf(
  { session: name, activeFor }: OwnUser,
  { sessions, active }: KnownSessions,
): Session | undefined {
  const found = sessions.find(({ session }) => session.name === (name ?? active))?.session;
  return found !== undefined && activeFor !== undefined && !matchesServer(found, activeFor)
    ? undefined
    : found;
}
