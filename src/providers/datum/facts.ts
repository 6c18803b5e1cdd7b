/** The facts of Datum Cloud, by which its sessions are known. */

import type { Session } from "../../sessions/session.ts";
import { providerNamed } from "../kinds.ts";

/** The facts. */
export const DATUM = providerNamed("datum", {
  title: "Datum Cloud",
  kubernetes: "own",
  personToken: "access",
  choosesClient: true,
  selfConfigured: false,
});

/** True for a session at a Datum, which has organizations and projects, each with a control plane. */
export function hasControlPlanes({ provider }: Pick<Session, "provider">): boolean {
  return provider === DATUM;
}
