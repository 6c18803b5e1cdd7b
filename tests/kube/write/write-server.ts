/** The real API server for tests that write to it, by our own requests and by the real kubectl. */

import assert from "node:assert/strict";
import { compactJson } from "../../../src/kube/json-text.ts";
import { isMembers, type Json, type JsonMembers, readJson } from "../../../src/kube/lossless-json.ts";
import { readManifest } from "../../../src/kube/manifest.ts";
import type { ResourceAnswer, ResourceClient, ResourceRequest } from "../../../src/kube/resource-client.ts";
import { findKind } from "../../../src/kube/write/kinds.ts";
import type { ObjectRef } from "../../../src/kube/write/object-ref.ts";
import type { Manifest, WriteContext } from "../../../src/kube/write/write-all.ts";
import { pause } from "../../../src/system/clock.ts";
import { ERRORS, startAdminServer } from "../live-server.ts";

export { atHand } from "../live-server.ts";

/** A running server; dispose of it. */
export interface WriteServer extends AsyncDisposable {
  readonly context: WriteContext;
  /** Every request of our own since the last time that it was emptied: `PATCH /api/v1/…`. */
  readonly requests: string[];
  /** Runs kubectl as the administrator, with a text on its stdin that has a file's name. */
  kubectl(
    words: readonly string[],
    input?: string,
  ): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Runs kubectl to its end, which must be a good one; its stdout. */
  ok(words: readonly string[], input?: string): Promise<string>;
  /** The reference to an object. */
  ref(apiVersion: string, kind: string, name: string, namespace?: string): Promise<ObjectRef>;
  /** What the server answers, with every digit of its integers. */
  read(path: string): Promise<JsonMembers>;
  /** A new namespace. */
  namespace(): Promise<string>;
}

/** Starts the server. */
export async function startWriteServer(): Promise<WriteServer> {
  const live = await startAdminServer();
  assert.ok(live !== undefined);
  const { server, folder, http, kinds } = live;
  const requests: string[] = [];
  const send = async (request: ResourceRequest): Promise<ResourceAnswer> => {
    const { method, path, query = {}, body, contentType = "application/json" } = request;
    const url = new URL(server.url + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    requests.push(`${method} ${path}${url.search}`);
    const headers = { authorization: `Bearer ${server.admin.token}`, "content-type": contentType };
    const answer = await fetch(url, { client: http, method, headers, body: body ?? null });
    return { status: answer.status, headers: answer.headers, body: await answer.bytes() };
  };
  const client = clientOf(send);
  const run: WriteServer["kubectl"] = async (words, input = "") => {
    const file = `${folder}/input.yaml`;
    await Deno.writeTextFile(file, input);
    return await live.kubectl(...words.map((word) => word === "INPUT" ? file : word));
  };
  let namespaces = 0;
  return {
    context: { client, kinds, now: Date.now, sleep: (milliseconds) => pause(milliseconds) },
    requests,
    kubectl: run,
    async ok(words, input) {
      const { code, stdout, stderr } = await run(words, input);
      assert.equal(code, 0, `kubectl ${words.join(" ")}: ${stderr}`);
      return stdout;
    },
    async ref(apiVersion, kind, name, namespace = "default") {
      const resource = await findKind(kinds, apiVersion, kind);
      assert.ok(resource !== undefined, `${apiVersion} ${kind}`);
      return { resource, name, namespace };
    },
    async read(path) {
      const { status, body } = await send({ method: "GET", path, repeatable: true });
      const value = readJson(new TextDecoder().decode(body));
      assert.ok(status === 200 && isMembers(value), `GET ${path}: ${status}`);
      return value;
    },
    async namespace() {
      const name = `writes-${namespaces += 1}`;
      const body = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
      const { status } = await send({ method: "POST", path: "/api/v1/namespaces", body, repeatable: false });
      assert.equal(status, 201);
      return name;
    },
    [Symbol.asyncDispose]: () => live[Symbol.asyncDispose](),
  };
}

/** A client that sends by some function, with the errors of our own client. */
export function clientOf(send: ResourceClient["send"]): ResourceClient {
  return { ...ERRORS, send };
}

/** The documents of a text. */
export function manifestsOf(text: string): Manifest[] {
  return readManifest(text, "input.yaml").map((document) => ({ document, source: "input.yaml" }));
}

/** An object as text. */
export function manifestText(...documents: readonly Json[]): string {
  return documents.map((document) => compactJson(document)).join("\n---\n");
}
