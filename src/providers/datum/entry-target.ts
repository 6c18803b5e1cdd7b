/** What a kubeconfig entry leads to at a Datum: a control plane; and the tokens that one is shown. */

import { AppError } from "../../errors.ts";
import type { EntryTarget } from "../../kubeconfig/target.ts";
import { preferredKind } from "../../sessions/fresh-token.ts";
import type { SessionProviders } from "../../sessions/providers.ts";
import type { Session } from "../../sessions/session.ts";
import type { TokenKind } from "../../sessions/token.ts";
import { SAME_COMMAND } from "../../system/network.ts";
import { CONTROL_PLANE_APIS, type ControlPlaneApi, hasControlPlanes, learnedApi } from "./facts.ts";
import { parseHost } from "../host.ts";
import { controlPlaneName, controlPlaneUrl, type Scope } from "./control-plane-address.ts";

/**
 * The control plane of an organization or project, at the session's API host unless `hostname` names another.
 *
 * @throws {AppError} `USAGE` for a session of another provider
 */
export function controlPlaneTarget(
  providers: Pick<SessionProviders, "trustLine">,
  scope: Scope,
  session: Session,
  hostname?: string | undefined,
): EntryTarget {
  if (!hasControlPlanes(session)) {
    throw new AppError(
      "USAGE",
      `--${scope.kind} is for the provider datum, but the session "${session.name}" belongs to the provider ${session.provider}.`,
      { hint: "Use an API server (--server URL) or a cluster in the kubeconfig (--cluster NAME)." },
    );
  }
  const apiHost = hostname === undefined ? session.apiHost : parseHost(hostname, "--hostname");
  const name = controlPlaneName(apiHost, scope);
  const addressOf = (api: ControlPlaneApi) => ({ url: controlPlaneUrl(apiHost, scope, api), api });
  const known = learnedApi(session) ?? CONTROL_PLANE_APIS[0];
  const others = CONTROL_PLANE_APIS.filter((api) => api !== known);
  return {
    what: `the ${scope.kind} "${scope.id}"`,
    kind: "control-plane",
    scope,
    cluster: name,
    written: true,
    context: name,
    apiHost,
    addresses: [addressOf(known), ...others.map(addressOf)],
    authorities: [session.certificateAuthority],
    trust: apiHost === session.apiHost ? () => providers.trustLine(session) : SAME_COMMAND,
  };
}

/**
 * The tokens that a server is shown unasked, in their order. An access token is meant for the issuer's own APIs, which
 * those of a Datum are; any other API server is shown one only when a flag says so.
 */
export function offeredTokens({ provider, kind }: Session): readonly [TokenKind, ...TokenKind[]] {
  return provider.kubernetes === "own" ? ["access", "id"] : [preferredKind({ provider, kind })];
}
