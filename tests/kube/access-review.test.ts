/** Proves how rules are compacted, ordered and written; tests/e2e holds the same beside kubectl. */

import assert from "node:assert/strict";
import { ruleRows } from "../../src/kube/access-review.ts";

Deno.test("a status that is not made as it should be gives no rules and breaks nothing", () => {
  assert.deepEqual(ruleRows({}), []);
  assert.deepEqual(ruleRows({ resourceRules: "all", nonResourceRules: [null, 3] }), []);
  assert.deepEqual(ruleRows({ resourceRules: [{ verbs: [], apiGroups: [""], resources: ["pods"] }] }), []);
  assert.deepEqual(ruleRows({ resourceRules: [{ verbs: ["get"], resources: ["pods"] }] }), []);
});

Deno.test("what steers a terminal does not get into a row", () => {
  const [row] = ruleRows({
    resourceRules: [{ verbs: ["get\u001b[31m"], apiGroups: ["a\tb"], resources: ["pods\n"] }],
  });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(row?.join("") ?? "", /[\u0000-\u001f]/);
});

Deno.test("verbs of the same resource are gathered once each, in the order in which they come", () => {
  const rule = (...verbs: string[]) => ({ verbs, apiGroups: ["apps"], resources: ["deployments/scale"] });
  assert.deepEqual(ruleRows({ resourceRules: [rule("get", "update"), rule("patch", "get")] }), [
    ["deployments.apps/scale", "[]", "[]", "[get update patch]"],
  ]);
});

Deno.test("a rule about names stands apart from the one about all, and each name from the other", () => {
  const rule = (verb: string, ...resourceNames: string[]) => ({
    verbs: [verb],
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames,
  });
  assert.deepEqual(ruleRows({ resourceRules: [rule("get"), rule("get", "b", "a"), rule("update", "a")] }), [
    ["configmaps", "[]", "[a]", "[get update]"],
    ["configmaps", "[]", "[]", "[get]"],
    ["configmaps", "[]", "[b]", "[get]"],
  ]);
});
