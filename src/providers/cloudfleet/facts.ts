/** The facts of Cloudfleet that its sessions carry. */

import type { Session } from "../../sessions/session.ts";
import { kindNamed, providerNamed } from "../kinds.ts";

/** An API token of an organization. */
export const API_TOKEN = kindNamed("api-token", {
  person: false,
  tokens: "issued",
  noun: "profile",
});

/** The facts. */
export const CLOUDFLEET = providerNamed("cloudfleet", {
  title: "Cloudfleet",
  kubernetes: "named",
  personToken: "access",
  controlPlaneApis: [],
  choosesClient: false,
  selfConfigured: false,
});

/** True for one of Cloudfleet's profiles. */
export function isProfile({ provider }: Pick<Session, "provider">): boolean {
  return provider === CLOUDFLEET;
}

/** True for an API token. */
export function isApiToken({ kind }: Pick<Session, "kind">): boolean {
  return kind === API_TOKEN;
}
