/** `api-versions`: the groups and versions that a control plane serves. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { printable } from "../text.ts";
import { openDiscovery } from "../kube/cached-discovery.ts";
import { type DiscoverySource, groupVersionOf, refuseIncomplete } from "../kube/discovery.ts";
import type { ContextOf, Output } from "./context.ts";
import { openControlPlane } from "./control-plane.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";

/** `api-versions`. */
export function apiVersionsCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("api-versions")
    .description("List the API groups and versions of the control plane in use")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl api-versions\n  datumctl api-versions --project my-project-id",
    );
  addScopeFlags(command);
  command.action(async () => {
    const given = contextOf(command);
    using plane = await openControlPlane(given, scopeFlags(command));
    await runApiVersions(given.out, await openDiscovery(given, plane));
  });
  return command;
}

/**
 * Prints every group with its versions.
 *
 * @throws {AppError} `INCOMPLETE`, after printing, when the server answered at one of its roots only
 */
export async function runApiVersions(out: Output, source: DiscoverySource): Promise<void> {
  const discovery = await source.read({ fresh: true });
  const versions = discovery.groups.flatMap(({ name, versions }) =>
    versions.map((version) => printable(groupVersionOf(name, version)))
  );
  out.text(versions.sort().map((version) => `${version}\n`).join(""));
  const missing = discovery.missing.filter(({ part }) => part.startsWith("/"));
  refuseIncomplete(source, { ...discovery, missing });
}
