/** Proves that a watch prints what `kubectl get --watch` prints, and goes on where kubectl ends. */

import assert from "node:assert/strict";
import type { AppError } from "../../../src/errors.ts";
import { watch, type WatchGetOptions } from "../../../src/kube/read/watch.ts";
import { pause } from "../../../src/system/clock.ts";
import { optionsOf } from "./command-line.ts";
import { masked } from "./masked.ts";
import { atHand, type ReadServer, startReadServer } from "./read-server.ts";

/** A watch of our own. */
interface Watching extends AsyncDisposable {
  readonly stdout: () => string;
  readonly interruptions: AppError[];
  readonly listedAgain: () => number;
  end(): Promise<void>;
}

async function startWatch(server: ReadServer, args: readonly string[]): Promise<Watching> {
  const isOnly = args.includes("--watch-only");
  const hasEvents = args.includes("--output-watch-events");
  const { words, options } = await optionsOf(
    args.filter((arg) => !["-w", "--watch-only", "--output-watch-events"].includes(arg)),
  );
  const ended = new AbortController();
  let stdout = "";
  let listedAgain = 0;
  const interruptions: AppError[] = [];
  const context = {
    client: server.client,
    kinds: server.kinds,
    isTerminal: false,
    now: Date.now,
    write: (text: string) => {
      stdout += text;
      return Promise.resolve();
    },
  };
  const more: WatchGetOptions = {
    ...options,
    signal: ended.signal,
    sleep: (milliseconds, signal) => pause(milliseconds / 10, signal),
    random: () => 0,
    watchOnly: isOnly,
    outputWatchEvents: hasEvents,
    onInterrupted: (error) => interruptions.push(error),
    onListAgain: () => listedAgain += 1,
  };
  const running = watch(context, words, more);
  const end = async () => {
    ended.abort();
    await running;
  };
  return {
    stdout: () => stdout,
    interruptions,
    listedAgain: () => listedAgain,
    end,
    [Symbol.asyncDispose]: end,
  };
}

/** Until something is so, or ten seconds are over. */
async function until(isSo: () => boolean): Promise<void> {
  for (let left = 1_200; left > 0 && !isSo(); left -= 1) await pause(50);
}

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

async function change(server: ReadServer): Promise<void> {
  const configMap = (name: string, data: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { app: "web" } },
    data,
  });
  await server.send("POST", CONFIG_MAPS, configMap("b", { x: "1" }));
  await server.send("PATCH", `${CONFIG_MAPS}/a`, { data: { more: "1\n2" } });
  await server.send("POST", CONFIG_MAPS, configMap("one-with-a-longer-name", {}));
  await server.send("DELETE", `${CONFIG_MAPS}/b`);
  await server.send("DELETE", `${CONFIG_MAPS}/a`);
}

const LINES = [
  "cm -w",
  "cm a -w",
  "cm/a -w --output-watch-events",
  "cm -w --output-watch-events",
  "cm -w --output-watch-events --show-labels -o wide",
  "cm -A -w --output-watch-events -L app --field-selector=metadata.namespace=default",
  "cm -w --show-kind --no-headers",
  "cm -w -l app=web",
  "cm --watch-only",
  "cm --watch-only -o name",
  "cm a --watch-only -o name",
  "cm -w -o json",
  "cm -w -o yaml",
  "cm a -w -o yaml --show-managed-fields",
  "cm -w -o json --output-watch-events",
  "cm -w -o yaml --output-watch-events",
  "cm -w -o name --output-watch-events",
  "cm -w -o jsonpath={.type}{.object.metadata.name} --output-watch-events",
  "cm -w -o custom-columns=T:.type,N:.object.metadata.name --output-watch-events",
  "cm -w -o custom-columns=N:.metadata.name,D:.data",
  "cm -w -o jsonpath={.metadata.name}={.data}",
  "cm -w -o name --chunk-size=1",
  "ns -A -w",
  "secrets -w",
].map((line) => line.split(" "));

Deno.test({ name: "a watch prints what kubectl's prints", ignore: !atHand }, async () => {
  await using server = await startReadServer();
  await server.send("POST", CONFIG_MAPS, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", labels: { app: "web" } },
    data: {},
  });
  // What the server itself makes is there by then.
  await pause(1_000);
  // kubectl learns once what there is.
  await server.kubectl("get", "cm");
  const failures: string[] = [];
  const pairs = await Promise.all(LINES.map(async (args) => {
    const child = server.startKubectl("get", ...args);
    let theirs = "";
    const read = (async () => {
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) theirs += text;
    })();
    const errors = new Response(child.stderr).text();
    return { args, child, read, errors, theirs: () => theirs, ours: await startWatch(server, args) };
  }));
  // On a slow machine it takes long until all of them watch; of those that print nothing yet, nothing can be seen.
  await until(() =>
    pairs.every(({ args, theirs, ours }) =>
      args.includes("--watch-only") || (theirs() !== "" && ours.stdout() !== "")
    )
  );
  await pause(3_000);
  await change(server);
  await until(() => pairs.every(({ ours, theirs }) => masked(ours.stdout()) === masked(theirs())));
  for (const { args, child, read, errors, theirs, ours } of pairs) {
    child.kill("SIGKILL");
    await Promise.all([child.status, read, ours.end()]);
    if (masked(ours.stdout()) === masked(theirs())) continue;
    failures.push(
      `get ${args.join(" ")}\n-- kubectl ${await errors}\n${theirs()}\n-- ours\n${ours.stdout()}`,
    );
  }
  await Promise.all(pairs.map(({ errors }) => errors));
  assert.equal(failures.join("\n\n"), "");
});

