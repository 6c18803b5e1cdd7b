/** Proves that long lists are printed while they come, and that one whose token expired is read to its end. */

import assert from "node:assert/strict";
import type { Json, JsonMembers } from "../../../src/kube/lossless-json.ts";
import { pause } from "../../../src/system/clock.ts";
import { startFakeServer } from "./fake-server.ts";
import { atHand, openResourceWorld } from "./world.ts";

const NAMES = [["a", "a-long-name"], ["b"]];

/** A part of a list, or of its table. */
function part(at: number, isTable: boolean): JsonMembers {
  const names = NAMES[at] ?? [];
  const metadata = {
    resourceVersion: "10",
    ...(at === 0 ? { continue: "more", remainingItemCount: 1 } : {}),
  };
  const columnDefinitions: Json = [{ name: "Name", type: "string", format: "name" }, { name: "Age" }];
  return isTable
    ? {
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata,
      columnDefinitions,
      rows: names.map((name) => ({ cells: [name, "1d"] })),
    }
    : {
      kind: "ThingList",
      apiVersion: "v1",
      metadata,
      items: names.map((name) => ({ kind: "Thing", apiVersion: "v1", metadata: { name } })),
    };
}

/** The longest wait for what is to be printed before the rest of a list comes. */
const PATIENCE = 5_000;

Deno.test("what came of a list is printed before its second part is there", async () => {
  await using server = await startFakeServer();
  const cases: readonly (readonly [line: string, isTerminal: boolean, first: string, all: string])[] = [
    ["get things -o name", false, "thing/a\nthing/a-long-name\n", "thing/a\nthing/a-long-name\nthing/b\n"],
    ["get things -o jsonpath={.items[*].metadata.name}", false, "a a-long-name", "a a-long-name b"],
    [
      "get things -o jsonpath={range.items[*]}{.metadata.name}{'\\n'}{end}",
      false,
      "a\na-long-name\n",
      "a\na-long-name\nb\n",
    ],
    [
      "get things",
      true,
      "NAME          AGE\na             1d\na-long-name   1d\n",
      "NAME          AGE\na             1d\na-long-name   1d\nb             1d\n",
    ],
    [
      "get things -o custom-columns=NAME:.metadata.name",
      true,
      "NAME\na\na-long-name\n",
      "NAME\na\na-long-name\nb\n",
    ],
  ];
  const isPrinted = async (line: string, outIsTerminal: boolean, isEnough: (out: string) => boolean) => {
    const printed = Promise.withResolvers<void>();
    let out = "";
    let before = "";
    server.answer = async (url) => {
      const at = url.searchParams.has("continue") ? 1 : 0;
      if (at === 1) {
        const enough = new AbortController();
        const late = pause(PATIENCE, enough.signal).catch(() => {});
        await Promise.race([printed.promise, late]);
        enough.abort();
        before = out;
      }
      return part(at, url.searchParams.has("includeObject"));
    };
    const onStdout = (soFar: string) => {
      out = soFar;
      if (isEnough(out)) printed.resolve();
    };
    const { code, stdout, stderr } = await server.run(line, { outIsTerminal, onStdout });
    assert.equal(code, 0, `${line}: ${stderr}`);
    return { before, stdout };
  };
  for (const [line, outIsTerminal, first, all] of cases) {
    const isEnough = (out: string) => out === first;
    assert.deepEqual(
      await isPrinted(line, outIsTerminal, isEnough),
      { before: first, stdout: all },
      line,
    );
  }
  for (const form of ["json", "yaml"]) {
    for (const outIsTerminal of [false, true]) {
      const isEnough = (out: string) => out.includes("a-long-name");
      const { before, stdout } = await isPrinted(`get things -o ${form}`, outIsTerminal, isEnough);
      assert.ok(before.includes("a-long-name"), `${form}: ${before}`);
      assert.ok(stdout.startsWith(before) && stdout.length > before.length, form);
    }
  }
});

Deno.test("a table that goes to a program has the widths of all of it", async () => {
  await using server = await startFakeServer();
  server.answer = (url) =>
    part(url.searchParams.has("continue") ? 1 : 0, url.searchParams.has("includeObject"));
  const written: string[] = [];
  await server.run("get things", { onStdout: (soFar) => written.push(soFar) });
  assert.deepEqual(written, ["NAME          AGE\na             1d\na-long-name   1d\nb             1d\n"]);
});

Deno.test({ name: "a list whose token expired is read to its end", ignore: !atHand }, async () => {
  // Else the server remembers lists that its storage has forgotten.
  await using world = await openResourceWorld({ flags: ["--feature-gates=ListFromCacheSnapshot=false"] });
  const { server } = world;
  const path = "/api/v1/namespaces/default/configmaps";
  const names = Array.from({ length: 30 }, (_, at) => `config-${String(at).padStart(2, "0")}`);
  for (const name of names) await server.admin.send("POST", path, { metadata: { name } });
  const env = { DATUMCTL_API_HOSTNAME: server.proxy.host };
  for (const [at, form] of ["", "-o json", "-o yaml", "-o name", "--sort-by=.metadata.name"].entries()) {
    let parts = 0;
    server.proxy.requests.length = 0;
    server.proxy.intercept = async ({ path }) => {
      if (!path.includes("continue=")) return undefined;
      parts += 1;
      if (parts !== 2) return undefined;
      // A write first: what is compacted is before the newest version.
      const labelled = { metadata: { labels: { at: `${at}` } } };
      const type = "application/merge-patch+json";
      await server.admin.send("PATCH", "/api/v1/namespaces/default", labelled, type);
      await server.compact();
      return undefined;
    };
    const line = `get cm --chunk-size=7 --field-selector=metadata.name!=kube-root-ca.crt ${form}`.trim();
    const { code, stdout, stderr } = await world.run(line, { env });
    server.proxy.intercept = undefined;
    assert.equal(code, 0, `${line}: ${stderr}`);
    assert.match(stderr, /^warning: the list changed while it was read/, line);
    assert.ok(server.proxy.requests.some(({ status }) => status === 410), line);
    const printed = [...new Set(stdout.match(/\bconfig-\d\d\b/g))].sort();
    assert.deepEqual(printed, names, line);
  }
});
