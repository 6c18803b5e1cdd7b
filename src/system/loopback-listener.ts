/** The short-lived HTTP listener on this machine that the browser is sent back to. */

import { AppError } from "../errors.ts";
import { fileFailure } from "./files.ts";

/** A listener that answers on loopback. */
export interface LoopbackListener {
  /** The first address that it listens on. */
  readonly hostname: string;
  readonly port: number;
  /** Stops listening once the current answers are sent, after two seconds at the latest. */
  close(): Promise<void>;
}

/** What to listen on. */
export interface LoopbackAddress {
  /** Loopback addresses, in this order. */
  readonly hostnames: readonly string[];
  /** Listen on all that this machine has, with the same port; otherwise on the first that it has. */
  readonly every?: boolean | undefined;
  /** 0 takes a free one. */
  readonly port: number;
}

type Handler = (request: Request) => Promise<Response>;
type Server = Deno.HttpServer<Deno.NetAddr>;

// A port that is free for one address family can be taken for the other, but not so often.
const ATTEMPTS = 20;

/**
 * Listens on loopback.
 *
 * @throws {AppError} `USAGE` when the requested port is taken, `NETWORK` when no loopback address can be used.
 */
export function listenOnLoopback(address: LoopbackAddress, handle: Handler): LoopbackListener {
  for (let attempt = 1;; attempt++) {
    const { servers, refused } = serve(address, handle);
    const [first] = servers;
    if (first !== undefined && refused === undefined) {
      const { hostname, port } = first.addr;
      return { hostname, port, close: () => closeAll(servers) };
    }
    void closeAll(servers);
    if (address.port === 0 && attempt < ATTEMPTS && refused instanceof Deno.errors.AddrInUse) continue;
    if (refused instanceof Deno.errors.AddrInUse || fileFailure(refused) === "denied") {
      throw new AppError("USAGE", `Port ${address.port} cannot be listened on: it is taken or not allowed.`, {
        hint: "Name another port, or none to use a free one (--listen-port, --redirect-uri).",
        cause: refused,
      });
    }
    throw new AppError("NETWORK", "Cannot listen on a loopback address for the browser's answer.", {
      hint: "Sign in with a device code instead: add --no-browser.",
      cause: refused,
    });
  }
}

/** Listens on the addresses that exist. `refused` says why the result cannot be used. */
function serve(
  { hostnames, every, port }: LoopbackAddress,
  handle: Handler,
): { readonly servers: readonly Server[]; readonly refused?: unknown } {
  const servers: Server[] = [];
  let absent: unknown;
  for (const hostname of hostnames) {
    try {
      const shared = servers[0]?.addr.port ?? port;
      servers.push(
        Deno.serve({ hostname, port: shared, onListen: () => {}, onError: () => failed() }, handle),
      );
      if (!every) break;
    } catch (thrown) {
      // A machine without that address family fails in several ways; a taken port fails in only one.
      const lacking = thrown instanceof Deno.errors.AddrNotAvailable ||
        (servers.length > 0 && !(thrown instanceof Deno.errors.AddrInUse));
      if (!lacking) return { servers, refused: thrown };
      absent = thrown;
    }
  }
  return servers.length > 0 ? { servers } : { servers, refused: absent };
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 2000);
  });
  await Promise.race([Promise.all(servers.map((server) => server.shutdown())), late]);
  clearTimeout(timer);
}

function failed(): Response {
  return new Response("Something went wrong.", { status: 500 });
}
