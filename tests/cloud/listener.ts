/** The two listeners, which can really go down and come back on the same port. */

import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { RequestListener } from "node:http";

import type { Certificates } from "./certificates.ts";

/** A listener that may be up or down. */
export interface Listener {
  readonly port: number;
  /** Refuses connections and ends those that are open. */
  down(): Promise<void>;
  /** Listens again on the same port. */
  up(): Promise<void>;
}

/** Listens with `node:https`, which lets a handler drop its connection. */
export async function listenWithNode(
  certificates: Certificates,
  hostname: string,
  port: number,
  handler: RequestListener,
): Promise<Listener> {
  // A new server for each time up.
  const open = async (port: number) => {
    const server = createServer({ cert: certificates.certificatePem, key: certificates.keyPem }, handler);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(port, hostname, resolve);
    await promise;
    return server;
  };
  let running: Awaited<ReturnType<typeof open>> | undefined = await open(port);
  const taken = (running.address() as AddressInfo).port;
  return {
    port: taken,
    up: async () => {
      running ??= await open(taken);
    },
    down: async () => {
      const ending = running;
      running = undefined;
      if (ending === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      ending.close(() => resolve());
      ending.closeAllConnections();
      await promise;
    },
  };
}

/** Says what a handler failed with, unless it broke its answer off on purpose. */
function failed(error: unknown): Response {
  const isMeant = error instanceof DOMException && error.name === "AbortError";
  // deno-lint-ignore no-console -- as the runtime does
  if (!isMeant) console.error(error);
  return new Response("Internal Server Error", { status: 500 });
}

/** Listens with `Deno.serve`, which speaks HTTP/2 as real control planes do; without certificates over http. */
export function listenWithDeno(
  certificates: Certificates | undefined,
  hostname: string,
  port: number,
  handler: (request: Request) => Promise<Response>,
): Listener {
  const open = (port: number) => {
    const stop = new AbortController();
    const options = { hostname, port, signal: stop.signal, onListen: () => {}, onError: failed };
    const server = certificates === undefined
      ? Deno.serve(options, handler)
      : Deno.serve({ ...options, cert: certificates.certificatePem, key: certificates.keyPem }, handler);
    return { server, stop };
  };
  let running: ReturnType<typeof open> | undefined = open(port);
  const taken = running.server.addr.port;
  return {
    port: taken,
    up: () => {
      running ??= open(taken);
      return Promise.resolve();
    },
    down: async () => {
      const ending = running;
      running = undefined;
      ending?.stop.abort();
      await ending?.server.finished;
    },
  };
}
