/** Proves what `get` asks a server for, and what it tells beside what it prints. */

import assert from "node:assert/strict";
import { ADA } from "../world.ts";
import { until } from "../../until.ts";
import { openPlanes, type Planes } from "./planes.ts";
import { atHand } from "./world.ts";

const FLAGS = "--platform-wide";

function configMap(namespace: string, name: string) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } };
}

/** The paths that were asked for since the last time, without what stands before them. */
function asked({ server: { proxy } }: Planes): string[] {
  return proxy.requests.splice(0).map(({ path }) => path.replace(/\?.*/, ""));
}

Deno.test("get, what it asks for and what it tells", { ignore: !atHand }, async (context) => {
  await using planes = await openPlanes();
  const { world, server } = planes;
  const { proxy, admin } = server;
  await planes.signIn(ADA);
  const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: "many" } };
  const names = Array.from({ length: 12 }, (_, at) => `n-${String(at).padStart(2, "0")}`);
  await admin.apply(space, ...names.map((name) => configMap("many", name)));
  const list = "/api/v1/namespaces/many/configmaps";

  await context.step("what is served is asked for once, and then never again", async () => {
    asked(planes);
    await world.ok(`get cm -n many ${FLAGS}`);
    assert.deepEqual(asked(planes).sort(), ["/api", "/apis", list].sort());
    await world.ok(`get cm -n many ${FLAGS}`);
    await world.ok(`get cm/n-01 -n many -o yaml ${FLAGS}`);
    await world.ok(`get configmaps.v1. -n many -o name --sort-by=.metadata.name ${FLAGS}`);
    assert.deepEqual(asked(planes), [list, `${list}/n-01`, list]);
  });

  await context.step("who reads no further is asked nothing more for", async () => {
    const readsNoFurther = (out: string) => out !== "";
    const { code, stderr } = await world.run(`get cm -n many --chunk-size=4 -o name ${FLAGS}`, {
      readsNoFurther,
    });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(asked(planes), [list, list]);
  });

  await context.step("a kept type that is served no longer is looked up once more", async () => {
    let gone = 1;
    proxy.intercept = ({ path }) =>
      path.includes("/configmaps") && gone-- > 0
        ? new Response("404 page not found", { status: 404 })
        : undefined;
    assert.equal(await world.ok(`get cm n-03 -n many -o name ${FLAGS}`), "configmap/n-03\n");
    const [first, ...rest] = asked(planes);
    assert.deepEqual([first, ...rest.slice(0, 2).sort(), ...rest.slice(2)], [
      `${list}/n-03`,
      "/api",
      "/apis",
      `${list}/n-03`,
    ]);
    gone = Infinity;
    assert.equal((await world.run(`get cm n-03 -n many ${FLAGS}`)).code, 1);
    assert.equal(asked(planes).length, 4);
    proxy.intercept = undefined;
    assert.equal((await world.run(`get nothings ${FLAGS}`)).code, 1);
    assert.deepEqual(asked(planes).sort(), ["/api", "/apis"]);
  });

  await context.step("an empty list says where it looked, unless nobody wants to know", async () => {
    const told = async (line: string) => (await world.run(`${line} ${FLAGS}`)).stderr;
    assert.equal(await told("get secrets -n many"), "No resources found in many namespace.\n");
    assert.equal(await told("get projects -l a=b"), "No resources found\n");
    assert.equal(await told("get secrets -n many -q"), "");
    assert.equal(await told("get secrets -n many --ignore-not-found"), "");
  });

  await context.step("each failure is told, and the rest is printed", async () => {
    const { code, stdout, stderr } = await world.run(`get cm no n-00 none -n many -o name ${FLAGS}`);
    assert.deepEqual([code, stdout], [1, "configmap/n-00\n"]);
    assert.match(stderr, /^error: [^\n]*"no"[^]*\nerror: [^\n]*"none"/);
  });

  await context.step("a server's warnings are told once, on stderr", async () => {
    const warning = '299 - "v1 is old"';
    proxy.intercept = ({ path }) =>
      path.includes("/configmaps")
        ? Response.json({ kind: "ConfigMapList", apiVersion: "v1", items: [] }, { headers: { warning } })
        : undefined;
    const { stdout, stderr } = await world.run(`get cm,configmaps.v1. -n many -o name ${FLAGS}`);
    proxy.intercept = undefined;
    assert.deepEqual([stdout, stderr], ["", "warning: v1 is old\n"]);
  });

  await context.step("on a terminal, a long list shows how far it is", async () => {
    const line = `get cm -n many -o name --chunk-size=5 ${FLAGS}`;
    const { stderr } = await world.run(line, { keys: [] });
    assert.equal(stderr, "\r\u001b[Kreading 5 of 12 …\r\u001b[K");
    assert.equal((await world.run(`${line} -q`, { keys: [] })).stderr, "");
    assert.equal((await world.run(`get cm -n many ${FLAGS}`, { keys: [] })).stderr, "");
    assert.equal((await world.run(line)).stderr, "");
  });

  await context.step(
    "a watch that is cut off goes on and says so; Ctrl-C ends it quietly with 130",
    async () => {
      const ctrlC = new AbortController();
      let told = "";
      asked(planes);
      const running = world.run(`get cm -n many -w -o name --output-watch-events ${FLAGS}`, {
        interrupted: ctrlC.signal,
        onStderr: (stderr) => {
          told = stderr;
        },
      });
      const watches = () => proxy.requests.filter(({ path }) => path.includes("watch=true")).length;
      await until(() => watches() === 1);
      proxy.drop();
      await until(() => watches() === 2);
      await admin.apply(configMap("many", "last"));
      await until(() => told.includes("The watch goes on."));
      await new Promise((resolve) => setTimeout(resolve, 500));
      ctrlC.abort();
      const { code, stdout, stderr } = await running;
      assert.equal(code, 130);
      assert.ok(stdout.endsWith("configmap/last\n"), stdout);
      assert.match(stderr, /^[^\n]+ The watch goes on\.\n$/);
    },
  );
});
