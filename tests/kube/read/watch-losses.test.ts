/** Proves that a watch at the real API server loses nothing and repeats nothing, whatever becomes of its connections. */

import assert from "node:assert/strict";
import { openApiClient } from "../../../src/http/api-client.ts";
import { asMembers, asText, metadataOf } from "../../../src/kube/json-parts.ts";
import type { JsonMembers } from "../../../src/kube/lossless-json.ts";
import { watchChanges } from "../../../src/kube/read/watch-changes.ts";
import { type Change, isNotLater, WatchedObjects } from "../../../src/kube/read/watched-objects.ts";
import { KUBERNETES_REFUSALS } from "../../../src/kube/refusal.ts";
import { pause } from "../../../src/system/clock.ts";
import type { ApiServer } from "../../apiserver/apiserver.ts";
import { atHand, startAdminServer } from "../live-server.ts";
import { Writer } from "./writer.ts";

/** A watch by a client of our own, through the proxy. */
interface Watching extends AsyncDisposable {
  readonly changes: Change[];
  /** The tokens that were asked for by force. */
  readonly forced: number[];
  listedAgain(): number;
}

const PATH = "/api/v1/namespaces/watched/configmaps";

/** @param tokens handed out one after the other: the next one, when the one before was refused. */
function startWatch(server: ApiServer, http: Deno.HttpClient, tokens: readonly string[]): Watching {
  const ended = new AbortController();
  let used = 0;
  let listedAgain = 0;
  const forced: number[] = [];
  const client = openApiClient({
    baseUrl: server.proxy.url,
    what: "the test",
    who: "ada@example.com",
    refusals: KUBERNETES_REFUSALS,
    fetch: (address, init) => fetch(address, { ...init, client: http }),
    token(force) {
      if (force) forced.push(used += 1);
      return Promise.resolve(tokens[used] ?? "none");
    },
    now: Date.now,
    signal: new AbortController().signal,
    sleep: (milliseconds, signal) => pause(milliseconds / 10, signal),
    random: Math.random,
    requestTimeout: 10_000,
  });
  const changes: Change[] = [];
  const watching = (async () => {
    const request = { path: PATH, accept: "application/json", query: { labelSelector: "n" }, chunkSize: 7 };
    const state = { objects: new WatchedObjects(), version: undefined };
    const all = watchChanges(client, request, state, {
      signal: ended.signal,
      sleep: (milliseconds, signal) => pause(milliseconds / 10, signal),
      random: Math.random,
      onListAgain: () => listedAgain += 1,
    });
    for await (const change of all) changes.push(change);
  })();
  return {
    changes,
    forced,
    listedAgain: () => listedAgain,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await watching;
    },
  };
}

function lineOf({ type, object }: { readonly type: string; readonly object: JsonMembers }): string {
  return `${type} ${asText(metadataOf(object).name)} ${asText(asMembers(object.data).n)}`;
}

/** Until something is so, or twenty seconds are over. */
async function until(isSo: () => boolean): Promise<void> {
  for (let left = 400; left > 0 && !isSo(); left -= 1) await pause(50);
}

/** Until the first watch has begun. */
async function isWatching({ proxy }: ApiServer): Promise<void> {
  const isBegun = () =>
    proxy.requests.some(({ path, status }) => path.includes("watch=true") && status === 200);
  await until(isBegun);
  proxy.requests.length = 0;
}

/** No version of an object is told twice, nor one that is before another; what it was deleted with is none of its own. */
function assertForwards(changes: readonly Change[]): void {
  const last = new Map<string, string>();
  for (const { type, object } of changes) {
    const name = asText(metadataOf(object).name);
    const version = asText(metadataOf(object).resourceVersion);
    const before = last.get(name);
    const goesOn = type === "DELETED" || before === undefined || !isNotLater(version, before);
    assert.ok(goesOn, `${type} ${name} ${version} after ${before}`);
    if (type === "DELETED") last.delete(name);
    else last.set(name, version);
  }
}

/** What is left when all that was told has happened. */
function lastStates(changes: readonly Change[]): Map<string, string> {
  const states = new Map<string, string>();
  for (const { type, object } of changes) {
    const name = asText(metadataOf(object).name);
    if (type === "DELETED") states.delete(name);
    else states.set(name, asText(asMembers(object.data).n));
  }
  return states;
}

Deno.test({ name: "watches at the real API server", ignore: !atHand }, async (context) => {
  await using live = await startAdminServer() ?? assert.fail("the server cannot be had");
  const { server, http } = live;
  await server.admin.send("POST", "/api/v1/namespaces", { metadata: { name: "watched" } });
  const second = crypto.randomUUID();
  await server.admit(second);

  await context.step(
    "of 1,000 changes every one is told, in order and once, through lost connections and an expired token",
    async () => {
      const writer = new Writer(server.admin, PATH);
      await using watching = startWatch(server, http, [server.admin.token, second]);
      await isWatching(server);
      for (let count = 0; count < 1_000; count += 1) {
        if (count % 200 === 150) server.proxy.drop();
        if (count === 500) {
          server.proxy.revoke(server.admin.token);
          server.proxy.drop();
        }
        await writer.change();
      }
      await until(() => watching.changes.length >= writer.changes.length);
      assert.equal(writer.changes.length, 1_000);

      assert.deepEqual(watching.changes.map(lineOf), writer.changes);
      assert.deepEqual([watching.forced, watching.listedAgain()], [[1], 0]);
      assertForwards(watching.changes);
      await writer.clear();
    },
  );

  for (const way of ["a restart of the server", "a version that the server forgot"]) {
    await context.step(`through ${way} every object's last state is told, and what was deleted`, async () => {
      const writer = new Writer(server.admin, PATH);
      await using watching = startWatch(server, http, [second]);
      await isWatching(server);
      for (let count = 0; count < 100; count += 1) await writer.change();
      await until(() => lastStates(watching.changes).size === writer.states.size);
      // Meanwhile nothing comes through.
      server.proxy.intercept = () => new Response("later", { status: 503 });
      server.proxy.drop();
      for (let count = 0; count < 200; count += 1) await writer.change();
      const [gone] = writer.states.keys();
      assert.ok(gone !== undefined);
      await writer.remove(gone);
      if (way.startsWith("a version")) await server.compact();
      await server.restart();
      server.proxy.intercept = undefined;
      const isDone = () =>
        JSON.stringify([...lastStates(watching.changes)].sort()) ===
          JSON.stringify([...writer.states].sort());
      await until(isDone);
      assert.deepEqual([...lastStates(watching.changes)].sort(), [...writer.states].sort());
      // And it goes on from there.
      for (let count = 0; count < 50; count += 1) await writer.change();
      await until(isDone);
      assert.deepEqual([...lastStates(watching.changes)].sort(), [...writer.states].sort());
      assert.ok(
        watching.changes.some(({ type, object }) => type === "DELETED" && metadataOf(object).name === gone),
      );
      assert.equal(watching.listedAgain(), 1);
      assertForwards(watching.changes);
      await writer.clear();
    });
  }
});
