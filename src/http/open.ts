/** Opens the network for one flow, whose whole time is limited. */

import type { AppError } from "../errors.ts";
import { boundedSignal } from "../system/clock.ts";
import type { Host } from "../system/host.ts";
import { openNetwork as openSystemNetwork, type Trust } from "../system/network.ts";
import { type HttpContext, noAnswer } from "./bounded.ts";

/** What limits one flow. */
export interface FlowLimits {
  /** How long the whole flow may take, in milliseconds. */
  readonly timeout: number;
  /** The host to blame when the time runs out, or the error to throw. */
  readonly onTimeout: string | (() => AppError);
  /** Ends the flow before its time. */
  readonly interrupted?: AbortSignal | undefined;
  readonly requestTimeout?: HttpContext["requestTimeout"] | undefined;
}

/** How one flow's network is opened. */
export interface HttpOptions extends FlowLimits {
  /** PEM; trusted beside the system's authorities. */
  readonly certificateAuthority: string | undefined;
  /** What makes this flow trust an authority, for the hint. */
  readonly trust?: Trust | undefined;
  readonly log?: HttpContext["log"] | undefined;
}

/** A flow's context until it is disposed of. */
export interface OpenHttp extends HttpContext, Disposable {}

/** Opens the network and begins the flow's time. */
export function openHttp(
  { now, openNetwork = openSystemNetwork }: Pick<Host, "now" | "openNetwork">,
  { certificateAuthority, trust, log, ...limits }: HttpOptions,
): OpenHttp {
  const network = openNetwork(certificateAuthority, trust);
  const http = limitHttp({ fetch: network.fetch, now, log }, limits);
  return {
    ...http,
    [Symbol.dispose]() {
      http[Symbol.dispose]();
      network[Symbol.dispose]();
    },
  };
}

/** The same connections for a flow with limits of its own: those of the first may be over. */
export function limitHttp(
  { fetch, now, log }: Pick<HttpContext, "fetch" | "now" | "log">,
  { timeout, onTimeout, interrupted, requestTimeout }: FlowLimits,
): OpenHttp {
  const timedOut = () => typeof onTimeout === "string" ? noAnswer(onTimeout) : onTimeout();
  const limit = boundedSignal(timeout, timedOut, interrupted);
  return {
    fetch,
    now,
    log,
    signal: limit.signal,
    deadline: now() + timeout,
    requestTimeout,
    [Symbol.dispose]: () => limit[Symbol.dispose](),
  };
}
