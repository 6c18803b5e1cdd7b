/** Proves that descriptions are what `kubectl describe` prints of the same objects of the real API server. */

import assert from "node:assert/strict";
import {
  describe,
  type DescribedKind,
  type Related,
  relatedRequests,
} from "../../../src/kube/describe/describe.ts";
import { isItems, isMembers, type Json, type JsonMembers } from "../../../src/kube/lossless-json.ts";
import { type LiveServer, startLiveServer } from "../live-server.ts";
import { fill, fillEvents } from "./fill.ts";

const UTC = { minutesEast: () => 0 };

/** What is described: all objects of a list, or one. */
interface Case {
  readonly kind: DescribedKind;
  /** Where the objects are. */
  readonly list: string;
  /** What kubectl is told. */
  readonly args: readonly string[];
  readonly events?: boolean;
}

const RBAC = "rbac.authorization.k8s.io";

function all(plural: string, kind: string, group = "", version = "v1", args: readonly string[] = []): Case {
  const list = group === "" ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`;
  const name = group === "" ? plural : `${plural}.${version}.${group}`;
  return { kind: { group, kind }, list, args: [name, "-A", ...args] };
}

const CASES: readonly Case[] = [
  all("anythings", "Anything", "tests.example.com"),
  all("everythings", "Everything", "tests.example.com"),
  all("namespaces", "Namespace"),
  all("limitranges", "LimitRange"),
  all("resourcequotas", "ResourceQuota"),
  all("configmaps", "ConfigMap"),
  all("secrets", "Secret"),
  all("serviceaccounts", "ServiceAccount"),
  all("roles", "Role", RBAC),
  all("clusterroles", "ClusterRole", RBAC),
  all("rolebindings", "RoleBinding", RBAC),
  all("clusterrolebindings", "ClusterRoleBinding", RBAC),
  // Kinds for which kubectl has no words of its own.
  all("customresourcedefinitions", "CustomResourceDefinition", "apiextensions.k8s.io"),
  all("flowschemas", "FlowSchema", "flowcontrol.apiserver.k8s.io"),
  all("prioritylevelconfigurations", "PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io"),
  all("organizations", "Organization", "resourcemanager.miloapis.com", "v1alpha1"),
  all("projects", "Project", "resourcemanager.miloapis.com", "v1alpha1"),
  all("organizationmemberships", "OrganizationMembership", "resourcemanager.miloapis.com", "v1alpha1"),
  { ...all("anythings", "Anything", "tests.example.com", "v1", ["--show-events=false"]), events: false },
  { ...all("configmaps", "ConfigMap", "", "v1", ["--show-events=false"]), events: false },
];

/** Reads what kubectl reads, and describes each object. */
async function described(server: LiveServer, { kind, list, events = true }: Case): Promise<string[]> {
  const texts = [];
  for (const item of await itemsAt(server, list)) {
    const { name, namespace } = item.metadata as { name: string; namespace?: string };
    const at = list.replace(
      /\/(\w+)$/,
      (plural) => namespace === undefined ? plural : `/namespaces/${namespace}${plural}`,
    );
    const object = await server.read(`${at}/${encodeURIComponent(name)}`) as JsonMembers;
    const related: { [name: string]: readonly Json[] } = {};
    for (const request of relatedRequests(kind, object, { events })) {
      related[request.name] = await itemsAt(server, request.path);
    }
    texts.push(describe(kind, object, related as Related, { now: new Date(), ...UTC }));
  }
  return texts;
}

async function itemsAt(server: LiveServer, path: string): Promise<JsonMembers[]> {
  const list = await server.read(path);
  assert.ok(isMembers(list) && isItems(list.items));
  return list.items.filter(isMembers);
}

Deno.test("objects are described as kubectl describes them", async (test) => {
  await using server = await startLiveServer();
  if (server === undefined) return;
  await fill(server);
  await fillEvents(server);
  for (const one of CASES) {
    await test.step(one.args.join(" "), async () => {
      const texts = await described(server, one);
      const { stdout, stderr } = await server.kubectl("describe", ...one.args);
      assert.equal(texts.join("\n\n"), stdout, stderr);
      assert.notEqual(stdout, "");
      if (one.kind.kind === "Anything" && one.events !== false) {
        assert.match(stdout, /Often +20m \(x12 over 30d\)/);
      }
    });
  }
});
