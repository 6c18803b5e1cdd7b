/** Which kinds the control planes serve, how they look in a table, and what is there from the start. */

import { USERS } from "./users.ts";
import type { User } from "./users.ts";

/** A Kubernetes object, as far as the control planes look into it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [member: string]: unknown;
}

/** The metadata that is read or written here. */
export interface ObjectMeta {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  creationTimestamp?: string | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  [member: string]: unknown;
}

/** Whose control plane it is. */
export interface Scope {
  readonly kind: "organization" | "project" | "user" | "platform";
  /** The id in the path; empty for the platform. */
  readonly id: string;
}

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly description: string;
  cell(object: KubeObject): string | number;
}

/** One kind. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
  readonly categories: readonly string[];
  /** Between name and age. */
  readonly columns: readonly Column[];
  /** Properties beside apiVersion, kind and metadata, as OpenAPI schemas. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The only kind of control plane that serves it; absent: all do. */
  readonly at?: Scope["kind"] | undefined;
}

const STORED = ["create", "delete", "get", "list", "patch", "update", "watch"];
const REVIEWED = ["create"];
const TEXTS = { type: "object", additionalProperties: { type: "string" } };

/** The two names of the service's group: today's and the earlier one. */
export const GROUPS = {
  miloapis: { group: "resourcemanager.miloapis.com", version: "v1alpha1" },
  datumapis: { group: "resourcemanager.datumapis.com", version: "v1alpha" },
} as const;

function resource(
  fields: Pick<Resource, "group" | "version" | "plural" | "kind"> & Partial<Resource>,
): Resource {
  return {
    singular: fields.kind.toLowerCase(),
    namespaced: false,
    shortNames: [],
    verbs: STORED,
    categories: [],
    columns: [],
    schema: {},
    ...fields,
  };
}

/** Every kind that is served. */
export const RESOURCES: readonly Resource[] = [
  resource({
    group: "",
    version: "v1",
    plural: "namespaces",
    kind: "Namespace",
    shortNames: ["ns"],
    columns: [{ name: "Status", description: "The phase of the namespace", cell: () => "Active" }],
    schema: { spec: { type: "object" }, status: { type: "object" } },
  }),
  resource({
    group: "",
    version: "v1",
    plural: "configmaps",
    kind: "ConfigMap",
    namespaced: true,
    shortNames: ["cm"],
    categories: ["all"],
    columns: [{
      name: "Data",
      description: "How many keys the map has",
      cell: ({ data }) => Object.keys(data ?? {}).length,
    }],
    schema: { data: TEXTS, binaryData: TEXTS, immutable: { type: "boolean" } },
  }),
  ...["v1", "v1beta1", "v1alpha1"].map((version) =>
    resource({
      group: "authentication.k8s.io",
      version,
      plural: "selfsubjectreviews",
      kind: "SelfSubjectReview",
      verbs: REVIEWED,
      schema: { status: { type: "object" } },
    })
  ),
  ...["SelfSubjectAccessReview", "SelfSubjectRulesReview"].map((kind) =>
    resource({
      group: "authorization.k8s.io",
      version: "v1",
      plural: `${kind.toLowerCase()}s`,
      kind,
      verbs: REVIEWED,
      schema: { spec: { type: "object" }, status: { type: "object" } },
    })
  ),
  ...Object.values(GROUPS).flatMap((group) => [
    resource({
      ...group,
      plural: "organizationmemberships",
      kind: "OrganizationMembership",
      namespaced: true,
      verbs: ["get", "list", "watch"],
      at: "user",
      schema: { spec: { type: "object" }, status: { type: "object" } },
    }),
    resource({
      ...group,
      plural: "projects",
      kind: "Project",
      verbs: ["get", "list", "watch"],
      at: "organization",
      schema: { spec: { type: "object" } },
    }),
  ]),
];

const RBAC = { group: "rbac.authorization.k8s.io", version: "v1" };
const OBJECTS = { type: "array", items: { type: "object" } };

