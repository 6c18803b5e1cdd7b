/** The variables of a program that acts where a command does: the person's, without credentials, and the vendor's. */

import type { ControlPlane } from "../providers/datum/control-plane.ts";
import { hasControlPlanes } from "../providers/datum/facts.ts";
import { scopeParts } from "./scope-lines.ts";

/** Credentials, and what kubectl tells a plugin: neither is for a program that is given a session. */
const WITHHELD =
  /^(?:DATUMCTL_TOKEN|DATUMCTL_CREDENTIALS_FILE|CLOUDFLEET_ACCESS_TOKEN_.*|KUBERNETES_EXEC_INFO)$/i;

/** Ours, which would win over the vendor's and may name another session or target. */
const REPLACED = /^(?:DATUMCTL_PROFILE|DATUM_ORGANIZATION|DATUM_ORG|DATUM_PROJECT)$/i;

/**
 * The variables of a child that acts on a control plane as its session.
 *
 * @param all the person's whole environment
 * @param helper the program that prints a token of the session: this one
 */
export function childVariables(
  all: Readonly<Record<string, string>>,
  { session, target }: Pick<ControlPlane, "session" | "target">,
  helper: string,
): Record<string, string> {
  const kept = Object.entries(all).filter(([name]) => !WITHHELD.test(name) && !REPLACED.test(name));
  const { organization, project } = target.kind === "cluster" ? {} : scopeParts(target, session.apiHost);
  const vendors = {
    DATUM_ORG: organization,
    DATUM_PROJECT: project,
    DATUM_API_HOST: hasControlPlanes(session) ? session.apiHost : undefined,
    DATUM_SESSION: session.name,
    DATUM_PLUGIN_API_VERSION: "1",
    DATUM_CREDENTIALS_HELPER: helper,
  };
  const given = Object.entries(vendors).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]]
  );
  return Object.fromEntries([...kept, ...given]);
}
