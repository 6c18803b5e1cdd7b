/**
 * A loopback address that redirects to the issuer once. The browser is started with it, because every process list
 * shows that address.
 */

import * as oauth from "oauth4webapi";
import { strayPage } from "./result-page.ts";

/** An address that works once. */
export interface OneTimeAddress {
  readonly url: string;
  /** Answers a request for it; undefined for another request. */
  handle(request: Request): Promise<Response> | undefined;
}

/**
 * Creates an address below the origin of a loopback listener that redirects to `target` once. Later requests get a
 * page, and `again` is called for the first of them.
 */
export function oneTimeAddress(origin: string, target: string, again: () => void): OneTimeAddress {
  const url = `${origin}/${oauth.generateRandomState()}`;
  const { pathname, host } = new URL(url);
  let asked = 0;
  return {
    url,
    handle(request) {
      const asks = new URL(request.url);
      if (asks.pathname !== pathname) return undefined;
      if (request.method !== "GET") return strayPage(405);
      if (asks.host !== host) return strayPage(421);
      asked += 1;
      if (asked === 2) again();
      return asked === 1 ? Promise.resolve(redirectTo(target)) : strayPage(410);
    },
  };
}

function redirectTo(location: string): Response {
  return new Response(null, {
    status: 302,
    headers: { location, "cache-control": "no-store", "referrer-policy": "no-referrer" },
  });
}
