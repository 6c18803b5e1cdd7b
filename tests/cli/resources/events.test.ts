/** Proves that `events` prints what `kubectl events` prints, line by line, and goes on when it watches. */

import assert from "node:assert/strict";
import type { KubernetesObject } from "../../apiserver/apiserver.ts";
import { asAdministrator } from "../../kube/live-server.ts";
import { interruptedError } from "../../../src/errors.ts";
import type { JsonMembers } from "../../../src/kube/lossless-json.ts";
import { pause } from "../../../src/system/clock.ts";
import { kubectl } from "../../kube/kubectl.ts";
import { masked } from "../../kube/read/masked.ts";
import { differences } from "./same-lines.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

const LINES: readonly (string | readonly string[])[] = [
  ...`
    events
    events -n shop
    events -A
    events --all-namespaces --no-headers
    events -n shop --no-headers
    events -n shop --no-headers=false
    events -n many
    events -n many -o yaml
    describe cm web -n many
    events -n none
    events -n none -o json
    events -n none -A=false
    events -n shop --types Warning
    events -n shop --types=warning,NORMAL
    events -n shop --types Normal --types Warning
    events -n shop --types=
    events -n shop --types=Error
    events -n shop --for cm/web
    events -n shop --for=configmap/web
    events -n shop --for ConfigMap/web
    events -n shop --for organizations/acme
    events --for org/acme
    events --for organizations.resourcemanager.miloapis.com/acme -A
    events --for organizations.v1alpha1.resourcemanager.miloapis.com/acme -A
    events -A --for cm/web --types=Warning
    events -n shop --for cm/nothing
    events -n shop --for nothing/web
    events -n shop --for cm
    events -n shop --for cm/a/b
    events -n shop --for cm/
    events -n shop --chunk-size=2
    events -n shop --chunk-size=0
    events -n shop -o json
    events -n shop -o yaml
    events -A -o yaml
    events -n shop -o json --show-managed-fields
    events -n shop -o yaml --show-managed-fields
    events -n shop --for cm/web -o json
    events -n shop -o jsonpath={.items[*].reason}
    events -n shop -o jsonpath={.items[0]}
    events -n shop -o jsonpath-as-json={.items[*].involvedObject}
    events -n shop -o jsonpath={.kind}{.apiVersion}{.metadata}
    events -n shop -o jsonpath={.items[*].lastTimestamp}
    events -n shop -o jsonpath-file=FOLDER/template
    events -n shop -o wide
    events -n shop -o custom-columns=A:.reason
    events -n shop -o nothing
    events -n shop -o jsonpath={.items[
  `.trim().split("\n").map((line) => line.trim()),
  ["events", "-n", "shop", "-o", 'jsonpath={range .items[*]}{.type}: {.reason}{"\\n"}{end}'],
];

const [START, HOUR] = [Date.now() - 30_000, 3_600_000];

function ago(hours: number): string {
  return new Date(START - hours * HOUR).toISOString().replace(/\.\d+/, "");
}

function event(name: string, namespace: string, more: Readonly<Record<string, unknown>>): KubernetesObject {
  const about = more.involvedObject as Readonly<Record<string, unknown>> | undefined;
  return {
    apiVersion: "v1",
    kind: "Event",
    type: "Normal",
    ...more,
    metadata: { name, namespace },
    involvedObject: { kind: "ConfigMap", apiVersion: "v1", name: "web", namespace, ...about },
  };
}

const ACME = { kind: "Organization", apiVersion: "resourcemanager.miloapis.com/v1alpha1", name: "acme" };

const EVENTS: readonly KubernetesObject[] = [
  event("a-late", "shop", { reason: "Late", message: "the last one", lastTimestamp: ago(1) }),
  event("b-often", "shop", {
    type: "Warning",
    reason: "Often",
    message: "  came <&> again ",
    count: 12,
    firstTimestamp: ago(50),
    lastTimestamp: ago(3),
    source: { component: "tester", host: "h" },
  }),
  event("c-series", "shop", {
    reason: "Series",
    message: "new shape",
    eventTime: "2024-01-01T00:00:00.123456Z",
    series: { count: 7, lastObservedTime: new Date(START - 2 * HOUR).toISOString().replace("Z", "456Z") },
    reportingComponent: "example.com/new",
    reportingInstance: "i",
    action: "Act",
    involvedObject: ACME,
  }),
  event("d-micro-2", "shop", {
    type: "Warning",
    reason: "Micro",
    message: "second",
    eventTime: "2025-06-01T00:00:00.000002Z",
    reportingComponent: "me",
    reportingInstance: "i",
    action: "Act",
  }),
  event("e-micro-1", "shop", {
    reason: "Micro",
    message: "first",
    eventTime: "2025-06-01T00:00:00.000001Z",
    reportingComponent: "me",
    reportingInstance: "i",
    action: "Act",
  }),
  event("f-lines", "shop", {
    reason: "Lines\u001b[1m",
    message: "one\n  two\tthree\tfour\r\n\u001b[31mfive\u000bsix\u000cseven",
    firstTimestamp: ago(5),
    lastTimestamp: ago(5),
  }),
  event("g-never", "shop", { reason: "Never", message: "", type: "" }),
  event("h-wide", "shop", {
    reason: "日本語",
    message: "wide 日本 😀",
    lastTimestamp: ago(4),
    involvedObject: { name: "a-long-name-that-makes-the-column-wide" },
  }),
  event("i-same", "shop", { reason: "Same", message: "b", lastTimestamp: ago(4) }),
  event("plain", "default", { reason: "Plain", message: "short", lastTimestamp: ago(2) }),
  event("acme", "default", {
    type: "Warning",
    reason: "Acme",
    message: "of an organization",
    firstTimestamp: ago(6),
    lastTimestamp: ago(6),
    involvedObject: { ...ACME, namespace: "default" },
  }),
];

