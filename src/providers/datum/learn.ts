/** Learns under which API group a Datum serves control planes. */

import type { HttpContext } from "../../http/bounded.ts";
import { limitHttp } from "../../http/open.ts";
import { servedApi } from "../../kube/control-plane-probe.ts";
import type { Session } from "../../sessions/session.ts";
import { type ProviderContext, requestLimits } from "../context.ts";
import { CONTROL_PLANE_APIS } from "./facts.ts";

/** In milliseconds: the sign-in is done, and later commands can ask, too. */
const LONGEST_QUESTION_MS = 5_000;

/** Best effort: stores with the session which API group serves control planes. */
export async function learnControlPlanes(
  context: ProviderContext,
  session: Session,
  accessToken: string,
  fetch: HttpContext["fetch"],
): Promise<void> {
  const requestTimeout = Math.min(LONGEST_QUESTION_MS, context.requestTimeout);
  const flow = { timeout: requestTimeout, onTimeout: session.apiHost, interrupted: context.interrupted };
  using http = limitHttp({ fetch, now: context.now }, flow);
  const limits = requestLimits({ ...context, requestTimeout, interrupted: http.signal });
  const api = session.controlPlaneApi ??
    await servedApi(fetch, session.apiHost, CONTROL_PLANE_APIS, accessToken, limits);
  if (api !== undefined && api !== session.controlPlaneApi) {
    await context.store.update(session.name, () => ({ controlPlaneApi: api }));
  }
}
