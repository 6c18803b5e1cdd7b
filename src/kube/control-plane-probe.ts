/** Finds which of two names of an API group a Datum uses. */

import { openApiClient, type RequestLimits } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import type { Fetch } from "../system/network.ts";
import { KUBERNETES_REFUSALS } from "./refusal.ts";

/**
 * The first of some groups with versions that the API serves; undefined when it does not say. Never fails, because
 * the answer is only a convenience here and is asked again when it matters.
 */
export async function servedApi<Api extends string>(
  fetch: Fetch,
  apiHost: string,
  apis: readonly Api[],
  token: string,
  limits: RequestLimits,
): Promise<Api | undefined> {
  const client = openApiClient({
    ...limits,
    baseUrl: `https://${apiHost}`,
    what: apiHost,
    who: "the session",
    refusals: KUBERNETES_REFUSALS,
    fetch,
    token: () => Promise.resolve(token),
  });
  for (const api of apis) {
    try {
      if ((await client.get(`/apis/${api}`)).kind === "APIResourceList") return api;
    } catch (thrown) {
      // Only "not found" is a reason to ask for the next one.
      if (!(thrown instanceof AppError && thrown.code === "NOT_FOUND")) return undefined;
    }
  }
  return undefined;
}
