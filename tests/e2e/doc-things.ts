/** What examples of the documentation name: files of a working folder, and objects of a control plane. */

import type { ApiServer, KubernetesObject } from "../apiserver/apiserver.ts";
import type { Cloud } from "../cloud/cloud.ts";

/** The secret of the client in `secret.txt`. */
export const CLIENT_SECRET = "the-client's-secret";

/** A zone of that name, in the namespace `default`. */
export const zoneNamed = (name: string) => ({
  apiVersion: "dns.networking.miloapis.com/v1alpha1",
  kind: "DNSZone",
  metadata: { name, namespace: "default", labels: { team: "shop" } },
  spec: { domainName: `${name.replace("-", ".")}` },
});

/** Lets service accounts look at everything. */
export const ROBOT = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "robot" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" },
  subjects: ["robot", "agent"].map((name) => ({ kind: "ServiceAccount", name, namespace: "default" })),
};

/** The files that examples name, below the working folder. */
export async function filesOf(cloud: Cloud): Promise<Record<string, string>> {
  const json = (value: unknown) => JSON.stringify(value, undefined, 2);
  return {
    "zone.yaml": json({ ...zoneNamed("example-com"), spec: { domainName: "example.com", nameservers: 4 } }),
    "zones/other.yaml": json(zoneNamed("other-com")),
    "change.yaml": "spec: {nameservers: 3}",
    "job.yaml": json({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "of-a-job", namespace: "default" },
      data: { color: "blue" },
    }),
    "token.yaml": "name: ci\nrole: User\n",
    "web.conf": "color = blue\n",
    "logo.png": "\u0000png",
    "login.env": "PASSWORD=secret\n",
    password: "secret",
    "secret.txt": CLIENT_SECRET,
    FILE: cloud.addPersonalAccessToken(),
    "key.json": json(await cloud.addServiceAccount()),
    "ca.pem": cloud.caPem,
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
  };
}

/** Puts up what examples look at and change; or, for those that create it, takes it away. */
export async function putObjects({ admin }: ApiServer, there: boolean): Promise<void> {
  const map = (name: string, namespace: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, labels: { app: "web" } },
    data: { color: "blue" },
  });
  const condition = (type: string) => ({
    type,
    status: "True",
    reason: "Done",
    message: "done",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  const zone = (namespace: string) => {
    const { metadata, ...rest } = zoneNamed("example-com");
    return {
      ...rest,
      metadata: { ...metadata, namespace },
      status: { conditions: [condition("Ready"), condition("Accepted")] },
    };
  };
  const objects: readonly KubernetesObject[] = [
    ...["a", "b", "web"].map((name) => map(name, "default")),
    map("web", "shop"),
    zone("default"),
    zone("shop"),
    { ...zoneNamed("other-com"), metadata: { ...zoneNamed("other-com").metadata, labels: { env: "test" } } },
    {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "example-com.1", namespace: "default" },
      involvedObject: {
        apiVersion: "dns.networking.miloapis.com/v1alpha1",
        kind: "DNSZone",
        name: "example-com",
        namespace: "default",
      },
      type: "Warning",
      reason: "Delegation",
      message: "nobody delegates to it yet",
      lastTimestamp: "2026-01-01T00:00:00Z",
    },
    ...["b", "token"].map((name) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "default" },
    })),
  ];
  const created = [
    "/apis/dns.networking.miloapis.com/v1alpha1/namespaces/default/dnszones",
    "/api/v1/namespaces/default/configmaps",
    ...["default", "shop"].flatMap((namespace) =>
      ["secrets", "serviceaccounts"].map((kind) => `/api/v1/namespaces/${namespace}/${kind}`)
    ),
  ];
  const namespaces = ["shop", "staging"].map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  }));
  await admin.apply(...namespaces);
  for (const path of created) await admin.send("DELETE", path);
  if (there) await admin.apply(...objects);
}
