/**
 * A reverse proxy before the real API server: the same server at the root, below Datum's paths of control planes, and
 * each request written down.
 */

import type { Certificates } from "../cloud/certificates.ts";
import { failure } from "../cloud/kube-answers.ts";
import { isKnown, type Scope } from "../cloud/kube-resources.ts";
import { listenWithDeno } from "../cloud/listener.ts";

/** A request, as the proxy saw it. */
export interface ProxiedRequest {
  readonly method: string;
  /** The path with its query, as it was asked for: with the prefix of a control plane. */
  readonly path: string;
  /** Whose control plane it was; `platform` at the root. */
  readonly scope: Scope;
  /** The header as it came. */
  readonly authorization: string | undefined;
  readonly userAgent: string;
  /** Of the answer; undefined while there is none. */
  status: number | undefined;
}

/** Answers a request in the server's place, or leaves it to the server. */
export type Interception = (request: ProxiedRequest) => Response | undefined | Promise<Response | undefined>;

/** A running proxy; close it. */
export interface Proxy {
  readonly url: string;
  readonly host: string;
  /** Every request so far, in order; empty it at will. */
  readonly requests: ProxiedRequest[];
  /** Asked before each request goes on. */
  intercept: Interception | undefined;
  /** Whether aggregated discovery is labelled as plain JSON, as Datum does; kubectl then asks group by group. */
  plainDiscovery: boolean;
  /** Refuses a token with 401 from now on, as if the server no longer knew it. */
  revoke(token: string): void;
  /** Breaks every answer that is under way. */
  drop(): void;
  close(): Promise<void>;
}

const CONTROL_PLANE =
  /^\/apis\/(?:resourcemanager\.miloapis\.com\/v1alpha1\/(organizations|projects)|iam\.miloapis\.com\/v1alpha1\/(users))\/([^/]+)\/control-plane(?=\/|$)/;

/** Starts a proxy on 127.0.0.1. The organizations, projects and users that exist are those of the local cloud. */
export function startProxy(
  { target, caPem, certificates }: {
    readonly target: string;
    readonly caPem: string;
    readonly certificates: Certificates;
  },
): Proxy {
  const client = Deno.createHttpClient({ caCerts: [caPem] });
  let connections = new AbortController();
  const requests: ProxiedRequest[] = [];
  const revoked = new Set<string>();

  const listener = listenWithDeno(certificates, "127.0.0.1", 0, async (request) => {
    const { pathname, search } = new URL(request.url);
    const [prefix = "", tenants, users, id = ""] = CONTROL_PLANE.exec(pathname) ?? [];
    const kind = (tenants ?? users)?.slice(0, -1) as Scope["kind"] | undefined ?? "platform";
    const scope = { kind, id: decodeURIComponent(id) };
    const seen: ProxiedRequest = {
      method: request.method,
      path: pathname + search,
      scope,
      authorization: request.headers.get("authorization") ?? undefined,
      userAgent: request.headers.get("user-agent") ?? "",
      status: undefined,
    };
    requests.push(seen);
    const answer = await answerTo(request, seen, pathname.slice(prefix.length) + search);
    seen.status = answer.status;
    return answer;
  });

  async function answerTo(request: Request, seen: ProxiedRequest, path: string): Promise<Response> {
    const instead = await proxy.intercept?.(seen);
    if (instead !== undefined) return instead;
    if (revoked.has(seen.authorization ?? "")) return failure(401, "Unauthorized", "Unauthorized");
    if (!isKnown(seen.scope)) {
      const { kind, id } = seen.scope;
      return new Response(`${kind} "${id}": access denied\n`, { status: 403 });
    }
    const { signal } = connections;
    const headers = new Headers(request.headers);
    headers.delete("host");
    // The fetch of this runtime would unpack what is packed, and leave the client with a header that is no longer true.
    headers.set("accept-encoding", "identity");
    const { status, headers: given, body } = await fetch(target + path, {
      client,
      method: request.method,
      headers,
      body: request.body === null ? null : await request.bytes(),
      redirect: "manual",
    });
    const answered = new Headers(given);
    if (proxy.plainDiscovery && /;as=APIGroupDiscoveryList/.test(answered.get("content-type") ?? "")) {
      answered.set("content-type", "application/json");
    }
    const passed = body === null ? null : passedOn(body, signal);
    return new Response(passed, { status, headers: answered });
  }

  const host = `127.0.0.1:${listener.port}`;
  const proxy: Proxy = {
    url: `https://${host}`,
    host,
    requests,
    intercept: undefined,
    plainDiscovery: false,
    revoke: (token) => void revoked.add(`Bearer ${token}`),
    drop() {
      connections.abort();
      connections = new AbortController();
    },
    async close() {
      connections.abort();
      await listener.down();
      client.close();
    },
  };
  return proxy;
}

/** A body until the signal breaks it. By hand: the runtime would pass it on by itself, and go on after the signal. */
function passedOn(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const end = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (signal.aborted) return controller.error(signal.reason);
      if (!done) return controller.enqueue(value);
      signal.removeEventListener("abort", end);
      controller.close();
    },
    cancel: end,
  });
}
