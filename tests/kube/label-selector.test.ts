/** Proves that a selector of labels selects what the real kubectl selects among the objects of a file. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { readLabelSelector } from "../../src/kube/label-selector.ts";
import { allowError } from "../expect-error.ts";
import { hostileText, ours, RUNS } from "../fuzz.ts";
import { atHand, manifestText, startWriteServer } from "./write/write-server.ts";

const LABELS: readonly Readonly<Record<string, string>>[] = [
  {},
  { app: "web" },
  { app: "web", tier: "db" },
  { app: "", "example.com/x": "1" },
  { in: "a", n: "5" },
  { n: "007", app: "in" },
  { n: "x" },
];

const SELECTORS = [
  ...["", " ", "app", "!app", "! app", "app=web", "app==web", "app = web", " app=web , tier=db ", "app!=web"],
  ...[
    "app=",
    "app!=",
    "tier",
    "!tier,app",
    "app in (web)",
    "app in (web,)",
    "app in ( web , in )",
    "app in(web)",
  ],
  ...[
    "app notin (web)",
    "app notin (web, )",
    "in",
    "in in (a)",
    "in=a",
    "app=in",
    "n>4",
    "n > 4",
    "n<6",
    "n<10",
  ],
  ...["example.com/x", "example.com/x=1", "!example.com/x", "a=b=c", "app=web,", ",app", "app,,tier", "=web"],
  ...["app in web", "app in (web", "app (web)", "app in (a=b)", "!app=web", "!!app", "n>x", "n>", "app=we b"],
  ...[
    "-app",
    "app=-x",
    "app/b/c",
    "A.b/c",
    "app=" + "x".repeat(64),
    "app in ()",
    "app notin ()",
    "app=(web)",
  ],
  ...["app<5", "n>=4", "app=web tier=db", "app\t=\tweb", "é", "app=é", "app !in (web)"],
];

Deno.test({ name: "selectors select as kubectl's", ignore: !atHand }, async () => {
  await using server = await startWriteServer();
  const objects = LABELS.map((labels, at) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `o${at}`, labels },
  }));
  const command = ["create", "--dry-run=client", "--validate=false", "-o", "name", "-f", "INPUT", "-l"];
  for (const selector of SELECTORS) {
    const { code, stdout, stderr } = await server.kubectl([...command, selector], manifestText(...objects));
    const selects = allowError(() => readLabelSelector(selector), "USAGE");
    const names = LABELS.flatMap((labels, at) => selects?.(labels) ? [`configmap/o${at}`] : []);
    const isNone = stderr.includes("no objects passed to create");
    assert.equal(selects !== undefined, code === 0 || isNone, `${selector}: ${stderr}`);
    if (selects !== undefined) {
      assert.deepEqual(
        names,
        stdout.split("\n").filter((line) => line !== ""),
        selector,
      );
    }
  }
});

Deno.test("no selector breaks its reader", async () => {
  const part = fc.constantFrom("app", "=", "!", ",", " in ", "(", ")", "<", " ", "x");
  await fc.assert(
    fc.asyncProperty(fc.oneof(hostileText, fc.array(part).map((parts) => parts.join(""))), async (text) => {
      await ours(() => readLabelSelector(text)({ app: "x" }));
    }),
    { numRuns: RUNS },
  );
});
