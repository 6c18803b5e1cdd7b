/** Owns the short-lived HTTP listener on this machine that a browser is sent back to. */

import { AppError } from "../errors.ts";
import { fileFailure } from "./files.ts";

/** A listener that answers on loopback. */
export interface LoopbackListener {
  /** The first address that is listened on. */
  readonly hostname: string;
  readonly port: number;
  /** Stops listening once the answers under way were sent, at the latest after two seconds. */
  close(): Promise<void>;
}

/** What to listen on. */
export interface LoopbackAddress {
  /** Loopback addresses, in this order. */
  readonly hostnames: readonly string[];
  /** On every one of them that this machine has, with the same port; else on the first that it has. */
  readonly every?: boolean | undefined;
  /** 0 takes a free one. */
  readonly port: number;
}

type Handler = (request: Request) => Promise<Response>;
type Server = Deno.HttpServer<Deno.NetAddr>;

// A port that is free for one family can be taken for the other; not so often.
const ATTEMPTS = 20;

/** Listens on loopback. Throws `USAGE` when the port that was asked for is taken. */
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

/** Listens on what there is; `refused` is why the whole cannot be used. */
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
      // A machine without that family of addresses says so in several ways; that a port is taken, in one.
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
