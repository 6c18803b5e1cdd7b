/** The base URLs of control planes. */

import type { Session } from "../../sessions/session.ts";
import { controlPlaneUrl, type Scope, userControlPlaneUrl } from "./control-plane-address.ts";
import { type ControlPlaneApi, hasControlPlanes, learnedApi } from "./facts.ts";
import type { ChosenScope } from "./scope.ts";

/** The base URL of a control plane, under the API that serves it. */
export function baseUrlUnder(
  { apiHost, user }: Session,
  target: { readonly kind: "user" } | Scope,
  api: ControlPlaneApi,
): string {
  return target.kind === "user"
    ? userControlPlaneUrl(apiHost, user.subject)
    : controlPlaneUrl(apiHost, target, api);
}

/** The base URL of a target as far as the session's file tells it; undefined where a server has to be asked. */
export function baseUrlAtHand(session: Session, target: ChosenScope): string | undefined {
  if (target.kind === "context") return target.context.server?.replace(/\/+$/, "");
  if (!hasControlPlanes(session)) return undefined;
  if (target.kind === "platform") return `https://${session.apiHost}`;
  const api = learnedApi(session);
  return api && baseUrlUnder(session, target, api);
}
