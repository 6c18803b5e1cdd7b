/** Proves that `explain` prints what `kubectl explain` prints, line by line, below any control plane's path. */

import assert from "node:assert/strict";
import { compactJson } from "../../../src/kube/json-text.ts";
import { pause } from "../../../src/system/clock.ts";
import { NASTY } from "../../kube/explain/nasty.ts";
import { asAdministrator } from "../../kube/live-server.ts";
import { good } from "../run-line.ts";
import { openSignedIn } from "../world.ts";
import { differences } from "./same-lines.ts";
import { atHand, openResourceWorld, type ResourceWorld } from "./world.ts";

const LINES = `
  explain pods
  explain pod
  explain Pod
  explain po.spec
  explain po.spec.containers --recursive
  explain pods.spec.containers.ports
  explain pods.spec.restartPolicy
  explain pods.metadata.managedFields.fieldsV1
  explain pods --recursive
  explain pods --recursive=false
  explain pods.spec --recursive=true
  explain pods. -n default
  explain cm
  explain secrets.data
  explain ns.status.conditions
  explain deployments
  explain deploy.spec.strategy
  explain deployments.apps.spec.template.spec.volumes
  explain deployments.apps
  explain events
  explain events.events.k8s.io
  explain events --api-version=events.k8s.io/v1
  explain events.note --api-version=events.k8s.io/v1
  explain hpa
  explain hpa.spec --api-version=autoscaling/v1
  explain roles.rules
  explain clusterrolebindings.subjects
  explain crd.spec.versions.schema.openAPIV3Schema
  explain crd
  explain apiservices.spec
  explain leases
  explain organizations
  explain organization
  explain org.spec --recursive
  explain organizations.resourcemanager.miloapis.com.spec
  explain projects.spec.ownerRef
  explain project --recursive
  explain organizationmemberships.spec
  explain dnszones
  explain dz --recursive
  explain dnszone.status.conditions
  explain dnszones.dns.networking.miloapis.com.spec
  explain nasties
  explain nasties --recursive
  explain nasties.spec.listOfObjects
  explain nasties.spec.enumNumbers
  explain schemalesses
  explain subjectaccessreviews.spec
  explain pods -o plaintext
  explain pods --output=plaintext
  explain pods -o json
  explain nothings
  explain nothings.spec
  explain pods.none
  explain pods.spec.none
  explain pods.spec[0]
  explain pods...
  explain pods services
  explain
  explain pods --api-version=v2
  explain pods --api-version=apps/v1
  explain pods --api-version=a/b/c
  explain deployments.v1.apps
  explain deployments.v1.apps.spec
  explain all
  explain pods/web
  explain pods --recursive=maybe
`.trim().split("\n").map((line) => line.trim());

async function publish(world: ResourceWorld): Promise<void> {
  const server = asAdministrator(world);
  for (const kind of NASTY) {
    await server.send(
      "POST",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      JSON.stringify(kind),
    );
  }
  for (let tries = 0; tries < 200; tries += 1) {
    const document = await server.read("/openapi/v3/apis/tests.example.com/v1").catch(() => null);
    if (compactJson(document).includes("Schemaless")) return;
    await pause(50);
  }
  assert.fail("the schemas are not published");
}

Deno.test({ name: "explain", ignore: !atHand }, async (test) => {
  await using world = await openResourceWorld();
  await publish(world);
  await test.step(`prints what kubectl prints, in ${LINES.length} lines`, async () => {
    const found = await differences(world, LINES, { mask: (text) => text });
    assert.equal(found.join("\n\n"), "");
  });
  await test.step("says what it lacks", async () => {
    const { code, stderr } = await world.run("explain pods -o plaintext-openapiv2");
    assert.deepEqual([code, stderr.split("\n")[0]], [
      2,
      "error: Types are explained from OpenAPI v3 alone, not from v2.",
    ]);
  });
});

Deno.test("explain works below the path of a control plane, whose documents' addresses lack it", async () => {
  await using world = await openSignedIn();
  for (const scope of ["--organization acme", "--project web", "--platform-wide"]) {
    const line = `explain configmaps.metadata.name ${scope}`;
    const first = good(await world.run(`${line} -v`));
    assert.match(first.stdout, /^KIND: +ConfigMap\nVERSION: +v1\n\nFIELD: name <string>\n/, scope);
    assert.match(first.stderr, /\/openapi\/v3\/api\/v1/, scope);
    const second = good(await world.run(`${line} -v`));
    assert.equal(second.stdout, first.stdout);
    assert.doesNotMatch(second.stderr, /\/openapi\/v3\/api\/v1/, "it was kept");
  }
});
