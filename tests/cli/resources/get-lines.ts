/** Objects for the real API server, files that name some of them, and command lines that show them in many ways. */

import { OBJECTS as SOME_OBJECTS } from "../../kube/read/get-lines.ts";
import type { KubernetesObject } from "../../apiserver/apiserver.ts";

const DNS = "dns.networking.miloapis.com/v1alpha1";
const RESOURCES = "resourcemanager.miloapis.com/v1alpha1";

function condition(type: string, status: string) {
  const lastTransitionTime = "2025-01-02T03:04:05Z";
  return { type, status, reason: "Told", message: `it is ${status}`, lastTransitionTime };
}

function zone(
  namespace: string,
  name: string,
  spec: Record<string, unknown>,
  more: Record<string, unknown> = {},
): KubernetesObject {
  const { labels, ...rest } = more as { readonly labels?: Record<string, string> };
  return {
    apiVersion: DNS,
    kind: "DNSZone",
    metadata: { name, namespace, labels },
    spec: { domainName: `${name}.example.com`, ...spec },
    ...rest,
  };
}

function event(namespace: string, at: number, type: string, reason: string): KubernetesObject {
  const time = `2025-03-0${at}T10:00:00Z`;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `web.${at}`, namespace },
    involvedObject: { kind: "Deployment", namespace, name: "web", apiVersion: "apps/v1" },
    type,
    reason,
    message: `${reason} for the ${at}th time`,
    count: at,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: "test" },
  };
}

/** What is there, beside what others of these tests put there. */
export const OBJECTS: readonly KubernetesObject[] = [
  ...SOME_OBJECTS,
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "many" } },
  ...Array.from({ length: 30 }, (_, at) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `n-${at}`, namespace: "many", labels: { third: String(at % 3) } },
    data: at % 4 === 0 ? {} : { size: `${at % 7}Gi`, at: String(at) },
  })),
  zone("shop", "alpha", { nameservers: 3, weight: 1.5, serial: 9007199254740993, signed: true }, {
    labels: { team: "a", tier: "front" },
    status: {
      nameservers: 3,
      selector: "app=web",
      lastChecked: "2025-01-02T03:04:05Z",
      conditions: [condition("Accepted", "True"), condition("Programmed", "False")],
    },
  }),
  zone("shop", "beta", {
    weight: 1e21,
    ttl: "1h",
    labels: { a: "b" },
    records: [{ name: "www", values: ["1.2.3.4", "5.6.7.8"] }, { name: "mx", type: "TXT" }],
    extra: { deep: { list: [1, [2, null], { x: "é <&>" }] } },
  }, { labels: { team: "b" } }),
  zone("shop", "gamma-with-a-rather-long-name", { weight: -2, serial: 7 }, { labels: { team: "a" } }),
  zone("default", "alpha", {}),
  ...["site", "store"].map((name) => ({
    apiVersion: RESOURCES,
    kind: "Project",
    metadata: { name, labels: { of: name } },
    spec: { ownerRef: { kind: "Organization", name: "umbrella" } },
  })),
  {
    apiVersion: RESOURCES,
    kind: "OrganizationMembership",
    metadata: { name: "ada", namespace: "shop" },
    spec: { organizationRef: { name: "umbrella" }, userRef: { name: "ada" }, roles: [{ name: "owner" }] },
    status: { organization: { displayName: "The Umbrella", type: "Business" }, user: { email: "a@b.c" } },
  },
  event("shop", 1, "Normal", "Started"),
  event("shop", 2, "Warning", "Stumbled"),
  event("shop", 3, "Normal", "Started"),
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "shop" } },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1", namespace: "shop", labels: { app: "web" } },
    spec: { containers: [{ name: "main", image: "nginx" }, { name: "side", image: "busybox" }] },
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-2", namespace: "shop", labels: { app: "web" } },
    spec: { containers: [{ name: "main", image: "nginx" }] },
  },
  { apiVersion: "v1", kind: "Node", metadata: { name: "worker", labels: { zone: "z1" } } },
  {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "fast" },
    provisioner: "example.com/disk",
  },
  {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "nightly", namespace: "shop" },
    spec: {
      schedule: "0 3 * * *",
      jobTemplate: {
        spec: {
          template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } },
        },
      },
    },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: "shop" },
    spec: { rules: [{ host: "a.example.com", http: { paths: [path("/")] } }], tls: [{ hosts: ["a"] }] },
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "reader", namespace: "shop" },
    rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }],
  },
];