/** A way to the server on which a connection can be cut. */
function cuttable(server: ReadServer) {
  const { fetch } = server;
  let cut = new AbortController();
  let isDown = false;
  server.fetch = async (url, init) => {
    if (isDown) throw new TypeError("connection refused");
    const signals = [cut.signal, ...(init.signal ? [init.signal] : [])];
    return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
  };
  return {
    cut() {
      cut.abort(new TypeError("connection reset"));
      cut = new AbortController();
    },
    down(is: boolean) {
      isDown = is;
    },
  };
}

Deno.test({
  name: "a watch goes on after a dropped connection, and after an expired version",
  ignore: !atHand,
}, async () => {
  await using server = await startReadServer();
  const way = cuttable(server);
  for (const name of ["a", "b"]) await server.send("POST", CONFIG_MAPS, { metadata: { name } });
  await using watching = await startWatch(server, [
    "cm",
    "-w",
    "-o",
    "name",
    "--field-selector=metadata.name!=kube-root-ca.crt",
  ]);
  const has = (lines: string) => until(() => watching.stdout() === lines);
  await has("configmap/a\nconfigmap/b\n");
  way.cut();
  await server.send("POST", CONFIG_MAPS, { metadata: { name: "c" } });
  await has("configmap/a\nconfigmap/b\nconfigmap/c\n");
  // Meanwhile more happens, and then the server says that it no longer knows what.
  const { fetch } = server;
  let expired = 0;
  server.fetch = (url, init) => {
    if (url.searchParams.get("watch") !== "true" || expired > 0) return fetch(url, init);
    expired += 1;
    // The oldest version of all has long been compacted.
    url.searchParams.set("resourceVersion", "1");
    return fetch(url, init);
  };
  way.down(true);
  way.cut();
  await server.send("DELETE", `${CONFIG_MAPS}/a`);
  await server.send("PATCH", `${CONFIG_MAPS}/b`, { data: { x: "1" } });
  way.down(false);
  await has("configmap/a\nconfigmap/b\nconfigmap/c\nconfigmap/a\nconfigmap/b\n");
  await server.send("POST", CONFIG_MAPS, { metadata: { name: "d" } });
  const all = "configmap/a\nconfigmap/b\nconfigmap/c\nconfigmap/a\nconfigmap/b\nconfigmap/d\n";
  await has(all);
  assert.deepEqual([watching.stdout(), expired], [all, 1]);
  assert.ok(watching.interruptions.length > 0);
});

for (const selector of ["app=web", "app"]) {
  Deno.test({
    name: `a watch shows columns that came with an event which it does not show (-l ${selector})`,
    ignore: !atHand,
  }, async () => {
    await using server = await startReadServer();
    await server.send("POST", CONFIG_MAPS, { metadata: { name: "a", labels: { app: "shop" } } });
    const { fetch } = server;
    const first: string[] = [];
    // Asked so, the server begins with the objects that are there already, and then with a bookmark.
    server.fetch = async (url, init) => {
      if (url.searchParams.get("watch") !== "true") return await fetch(url, init);
      url.searchParams.set("sendInitialEvents", "true");
      url.searchParams.set("resourceVersionMatch", "NotOlderThan");
      const answer = await fetch(url, init);
      const [seen, read] = answer.body?.tee() ?? [];
      const look = async () => {
        for await (const text of seen?.pipeThrough(new TextDecoderStream()) ?? []) {
          first.push(text);
          if (text.includes("\n")) break;
        }
      };
      look().catch(() => {});
      return new Response(read ?? null, answer);
    };
    await using watching = await startWatch(server, ["cm", "--watch-only", "-l", selector]);
    await until(() => first.length > 0);
    assert.match(first.join(""), selector === "app" ? /^{"type":"ADDED"/ : /^{"type":"BOOKMARK"/);
    await server.send("POST", CONFIG_MAPS, { metadata: { name: "b", labels: { app: "web" } } });
    await until(() => watching.stdout() !== "");
    assert.equal(masked(watching.stdout()), masked("NAME   DATA   AGE\nb      0      0s\n"));
  });
}
