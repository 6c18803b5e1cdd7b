/** A proxy before a server of the test's own. */

import { type AuditEntry, makeProxy, type Proxy } from "../../src/proxy/proxy.ts";
import type { Rules } from "../../src/proxy/judge.ts";
import { type HttpListener, listenOnPort } from "../../src/system/http-listener.ts";
import { openNetwork } from "../../src/system/network.ts";
import type { Upstream } from "../../src/proxy/forward.ts";

/** Letters that stand for a random key. */
export const KEY = "k".repeat(20) + "-_A1" + "z".repeat(19);

/** What only reads. */
export const READ_ONLY: Rules = { writes: false, secrets: false, connect: false, namespaces: [] };

/** A running proxy; dispose of it. */
export interface ProxyStage extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly listener: HttpListener;
  readonly port: number;
  /** With the key. */
  readonly url: string;
  readonly audit: AuditEntry[];
  readonly failures: unknown[];
}

/** Starts a proxy. */
export function startProxyStage(
  { baseUrl, token = () => Promise.resolve("a-token"), caPem, rules = READ_ONLY, end = Infinity }: {
    readonly baseUrl: string;
    readonly token?: Upstream["token"];
    readonly caPem?: string;
    readonly rules?: Rules;
    readonly end?: number;
  },
): ProxyStage {
  const network = openNetwork(caPem, undefined, { http1: true });
  const audit: AuditEntry[] = [];
  const failures: unknown[] = [];
  const proxy = makeProxy({
    key: KEY,
    rules,
    upstream: { baseUrl, fetch: network.fetch, token },
    now: Date.now,
    end,
    audit: (entry) => void audit.push(entry),
    failed: (thrown) => void failures.push(thrown),
  });
  const listener = listenOnPort(0, proxy.handle);
  const [host] = listener.address.hosts;
  return {
    proxy,
    listener,
    port: Number(host.split(":")[1]),
    url: `http://${host}/${KEY}`,
    audit,
    failures,
    async [Symbol.asyncDispose]() {
      proxy.breakOff();
      await listener.close();
      network[Symbol.dispose]();
    },
  };
}

/** A server of the test's own; dispose of it. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server on http, which only addresses of this machine may have. */
export function startOwnServer(handle: (request: Request) => Response | Promise<Response>): OwnServer {
  const ending = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: ending.signal },
    handle,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await server.finished;
    },
  };
}
