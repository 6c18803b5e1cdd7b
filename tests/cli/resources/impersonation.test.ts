/** Proves that `--as` and its like do what kubectl's do: at the real API server, beside the real kubectl. */

import assert from "node:assert/strict";
import type { KubernetesObject } from "../../apiserver/apiserver.ts";
import { onlyPrintedError } from "../../expect-error.ts";
import { scratchFolder } from "../../scratch.ts";
import { until } from "../../until.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

const ZOE = "zoe@example.com";
const GRACE = "grace@example.com";
const ROBOT = "system:serviceaccount:default:robot";

/** What both are asked as somebody else; Grace may read, the robot may change one config map, Zoë nothing. */
const LINES: readonly (string | readonly string[])[] = [
  `auth whoami --as ${ZOE}`,
  "auth whoami --as=zoe --as-group a,b --as-group c --as-uid 5",
  "auth whoami --as zoe --as-user-extra reason=x,y --as-user-extra reason=z --as-user-extra Scopes/Ab=1=2",
  "auth whoami --as zoe --as-user-extra none=",
  "auth whoami --as zoë --as-group ölçü --as-user-extra schlüssel%=ü小",
  ["auth", "whoami", "--as", "Zoë B. Smith", "--as-group", "the others"],
  `auth whoami --as ${ROBOT}`,
  "auth whoami --as system:anonymous",
  "auth whoami --as zoe --as-group system:masters --as-group system:authenticated",
  `auth can-i list configmaps --as ${GRACE}`,
  `auth can-i delete configmaps --as ${GRACE}`,
  `auth can-i delete configmaps --as ${ZOE}`,
  `auth can-i delete configmaps --as ${ZOE} --as-group system:masters`,
  `auth can-i --list --as ${GRACE}`,
  `auth can-i --list --as ${ROBOT}`,
  `get configmaps MINE YOURS --as ${GRACE}`,
  `--as ${GRACE} get configmaps MINE YOURS`,
  `get configmaps --as ${ZOE}`,
  `--as=${ZOE} -n default get configmaps`,
  "get configmaps --as system:anonymous",
  `get configmap MINE -o yaml --as ${ROBOT}`,
  `get configmap YOURS -o yaml --as ${ROBOT}`,
  `get secrets -A -o name --as ${ZOE} --as-group system:masters`,
  `get --raw /api/v1/namespaces/default/configmaps/MINE --as ${GRACE}`,
  `get --raw /api/v1/namespaces/default/configmaps/MINE --as ${ZOE}`,
  "get --raw /version --as system:anonymous",
  `describe configmap MINE --as ${GRACE}`,
  `describe configmap MINE --as ${ZOE}`,
  `events --as ${GRACE}`,
  `api-resources --api-group=apps -o name --as ${ZOE}`,
  `api-versions --as ${ZOE}`,
  `explain configmap.data --as ${ZOE}`,
  `wait --for=jsonpath={.data.color}=blue configmap/MINE --timeout=30s --as ${GRACE}`,
  `label configmap MINE tier=web --as ${GRACE}`,
  `label configmap MINE tier=web --overwrite --as ${ROBOT}`,
  `annotate configmap MINE note=x --overwrite --as ${ROBOT}`,
  `patch configmap MINE -p {"data":{"color":"green"}} --as ${ROBOT}`,
  `patch configmap MINE -p {"data":{"color":"blue"}} --as ${ROBOT}`,
  `patch configmap YOURS -p {"data":{"color":"green"}} --as ${ROBOT}`,
  `diff -f FOLDER/MINE.yaml --server-side --as ${ROBOT}`,
  `diff -f FOLDER/YOURS.yaml --server-side --as ${ROBOT}`,
  `apply -f FOLDER/MINE.yaml --server-side --force-conflicts --as ${ROBOT}`,
  `apply -f FOLDER/YOURS.yaml --server-side --force-conflicts --as ${ROBOT}`,
  `create configmap three --dry-run=server --as ${GRACE}`,
  `create configmap three --dry-run=server --as ${ZOE} --as-group system:masters`,
  `delete configmap MINE --dry-run=server --as ${GRACE}`,
  `delete configmap MINE --dry-run=server --as ${ROBOT}`,
];

const RBAC = "rbac.authorization.k8s.io";

function configMap(name: string, data: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data };
}

const OBJECTS: readonly KubernetesObject[] = [
  ...["mine-a", "mine-b", "yours-a", "yours-b"].map((name) => configMap(name, { color: "blue" })),
  {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRole",
    metadata: { name: "robot" },
    rules: [{
      apiGroups: [""],
      resources: ["configmaps"],
      resourceNames: ["mine-a", "mine-b"],
      verbs: ["get", "patch", "delete"],
    }],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "robot" },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "robot" },
    subjects: [{ apiGroup: RBAC, kind: "User", name: ROBOT }],
  },
];

/** Audits who did what. */
const AUDIT_POLICY = JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
});

/** What the server's audit has of a request, as far as it is looked at here. */
interface Audited {
  readonly userAgent: string;
  readonly impersonatedUser?: unknown;
}

