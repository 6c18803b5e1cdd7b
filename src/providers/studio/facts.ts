/** The facts of DataChain Studio that its sessions carry. */

import type { Session } from "../../sessions/session.ts";
import { kindNamed, providerNamed } from "../kinds.ts";

/** A token that Studio gave for good: nothing renews it. */
export const STUDIO_TOKEN = kindNamed("studio", { person: false, tokens: "given", noun: "session" });

/** The facts. */
export const STUDIO = providerNamed("studio", {
  title: "DataChain Studio",
  kubernetes: "none",
  personToken: "access",
  controlPlaneApis: [],
  choosesClient: false,
  selfConfigured: false,
});

/** True for a session at Studio. */
export function isStudio({ kind }: Pick<Session, "kind">): boolean {
  return kind === STUDIO_TOKEN;
}
