/** The real API server with the real kubectl beside it, for tests that compare what both say of the same objects. */

import assert from "node:assert/strict";
import { openApiClient } from "../../src/http/api-client.ts";
import { refusal } from "../../src/http/api-errors.ts";
import { discoveryOf, type DiscoverySource } from "../../src/kube/discovery.ts";
import { type Json, readJson } from "../../src/kube/lossless-json.ts";
import { KUBERNETES_REFUSALS } from "../../src/kube/refusal.ts";
import type { ResourceClient } from "../../src/kube/resource-client.ts";
import { pause } from "../../src/system/clock.ts";
import {
  type ApiServer,
  type ApiServerOptions,
  type KubernetesObject,
  startApiServer,
} from "../apiserver/apiserver.ts";
import { goAtHand } from "../apiserver/program.ts";
import { kubectl, runKubectl } from "./kubectl.ts";

/** Whether the real API server and the real kubectl are available here. */
export const atHand = kubectl !== undefined && await goAtHand() !== undefined;

/** A running server and how the administrator reaches it; dispose of it. */
export interface AdminServer extends AsyncDisposable {
  readonly server: ApiServer;
  /** A folder for the test's files; kubectl's cache is in it. */
  readonly folder: string;
  /** Trusts the server. */
  readonly http: Deno.HttpClient;
  readonly kinds: DiscoverySource;
  /** Runs kubectl; times are in UTC. */
  kubectl(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** Starts the server; undefined, after one printed line, where it cannot be built. */
export async function startAdminServer(
  options: Pick<ApiServerOptions, "flags"> = {},
): Promise<AdminServer | undefined> {
  await using undo = new AsyncDisposableStack();
  const server = await startApiServer({ trusted: [], ...options });
  if (server === undefined) return undefined;
  undo.use(server);
  const folder = await Deno.makeTempDir({ prefix: "datumctl-kubectl-" });
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  const http = Deno.createHttpClient({ caCerts: [server.caPem] });
  undo.defer(() => http.close());
  const kinds = discoveryOf(openApiClient({
    ...CALL,
    baseUrl: server.url,
    fetch: (address, init) => fetch(address, { ...init, client: http }),
    token: () => Promise.resolve(server.admin.token),
    now: Date.now,
    signal: new AbortController().signal,
    sleep: pause,
    random: Math.random,
    requestTimeout: 60_000,
  }));
  const undoLater = undo.move();
  return {
    server,
    folder,
    http,
    kinds,
    // kubectl keeps what it learned of the server: asking for that each time would take most of a test's time.
    kubectl: (...args) =>
      runKubectl([`--cache-dir=${folder}/cache`, ...args], {
        KUBECONFIG: server.admin.kubeconfig,
        TZ: "UTC",
      }),
    [Symbol.asyncDispose]: () => undoLater.disposeAsync(),
  };
}

const CALL = {
  baseUrl: "https://api.example.com",
  what: "the test",
  who: "ada@example.com",
  refusals: KUBERNETES_REFUSALS,
};

/** What a client of a test is called, and the errors of our own client. */
export const ERRORS: Pick<ResourceClient, "what" | "refusal"> = {
  what: CALL.what,
  refusal: (answer) => refusal(answer, CALL),
};

/** A running server; dispose of it. */
export interface LiveServer extends AsyncDisposable {
  kubectl: AdminServer["kubectl"];
  /** What the server answers, with every digit of its integers. Fails on an answer that is not a good one. */
  read(path: string): Promise<Json>;
  /** Sends a JSON text. Fails on an answer that is not a good one. */
  send(method: string, path: string, body: string): Promise<Json>;
  apply(...objects: readonly KubernetesObject[]): Promise<void>;
}

/**
 * Starts a server for a test that compares with kubectl.
 *
 * @returns undefined, after one printed line, where the one or the other cannot be had
 */
export async function startLiveServer(): Promise<LiveServer | undefined> {
  if (kubectl === undefined) return undefined;
  const started = await startAdminServer();
  if (started === undefined) return undefined;
  return {
    kubectl: started.kubectl,
    ...asAdministrator(started),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  };
}

/** Requests of the server's administrator, with JSON texts as they are. */
export function asAdministrator(
  { server, http: client }: Pick<AdminServer, "server" | "http">,
): Pick<LiveServer, "read" | "send" | "apply"> {
  const send = async (method: string, path: string, body?: string) => {
    const answer = await fetch(server.url + path, {
      client,
      method,
      headers: { authorization: `Bearer ${server.admin.token}`, "content-type": "application/json" },
      body: body ?? null,
    });
    const text = await answer.text();
    const value = readJson(text);
    assert.ok(answer.ok && value !== undefined, `${method} ${path}: ${text}`);
    return value;
  };
  return { read: (path) => send("GET", path), send, apply: server.admin.apply };
}
