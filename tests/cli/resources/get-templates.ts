/** Templates of `get -o`, and the objects that they are asked of. */

import { compactJson } from "../../../src/kube/json-text.ts";
import { asMembers } from "../../../src/kube/json-parts.ts";
import { BAD, GOOD, OBJECT, sampleTemplates } from "../../kube/jsonpath-templates.ts";
import type { KubernetesObject } from "../../apiserver/apiserver.ts";

/** The kind of the objects: whatever they hold is kept. */
export const WIDGET_KIND: KubernetesObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Cluster",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [{
      name: "v1",
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    }],
  },
};

/** A manifest of two of them. */
export const WIDGETS: string = compactJson({
  apiVersion: "v1",
  kind: "List",
  items: [OBJECT, { ...asMembers(OBJECT), metadata: { name: "x" }, l: [7], i: [{ n: "z", v: 9 }], s: "x" }],
});

function everyNth<T>(all: readonly T[], nth: number): T[] {
  return all.filter((_, index) => index % nth === 0);
}

/** Lines of `get` with a JSONPath template: of one object, of each object of a list, with values as JSON. */
export function jsonPathTemplates(): (readonly string[])[] {
  const one = ["get", "widgets", "w", "-o"];
  const all = ["get", "widgets", "-o"];
  const paths = GOOD.filter((template) => /^\{\.[^{}]+\}$/.test(template));
  return [
    ...everyNth(GOOD, 3).map((template) => [...one, `jsonpath=${template}`]),
    ...everyNth(BAD, 4).map(([template]) => [...one, `jsonpath=${template}`]),
    ...sampleTemplates(30).map((template) => [...one, `jsonpath=${template}`]),
    ...everyNth(paths, 6).map((path) => [...all, `jsonpath={.items[*]${path.slice(1)}`]),
    ...everyNth(paths, 6).map((path) => [...all, `jsonpath={range .items[*]}${path}{"\\n"}{end}`]),
    ...everyNth(paths, 12).map((path) => [...one, `jsonpath-as-json=${path}`]),
    ...everyNth(paths, 15).map((path) => [...all, `jsonpath-as-json={.items[*]${path.slice(1)}`]),
  ];
}

/** Lines of `get` with custom columns. */
export function columnTemplates(): (readonly string[])[] {
  const paths = GOOD.filter((template) => /^\{\.[^{},]+\}$/.test(template));
  return [
    ...["{.l[1:3]}", "{.l[3]}", ...everyNth(paths, 4)].map((path) => [
      ...["get", "widgets", "-o"],
      `custom-columns=NAME:.metadata.name,X:${path}`,
    ]),
    ["get", "widgets", "w", "-o", "custom-columns=NAME:.metadata.name,X:.l[9]"],
    ["get", "widgets", "w", "--no-headers", "-o", "custom-columns=NAME:.metadata.name,X:.kind[9]"],
    ...everyNth(paths, 9).map((path) => [
      ...["get", "widgets", "--no-headers", "-o"],
      `custom-columns=A B:${path},:${path.slice(1, -1)},C:${path.slice(2, -1)}`,
    ]),
  ];
}
