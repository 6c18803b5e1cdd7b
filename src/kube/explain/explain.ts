/** `explain`: what an OpenAPI v3 document says of a resource or of a field within it, as kubectl prints it. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { goValue } from "../go-value.ts";
import { itemsOf, textOf } from "../json-parts.ts";
import { checkDepth } from "../json-text.ts";
import type { Json, JsonMembers } from "../lossless-json.ts";
import { shortFloat } from "../number-text.ts";
import { MOST_TEXT } from "../table-layout.ts";
import { partsOf, propertiesOf, referenceOf, type ResourceVersion, schemaIn, Schemas } from "./schemas.ts";
import { wrapWords } from "./word-wrap.ts";

/** Up to here descriptions go, their indentation not counted. */
const WIDTH = 76;
/** So many values are shown in a list of fields. */
const FEW_VALUES = 4;

/** What is explained, and how far. */
export interface ExplainOptions {
  readonly resource: ResourceVersion;
  /** The names of the fields that lead to the one in question; none for the resource itself. */
  readonly fields: readonly string[];
  /** The fields of the fields, too, a line each. */
  readonly recursive: boolean;
}

/** What is said of a resource or a field. */
export interface Explained {
  /**
   * The text that `kubectl explain` prints, ends of lines included. It may hold control characters: what goes to a
   * terminal must be made safe, line by line.
   */
  readonly text: string;
  /** `NOT_FOUND` where the resource has no such field: then the text has its head alone. */
  readonly error: AppError | undefined;
}

/**
 * Explains a resource or a field.
 *
 * @param document what the server has at `/openapi/v3/…` for the group and version.
 * @throws {AppError} `NOT_FOUND` for a resource that the document does not have; `INVALID` for a schema that is too large
 * or nests too deep.
 */
export function explain(document: Json, { resource, fields, recursive }: ExplainOptions): Explained {
  const schemas = new Schemas(document);
  const { kind, schema: root } = schemas.ofResource(resource);
  const schema = schemaOfField(schemas, root, fields);
  const text = new Explanation(schemas, recursive);
  if (kind.group !== "") text.add(`GROUP:      ${kind.group}\n`);
  text.add(`KIND:       ${kind.kind}\nVERSION:    ${kind.version}\n\n`);
  const field = fields.at(-1);
  if (schema === undefined) return { text: text.text(), error: noField(field ?? "") };
  if (field !== undefined) {
    text.add(`FIELD: ${field} <${schemas.typeOf(schema)}>\n${longEnum(schema)}\n\n`);
  }
  text.addDescription(schema);
  text.addFields(schema);
  text.add("\n");
  return { text: text.text(), error: undefined };
}

function noField(name: string): AppError {
  return new AppError("NOT_FOUND", `field "${printable(name)}" does not exist`, {
    hint: "Explain what it should be in, to see which fields there are.",
  });
}

/**
 * The schema of a field. A list is passed through to its items, a map to its values; of several schemas that must all
 * hold, the first one that knows the field counts.
 */