/** Every kind that a cluster serves: no organizations and projects, but secrets, pods, roles and bindings. */
export const CLUSTER_RESOURCES: readonly Resource[] = [
  ...RESOURCES.filter(({ at }) => at === undefined),
  resource({
    group: "",
    version: "v1",
    plural: "secrets",
    kind: "Secret",
    namespaced: true,
    schema: { data: TEXTS, stringData: TEXTS, type: { type: "string" } },
  }),
  resource({
    group: "",
    version: "v1",
    plural: "pods",
    kind: "Pod",
    namespaced: true,
    shortNames: ["po"],
    categories: ["all"],
    schema: { spec: { type: "object" }, status: { type: "object" } },
  }),
  resource({ ...RBAC, plural: "roles", kind: "Role", namespaced: true, schema: { rules: OBJECTS } }),
  resource({ ...RBAC, plural: "clusterroles", kind: "ClusterRole", schema: { rules: OBJECTS } }),
  ...["RoleBinding", "ClusterRoleBinding"].map((kind) =>
    resource({
      ...RBAC,
      plural: `${kind.toLowerCase()}s`,
      kind,
      namespaced: kind === "RoleBinding",
      columns: [{
        name: "Role",
        description: "The role that is bound",
        cell: ({ roleRef }) => {
          const { kind, name } = roleRef as { readonly kind?: string; readonly name?: string };
          return `${kind}/${name}`;
        },
      }],
      schema: { subjects: OBJECTS, roleRef: { type: "object" } },
    })
  ),
];

/** So many more kinds, twenty to a group, as a cloud with many services has them. */
export function manyResources(count: number): Resource[] {
  return Array.from({ length: count }, (_, at) =>
    resource({
      group: `service${Math.floor(at / 20)}.many.example.com`,
      version: "v1",
      plural: `things${at}`,
      kind: `Thing${at}`,
      namespaced: at % 2 === 0,
      shortNames: [`th${at}`],
    }));
}

/** The organizations with their projects and members. Initech has no project, and Grace is not in it. */
export const ORGANIZATIONS: readonly Organization[] = [
  {
    id: "acme",
    name: "Acme Corporation",
    members: ["ada@example.com", "grace@example.com"],
    projects: [{ id: "web", name: "Web shop" }, { id: "data", name: "Data – Lager & Archiv" }],
  },
  { id: "initech", name: "Initech", members: ["ada@example.com"], projects: [] },
];

/** An organization as it is set up at the start. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly members: readonly string[];
  readonly projects: readonly { readonly id: string; readonly name: string }[];
}

/** True for the organizations, projects and users that exist. */
export function isKnown({ kind, id }: Scope, organizations = ORGANIZATIONS): boolean {
  switch (kind) {
    case "organization":
      return organizations.some((organization) => organization.id === id);
    case "project":
      return organizations.some(({ projects }) => projects.some((project) => project.id === id));
    case "user":
      return USERS.some(({ sub }) => sub === id);
    case "platform":
      return true;
  }
}

/**
 * What a new control plane holds: a namespace of its own name tells it from the others. The control plane of a user
 * has the memberships of this one.
 */
export function initialObjects(
  scope: Scope,
  user?: User,
  organizations: readonly Organization[] = ORGANIZATIONS,
): KubeObject[] {
  const namespaces = ["default", "kube-system", scope.id === "" ? "platform" : `${scope.kind}-${scope.id}`];
  return [
    ...namespaces.map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    })),
    ...Object.values(GROUPS).flatMap(({ group, version }) =>
      ofService(scope, `${group}/${version}`, user, organizations)
    ),
  ];
}

function ofService(
  scope: Scope,
  apiVersion: string,
  user: User | undefined,
  all: readonly Organization[],
): KubeObject[] {
  if (scope.kind === "organization") {
    const organization = all.find(({ id }) => id === scope.id);
    return (organization?.projects ?? []).map(({ id, name }) => ({
      apiVersion,
      kind: "Project",
      metadata: { name: id, annotations: { "kubernetes.io/display-name": name } },
      spec: { ownerRef: { kind: "Organization", name: scope.id } },
    }));
  }
  if (scope.kind === "user" && user !== undefined) {
    const { email, organizations = [] } = user;
    const isMember = ({ id, members }: Organization) => members.includes(email) || organizations.includes(id);
    return all.filter(isMember).map(({ id, name }) => ({
      apiVersion,
      kind: "OrganizationMembership",
      metadata: { name: `member-${scope.id}`, namespace: `organization-${id}` },
      spec: { organizationRef: { name: id }, userRef: { name: scope.id } },
      status: { organization: { displayName: name, type: "Standard" }, user: { email } },
    }));
  }
  return [];
}
