/** The real API server for tests that read from it, by our own requests and by the real kubectl. */

import assert from "node:assert/strict";
import type { DiscoverySource } from "../../../src/kube/discovery.ts";
import type { ReadClient, ReadRequest } from "../../../src/kube/read/read-client.ts";
import type { ResourceRequest } from "../../../src/kube/resource-client.ts";
import type { KubernetesObject } from "../../apiserver/apiserver.ts";
import { kubectl } from "../kubectl.ts";
import { ERRORS, startAdminServer } from "../live-server.ts";

export { atHand } from "../live-server.ts";

/** A running server; dispose of it. */
export interface ReadServer extends AsyncDisposable {
  readonly client: ReadClient;
  readonly kinds: DiscoverySource;
  /** What every request is sent with; a test may send something else. */
  fetch: (url: URL, init: RequestInit) => Promise<Response>;
  kubectl(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Starts a kubectl that prints until it is ended. */
  startKubectl(...args: readonly string[]): Deno.ChildProcess;
  send(method: string, path: string, body?: unknown): Promise<void>;
  apply(...objects: readonly KubernetesObject[]): Promise<void>;
}

/** Starts the server. */
export async function startReadServer(): Promise<ReadServer> {
  const live = await startAdminServer();
  assert.ok(live !== undefined);
  const { server, http } = live;
  const authorization = `Bearer ${server.admin.token}`;
  const direct = (url: URL, init: RequestInit) =>
    fetch(url, { ...init, client: http, headers: { ...init.headers, authorization } });
  const env = { HOME: "/proc/nonexistent", KUBECONFIG: server.admin.kubeconfig, TZ: "UTC" };
  const started: ReadServer = {
    fetch: direct,
    client: readClientOf(server.url, (url, init) => started.fetch(url, init)),
    kinds: live.kinds,
    kubectl: live.kubectl,
    startKubectl: (...args) =>
      new Deno.Command(kubectl ?? "", {
        args: [`--cache-dir=${live.folder}/cache`, ...args],
        clearEnv: true,
        env,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    async send(method, path, body) {
      const headers = {
        "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      };
      const init = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
      const answer = await direct(new URL(server.url + path), init);
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${text}`);
    },
    apply: server.admin.apply,
    [Symbol.asyncDispose]: () => live[Symbol.asyncDispose](),
  };
  return started;
}

/** A client that sends by some function, with the errors of our own client. */
export function readClientOf(
  baseUrl: string,
  send: (url: URL, init: RequestInit) => Promise<Response>,
): ReadClient {
  const open = (request: ResourceRequest | ReadRequest, signal?: AbortSignal) => {
    const url = new URL(baseUrl + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const accept = "accept" in request ? request.accept : "application/json";
    return send(url, { method: request.method, headers: { accept }, signal: signal ?? null });
  };
  return {
    ...ERRORS,
    async send(request) {
      const answer = await open(request);
      return { status: answer.status, headers: answer.headers, body: await answer.bytes() };
    },
    async stream(request, signal) {
      const answer = await open(request, signal);
      return { status: answer.status, headers: answer.headers, body: answer.body ?? new Blob([]).stream() };
    },
  };
}
