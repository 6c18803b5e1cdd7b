/** The schemas of an OpenAPI v3 document: which one a resource has, where references lead, what a schema is called. */

import { AppError } from "../../errors.ts";
import { SERVER_HINTS } from "../../server-hints.ts";
import { printable } from "../../text.ts";
import { membersOf, objectsOf, textOf } from "../json-parts.ts";
import { checkDepth, compactJson, sortedNames } from "../json-text.ts";
import { isMembers, type Json, type JsonMembers } from "../lossless-json.ts";

/** What is explained: a resource of a group and version. */
export interface ResourceVersion {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Its name in paths. */
  readonly resource: string;
}

/** A resource as Kubernetes' messages name it: `apps/v1, Resource=deployments`. */
export function resourceText({ group, version, resource }: ResourceVersion): string {
  return `${group}/${version}, Resource=${resource}`;
}

/** A kind of thing, as a document names it. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What a document has of a resource. */
export interface ResourceSchema {
  readonly kind: GroupVersionKind;
  /** The schema's own name. */
  readonly name: string;
  readonly schema: JsonMembers;
}

/** A schema may refer to others that refer to others: beyond so many steps no schema is for people. */
const MOST_STEPS = 100_000;

/** The schemas of a document. */
export class Schemas {
  readonly #document: Json;
  readonly #referred = new Map<string, JsonMembers | undefined>();
  #steps = 0;

  constructor(document: Json) {
    this.#document = document;
  }