/** A line for one of both, who change objects of their own. */
function wordsFor(line: string | readonly string[], who: "a" | "b", folder: string): string[] {
  return (typeof line === "string" ? line.split(" ") : line).map((word) =>
    word.replaceAll("MINE", `mine-${who}`).replaceAll("YOURS", `yours-${who}`).replaceAll("FOLDER", folder)
  );
}

/** A text without what differs between any two objects, and between the programs at all. */
function meaning(stdout: string): string {
  return stdout.replace(/\b(mine|yours)-[ab]\b/g, "$1")
    .replace(/^.*(?:uid|resourceVersion|creationTimestamp): .*\n/gm, "")
    .replace(/"(?:uid|resourceVersion|creationTimestamp|time)":"[^"]*"/g, "")
    .replaceAll("serverside-applied", "configured")
    // How old it is.
    .replace(/ +(?:\d+[smh])+$/gm, "")
    .replace(/^(?:---|\+\+\+|diff) .*\n/gm, "");
}

/** The users that a program acted as, by what it calls itself. */
function usersOf(events: readonly Audited[], agent: RegExp): string[] {
  const own = events.filter(({ userAgent }) => agent.test(userAgent));
  return [...new Set(own.map(({ impersonatedUser }) => JSON.stringify(impersonatedUser)))].sort();
}

async function differences(world: ResourceWorld): Promise<string[]> {
  const found: string[] = [];
  for (const line of LINES) {
    const theirs = await world.kubectl(...wordsFor(line, "a", world.folder));
    const ours = await world.run(wordsFor(line, "b", world.folder));
    const same = meaning(ours.stdout) === meaning(theirs.stdout) && (ours.code === 0) === (theirs.code === 0);
    if (!same) found.push(`${line}\n${JSON.stringify(theirs)}\n${JSON.stringify(ours)}`);
  }
  return found;
}

Deno.test("commands act as somebody else as kubectl does", { ignore: !atHand }, async (context) => {
  await using scratch = await scratchFolder();
  const [policy, log] = [`${scratch.path}/policy.yaml`, `${scratch.path}/audit.jsonl`];
  await Deno.writeTextFile(policy, AUDIT_POLICY);
  await using world = await openResourceWorld({
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
  });
  await world.server.admin.apply(...OBJECTS);
  for (const name of ["mine-a", "mine-b", "yours-a", "yours-b"]) {
    await Deno.writeTextFile(
      `${world.folder}/${name}.yaml`,
      JSON.stringify(configMap(name, { shape: "round" })),
    );
  }
  const mayPatch = ["auth", "can-i", "patch", "configmaps/mine-b", "--as", ROBOT];
  await until(async () => (await world.run(mayPatch)).code === 0, "the role");
  const audited = async () => (await Deno.readTextFile(log)).trimEnd().split("\n");
  const before = (await audited()).length;
  await context.step("the same is printed", async () => {
    assert.equal((await differences(world)).join("\n\n"), "");
  });
  await context.step("the server's audit has the same users behind both", async () => {
    const events: readonly Audited[] = (await audited()).slice(before).map((line) => JSON.parse(line));
    const ours = usersOf(events, /^Deno/);
    assert.ok(ours.length > 10);
    assert.deepEqual(ours, usersOf(events, /^kubectl/));
  });
  await context.step("what cannot be asked for is wrong usage, and nothing is asked", async () => {
    // Nobody listens there: a request would end otherwise.
    const env = { DATUMCTL_API_HOSTNAME: "127.0.0.1:1" };
    const rows: readonly (readonly [flags: readonly string[], message: RegExp, hint?: RegExp])[] = [
      [["--as-group", "a"], /^--as-group is given without a user to act as\.$/, /--as USER/],
      [["--as-uid", "5"], /^--as-uid is given without a user/],
      [["--as-user-extra", "a=b"], /^--as-user-extra is given without a user/],
      [["--as", ""], /^--as is empty\.$/],
      [["--as", "", "--as-group", "a"], /^--as is empty\.$/],
      [["--as", "zoe", "--as-group", ""], /^--as-group is empty\.$/],
      [["--as", "zoe", "--as-uid="], /^--as-uid is empty\.$/],
      [["--as", "a\nb"], /^--as has a control character/],
      [["--as", "zoe", "--as-group", "a\r\nImpersonate-User: root"], /^--as-group has a control character/],
      [["--as", " zoe"], /^--as .*begins or ends with a blank/],
      [["--as", "zoe", "--as-user-extra", "a=b "], /^--as-user-extra .*begins or ends with a blank/],
      [["--as", "zoe", "--as-user-extra", "a"], /^--as-user-extra takes KEY=VALUE, not "a"\.$/],
      [["--as", "zoe", "--as-user-extra", "=a"], /^--as-user-extra takes KEY=VALUE/],
    ];
    for (const [flags, message, hint] of rows) {
      const ran = await world.run(["auth", "whoami", ...flags, "--error-format", "json"], { env });
      onlyPrintedError(ran, { code: "USAGE", exitCode: 2, message, hint });
    }
    for (
      const flags of [["--as-group", "a"], ["--as-uid", "5"], ["--as-user-extra", "a=b"], ["--as", "a\nb"]]
    ) {
      assert.equal((await world.kubectl("auth", "whoami", ...flags)).code, 1, "kubectl refuses it, too");
    }
  });
});
