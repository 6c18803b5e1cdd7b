/** Objects for the real API server, and command lines of `get` that show them in every way. */

import type { KubernetesObject } from "../../apiserver/apiserver.ts";

function configMap(
  namespace: string,
  name: string,
  data: Record<string, string>,
  labels: Record<string, string> = {},
): KubernetesObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels }, data };
}

function namespace(name: string): KubernetesObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function organization(name: string, type: string): KubernetesObject {
  return {
    apiVersion: "resourcemanager.miloapis.com/v1alpha1",
    kind: "Organization",
    metadata: { name, annotations: { "kubernetes.io/display-name": `The ${name} <&> é 日本` } },
    spec: { type },
  };
}

/** What is there. */
export const OBJECTS: readonly KubernetesObject[] = [
  namespace("shop"),
  namespace("empty"),
  configMap("shop", "web", { a: "3", size: "10Gi" }, { app: "web", tier: "front" }),
  configMap("shop", "data", { a: "1", size: "2Gi", long: "x ".repeat(200) }, { app: "data" }),
  configMap("shop", "a-very-long-name-that-makes-the-column-wide", { a: "2" }, { app: "web", "x/y": "z" }),
  configMap("default", "web", { yes: "no", on: "1e3", text: "line\nline\n", tab: "\t", quote: '"<&>' }),
  { apiVersion: "v1", kind: "Secret", metadata: { name: "web", namespace: "shop" }, stringData: { k: "v" } },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
    spec: {
      ports: [{ port: 80 }, { port: 443, name: "tls" }].map((one) => ({ name: "http", ...one })),
      selector: { app: "web" },
    },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "main", image: "nginx:1.27" }, { name: "side", image: "busybox" }] },
      },
    },
  },
  organization("umbrella", "Business"),
  organization("globex", "Standard"),
];

/** Every way to show, with each of what is shown. */
const SHOWN = [
  "cm -n shop",
  "cm -A",
  "cm web -n shop",
  "cm web data -n shop",
  "organizations",
  "cm,secrets,svc -n shop",
  "deploy/web svc/web -n shop",
];
const WAYS = [
  "",
  "-o wide",
  "--show-labels",
  "-L app,x/y",
  "--show-kind",
  "--no-headers",
  "-o json",
  "-o yaml",
  "-o name",
  "-o jsonpath={.items[*].metadata.name}",
  "-o jsonpath={.metadata.name}{.kind}",
  "-o jsonpath-as-json={.items[*].metadata.labels}",
  "-o custom-columns=NAME:.metadata.name,A:.data.a,K:.kind",
  "--sort-by=.metadata.name",
  "--sort-by=.metadata.name -o name",
  "-o yaml --show-managed-fields",
  "--chunk-size=1",
  "--chunk-size=1 -o json",
];