  /**
   * The kind and the schema of a resource.
   *
   * @throws {AppError} `NOT_FOUND` when the document has none.
   */
  ofResource(resource: ResourceVersion): ResourceSchema {
    const named = this.#kindOf(resource);
    if (named === undefined) {
      throw new AppError(
        "NOT_FOUND",
        `GVR (${printable(resourceText(resource))}) not found in OpenAPI schema`,
        { hint: SERVER_HINTS.NOT_FOUND.version },
      );
    }
    const [group = "", version = "", kind = ""] = ["group", "version", "kind"].map((part) =>
      textOf(named, part)
    );
    const schemas = schemasOf(this.#document);
    const text = compactJson(named);
    const name = sortedNames(schemas).find((one) =>
      objectsOf(membersOf(schemas, one), KIND).some((kind) => compactJson(kind) === text)
    );
    if (name === undefined) {
      throw new AppError(
        "NOT_FOUND",
        `The OpenAPI document has no schema of ${printable(`${group}/${version} ${kind}`)}.`,
      );
    }
    return { kind: { group, version, kind }, name, schema: membersOf(schemas, name) ?? {} };
  }

  /** The kind that the operations on a resource are about; of several paths, the last one says. */
  #kindOf(resource: ResourceVersion): JsonMembers | undefined {
    const paths = membersOf(this.#document, "paths");
    return pathsOf(resource)
      .map((path) => {
        const operations = membersOf(paths, path);
        return METHODS.map((method) => membersOf(membersOf(operations, method), KIND))
          .find((kind) => kind !== undefined);
      }).findLast((kind) => kind !== undefined);
  }

  /**
   * The schema that a schema refers to; itself where it refers to none.
   *
   * @throws {AppError} `INVALID` when there was too much to follow.
   */
  resolve(schema: JsonMembers): JsonMembers {
    this.#steps += 1;
    if (this.#steps > MOST_STEPS) throw new AppError("INVALID", "The schema is too large to be explained.");
    return this.#follow(referenceOf(schema)) ?? schema;
  }

  #follow(reference: string): JsonMembers | undefined {
    if (!this.#referred.has(reference)) this.#referred.set(reference, this.#find(reference));
    return this.#referred.get(reference);
  }

  #find(reference: string): JsonMembers | undefined {
    if (!/^#./.test(reference)) return undefined;
    let value: Json | undefined = this.#document;
    for (const name of namesIn(reference)) value = membersOf(value, name);
    return isMembers(value) && Object.keys(value).length > 0 ? value : undefined;
  }

  /** What kind of value a schema is for: `string`, `Object`, `[]Container`, `map[string]string`. */
  typeOf(schema: JsonMembers, level = 0): string {
    checkDepth(level);
    const { items, values, allOf } = partsOf(schema);
    if (items !== undefined) return `[]${this.typeOf(items, level + 1)}`;
    if (values !== undefined) return `map[string]${this.typeOf(values, level + 1)}`;
    const [only] = allOf;
    if (only !== undefined && allOf.length === 1 && propertiesOf(schema).length === 0) {
      return this.typeOf(only, level + 1);
    }
    const reference = referenceOf(schema);
    const type = textOf(reference === "" ? schema : this.#follow(reference), "type");
    if (type !== "" && type !== "object") return type;
    return reference === "" ? "Object" : reference.split("/").at(-1)?.split(".").at(-1) || "Object";
  }
}

/**
 * The part of a document that explains one resource, and explains it alike: other schemas make most of a document.
 *
 * @returns undefined where the schemas refer to anything but schemas.
 */
export function partFor(document: Json, resource: ResourceVersion): JsonMembers | undefined {
  const paths = membersOf(document, "paths");
  const all = schemasOf(document);
  const left = [new Schemas(document).ofResource(resource).name];
  const schemas = new Map<string, Json>();
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const schema = membersOf(all, name);
    if (schema === undefined || schemas.has(name)) continue;
    schemas.set(name, schema);
    for (const reference of referencesIn(schema)) {
      const [components, kinds, to, ...more] = namesIn(reference);
      if (components !== "components" || kinds !== "schemas" || to === undefined || more.length > 0) {
        return undefined;
      }
      left.push(to);
    }
  }
  const operations = pathsOf(resource).map((path) => [path, kindsOf(membersOf(paths, path))] as const);
  return { paths: Object.fromEntries(operations), components: { schemas: Object.fromEntries(schemas) } };
}

/** Of operations, what they are about. */
function kindsOf(operations: JsonMembers | undefined): JsonMembers {
  const kinds = METHODS.map((method) => [method, membersOf(membersOf(operations, method), KIND)] as const);
  return Object.fromEntries(
    kinds.flatMap(([method, kind]) => kind === undefined ? [] : [[method, { [KIND]: kind }]]),
  );
}

/** Where all of a schema refers to, however deep it nests. */
function referencesIn(schema: JsonMembers): string[] {
  const references: string[] = [];
  const left: Json[] = [schema];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (isMembers(value) && typeof value.$ref === "string") references.push(value.$ref);
    for (const inner of Object.values(value)) left.push(inner);
  }
  return references;
}

const KIND = "x-kubernetes-group-version-kind";
const METHODS = ["get", "post", "put", "patch", "delete"];

/** The schemas within a schema, beside its properties. */
export interface SchemaParts {
  /** Of the items of a list. */
  readonly items: JsonMembers | undefined;
  /** Of the values of a map. */
  readonly values: JsonMembers | undefined;
  readonly allOf: readonly JsonMembers[];
}

/** The schemas within a schema. One that says nothing counts as none. */
export function partsOf(schema: JsonMembers): SchemaParts {
  return {
    items: schemaIn(schema, "items"),
    values: schemaIn(schema, "additionalProperties"),
    allOf: objectsOf(schema, "allOf"),
  };
}

/** The properties of a schema, in the order of their names. */
export function propertiesOf(schema: JsonMembers): (readonly [name: string, schema: JsonMembers])[] {
  const properties = membersOf(schema, "properties") ?? {};
  return sortedNames(properties).map((name) => [name, membersOf(properties, name) ?? {}]);
}

/** A schema that is a member of another, unless it says nothing. */
export function schemaIn(object: Json | undefined, name: string): JsonMembers | undefined {
  const schema = membersOf(object, name);
  return schema !== undefined && Object.keys(schema).length > 0 ? schema : undefined;
}

/** Where a schema refers to; an empty text for nowhere. */
export function referenceOf(schema: JsonMembers): string {
  return textOf(schema, "$ref");
}

function schemasOf(document: Json): JsonMembers {
  return membersOf(membersOf(document, "components"), "schemas") ?? {};
}

/** Where the operations on a resource can be. */
function pathsOf({ group, version, resource }: ResourceVersion): string[] {
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return [
    resource,
    `${resource}/{name}`,
    `namespaces/{namespace}/${resource}`,
    `namespaces/{namespace}/${resource}/{name}`,
  ].map((path) => `${base}/${path}`);
}

/** The names that lead from a document to what a reference means. */
function namesIn(reference: string): string[] {
  return unescaped(reference.slice(1)).split("/").filter((name) => name !== "");
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
