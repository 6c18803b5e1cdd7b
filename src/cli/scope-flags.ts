/** The flags that say what a command acts on. */

import type { Option } from "@commander-js/extra-typings";
import type { ScopeFlags } from "../providers/datum/scope.ts";
import { repeated } from "./repeated.ts";
import { valueOption } from "./complete/declare.ts";
import type { KindName } from "./complete/kinds.ts";

/** By the name of their value, with what completes it; each excludes the others. */
const FLAGS = {
  organization: ["organization", "--organization <id>", "act on this organization (env: DATUM_ORGANIZATION)"],
  project: ["project", "--project <id>", "act on this project (env: DATUM_PROJECT)"],
  platformWide: ["nothing", "--platform-wide", "act on the platform itself"],
  own: ["nothing", "--own", "act on the control plane of the signed-in user"],
  cluster: ["cluster", "--cluster <id>", "act on this cluster of Cloudfleet"],
  context: ["context", "--context <name>", "act on the server of this context of the kubeconfig"],
} as const satisfies Partial<
  Record<keyof ScopeFlags, readonly [kind: KindName, flag: string, description: string]>
>;

/** Their titles in help. */
const WHERE = "Where to act";
const AS_WHOM = "As another user";

/**
 * Adds the flags of {@link ScopeFlags} to a command; without `cluster`, those that say where without a request; without
 * `impersonation`, those that do not say as whom.
 */
export function addScopeFlags(
  command: { addOption(option: Option): unknown },
  { namespace = false, cluster = true, impersonation = true }: {
    readonly namespace?: boolean;
    readonly cluster?: boolean;
    readonly impersonation?: boolean;
  } = {},
): void {
  const offered = Object.entries(FLAGS).filter(([name]) => cluster || name !== "cluster");
  offered.forEach(([, [kind, flag, description]], at) => {
    const later = offered.slice(at + 1).map(([name]) => name);
    command.addOption(valueOption(kind, flag, description).conflicts(later).helpGroup(WHERE));
  });
  if (namespace) {
    command.addOption(
      valueOption("namespace", "-n, --namespace <name>", "namespace (default: default)").helpGroup(WHERE),
    );
  }
  if (impersonation) addImpersonationFlags(command);
}

/** Adds the flags of {@link ImpersonationFlags}, in kubectl's words. */
function addImpersonationFlags(command: { addOption(option: Option): unknown }): void {
  const add = (option: Option) => command.addOption(option.helpGroup(AS_WHOM));
  const several = (flag: string, description: string) =>
    valueOption("nothing", flag, description).argParser(repeated);
  add(valueOption("nothing", "--as <user>", "ask as this user, or as system:serviceaccount:NAMESPACE:NAME"));
  add(several("--as-group <group>", "with --as: as a member of this group; repeatable"));
  add(valueOption("nothing", "--as-uid <uid>", "with --as: with this uid"));
  add(several("--as-user-extra <name=value>", "with --as: with this extra; repeatable"));
}

/** The values of {@link addScopeFlags}. */
export function scopeFlags(command: { opts(): unknown }): ScopeFlags {
  const { organization, project, platformWide, own, cluster, context, namespace, ...rest } = command
    .opts() as ScopeFlags;
  const { as, asGroup, asUid, asUserExtra } = rest;
  return {
    ...{ organization, project, platformWide, own, cluster, context, namespace },
    ...{ as, asGroup, asUid, asUserExtra },
  };
}
