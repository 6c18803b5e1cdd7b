/** Proves that `describe` prints what `kubectl describe` prints, line by line. */

import assert from "node:assert/strict";
import { printableLines } from "../../../src/text.ts";
import { asAdministrator } from "../../kube/live-server.ts";
import { fill, fillEvents } from "../../kube/describe/fill.ts";
import { masked } from "../../kube/read/masked.ts";
import { differences } from "./same-lines.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

const LINES = `
  describe anythings -n describe
  describe anythings -A
  describe everythings
  describe anythings labels -n describe
  describe anything/labels everything/labels -n describe
  describe anythings labels scalars nested -n describe
  describe anythings.v1.tests.example.com -n describe
  describe anythings -n describe --show-events=false
  describe anythings -n describe --show-events
  describe anythings -n describe --chunk-size=3
  describe anythings -n describe --chunk-size=0
  describe namespaces
  describe ns limited
  describe ns/limited ns/describe
  describe ns lim
  describe ns limited --show-events=false
  describe resourcequotas -n limited
  describe quota/z-plain -n limited
  describe limits -n limited
  describe cm -A
  describe cm -n describe
  describe cm full -n describe
  describe configmap/full -n describe
  describe cm f -n describe
  describe cm full hostile -n describe
  describe cm,secrets -n describe
  describe cm,secrets full -n describe
  describe cm/full secret/full sa/robot -n describe
  describe secrets full -n describe
  describe secret -n describe
  describe sa -n describe
  describe sa ro -n describe
  describe roles -n describe
  describe role mixed -n describe
  describe rolebindings -n describe
  describe clusterroles
  describe clusterrole describe-urls
  describe clusterrole describe-
  describe clusterrolebindings
  describe crd
  describe crd organizations.resourcemanager.miloapis.com
  describe flowschemas
  describe prioritylevelconfigurations exempt
  describe validatingadmissionpolicies
  describe organizations
  describe org acme
  describe projects -A
  describe organizationmemberships -A
  describe dnszones -A
  describe datum
  describe datum -A
  describe cm -l app=web -A
  describe cm -l app=web -n describe
  describe cm,secrets -l app -n describe
  describe cm -l app=none -n describe
  describe cm -l app==,! -n describe
  describe cm -n none
  describe cm -n describe -l app=web full
  describe cm nothing -n describe
  describe cm nothing full -n describe
  describe cm full nothing empty -n describe
  describe cm/nothing cm/full -n describe
  describe cm/full cm/nothing -n describe
  describe cm/full cm/nothing cm/empty -n describe
  describe cm,secrets robot -n describe
  describe cm full -A
  describe ns limited -A
  describe cm/full empty -n describe
  describe cm/ -n describe
  describe nothings
  describe nothing/x
  describe cm,nothings -n describe
  describe
  describe cm full -n describe --show-events=maybe
  describe cm full -n describe --chunk-size=x
  describe -f FOLDER/objects.yaml
  describe -f FOLDER/objects.yaml -n describe
  describe -f FOLDER/objects.yaml -n other
  describe -f FOLDER/objects.yaml -l app=web
  describe -f FOLDER/objects.yaml -l app=none
  describe -f FOLDER/list.json -n describe
  describe -f FOLDER/some-missing.yaml
  describe -f FOLDER/unknown.yaml
  describe -f FOLDER/none.yaml
  describe -f FOLDER/objects.yaml cm full
  describe -f FOLDER/folder -n describe
  describe -f FOLDER/folder -R -n describe
  describe -f FOLDER/objects.yaml,FOLDER/list.json -n describe
`.trim().split("\n").map((line) => line.trim());

const FULL =
  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: full, namespace: describe, labels: {app: web}}\n";
const LABELS = "apiVersion: tests.example.com/v1\nkind: Everything\nmetadata: {name: labels}\n";
const MISSING = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nothing, namespace: describe}\n";
const UNKNOWN = "apiVersion: tests.example.com/v1\nkind: Nothing\nmetadata: {name: labels}\n";

const FILES: Readonly<Record<string, string>> = {
  "objects.yaml": [FULL, LABELS].join("---\n"),
  "some-missing.yaml": [FULL, MISSING, LABELS].join("---\n"),
  "unknown.yaml": [FULL, UNKNOWN, LABELS].join("---\n"),
  "list.json": JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [["ConfigMap", "full"], ["Secret", "full"]].map(([kind, name]) => ({
      apiVersion: "v1",
      kind,
      metadata: { name },
    })),
  }),
  "folder/one.yaml": FULL,
  "folder/inner/two.yml": LABELS,
};

async function fillWorld(world: ResourceWorld): Promise<void> {
  const server = asAdministrator(world);
  await fill(server);
  await fillEvents(server);
  await Deno.mkdir(`${world.folder}/folder/inner`, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) await Deno.writeTextFile(`${world.folder}/${name}`, text);
}

Deno.test({ name: "describe", ignore: !atHand }, async (test) => {
  await using world = await openResourceWorld();
  await fillWorld(world);

  await test.step(`prints what kubectl prints, in ${LINES.length} lines`, async () => {
    const found = await differences(world, LINES, { mask: masked });
    assert.equal(found.join("\n\n"), "");
  });

  await test.step("shows a terminal nothing that steers it, and a program everything", async () => {
    const line = "describe cm hostile -n describe";
    const [plain, shown] = [await world.ok(line), await world.ok(line, { outIsTerminal: true })];
    assert.notEqual(plain, printableLines(plain));
    assert.equal(shown, printableLines(plain));
  });

  await test.step("says on stderr that events are missing where they may not be read", async () => {
    const token = await lookersToken(world);
    const { code, stdout, stderr } = await world.run("describe anything labels -n describe", {
      env: { DATUMCTL_TOKEN: token },
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Events: +<none>$/m);
    assert.match(stderr, /^warning: events are missing here: .*cannot list resource "events"/);
    const several = await world.run("describe cm full empty -n describe", { env: { DATUMCTL_TOKEN: token } });
    assert.equal(several.code, 0, several.stderr);
    assert.equal(several.stderr.match(/^warning: /gm)?.length, 1, "what both have in common is told once");
  });
});

/** The token of a service account that may look at objects, but not at events. */
async function lookersToken({ server: { admin } }: ResourceWorld): Promise<string> {
  const rules = [{ apiGroups: ["*"], resources: ["anythings", "configmaps"], verbs: ["get", "list"] }];
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1" };
  await admin.apply(
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "looker", namespace: "default" } },
    { ...rbac, kind: "ClusterRole", metadata: { name: "looker" }, rules },
    {
      ...rbac,
      kind: "ClusterRoleBinding",
      metadata: { name: "looker" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "looker" },
      subjects: [{ kind: "ServiceAccount", name: "looker", namespace: "default" }],
    },
  );
  const { status } = await admin.send(
    "POST",
    "/api/v1/namespaces/default/serviceaccounts/looker/token",
    { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
  ) as { status: { token: string } };
  return status.token;
}
