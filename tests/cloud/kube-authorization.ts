/** Who may do what on a control plane: by a user's own verbs, or by the RBAC objects that a cluster holds. */

import type { KubeObject } from "./kube-resources.ts";
import { mayUser } from "./users.ts";
import type { User } from "./users.ts";

/** Who sends a request. */
export interface Identity {
  readonly user: User;
  readonly tokenKind: "access" | "id";
  /** Groups beside `system:authenticated`. */
  readonly groups?: readonly string[] | undefined;
}

/** What is asked for. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** A rule of a role, as `rbac.authorization.k8s.io/v1` has it. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[] | undefined;
}

/** Decides about every request but the SelfSubject… reviews, which everybody may send. */
export interface Authorizer {
  allows(identity: Identity, attributes: Attributes): boolean;
  /** The rules that hold for the identity in a namespace. */
  rules(identity: Identity, namespace: string): Rule[];
}

/** By the verbs in the user's own row, on everything. */
export const BY_VERBS: Authorizer = {
  allows: ({ user }, { verb }) => mayUser(user, verb),
  rules: ({ user }) =>
    user.verbs.length === 0 ? [] : [{ verbs: user.verbs, apiGroups: ["*"], resources: ["*"] }],
};

/** By the (Cluster)RoleBindings among the objects, looked up for every request. */
export function byRoles(objects: () => Iterable<KubeObject>): Authorizer {
  const rules = (identity: Identity, namespace: string | undefined): Rule[] => {
    const all = [...objects()];
    return all.filter((object) => isBinding(object, namespace) && bindsTo(object, identity))
      .flatMap((binding) => rulesOf(binding, all));
  };
  return {
    rules,
    allows(identity, attributes) {
      // As at a real server, the namespace of a namespace is itself.
      const namespace = attributes.group === "" && attributes.resource === "namespaces"
        ? attributes.name ?? attributes.namespace
        : attributes.namespace;
      return rules(identity, namespace || undefined).some((rule) => covers(rule, attributes));
    },
  };
}

function isBinding({ kind, metadata }: KubeObject, namespace: string | undefined): boolean {
  return kind === "ClusterRoleBinding" ||
    (kind === "RoleBinding" && namespace !== undefined && metadata.namespace === namespace);
}

function bindsTo({ subjects }: KubeObject, { user, groups = [] }: Identity): boolean {
  return rows(subjects).some(({ kind, name }) =>
    kind === "User"
      ? name === user.email
      : kind === "Group" && [...groups, AUTHENTICATED].includes(String(name))
  );
}

function rulesOf(binding: KubeObject, all: readonly KubeObject[]): Rule[] {
  const [{ kind, name } = {}] = rows([binding.roleRef]);
  const role = all.find((object) =>
    object.kind === kind && object.metadata.name === name &&
    (kind === "ClusterRole" || (kind === "Role" && object.metadata.namespace === binding.metadata.namespace))
  );
  return rows(role?.rules).map(({ verbs, apiGroups, resources, resourceNames }) => ({
    verbs: texts(verbs),
    apiGroups: texts(apiGroups),
    resources: texts(resources),
    resourceNames: resourceNames === undefined ? undefined : texts(resourceNames),
  }));
}

function covers(rule: Rule, { verb, group, resource, name }: Attributes): boolean {
  const has = (list: readonly string[], wanted: string) => list.includes("*") || list.includes(wanted);
  return has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, resource) &&
    (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name)));
}

function rows(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((row) => typeof row === "object" && row !== null) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

const AUTHENTICATED = "system:authenticated";
const RBAC = "rbac.authorization.k8s.io";
const READING = ["get", "list", "watch"];
const WRITING = ["create", "delete", "deletecollection", "patch", "update"];

/**
 * The ClusterRoles that every cluster is born with, as far as they concern the kinds that are served here
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles): `view` reads neither
 * secrets nor roles and bindings, `edit` reads and writes secrets but neither roles nor bindings.
 */
export const CLUSTER_ROLES: readonly KubeObject[] = [
  clusterRole("cluster-admin", [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]),
  clusterRole("edit", [
    { verbs: [...READING, ...WRITING], apiGroups: [""], resources: ["configmaps", "pods", "secrets"] },
    { verbs: READING, apiGroups: [""], resources: ["namespaces"] },
  ]),
  clusterRole("view", [
    { verbs: READING, apiGroups: [""], resources: ["configmaps", "namespaces", "pods"] },
  ]),
];

function clusterRole(name: string, rules: readonly Rule[]): KubeObject {
  return { apiVersion: `${RBAC}/v1`, kind: "ClusterRole", metadata: { name }, rules };
}

/** A ClusterRoleBinding of a group. */
export function groupBinding(group: string, role: string): KubeObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: group.replaceAll(":", "-") },
    subjects: [{ kind: "Group", name: group, apiGroup: RBAC }],
    roleRef: { kind: "ClusterRole", name: role, apiGroup: RBAC },
  };
}