function schemaOfField(
  schemas: Schemas,
  schema: JsonMembers,
  fields: readonly string[],
  seen: ReadonlySet<string> = new Set(),
  depth = 0,
): JsonMembers | undefined {
  const [field, ...rest] = fields;
  if (field === undefined) return schema;
  const reference = referenceOf(schema);
  if (seen.has(reference)) return undefined;
  checkDepth(depth);
  const resolved = schemas.resolve(schema);
  const property = schemaIn(resolved.properties, field);
  if (property !== undefined) return schemaOfField(schemas, property, rest, undefined, depth + 1);
  const { items, values, allOf } = partsOf(resolved);
  const inner = items ?? values;
  const nowSeen = reference === "" ? seen : new Set([...seen, reference]);
  for (const part of inner === undefined ? allOf : [inner]) {
    const found = schemaOfField(schemas, part, fields, nowSeen, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The text of an explanation, as it grows. */
class Explanation {
  readonly #schemas: Schemas;
  readonly #recursive: boolean;
  readonly #parts: string[] = [];
  #size = 0;

  constructor(schemas: Schemas, recursive: boolean) {
    this.#schemas = schemas;
    this.#recursive = recursive;
  }

  add(text: string): void {
    this.#size += text.length;
    if (this.#size > MOST_TEXT) throw new AppError("INVALID", "The schema is too large to be explained.");
    this.#parts.push(text);
  }

  addDescription(schema: JsonMembers): void {
    const descriptions: string[] = [];
    this.#findDescriptions(schema, descriptions);
    const text = descriptions.map((text) => `${text}\n`).join("") || "<empty>";
    this.add(`DESCRIPTION:\n${indented(wrapWords(text, WIDTH), 4)}\n`);
  }

  /** The descriptions of a schema and of the schemas within it that have no name. */
  #findDescriptions(schema: JsonMembers, into: string[], path: SchemaPath = new SchemaPath()): void {
    if (!path.enter(schema)) return;
    const resolved = this.#schemas.resolve(schema);
    const description = textOf(resolved, "description");
    if (description !== "") into.push(description);
    for (const part of partsIn(resolved)) this.#findDescriptions(part, into, path);
    path.leave(schema);
  }

  addFields(schema: JsonMembers): void {
    const before = this.#parts.push("FIELDS:\n");
    this.#addFields(schema, 1);
    if (this.#parts.length === before) this.#parts.pop();
  }

  /** Adds the fields of a schema and of those within it that have no name. */
  #addFields(schema: JsonMembers, level: number, path: SchemaPath = new SchemaPath()): void {
    if (!path.enter(schema)) return;
    const resolved = this.#schemas.resolve(schema);
    const required = itemsOf(resolved, "required");
    for (const [name, property] of propertiesOf(resolved)) {
      this.#addField(name, property, required.includes(name), level);
      if (this.#recursive) this.#addFields(property, level + 1, path);
    }
    for (const part of partsIn(resolved)) this.#addFields(part, level, path);
    path.leave(schema);
  }

  #addField(name: string, schema: JsonMembers, isRequired: boolean, level: number): void {
    const indent = 2 * level;
    this.add(
      `${indented(name, indent)}\t<${this.#schemas.typeOf(schema)}>${isRequired ? " -required-" : ""}` +
        `${shortEnum(schema, indent)}\n`,
    );
    if (this.#recursive) return;
    const description = textOf(schema, "description") || "<no description>";
    this.add(`${indented(wrapWords(description, WIDTH), indent + 2)}\n\n`);
  }

  text(): string {
    return this.#parts.join("");
  }
}

/** The schemas that are under way, each within the one before. */
class SchemaPath {
  readonly #references = new Set<string>();
  #depth = 0;

  /**
   * Goes into a schema, unless it is under way.
   *
   * @throws {AppError} `INVALID` when it is too deep.
   */
  enter(schema: JsonMembers): boolean {
    const reference = referenceOf(schema);
    if (this.#references.has(reference)) return false;
    checkDepth(this.#depth);
    if (reference !== "") this.#references.add(reference);
    this.#depth += 1;
    return true;
  }

  leave(schema: JsonMembers): void {
    this.#references.delete(referenceOf(schema));
    this.#depth -= 1;
  }
}

function partsIn(schema: JsonMembers): JsonMembers[] {
  const { items, values, allOf } = partsOf(schema);
  return [...allOf, items, values].filter((part) => part !== undefined);
}

/** The values that a field can have, a line each. */
function longEnum(schema: JsonMembers): string {
  const values = itemsOf(schema, "enum");
  return values.length === 0 ? "" : `ENUM:${values.map((value) => `\n    ${valueText(value)}`).join("")}`;
}

/** The first values that a field can have, in a line of their own. */
function shortEnum(schema: JsonMembers, indent: number): string {
  const values = itemsOf(schema, "enum");
  if (values.length === 0) return "";
  const few = values.slice(0, FEW_VALUES).map(valueText).join(", ");
  return `\n${" ".repeat(indent)}enum: ${few}${values.length > FEW_VALUES ? ", ...." : ""}`;
}

/** A value as a Go template prints it; every number is a float there. */
function valueText(value: Json): string {
  if (value === "") return `""`;
  if (value === null) return "<no value>";
  return typeof value === "number" || typeof value === "bigint" ? shortFloat(Number(value)) : goValue(value);
}

function indented(text: string, indent: number): string {
  const blanks = " ".repeat(indent);
  return blanks + text.replaceAll("\n", `\n${blanks}`);
}