function path(path: string) {
  return { path, pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } };
}

/** Files by their path in the test's folder. */
export const FILES: Readonly<Record<string, string>> = {
  "template": '{range .items[*]}{.metadata.name}{"\\n"}{end}',
  "columns": "NAME RV\n.metadata.name .data.a\n",
  "columns-bad": "NAME RV\n.metadata.name\n",
  "one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n",
  "default.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n",
  "two.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n---\n" +
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n",
  "two-alike.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n---\n" +
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: data, namespace: shop}\n",
  "half.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: missing, namespace: shop}\n---\n" +
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n",
  "missing.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: missing, namespace: shop}\n",
  "unserved.yaml": "apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: web}\n",
  "nameless.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: web}\n",
  "kindless.yaml": "apiVersion: v1\nmetadata: {name: web}\n",
  "broken.yaml": "a: [\n",
  "empty.yaml": "\n",
  "list.json": JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      { apiVersion: DNS, kind: "DNSZone", metadata: { name: "alpha", namespace: "shop" } },
    ],
  }),
  "zone.json": JSON.stringify({ apiVersion: DNS, kind: "DNSZone", metadata: { name: "alpha" } }),
  "folder/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n",
  "folder/b.yml": "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\n",
  "folder/c.txt": "no manifest",
  "folder/more/d.json": JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop" },
  }),
  "lone/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n",
};

/** Each of these words, with each of those. */
function each(texts: readonly string[], ...others: readonly (readonly string[])[]): string[] {
  const [next, ...rest] = others;
  return next === undefined
    ? [...texts]
    : each(texts.flatMap((text) => next.map((other) => `${text} ${other}`)), ...rest);
}

const lines = (text: string) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

/** How a type can be written. */
const TYPES = lines(`
  dnszones -n shop
  dnszone -n shop
  DNSZone -n shop
  DnsZones -n shop
  dz -n shop
  zone -n shop
  dnszones.dns.networking.miloapis.com -n shop
  dnszones.dns -n shop
  dnszones.v1alpha1.dns.networking.miloapis.com -n shop
  dnszones.v1.dns.networking.miloapis.com -n shop
  dnszone.dns.networking.miloapis.com/alpha -n shop
  dz/alpha dz/beta -n shop
  zone alpha beta -n shop
  DNSZone alpha -n default
  networking -n shop
  proj
  project
  Project
  projects.v1alpha1.resourcemanager.miloapis.com
  organizationmemberships -A
  pods -n shop
  po web-1 -n shop
  deployment -n shop
  Deployment.v1.apps -n shop
  deploy.apps -n shop
  cronjobs -n shop
  cj -n shop
  ingresses -n shop
  ing/web -n shop
  no
  sc
  ev -n shop
  events.v1.events.k8s.io -n shop
  events.v1. -n shop
  quota -A
  csr
  pc
  all -n shop
  api-extensions
`);

const WAYS = lines(`
  -o wide
  -o name
  -o yaml
  --show-labels
  -L team,app
`);

const SELECTED = each(
  lines(`
    dnszones -n shop
    cm -n many
    pods,svc -n shop
    ns
  `),
  lines(`
    -l team=a
    -l team!=a
    -l team
    -l !team
    -l team=a,tier=front
    -l third
    -l third=1
    -l third!=1,third!=2 -o name
    --selector=app=web
    -l=app=web
    --field-selector=metadata.name=alpha
    --field-selector=metadata.name!=alpha -o name
    --field-selector=metadata.namespace=shop
    --field-selector=spec.domainName=beta.example.com
    --field-selector=status.phase=Pending
    --field-selector=metadata.name=n-1,metadata.namespace=many
    --field-selector=
    -l=
  `),
);

const SORTED = each(
  lines(`
    dnszones -n shop
    dnszones -A
    cm -n many
    ev -n shop
    clusterroles
  `),
  lines(`
    --sort-by=.metadata.name
    --sort-by={.metadata.creationTimestamp}
    --sort-by=metadata.namespace
    --sort-by=.spec.weight
    --sort-by=.spec.nameservers -o name
    --sort-by=.data.size
    --sort-by=.data.at -o name
    --sort-by=.metadata.labels.third
    --sort-by=.lastTimestamp
    --sort-by=.count -o custom-columns=N:.metadata.name,C:.count
    --sort-by=.spec.nothing
    --sort-by={.spec
    --sort-by=
  `),
);

