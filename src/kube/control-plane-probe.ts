/** Owns the question which of its names a Datum API serves control planes under. */

import type { Fetch } from "../system/network.ts";
import { requestApi } from "./api-request.ts";
import type { CheckBounds } from "./identity-check.ts";

/**
 * The first of some groups with version that the API serves; undefined when it does not say. Never fails: this is
 * asked for comfort, and asked again where it matters.
 */
export async function servedApi<Api extends string>(
  fetch: Fetch,
  apiHost: string,
  apis: readonly Api[],
  token: string,
  bounds: CheckBounds,
): Promise<Api | undefined> {
  for (const api of apis) {
    try {
      const { status, json } = await requestApi(fetch, {
        ...bounds,
        url: `https://${apiHost}/apis/${api}`,
        token,
      });
      if (status === 200 && json?.kind === "APIResourceList") return api;
    } catch {
      return undefined;
    }
  }
  return undefined;
}
