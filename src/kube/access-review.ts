/** What a Kubernetes API allows its caller: access and rules reviews, and kubectl's table of rules. */

import { isObject, type JsonObject } from "../encoding.ts";
import type { ApiClient } from "../http/api-client.ts";
import { printable } from "../text.ts";
import { objects, texts } from "./objects.ts";

/** An action to be allowed or refused. */
export type Action =
  | {
    readonly verb: string;
    readonly group: string;
    readonly resource: string;
    readonly subresource: string;
    readonly name: string;
    /** Empty for all namespaces. */
    readonly namespace: string;
  }
  | { readonly verb: string; readonly path: string };

/** The server's answer to a SelfSubjectAccessReview. */
export interface AccessAnswer {
  readonly allowed: boolean;
  /** Why not, and what failed in finding out; empty when the server does not say. */
  readonly reasons: readonly string[];
  /** The review as the server returned it. */
  readonly review: JsonObject;
}

const API = "authorization.k8s.io/v1";

/** Asks whether an action is allowed (authorization.k8s.io/v1). */
export async function reviewAccess(client: ApiClient, action: Action): Promise<AccessAnswer> {
  const spec = "path" in action
    ? { nonResourceAttributes: { path: action.path, verb: action.verb } }
    : { resourceAttributes: withoutEmpty(action) };
  const review = await client.post(
    `/apis/${API}/selfsubjectaccessreviews`,
    { apiVersion: API, kind: "SelfSubjectAccessReview", spec },
    { safe: true },
  );
  const status = isObject(review.status) ? review.status : {};
  const reasons = [status.reason, status.evaluationError]
    .filter((text): text is string => typeof text === "string" && text !== "");
  return { allowed: status.allowed === true, reasons: reasons.map((text) => printable(text, 1_000)), review };
}

function withoutEmpty(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

/** The server's answer to a SelfSubjectRulesReview. */
export interface RulesAnswer {
  /**
   * One row for each rule, compacted and ordered like kubectl's: resources, non-resource URLs, resource names,
   * verbs.
   */
  readonly rows: readonly (readonly [string, string, string, string])[];
  /** Why the list may be incomplete; undefined when it is complete. */
  readonly incomplete: string | undefined;
  readonly review: JsonObject;
}

/** Asks for everything that is allowed in a namespace (authorization.k8s.io/v1). */
export async function reviewRules(client: ApiClient, namespace: string): Promise<RulesAnswer> {
  const review = await client.post(
    `/apis/${API}/selfsubjectrulesreviews`,
    { apiVersion: API, kind: "SelfSubjectRulesReview", spec: { namespace } },
    { safe: true },
  );
  const status = isObject(review.status) ? review.status : {};
  const said = typeof status.evaluationError === "string" ? printable(status.evaluationError, 1_000) : "";
  return {
    rows: ruleRows(status),
    incomplete: status.incomplete === true || said !== "" ? said : undefined,
    review,
  };
}

/** A rule about one resource or one URL. kubectl splits rules into these and compacts them again. */
interface Rule {
  readonly verbs: string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly names: readonly string[];
  readonly urls: readonly string[];
}

/** The rules of a SubjectRulesReviewStatus, as kubectl's table has them. */
export function ruleRows(status: JsonObject): [string, string, string, string][] {
  const ofResources = new Map<string, Rule>();
  for (const rule of objects(status.resourceRules)) {
    for (const group of texts(rule.apiGroups)) {
      for (const resource of texts(rule.resources)) {
        const names = texts(rule.resourceNames);
        for (const name of names.length === 0 ? [undefined] : names) {
          const key = JSON.stringify([group, resource, name]);
          const known = ofResources.get(key) ?? {
            verbs: [],
            groups: [group],
            resources: [resource],
            names: name === undefined ? [] : [name],
            urls: [],
          };
          for (const verb of texts(rule.verbs)) if (!known.verbs.includes(verb)) known.verbs.push(verb);
          if (known.verbs.length > 0) ofResources.set(key, known);
        }
      }
    }
  }
  const ofUrls = objects(status.nonResourceRules).flatMap((rule) =>
    texts(rule.nonResourceURLs).flatMap((url) =>
      texts(rule.verbs).map((verb): Rule => ({
        verbs: [verb],
        groups: [],
        resources: [],
        names: [],
        urls: [url],
      }))
    )
  );
  return [...ofUrls, ...ofResources.values()]
    .map((rule) => ({ rule, order: orderOf(rule) }))
    .sort((a, b) => a.order < b.order ? -1 : a.order > b.order ? 1 : 0)
    .map(({ rule }) => [
      printable(combined(rule)),
      listed(rule.urls),
      listed(rule.names),
      listed(rule.verbs),
    ]);
}

/** kubectl orders rules by their whole printed form. */
function orderOf({ verbs, groups, resources, names, urls }: Rule): string {
  return [verbs, groups, resources, names, urls].map((list) => `[${list.join(" ")}],`).join("");
}

/** `resource.group/subresource`. */
function combined({ resources: [resource], groups: [group = ""] }: Rule): string {
  if (resource === undefined) return "";
  const [name, subresource] = resource.split(/\/(.*)/s);
  return `${name}${group === "" ? "" : `.${group}`}${subresource === undefined ? "" : `/${subresource}`}`;
}

function listed(values: readonly string[]): string {
  return printable(`[${values.join(" ")}]`, 2_000);
}