const OTHERS = lines(`
  dz -A -o wide
  dz -A --show-kind
  dz -A --no-headers
  dz -A -L team --show-labels
  dz,cm,po -n shop --show-kind
  dz,cm,po -n shop --no-headers
  dz,cm,po -n shop -o name
  dz,cm,po -n shop -o wide -L app,team
  dz,ns,proj -A --show-labels
  dz,nosuch -n shop
  nosuch.example.com
  nosuch.v1.example.com
  dz.example.com -n shop
  dz alpha -n shop --subresource=status -o yaml
  dz alpha -n shop --subresource=scale
  dz alpha -n shop --subresource scale -o json
  dz alpha beta -n shop --subresource=scale
  dz -n shop --subresource=scale
  dz alpha -n shop --subresource=nothing
  dz/alpha deploy/web -n shop --subresource=scale
  deploy web -n shop --subresource=status -o name
  dz alpha -n shop --show-managed-fields -o json
  dz alpha -n shop --show-managed-fields
  dz alpha -n shop --show-managed-fields=false -o yaml
  dz alpha -n shop -oyaml
  dz alpha -n shop -o=json
  dz alpha -n=shop -o=name
  dz alpha -nshop
  dz -Aoname
  dz -A=true -o name
  dz -A=false -n shop -o name
  dz -n shop --no-headers=false
  dz -n shop --no-headers=true
  dz -n shop --show-labels=false
  dz -n shop --show-labels=maybe
  dz -n shop -o
  dz -n shop -o=
  dz -n shop -L=team
  dz -n shop -L team -L tier
  dz -n shop -L nothing
  dz -n shop -L team -o json
  dz -n shop --label-columns=team,tier --sort-by=.metadata.name
  dz -n shop --show-labels -o json
  dz -n shop --show-labels -o name
  dz -n shop --show-labels -o custom-columns=N:.metadata.name
  dz -n shop --show-labels -o wide
  dz -n shop --show-kind -o json
  dz -n shop --output-watch-events
  dz -n shop --chunk-size=1
  dz -n shop --chunk-size=2 -o yaml
  dz -n shop --chunk-size=0
  dz -n shop --chunk-size=-1
  dz -n shop --chunk-size=x
  dz -n shop --chunk-size=1 --sort-by=.metadata.name -o name
  cm -n many --chunk-size=7 --sort-by=.data.at -o name
  cm -n many --chunk-size=7
  dz alpha -n shop --chunk-size=1
  dz missing -n shop
  dz missing -n shop --ignore-not-found
  dz missing -n shop --ignore-not-found -o yaml
  dz alpha missing -n shop --ignore-not-found
  dz/missing cm/web -n shop --ignore-not-found -o name
  dz -n empty --ignore-not-found
  dz -n nowhere
  dz -n nowhere -o json
  dz -n Not_A_Name
  dz alpha -n nowhere
  dz ALPHA -n shop
  dz alpha/x -n shop
  dz ../x -n shop
  dz . -n shop
  dz % -n shop
  dz alpha -n shop -l team=a
  dz alpha -n shop --field-selector metadata.name=alpha
  dz -l team in (a,b)
  -n shop -l team=a
  -n shop
  -A
  dz -n shop -l a=b=c
  dz -n shop -l =a
  dz -n shop -l -a
  dz -n shop -l a=,b
  dz -n shop -l ,
  dz -n shop --field-selector nonsense
  dz -n shop --field-selector spec.nothing=1
  dz -n shop --field-selector a=b,
  dz -n shop --sort-by=.metadata.name -w=false
  dz alpha -n shop --sort-by=.metadata.name
  dz alpha -n shop --sort-by=.metadata.nothing -o json
  dz alpha -n shop --sort-by=.metadata.nothing
  dz alpha beta -n shop --sort-by=.spec.domainName -o name
  dz -n shop -o wide --sort-by=.spec.weight
  dz -n shop -o jsonpath=
  dz -n shop -o jsonpath={}
  dz -n shop -o jsonpath-as-json={.items[0].spec}
  dz -n shop -o jsonpath-as-json={.items[*].spec.nothing}
  dz alpha -n shop -o jsonpath={.items}
  dz alpha -n shop -o jsonpath={.metadata.name}
  dz alpha -n shop -o jsonpath-as-json={.spec}
  dz alpha beta -n shop -o jsonpath={.items[*].metadata.name}
  dz,cm -n shop -o jsonpath={.items[*].kind}
  dz -n shop -o jsonpath-file=FOLDER/template
  dz -n shop -o jsonpath-file=FOLDER/nothing
  dz -n shop -o jsonpath-file
  dz -n shop -o jsonpath --template={.kind}
  dz -n shop -o jsonpath={.kind} --template={.kind}
  dz -n shop -o json --template={.kind}
  dz -n shop -o custom-columns --template=A:.kind
  dz -n shop -o custom-columns=A:.kind --no-headers
  dz -n shop -o custom-columns-file=FOLDER/columns
  dz -n shop -o custom-columns-file=FOLDER/columns --no-headers
  dz -n shop -o custom-columns-file=FOLDER/columns-bad
  dz -n shop -o custom-columns-file=FOLDER/nothing
  dz -n shop -o nothing
  dz -n shop -o JSON
  dz -n shop -o json=x
  dz -n shop -o yaml=
  dz -n shop -o name=x
  dz -n shop -o wide=x
  dz -n shop --nonsense
  dz -n shop -Z
  dz -n shop -R
  -f FOLDER/one.yaml
  -f FOLDER/one.yaml -o json
  -f FOLDER/one.yaml -o name
  -f FOLDER/one.yaml -o yaml --show-managed-fields
  -f FOLDER/one.yaml -o jsonpath={.metadata.name}
  -f FOLDER/one.yaml -o custom-columns=N:.metadata.name
  -f FOLDER/one.yaml --show-labels -o wide
  -f FOLDER/one.yaml -n shop
  -f FOLDER/one.yaml -n other
  -f FOLDER/one.yaml -n other -A
  -f FOLDER/one.yaml -A
  -f FOLDER/default.yaml
  -f FOLDER/default.yaml -n shop
  -f FOLDER/default.yaml -n shop -o name
  -f FOLDER/default.yaml -n empty
  -f FOLDER/default.yaml -A
  -f FOLDER/two.yaml
  -f FOLDER/two.yaml -o name
  -f FOLDER/two.yaml -o json
  -f FOLDER/two.yaml -o jsonpath={.items[*].kind}
  -f FOLDER/two.yaml --show-kind --no-headers
  -f FOLDER/two-alike.yaml
  -f FOLDER/two-alike.yaml -o yaml
  -f FOLDER/two-alike.yaml --sort-by=.metadata.name -o name
  -f FOLDER/half.yaml
  -f FOLDER/half.yaml -o name
  -f FOLDER/half.yaml -o json
  -f FOLDER/half.yaml --ignore-not-found
  -f FOLDER/half.yaml --ignore-not-found -o name
  -f FOLDER/missing.yaml
  -f FOLDER/missing.yaml --ignore-not-found
  -f FOLDER/missing.yaml --ignore-not-found -o json
  -f FOLDER/unserved.yaml
  -f FOLDER/unserved.yaml -o json
  -f FOLDER/kindless.yaml
  -f FOLDER/broken.yaml
  -f FOLDER/nothing.yaml
  -f FOLDER/list.json
  -f FOLDER/list.json -o name
  -f FOLDER/list.json -o yaml
  -f FOLDER/zone.json -n shop --subresource=scale
  -f FOLDER/zone.json -n shop -o wide
  -f FOLDER/folder
  -f FOLDER/folder -R
  -f FOLDER/folder -R -o name
  -f FOLDER/folder -o json
  -f FOLDER/lone
  -f FOLDER/lone -o json
  -f FOLDER/one.yaml -f FOLDER/list.json -o name
  -f FOLDER/one.yaml,FOLDER/two.yaml -o name
  -f FOLDER/one.yaml -f FOLDER/one.yaml -o json
  -f FOLDER/one.yaml -f FOLDER/nothing.yaml
  -f FOLDER/two.yaml -l app=web -o name
  -f FOLDER/two.yaml -l app=nothing -o name
  -f FOLDER/two.yaml -l app=nothing -o json
  -f FOLDER/one.yaml --field-selector=metadata.name=web
  -f FOLDER/one.yaml cm
  -f FOLDER/one.yaml cm web
  -f FOLDER/one.yaml cm/web
  -f
  -f=FOLDER/one.yaml
  --filename=FOLDER/one.yaml
  --raw=/version
  --raw /api/v1/namespaces/shop/configmaps/web
  --raw /api/v1/namespaces/shop/configmaps?limit=2&labelSelector=app%3Dweb
  --raw /healthz
  --raw /api
  --raw /nothing
  --raw /api/v1/namespaces/shop/configmaps/missing
  --raw version
  --raw /version -o json
  --raw /version -w
  --raw /version --watch-only
  --raw /version -l a=b
  --raw /version cm
  --raw /version -A
  --raw /version -n shop
  --raw /version --sort-by=.x
  --raw /version --field-selector=a=b
  --raw /version --show-labels
  --raw /version --output-watch-events
  --raw /version --ignore-not-found
  --raw /version -f FOLDER/one.yaml
  --raw= cm -n shop
`);