const OTHERS = `
  all -n shop
  all -A
  all
  datum
  datum,networking -A
  cm -n empty
  cm,secrets -n empty
  cm,ns -n empty
  cm -n empty -o json
  cm -n empty -o yaml
  cm -n empty -o name
  cm -n empty -o jsonpath={.items}
  cm -n empty -o custom-columns=N:.metadata.name
  cm -n empty -o custom-columns=N:.metadata.name --no-headers
  cm -n empty --ignore-not-found
  cm -n empty --ignore-not-found -o json
  cm -n empty --no-headers
  dnszones -A
  dnszones
  organizations,cm -n empty
  cm,organizations,sa -A
  organizations,cm,crd -A --no-headers
  cm,svc web data -n shop
  cm,svc web data -n shop -o json
  cm,svc web -n shop -o name
  all web -n shop
  cm missing
  cm missing -o json
  cm missing -o yaml --ignore-not-found
  cm missing --ignore-not-found
  cm web missing -n shop
  cm web missing -n shop -o json
  cm web missing -n shop -o name
  cm web missing -n shop --ignore-not-found -o json
  cm web missing -n shop --ignore-not-found
  cm missing gone --ignore-not-found -o json
  cm missing gone -o json
  cm web web -n shop
  cm/web cm/web -n shop -o name
  cm/web secret/missing -n shop
  cm/web secret/web -n shop -o json
  ns/shop cm/web -n shop
  ns/shop cm/web -n shop --show-labels
  cm web -A
  cm/web -A
  ns shop -A
  ns -n shop
  ns,cm -A
  ns,cm -A --no-headers
  ns,cm,organizations -n shop --show-kind --show-labels
  nosuch
  nosuch web -o json
  cm,nosuch -n shop
  cm,svc web -n shop
  cm/web svc -n shop
  cm/web/x
  /web
  cm/
  cm/web,data -n shop
  cm web -l app=web
  cm/web -l app=web
  cm -n shop -l app=web
  cm -n shop -l app=nothing
  cm -n shop -l app!=web -o name
  cm -n shop -l app=(
  cm -n shop --selector=app -o name
  cm -n shop --field-selector metadata.name=web
  cm -n shop --field-selector metadata.name=web -o json
  cm -n shop --field-selector bad=web
  cm web -n shop --field-selector metadata.name=web
  deployments.apps -n shop
  deployments.v1.apps -n shop
  deployments.v9.apps -n shop
  Deployment -n shop
  deploy -n shop -o wide
  deploy web -n shop -o wide --show-labels
  deploy,rs,sts -n shop
  deploy web -n shop --subresource=status
  deploy web -n shop --subresource=scale
  deploy web -n shop --subresource=scale -o json
  deploy web -n shop --subresource=nothing
  configmaps,cm,configmap -n shop
  cm, -n shop
  ,cm -n shop
  crd
  crd -o name
  clusterroles -o name
  clusterroles --sort-by=.metadata.uid
  clusterroles --chunk-size=7
  clusterroles --chunk-size=7 -o name
  apiservices -o wide
  org
  orgs
  organizations.resourcemanager.miloapis.com acme
  organizations.resourcemanager acme
  organization/acme
  org -o wide --show-labels --sort-by=.spec.type
  org -o yaml
  cm -n shop --sort-by=.data.a
  cm -n shop --sort-by={.data.size}
  cm -n shop --sort-by=data.size -o json
  cm -n shop --sort-by=.data.nothing -o json
  cm -n empty --sort-by=.data.nothing
  cm -A --sort-by=.metadata.name
  cm web data -n shop --sort-by=.metadata.name -o json
  cm,secrets -n shop --sort-by=.metadata.name -o name
  cm -n shop -o nonsense
  cm -n shop -o jsonpath
  cm -n shop -o jsonpath={.items[*]
  cm -n shop -o custom-columns=
  cm -n shop -o custom-columns=NAME
  cm -n shop -o custom-columns-file=FOLDER/columns
  cm -n shop -o jsonpath-file=FOLDER/template
  cm -n shop -o jsonpath={range.items[*]}{.metadata.name}={.data.a},{end}
  cm web -n shop -o jsonpath={.data}
  cm web -n shop -o jsonpath={.metadata.managedFields[*].manager}
  cm web -n shop -o custom-columns=M:.metadata.managedFields[*].manager
  secrets -n shop -o yaml
  events -A
  events.events.k8s.io -A
  roles,rolebindings -A -o wide
  sa -A
  namespaces --show-labels -L kubernetes.io/metadata.name
  ns default -o json
  ns -o json
  leases -A -o name
  flowschemas
  prioritylevelconfigurations -o wide
  svc -A -o wide
  svc kubernetes -o yaml
  endpointslices -A
  ep -A
`;

/** Command lines that kubectl fails with: it sorts no tables of several answers. */
const DIFFERENT = [
  "cm web data -n shop --sort-by=.metadata.name",
  "cm,secrets,svc -n shop --sort-by=.metadata.name",
  "deploy/web svc/web -n shop --sort-by=.metadata.name",
];

/** The command lines. */
export const LINES: readonly (readonly string[])[] = [
  ...SHOWN.flatMap((what) => WAYS.map((way) => `${what} ${way}`)).filter((line) => !DIFFERENT.includes(line)),
  ...OTHERS.split("\n").filter((line) => line.trim() !== ""),
].map((line) => line.trim().split(/ +/));