/** So many that Go sorts them by quicksort, most of them of the same few seconds. */
const MANY: readonly KubernetesObject[] = Array.from({ length: 120 }, (_, index) => {
  const hours = index % 11 === 0 ? 200 - index : (index * 7) % 5;
  return event(`e${index}`, "many", {
    reason: `R${index}`,
    lastTimestamp: ago(hours),
    firstTimestamp: ago(hours),
  });
});

async function fill(world: ResourceWorld): Promise<void> {
  const server = asAdministrator(world);
  for (const name of ["shop", "many"]) {
    await server.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  await server.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web", namespace: "many" } });
  // Applying would leave out what is empty.
  for (const one of EVENTS) await create(world, one);
  const { metadata } = await server.read("/api/v1/namespaces/many/configmaps/web") as {
    metadata: JsonMembers;
  };
  for (const one of MANY) {
    await create(world, { ...one, involvedObject: { ...Object(one.involvedObject), uid: metadata.uid } });
  }
  await Deno.writeTextFile(`${world.folder}/template`, '{range .items[*]}{.reason}{"\\n"}{end}');
}

async function create(world: ResourceWorld, event: KubernetesObject): Promise<void> {
  const about = event.involvedObject as { readonly namespace: string };
  const whole = { ...event, involvedObject: { ...about, namespace: event.metadata.namespace } };
  const path = `/api/v1/namespaces/${event.metadata.namespace}/events`;
  await asAdministrator(world).send("POST", path, JSON.stringify(whole));
}

Deno.test({ name: "events", ignore: !atHand }, async (test) => {
  await using world = await openResourceWorld();
  await fill(world);

  await test.step(`prints what kubectl prints, in ${LINES.length} lines`, async () => {
    const found = await differences(world, LINES, { mask: masked });
    assert.equal(found.join("\n\n"), "");
  });

  for (const flags of ["", "-o yaml", "-o json", "-o name", "--types=Warning --no-headers", "-A"]) {
    await test.step(`goes on with what comes, as kubectl does: -w ${flags}`, async () => {
      const words = `events -n shop -w ${flags}`.trim().split(" ");
      const name = `more-${crypto.randomUUID()}`;
      const more = event(name, "shop", {
        type: "Warning",
        reason: name,
        lastTimestamp: ago(0),
        message: "more",
      });
      const [ours, theirs] = await watched(world, words, () => create(world, more), name);
      assert.equal(masked(ours), masked(theirs));
    });
  }

  await test.step("prints names, where kubectl fails without a word", async () => {
    assert.equal((await world.kubectl("events", "-n", "shop", "-o", "name")).stdout, "");
    const names = (await world.ok("events -n shop -o name --for organization/acme")).split("\n");
    assert.deepEqual(names, ["event/c-series", ""]);
  });

  await test.step("leaves tabs in what programs read, where kubectl makes columns", async () => {
    const stdout = await world.ok(["events", "-n", "many", "-o", 'jsonpath={.items[0].type}{"\\t"}{.kind}']);
    assert.equal(stdout, "Normal\tEventList");
  });

  await test.step("refuses further words, which kubectl ignores", async () => {
    const { code, stdout } = await world.run("events cm/web");
    assert.deepEqual([code, stdout], [2, ""]);
  });
});

/** What both have printed once they have told of what happens meanwhile. */
async function watched(
  world: ResourceWorld,
  words: readonly string[],
  happen: () => Promise<void>,
  told: string,
): Promise<readonly [ours: string, theirs: string]> {
  const end = new AbortController();
  const program = new Deno.Command(kubectl ?? "kubectl", {
    args: [`--cache-dir=${world.folder}/cache`, ...words],
    env: { KUBECONFIG: world.server.admin.kubeconfig },
    stderr: "null",
    stdout: "piped",
  }).spawn();
  let theirs = "";
  let killing: Promise<void> | undefined;
  const [ourBegin, theirBegin] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const reading = (async () => {
    for await (const text of program.stdout.pipeThrough(new TextDecoderStream())) {
      theirs += text;
      theirBegin.resolve();
      // It writes an event in pieces.
      if (theirs.includes(told)) killing ??= pause(300).then(() => program.kill());
    }
  })();
  const running = world.run(words, {
    interrupted: end.signal,
    onStdout(text) {
      ourBegin.resolve();
      if (text.includes(told)) end.abort(interruptedError());
    },
  });
  await Promise.all([ourBegin.promise, theirBegin.promise]);
  await happen();
  const ran = await running;
  await reading;
  await killing;
  await program.status;
  assert.deepEqual([ran.code, ran.stderr], [130, ""]);
  return [ran.stdout, theirs];
}
