/** Owns the short-lived HTTP listener on this machine that a browser is sent back to. */

import { AppError } from "../errors.ts";
import { fileFailure } from "./files.ts";

/** A listener that answers on a loopback address. */
export interface LoopbackListener {
  readonly hostname: string;
  readonly port: number;
  /** Stops listening once the answers under way were sent, at the latest after two seconds. */
  close(): Promise<void>;
}

/** What to listen on. */
export interface LoopbackAddress {
  /** Loopback addresses to try, in this order; the first that exists is taken. */
  readonly hostnames: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
}

/** Listens on one loopback address. Throws `USAGE` when the port that was asked for is taken. */
export function listenOnLoopback(
  { hostnames, port }: LoopbackAddress,
  handle: (request: Request) => Promise<Response>,
): LoopbackListener {
  let refused: unknown;
  for (const hostname of hostnames) {
    try {
      const server = Deno.serve({ hostname, port, onListen: () => {}, onError: () => failed() }, handle);
      return {
        hostname,
        port: server.addr.port,
        async close() {
          let timer: ReturnType<typeof setTimeout> | undefined;
          const late = new Promise<void>((resolve) => {
            timer = setTimeout(resolve, 2000);
          });
          await Promise.race([server.shutdown(), late]);
          clearTimeout(timer);
        },
      };
    } catch (thrown) {
      refused = thrown;
      if (!(thrown instanceof Deno.errors.AddrNotAvailable)) break;
    }
  }
  if (refused instanceof Deno.errors.AddrInUse || fileFailure(refused) === "denied") {
    throw new AppError("USAGE", `Port ${port} cannot be listened on: it is taken or not allowed.`, {
      hint: "Leave out --listen-port to use a free one, or name another.",
      cause: refused,
    });
  }
  throw new AppError("NETWORK", "Cannot listen on a loopback address for the browser's answer.", {
    hint: "Sign in with a device code instead: add --no-browser.",
    cause: refused,
  });
}

function failed(): Response {
  return new Response("Something went wrong.", { status: 500 });
}
