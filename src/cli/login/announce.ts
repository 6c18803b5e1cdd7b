/** Owns what is said after a sign-in of any kind: how it is kept, its name, and what comes next. */

import { servedApi } from "../../kube/control-plane-probe.ts";
import type { HttpContext } from "../../http/bounded.ts";
import { limitHttp } from "../../http/open.ts";
import { CONTROL_PLANE_APIS } from "../../providers/datum/hosts.ts";
import type { Session } from "../../sessions/session.ts";
import { defaultSessionName } from "../../sessions/name.ts";
import { type CommandContext, requestLimits } from "../context.ts";

/** Says the session's name where nobody would guess it: `label` is what usually stands before the `@`. */
export function tellName({ out }: CommandContext, session: Session, label: string): void {
  if (session.name !== defaultSessionName(label, session.apiHost)) out.info(`Session: ${session.name}`);
}

/** The one command that fits after a sign-in. */
export function nextCommand({ provider }: Session): string {
  if (provider === "cloudfleet") return "datumctl clusters list";
  const target = provider === "datum" ? "--project PROJECT_ID" : "--server https://API_SERVER";
  return `datumctl auth update-kubeconfig ${target}`;
}

/** Tells that command, and where the ID in it is found. */
export function tellNext({ out }: CommandContext, session: Session): void {
  const where = session.provider === "datum"
    ? "\nTo see the projects and their IDs: datumctl projects list"
    : "";
  out.info(`Next: ${nextCommand(session)}${where}`);
}

/** In milliseconds; nobody who has signed in already waits for comfort any longer. */
const LONGEST_QUESTION_MS = 5_000;

/** Asks, for comfort, under which group this Datum serves control planes. */
export async function learnControlPlanes(
  cli: CommandContext,
  session: Session,
  accessToken: string,
  fetch: HttpContext["fetch"],
): Promise<void> {
  const requestTimeout = Math.min(LONGEST_QUESTION_MS, cli.requestTimeout);
  const flow = { timeout: requestTimeout, late: session.apiHost, interrupted: cli.interrupted };
  using http = limitHttp({ fetch, now: cli.now }, flow);
  const limits = requestLimits({ ...cli, requestTimeout, interrupted: http.signal });
  const api = session.controlPlaneApi ??
    await servedApi(fetch, session.apiHost, CONTROL_PLANE_APIS, accessToken, limits);
  if (api !== undefined && api !== session.controlPlaneApi) {
    await cli.store.update(session.name, (now) => ({ ...now, controlPlaneApi: api }));
  }
}
