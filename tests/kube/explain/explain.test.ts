/** Proves that explanations are what `kubectl explain` prints of the same server's schemas. */

import assert from "node:assert/strict";
import { explain } from "../../../src/kube/explain/explain.ts";
import { pause } from "../../../src/system/clock.ts";
import {
  explainedName,
  explainTarget,
  type FoundResource,
  openApiPath,
} from "../../../src/kube/explain/target.ts";
import { partFor } from "../../../src/kube/explain/schemas.ts";
import { compactJson } from "../../../src/kube/json-text.ts";
import type { Json } from "../../../src/kube/lossless-json.ts";
import { expectRejection } from "../../expect-error.ts";
import { type LiveServer, startLiveServer } from "../live-server.ts";
import { NASTY } from "./nasty.ts";

const found = (text: string): FoundResource => {
  const [plural = "", version = "", ...group] = text.split(".");
  return { plural, version, group: group.join(".") };
};

/** Resources by what they are called here; the first one of them is what kubectl takes for the name alone. */
const RESOURCES: Readonly<Record<string, readonly FoundResource[]>> = Object.fromEntries(
  Object.entries({
    "pods pod po": ["pods.v1"],
    "services": ["services.v1"],
    "configmaps": ["configmaps.v1"],
    "secrets": ["secrets.v1"],
    "deployments deploy": ["deployments.v1.apps"],
    "events": ["events.v1", "events.v1.events.k8s.io"],
    "crd customresourcedefinitions": ["customresourcedefinitions.v1.apiextensions.k8s.io"],
    "ingresses": ["ingresses.v1.networking.k8s.io"],
    "hpa": ["horizontalpodautoscalers.v2.autoscaling"],
    "clusterroles": ["clusterroles.v1.rbac.authorization.k8s.io"],
    "validatingadmissionpolicies": ["validatingadmissionpolicies.v1.admissionregistration.k8s.io"],
    "organizations org": ["organizations.v1alpha1.resourcemanager.miloapis.com"],
    "dnszones dz": ["dnszones.v1alpha1.dns.networking.miloapis.com"],
    "nasties": ["nasties.v1.tests.example.com"],
    "schemalesses": ["schemalesses.v1.tests.example.com"],
  }).flatMap(([names, resources]) => names.split(" ").map((name) => [name, resources.map(found)])),
);

const FIELDS = words(String.raw`
  text-none text-long text-blank-lines text-escapes text-wide zz aList aMap open untyped emptyObject
  listOfLists listOfObjects listOfObjects.b.c mapOfLists mapOfObjects mapOfObjects.y.z embedded embedded.metadata
  port portWithRules ruled ruled.a nullable enumOne enumFour enumFive enumNumbers enumIntegers enumBooleans
  enumObjects enumLines with\.dot.a/b with-dash 10 é properties.items Upper
`);

const PATHS = [
  ...words(`
    pods pod.spec po.spec.containers pods.spec.containers.ports pods.spec.restartPolicy pods.spec.volumes.hostPath.type
    pods.metadata pods.metadata.labels pods.metadata.managedFields.fieldsV1 pods.status.conditions
    pods.spec.affinity.nodeAffinity pods.spec['nodeSelector'] pods['spec'] pods..spec pods.spec. pods.
    pods.spec.containers.resources.limits services.spec.ports.targetPort configmaps secrets.data events events.source
    deployments.apps deployments.apps.spec.strategy deploy.spec.replicas hpa.spec.metrics.type clusterroles.rules.verbs
    crd.spec.versions.schema.openAPIV3Schema
    customresourcedefinitions.spec.versions.schema.openAPIV3Schema.properties.default
    ingresses.networking.k8s.io.spec.rules.http.paths.backend
    validatingadmissionpolicies.spec.matchConstraints.resourceRules.scope
    organizations org.spec.type org.status.conditions.status dnszones dz.spec dz.spec.ttl dz.spec.extra
    dz.spec.records.values dz.apiVersion dnszones.dns.networking.miloapis.com.spec.labels
    schemalesses nasties nasties.spec
  `),
  ...FIELDS.map((field) => `nasties.spec.${field}`),
];

