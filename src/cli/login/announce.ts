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
export async function nextCommand({ providers }: CommandContext, session: Session): Promise<string> {
  return (await providers.of(session).load()).nextCommand();
}

/** Tells that command, and what helps with it. */
export async function tellNext({ out, providers }: CommandContext, session: Session): Promise<void> {
  const { nextCommand, nextHelp } = await providers.of(session).load();
  out.info(`Next: ${nextCommand()}${nextHelp === undefined ? "" : `\n${nextHelp}`}`);
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
