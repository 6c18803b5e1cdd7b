/** A kind whose schema has whatever explanations differ about: descriptions, names, types, values. */

import type { KubernetesObject } from "../../apiserver/apiserver.ts";

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  none: "",
  short: "One line.",
  long: "word ".repeat(60),
  exact: `${"x".repeat(70)} 12345 next`,
  over: `${"x".repeat(70)} 123456 next`,
  "long-word": `before ${"y".repeat(75)} ${"z".repeat(76)} ${"w".repeat(200)} after`,
  "long-words": `${"v".repeat(76)} ${"u".repeat(77)}  ${"t".repeat(75)}`,
  blanks: `  leading   and     inner ${" ".repeat(90)} gap   `,
  lines: `first\n\n  second ${"a b ".repeat(30)}\n\tthird\n`,
  "blank-lines": ` \n${" ".repeat(80)}\n \n`,
  "hard-space": `${"a\u00a0b ".repeat(30)}`,
  "other-spaces": `${"a\u2003b\u3000c\u0085d\u2028e ".repeat(12)}`,
  wide: "日本語 ".repeat(40) + "日".repeat(90) + " 😀".repeat(50),
  escapes: "\u001b[31mred\u001b[0m\r\nnext \u009b2J \u202egnp\u0007\ttab",
  template: "{{ .Document }} %s %d \\n <a&b>",
};

const string = { type: "string" };

/** Properties by name, in no order. */
const PROPERTIES: Readonly<Record<string, unknown>> = {
  zz: { ...string, description: "The last one." },
  ...Object.fromEntries(
    Object.entries(DESCRIPTIONS).map(([name, description]) => [`text-${name}`, { ...string, description }]),
  ),
  aList: { type: "array", items: string, description: "A list." },
  listOfLists: {
    type: "array",
    items: { type: "array", items: { type: "array", items: { type: "integer" } } },
  },
  listOfObjects: {
    type: "array",
    description: "Outer.",
    items: {
      type: "object",
      description: "Inner.",
      required: ["b"],
      properties: { a: string, b: { type: "array", items: { type: "object", properties: { c: string } } } },
    },
  },
  aMap: { type: "object", additionalProperties: string },
  mapOfLists: {
    type: "object",
    additionalProperties: { type: "array", items: { type: "number", description: "A part." } },
  },
  mapOfObjects: {
    type: "object",
    description: "By name.",
    additionalProperties: {
      type: "object",
      description: "Each.",
      properties: { x: { ...string, enum: ["one"] }, y: { type: "object", properties: { z: string } } },
      required: ["x"],
    },
  },
  open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  untyped: { "x-kubernetes-preserve-unknown-fields": true, description: "Anything at all." },
  embedded: {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
  },
  port: { "x-kubernetes-int-or-string": true, description: "A number or a name." },
  portWithRules: {
    "x-kubernetes-int-or-string": true,
    anyOf: [{ type: "integer" }, { type: "string" }],
    pattern: "^a",
  },
  ruled: {
    type: "object",
    properties: { a: string },
    allOf: [{ required: ["a"] }],
    oneOf: [{ required: ["a"] }],
  },
  nullable: { ...string, nullable: true, enum: ["a", null] },
  emptyObject: { type: "object" },
  enumOne: { ...string, enum: ["only"], default: "only" },
  enumFour: { ...string, enum: ["a", "", "c", "d"], description: "Four." },
  enumFive: { ...string, enum: ["A", "B", "C", "D", "E"] },
  enumNumbers: { type: "number", enum: [1, 0.5, 1000000, 123456789012, 1e21, -3] },
  enumIntegers: { type: "integer", format: "int64", enum: [9007199254740993] },
  enumBooleans: { type: "boolean", enum: [true, false] },
  enumObjects: { type: "object", "x-kubernetes-preserve-unknown-fields": true, enum: [{ a: [1, "x"] }] },
  enumLines: { ...string, enum: ["a\nb", " ", "\u001b[1m"] },
  date: { type: "string", format: "date-time" },
  bytes: { type: "string", format: "byte" },
  "with-dash": string,
  "with.dot": { type: "object", properties: { "a/b": { ...string, description: "Found." } } },
  "10": string,
  "9": string,
  Upper: string,
  é: string,
  properties: { type: "object", properties: { items: { type: "array", items: string }, required: string } },
};

/** A kind with all of them, one without a schema, and one with a schema of its own at the top. */
export const NASTY: readonly KubernetesObject[] = [
  kind("Nasty", "nasties", {
    type: "object",
    description: `A kind of which ${"much ".repeat(30)}is said.\n\nIn two parts.`,
    required: ["spec"],
    properties: {
      spec: {
        type: "object",
        description: "All of it.",
        required: ["zz", "enumFive", "missing", "aMap"],
        properties: PROPERTIES,
      },
    },
  }),
  kind("Schemaless", "schemalesses", { type: "object", "x-kubernetes-preserve-unknown-fields": true }),
];

function kind(name: string, plural: string, openAPIV3Schema: unknown): KubernetesObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.tests.example.com` },
    spec: {
      group: "tests.example.com",
      scope: "Namespaced",
      names: { plural, singular: name.toLowerCase(), kind: name, listKind: `${name}List` },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