/** Lines with arguments that contain blanks. */
const QUOTED: readonly (readonly string[])[] = [
  ["dz", "-n", "shop", "-l", "team in (a,b)"],
  ["dz", "-n", "shop", "-l", "team in (a, b),tier notin (x)", "-o", "name"],
  ["dz", "-n", "shop", "-l", " team = a "],
  ["dz", "-n", "shop", "-l", "team in ()"],
  ["dz", "-n", "shop", "-l", " "],
  ["dz", "-n", "shop", "--field-selector", " "],
  ["dz", "-n", "shop", "-o", "custom-columns=A B:.metadata.name,C:.spec.domainName"],
  ["dz", "-n", "shop", "-o", "jsonpath={range .items[*]}{.metadata.name}{'\\t'}{.spec.serial}{'\\n'}{end}"],
  ["dz", "-n", "shop", "-o", " json"],
  ["cm", "a b", "-n", "shop"],
  ["cm", "", "-n", "shop"],
  ["", "-n", "shop"],
  [""],
];

/** Lines that kubectl answers otherwise, by the reason that ours differs. */
export const DIFFERENT: readonly { readonly why: string; readonly lines: readonly string[] }[] = [
  {
    why: "kubectl takes a field that nothing has, or that cannot be read, for nothing found",
    lines: [
      ...each(["dnszones -n shop", "dnszones -A", "ev -n shop"], [
        "--sort-by=.data.size",
        "--sort-by=.metadata.labels.third",
        "--sort-by=.spec.nothing",
        "--sort-by={.spec",
      ]),
      ...each(["dnszones -n shop", "dnszones -A", "cm -n many"], ["--sort-by=.lastTimestamp"]),
      ...each(["cm -n many"], ["--sort-by=.spec.nothing", "--sort-by={.spec", "--sort-by=.spec.weight"]),
      "ev -n shop --sort-by=.spec.weight",
      ...each(["clusterroles"], [
        "--sort-by=metadata.namespace",
        "--sort-by=.spec.weight",
        "--sort-by=.data.size",
        "--sort-by=.metadata.labels.third",
        "--sort-by=.lastTimestamp",
        "--sort-by=.spec.nothing",
        "--sort-by={.spec",
      ]),
    ],
  },
  {
    why: "kubectl does not sort whole numbers among fractions",
    lines: each(["dnszones -n shop", "dnszones -A", "dz -n shop -o wide"], ["--sort-by=.spec.weight"]),
  },
  {
    why: "kubectl does not sort a table of objects that are named, or of several types",
    lines: [
      "cm web data -n shop --sort-by=.metadata.name",
      "cm,secrets,svc -n shop --sort-by=.metadata.name",
      "deploy/web svc/web -n shop --sort-by=.metadata.name",
    ],
  },
  {
    why: "kubectl heeds --no-headers for columns of the command line only",
    lines: ["dz -n shop -o custom-columns-file=FOLDER/columns --no-headers"],
  },
  {
    why: "kubectl prints a manifest without a name itself, and finds nothing in one without an object",
    lines: each(["-f FOLDER/nameless.yaml", "-f FOLDER/empty.yaml"], ["-o name", "-o json"]),
  },
  {
    why: "every list takes -o table",
    lines: ["dz -n shop -o table"],
  },
];

/** The lines that are the same, without their first word. */
export const LINES: readonly (readonly string[])[] = [
  ...[...each(TYPES, WAYS), ...SELECTED, ...SORTED, ...OTHERS].filter((line) =>
    !DIFFERENT.some(({ lines }) => lines.includes(line))
  ).map((line) => line.split(/ +/)),
  ...QUOTED,
];
