/** The flags that say what a command acts on. */

import { Option } from "@commander-js/extra-typings";
import type { ScopeFlags } from "../providers/datum/scope.ts";

/** Adds the flags of {@link ScopeFlags} to a command. */
export function addScopeFlags(
  command: { addOption(option: Option): unknown },
  { namespace = false }: { readonly namespace?: boolean } = {},
): void {
  command.addOption(
    new Option("--organization <id>", "act on this organization (env: DATUM_ORGANIZATION)").conflicts([
      "project",
      "platformWide",
    ]),
  );
  command.addOption(
    new Option("--project <id>", "act on this project (env: DATUM_PROJECT)").conflicts("platformWide"),
  );
  command.addOption(new Option("--platform-wide", "act on the platform itself"));
  if (namespace) command.addOption(new Option("-n, --namespace <name>", "namespace (default: default)"));
}

/** The values of {@link addScopeFlags}. */
export function scopeFlags(command: { opts(): unknown }): ScopeFlags {
  const { organization, project, platformWide, namespace } = command.opts() as ScopeFlags;
  return { organization, project, platformWide, namespace };
}
