/** Asks a server for its time. */

import { failureOrThrow } from "../errors.ts";
import { hostOf } from "../http/address.ts";
import type { HttpContext } from "../http/bounded.ts";
import { issuerFetch, serverDateOf } from "./issuer-request.ts";

/** The time at a server. */
export interface ServerTime {
  /** Host and port. */
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly date: number;
}

/** In milliseconds; only used to explain a failure, so it is short. */
const LONGEST_QUESTION_MS = 3_000;

/**
 * The time at a server, from the `Date` of its answer to an anonymous request (RFC 9110, 6.6.1); undefined when it
 * does not answer soon, or without one.
 *
 * @param server a URL of it; nothing secret is sent there.
 * @throws {AppError} `INTERRUPTED`.
 */
export async function askServerTime(http: HttpContext, server: string): Promise<ServerTime | undefined> {
  let date: number | undefined;
  const dated: HttpContext = {
    ...http,
    requestTimeout: Math.min(LONGEST_QUESTION_MS, http.requestTimeout ?? LONGEST_QUESTION_MS),
    // Read here, because the Date of a refusal is as good as any, and a refusal comes as an error.
    fetch: async (input, init) => {
      const response = await http.fetch(input, init);
      // A cached answer has an older time. RFC 9111, 5.1.
      date = response.headers.has("age") ? undefined : serverDateOf(response);
      return response;
    },
  };
  try {
    await issuerFetch(dated, "Cannot ask for the time")(server, { method: "HEAD" });
  } catch (thrown) {
    failureOrThrow(thrown);
  }
  return date === undefined ? undefined : { host: hostOf(server), date };
}
