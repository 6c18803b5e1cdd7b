/** The facts of Datum Cloud that its sessions carry. */

import type { Session } from "../../sessions/session.ts";
import { providerNamed } from "../kinds.ts";

/** Groups and versions under which control planes are served, the running service's first. */
export const CONTROL_PLANE_APIS = [
  "resourcemanager.miloapis.com/v1alpha1",
  "resourcemanager.datumapis.com/v1alpha",
] as const;

/** One of {@link CONTROL_PLANE_APIS}. */
export type ControlPlaneApi = typeof CONTROL_PLANE_APIS[number];

/** The facts. */
export const DATUM = providerNamed("datum", {
  title: "Datum Cloud",
  kubernetes: "own",
  personToken: "access",
  controlPlaneApis: CONTROL_PLANE_APIS,
  choosesClient: true,
  selfConfigured: false,
});

/** True for a session at a Datum, which has organizations and projects, each with a control plane. */
export function hasControlPlanes({ provider }: Pick<Session, "provider">): boolean {
  return provider === DATUM;
}

/** Under which API a session's Datum serves control planes, as an earlier command learned it. */
export function learnedApi(
  { controlPlaneApi }: Pick<Session, "controlPlaneApi">,
): ControlPlaneApi | undefined {
  return CONTROL_PLANE_APIS.find((api) => api === controlPlaneApi);
}

/** True for what can be the id of an organization or project: a Kubernetes name (RFC 1123 labels and subdomains). */
export function isScopeId(id: string): boolean {
  return id.length <= 253 &&
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(id);
}
