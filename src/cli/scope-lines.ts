/** Describes what a command acts on, for `ctx` and `whoami`. */

import { impersonationLabel, impersonationOf } from "../kube/impersonation.ts";
import { printable } from "../text.ts";
import { originOf } from "../sessions/server-origin.ts";
import type { Session } from "../sessions/session.ts";
import type { CommandContext } from "./context.ts";
import type { ChosenScope } from "../providers/datum/scope.ts";

/** What is acted on: as lines for people, as an object for programs, and by name. */
export function describeScope(scope: ChosenScope | undefined, { apiHost }: Pick<Session, "apiHost">): {
  readonly lines: readonly (readonly [title: string, value: string])[];
  readonly object: Readonly<Record<string, string | boolean | null | undefined>>;
  readonly name: string;
  /** The host that a command would ask. */
  readonly host: string;
} {
  const { organization, project, server, host = apiHost } = scopeParts(scope, apiHost);
  const platformWide = scope?.kind === "platform";
  const own = scope?.kind === "user";
  const actingAs = othersName(scope);
  return {
    lines: [
      ...(organization === undefined ? [] : [["Organization", organization] as const]),
      ...(project === undefined ? [] : [["Project", project] as const]),
      ...(platformWide ? [["Platform", "all of it"] as const] : []),
      ...(own ? [["Control plane", "the signed-in user's own"] as const] : []),
      ...(server === undefined ? [] : [["API server", server] as const]),
      ...(actingAs === undefined ? [] : [["Acting as", actingAs] as const]),
      ...(scope === undefined ? [] : [["Set by", scope.source] as const]),
    ],
    object: {
      organization: organization ?? null,
      project: project ?? null,
      platformWide,
      own,
      server: server ?? null,
      actingAs,
      scopeSource: scope?.source ?? null,
    },
    name: platformWide
      ? "platform"
      : own
      ? "own"
      : [organization, project].filter((one) => one !== undefined).join("/") || (server ?? ""),
    host,
  };
}

/** Whom a context's own user entry makes commands act as; what is wrong with it, those commands tell. */
function othersName(scope: ChosenScope | undefined): string | undefined {
  if (scope?.kind !== "context") return undefined;
  try {
    const impersonation = impersonationOf({}, scope.user);
    return impersonation && impersonationLabel(impersonation);
  } catch {
    return undefined;
  }
}

/** The parts of what is acted on. */
export function scopeParts(scope: ChosenScope | undefined, apiHost: string): {
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  /** The address, when it is another server than the session's own or no control plane. */
  readonly server?: string | undefined;
  readonly host?: string | undefined;
} {
  if (scope === undefined || scope.kind === "platform" || scope.kind === "user") return {};
  if (scope.kind !== "context") {
    return scope.kind === "project"
      ? { organization: scope.organization, project: scope.id }
      : { organization: scope.id };
  }
  const address = scope.context.server ?? "";
  const host = originOf(address)?.replace(/^https:\/\//, "") ?? printable(address);
  const { scope: named } = scope;
  return {
    host,
    organization: named?.kind === "organization" ? named.id : undefined,
    project: named?.kind === "project" ? named.id : undefined,
    server: named === undefined || host !== apiHost ? printable(address) : undefined,
  };
}

/** Warns that the server in use gets no token, and why. */
export function warnOfRefusedScope({ out }: CommandContext, scope: ChosenScope | undefined): void {
  if (scope?.kind !== "context" || scope.refused === undefined) return;
  out.warn(`${scope.refused.message} ${scope.refused.hint ?? ""}`.trim());
}
