/** The real API server with the real kubectl beside it, for tests that compare what is printed of the same objects. */

import assert from "node:assert/strict";
import { type Json, readJson } from "../../src/kube/lossless-json.ts";
import { type KubernetesObject, startApiServer } from "../apiserver/apiserver.ts";
import { kubectl, runKubectl } from "./kubectl.ts";

/** A running server; dispose of it. */
export interface LiveServer extends AsyncDisposable {
  /** Runs kubectl as the administrator; times are in UTC. */
  kubectl(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
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
  await using undo = new AsyncDisposableStack();
  const server = await startApiServer({ trusted: [] });
  if (server === undefined) return undefined;
  undo.use(server);
  // kubectl keeps what it learned of the server: asking for that each time would take most of a test's time.
  const cache = await Deno.makeTempDir({ prefix: "datumctl-kubectl-cache-" });
  undo.defer(() => Deno.remove(cache, { recursive: true }));
  const client = Deno.createHttpClient({ caCerts: [server.caPem] });
  undo.defer(() => client.close());
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
  const undoLater = undo.move();
  return {
    kubectl: (...args) =>
      runKubectl([`--cache-dir=${cache}`, ...args], { KUBECONFIG: server.admin.kubeconfig, TZ: "UTC" }),
    read: (path) => send("GET", path),
    send,
    apply: server.admin.apply,
    [Symbol.asyncDispose]: () => undoLater.disposeAsync(),
  };
}
