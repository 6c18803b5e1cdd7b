/** A loopback address that leads to the issuer's once: what a browser is started with stands in every process list. */

import * as oauth from "oauth4webapi";
import { strayPage } from "./result-page.ts";

/** An address that works once. */
export interface OneTimeAddress {
  readonly url: string;
  /** Answers a request for it; undefined for a request for anything else. */
  handle(request: Request): Promise<Response> | undefined;
}

/**
 * Makes an address below the origin of a loopback listener that redirects to `target` once. Whoever comes later gets a
 * page; `again` is called the first time that happens.
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