const RECURSIVE = words(`
  pods crd deployments.spec pods.spec.containers.name dz schemalesses
  nasties nasties.spec.listOfObjects nasties.spec.mapOfObjects
`);

/** Types and fields that are not there, or no paths of fields. */
const WRONG = words(`
  nope.x pods.none pods.spec.none pods.spec.containers.none.name pods.metadata.labels.app pods.apiVersion.x
  pods.constructor pods.__proto__ dz.spec.ttl.x dz.spec.extra.x schemalesses.spec nasties.spec.mapOfObjects.none
  pods.spec.containers[0] po.spec.containers[*].name pods.spec[ pods} pods...spec nasties.spec['with.dot']
`);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Explains as the command will: looks for the resource, reads its document, finds the field. */
async function explained(server: LiveServer, path: string, { recursive = false, apiVersion = "" } = {}) {
  const { resource, fields } = explainTarget(path, RESOURCES[explainedName(path)] ?? [], apiVersion);
  const at = openApiPath(await server.read("/openapi/v3"), resource);
  let document = documents.get(at);
  if (document === undefined) documents.set(at, document = await server.read(at));
  const { text, error } = explain(document, { resource, fields, recursive });
  const part = partFor(document, resource) ?? assert.fail(`no part for ${path}`);
  assert.deepEqual(explain(part, { resource, fields, recursive }), { text, error }, `a part, ${path}`);
  if (error !== undefined) throw error;
  return text;
}

const documents = new Map<string, Json>();

Deno.test("resources and fields are explained as kubectl explains them", async (test) => {
  await using server = await startLiveServer();
  if (server === undefined) return;
  const kinds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  for (const kind of NASTY) await server.send("POST", kinds, JSON.stringify(kind));
  await until(async () =>
    compactJson(await server.read("/openapi/v3/apis/tests.example.com/v1")).includes("Schemaless")
  );

  for (const [recursive, paths] of [[false, PATHS], [true, RECURSIVE]] as const) {
    await test.step(recursive ? "with all fields of their fields" : "with their fields", async () => {
      for (const path of paths) {
        const { stdout, stderr } = await server.kubectl("explain", path, ...recursive ? ["--recursive"] : []);
        assert.equal(await explained(server, path, { recursive }), stdout, `${path} ${stderr}`);
        assert.notEqual(stdout, "", path);
      }
    });
  }

  await test.step("in the version that is asked for", async () => {
    for (
      const [path, apiVersion] of [["events.note", "events.k8s.io/v1"], ["events", "v1"], [
        "hpa.spec",
        "autoscaling/v1",
      ]]
    ) {
      const { stdout, stderr } = await server.kubectl("explain", path ?? "", `--api-version=${apiVersion}`);
      assert.equal(await explained(server, path ?? "", { apiVersion }), stdout, stderr);
    }
  });

  await test.step("and a version that is not there is an error for both", async () => {
    for (const apiVersion of ["v2", "apps/v1", "a/b/c"]) {
      const { code, stderr } = await server.kubectl("explain", "pods", `--api-version=${apiVersion}`);
      assert.notEqual(code, 0);
      await expectRejection(explained(server, "pods", { apiVersion }), { message: messageIn(stderr) });
    }
  });

  await test.step("and what is not there is an error for both", async () => {
    for (const path of WRONG) {
      const { code, stderr } = await server.kubectl("explain", path);
      assert.notEqual(code, 0, path);
      await expectRejection(explained(server, path), { message: messageIn(stderr) }, path);
    }
  });
});

/** kubectl's message, without the words that say nothing but that it is one. */
function messageIn(stderr: string): string {
  return stderr.trim().replace(/^(?:error: )*/, "").replace(
    "first node must be field node",
    "all nodes must be field nodes",
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds().catch(() => false)) return;
    await pause(50);
  }
  throw new Error("The API server does not publish the schemas.");
}
