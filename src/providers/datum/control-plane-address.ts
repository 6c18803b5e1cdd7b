/** Organizations and projects by their ids, and the addresses and names of their control planes. */

import { AppError } from "../../errors.ts";
import { pathSegment } from "../../http/address.ts";
import { printable } from "../../text.ts";
import { CONTROL_PLANE_APIS, type ControlPlaneApi, isScopeId } from "./facts.ts";

/** Its API host, whose kubeconfig entries carry no host in their names. */
export const DATUM_API_HOST = "api.datum.net";

/** An organization or a project, by its id. */
export interface Scope {
  readonly kind: "organization" | "project";
  readonly id: string;
}

/**
 * Checks an id as {@link isScopeId} does.
 *
 * @throws {AppError} `USAGE`
 */
export function checkedScope(kind: Scope["kind"], id: string): Scope {
  if (!isScopeId(id)) {
    throw new AppError(
      "USAGE",
      `"${printable(id, 80)}" cannot be the id of ${kind === "project" ? "a project" : "an organization"}.`,
      {
        hint: "Ids are lower-case letters, digits, '-' and '.', and begin and end with a letter or digit.",
      },
    );
  }
  return { kind, id };
}

/**
 * The name of a control plane's cluster and context: `datum-project-<id>`, with `-<host[:port]>` behind it for any
 * host but the default.
 *
 * @example
 * ```ts
 * import { controlPlaneName } from "./control-plane-address.ts";
 * console.assert(controlPlaneName("api.datum.net", { kind: "project", id: "web" }) === "datum-project-web");
 * console.assert(controlPlaneName("[::1]:8443", { kind: "project", id: "web" }) === "datum-project-web-[::1]:8443");
 * ```
 */
export function controlPlaneName(apiHost: string, { kind, id }: Scope): string {
  return apiHost === DATUM_API_HOST ? `datum-${kind}-${id}` : `datum-${kind}-${id}-${apiHost}`;
}

/** The base URL of a control plane: below it stands a complete Kubernetes API. */
export function controlPlaneUrl(apiHost: string, { kind, id }: Scope, api: ControlPlaneApi): string {
  return `https://${apiHost}/apis/${api}/${kind}s/${pathSegment(id)}/control-plane`;
}

/**
 * The base URL of a user's own control plane, where their memberships are; `subject` is the issuer's `sub`. Throws
 * `INVALID` for one that leads elsewhere.
 */
export function userControlPlaneUrl(apiHost: string, subject: string): string {
  return `https://${apiHost}/apis/iam.miloapis.com/v1alpha1/users/${pathSegment(subject)}/control-plane`;
}

/** The organization or project whose control plane stands at an address; undefined for any other address. */
export function scopeOfServer(server: string): Scope | undefined {
  for (const api of CONTROL_PLANE_APIS) {
    const [, kind, id = ""] =
      new RegExp(`/apis/${api}/(organization|project)s/([^/]+)/control-plane/?$`).exec(server) ??
        [];
    if (kind !== undefined && isScopeId(id)) return { kind: kind as Scope["kind"], id };
  }
  return undefined;
}
