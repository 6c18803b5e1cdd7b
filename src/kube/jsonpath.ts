/** Kubernetes' JSONPath: what a template finds in an object, and how kubectl prints it. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import {
  type Filter,
  parseTemplate,
  type Part,
  type Path,
  type Step,
  TemplateError,
} from "./jsonpath-parser.ts";
import { checkDepth, compactJson, compareBytes, jsonText, sortedNames } from "./json-text.ts";
import type { ListPrinter } from "./list-text.ts";
import { isItems, isMembers, type Json, memberOf } from "./lossless-json.ts";
import { goNumber, isInt64 } from "./number-text.ts";

/** How a template is applied. */
export interface JsonPathOptions {
  /** True when a missing member is nothing instead of an error; kubectl's default. */
  readonly allowMissing?: boolean | undefined;
  /** True when each part is printed as a JSON array, as `jsonpath-as-json` does. */
  readonly asJson?: boolean | undefined;
}

/** A parsed template. */
export class JsonPath {
  readonly #template: string;
  readonly #parts: readonly Part[];

  private constructor(template: string, parts: readonly Part[]) {
    this.#template = template;
    this.#parts = parts;
  }

  /**
   * Parses a template such as `{range .items[*]}{.metadata.name}{"\n"}{end}`.
   *
   * @throws {AppError} `USAGE` in kubectl's words.
   */
  static parse(template: string): JsonPath {
    try {
      return new JsonPath(template, parseTemplate(template));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new AppError(
        "USAGE",
        `error parsing jsonpath ${printable(template)}, ${printable(error.message)}`,
      );
    }
  }

  /**
   * What the template prints for a value. A template that fails prints nothing.
   *
   * @throws {AppError} `USAGE` in kubectl's words, without the object that kubectl prints after them.
   */
  print(value: Json, { allowMissing = true, asJson = false }: JsonPathOptions = {}): string {
    const print = asJson ? printedAsJson : printed;
    return this.#attempt(() => results(this.#parts, value, allowMissing).map(print).join(""));
  }

  /**
   * What the template's parts find in a value, one list for each part.
   *
   * @throws {AppError} like {@link print}.
   */
  find(value: Json, { allowMissing = true }: JsonPathOptions = {}): (readonly Json[])[] {
    return this.#attempt(() => results(this.#parts, value, allowMissing));
  }

  /**
   * Prints a list object by object, when the template goes through `.items[*]` once and reads nothing else of the
   * list; else undefined. The output equals {@link print} for the whole list, except that a failure comes after the
   * objects before it.
   */
  listPrinter(): ListPrinter | undefined {
    const at = this.#parts.findIndex((part) => constantText([part]) === undefined);
    const part = this.#parts[at];
    const [before, after] = [this.#parts.slice(0, at), this.#parts.slice(at + 1)].map(constantText);
    if (part === undefined || part.type === "text" || part.type === "end") return undefined;
    if (before === undefined || after === undefined) {
      return undefined;
    }
    const path = stepsBelowItems(part.path);
    if (path === undefined) return undefined;
    if (part.type === "path") return this.#joined(path, before, after);
    if (!part.isClosed || path.length > 0) return undefined;
    const each = new JsonPath(this.#template, part.body);
    let lead = before;
    return {
      item(object) {
        const text = lead + each.print(object);
        lead = "";
        return text;
      },
      end: () => lead + after,
    };
  }

  /** Prints what a path finds in each object, separated by blanks. */
  #joined(path: Path, before: string, after: string): ListPrinter {
    const each = new JsonPath(this.#template, [{ type: "path", path }]);
    let lead = before;
    let gap = "";
    return {
      item(object) {
        const found = each.find(object).flat();
        const text = found.length === 0 ? lead : `${lead}${gap}${printed(found)}`;
        lead = "";
        if (found.length > 0) gap = " ";
        return text;
      },
      end: () => lead + after,
    };
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new AppError(
        "USAGE",
        `error executing jsonpath ${JSON.stringify(printable(this.#template))}: Error executing template: ${
          printable(error.message)
        }`,
      );
    }
  }
}

/** The text of parts that do not depend on the object; undefined when they do. */
function constantText(parts: readonly Part[]): string | undefined {
  const texts = parts.map((part) => {
    if (part.type === "text") return part.text;
    if (part.type !== "path") return undefined;
    const [step, ...more] = part.path;
    return step?.type === "text" && more.length === 0 ? step.text : undefined;
  });
  return texts.every((text) => text !== undefined) ? texts.join("") : undefined;
}

/** The steps after `.items[*]`; undefined when the path starts otherwise, or a step mixes several items. */
function stepsBelowItems([field, all, ...steps]: Path): Path | undefined {
  if (field?.type !== "field" || field.name !== "items" || all?.type !== "slice") return undefined;
  if (all.start !== undefined || all.end !== undefined || all.step !== undefined) return undefined;
  return steps.some(({ type }) => type === "union" || type === "text" || type === "identifier")
    ? undefined
    : steps;
}

const RELAXED = /^(?:\{\.?([^{}]+)\}|\.?([^{}]+))$/;

/**
 * A path of custom columns or `--sort-by` as a template: its braces and its first point are optional.
 *
 * @throws {AppError} `USAGE` in kubectl's words.
 */
export function relaxedPath(path: string): string {
  if (path === "") return path;
  const match = RELAXED.exec(path);
  if (match !== null) return `{.${match[1] ?? match[2]}}`;
  throw new AppError(
    "USAGE",
    "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
  );
}

function printed(found: readonly Json[]): string {
  return found.map(foundText).join(" ");
}

function foundText(value: Json): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "bigint" ? goNumber(value) : compactJson(value);
}

function printedAsJson(found: readonly Json[]): string {
  return jsonText(found) + "\n";
}

/** What each part finds, in order. */
function results(parts: readonly Part[], value: Json, allowMissing: boolean): (readonly Json[])[] {
  return parts.flatMap((part): (readonly Json[])[] => {
    switch (part.type) {
      case "text":
        return [[part.text]];
      case "end":
        throw new TemplateError("not in range, nothing to end");
      case "path":
        return [follow(part.path, [value], allowMissing)];
      case "range": {
        const found = follow(part.path, [value], allowMissing);
        // The body of an empty range can still fail.
        if (found.length === 0) results(part.body, null, allowMissing);
        const each = found.flatMap((one) => results(part.body, one, allowMissing));
        // A range without an end continues with the object itself, as if an end came before it.
        return part.isClosed ? each : [...each, ...results(behindLastEnd(part.body), value, allowMissing)];
      }
    }
  });
}

/** The parts after the last `{end}`; all of them when there is none. */
function behindLastEnd(parts: readonly Part[]): readonly Part[] {
  const at = parts.findLastIndex((part) => part.type === "range");
  const last = parts[at];
  if (last?.type !== "range") return parts;
  if (last.isClosed) return parts.slice(at + 1);
  const behind = behindLastEnd(last.body);
  return behind === last.body ? parts : behind;
}

function follow(path: Path, from: readonly Json[], allowMissing: boolean): readonly Json[] {
  return path.reduce((values, step) => take(step, values, allowMissing), from);
}

function take(step: Step, values: readonly Json[], allowMissing: boolean): readonly Json[] {
  switch (step.type) {
    case "field":
      return fields(step.name, values, allowMissing);
    case "wildcard":
      return values.flatMap(children);
    case "recursive":
      return values.flatMap((value) => withDescendants(value, 0));
    case "index":
      return values.flatMap((value) => itemsOf(value, (items) => [itemAt(items, step.at)]));
    case "slice":
      return values.flatMap((value) => itemsOf(value, (items) => slice(items, step)));
    case "union":
      return step.branches.flatMap((branch) => follow(branch, values, allowMissing));
    case "filter":
      return values.flatMap((value) => filtered(value, step.filter, allowMissing));
    case "text":
      return [step.text];
    case "constant":
      return values.map(() => step.value);
    case "identifier":
      throw new TemplateError(`unrecognized identifier ${step.name}`);
  }
}

function fields(name: string, values: readonly Json[], allowMissing: boolean): Json[] {
  const found = values.flatMap((value) => {
    const member = isMembers(value) ? memberOf(value, name) : undefined;
    return member === undefined ? [] : [member];
  });
  if (found.length === 0 && values.length > 0 && !allowMissing) {
    throw new TemplateError(`${name} is not found`);
  }
  return found;
}

/**
 * The values that a value holds: a text holds its bytes. Members come in the order of their names; kubectl's have
 * no order.
 */
function children(value: Json): readonly Json[] {
  if (typeof value === "string") return [...new TextEncoder().encode(value)];
  if (typeof value !== "object" || value === null) return [];
  return isItems(value) ? value : sortedNames(value).map((name) => value[name] as Json);
}

/** A value and everything below it that holds values. */
function withDescendants(value: Json, level: number): readonly Json[] {
  checkDepth(level);
  if (typeof value === "string") return value === "" ? [] : [value];
  const inner = children(value);
  return inner.length === 0 ? [] : [value, ...inner.flatMap((one) => withDescendants(one, level + 1))];
}

function itemsOf(value: Json, take: (items: readonly Json[]) => readonly Json[]): readonly Json[] {
  if (value === null) return [];
  if (!isItems(value)) throw new TemplateError(`${goType(value)} is not array or slice`);
  return take(value);
}

function goType(value: Json): string {
  switch (typeof value) {
    case "number":
    case "bigint":
      return isInt64(value) ? "int64" : "float64";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    default:
      return value === null ? "<nil>" : isItems(value) ? "[]interface {}" : "map[string]interface {}";
  }
}

function itemAt(items: readonly Json[], at: number): Json {
  const index = at < 0 ? at + items.length : at;
  checkIndex(items, index);
  return items[index] as Json;
}

function checkIndex(items: readonly Json[], index: number): void {
  if (index >= 0 && index < items.length) return;
  throw new TemplateError(`array index out of bounds: index ${index}, length ${items.length}`);
}

function slice(items: readonly Json[], bounds: Step & { type: "slice" }): readonly Json[] {
  const fromEnd = (at: number) => at < 0 ? at + items.length : at;
  const start = fromEnd(bounds.start ?? 0);
  const end = fromEnd(bounds.end ?? items.length);
  const step = bounds.step ?? 1;
  if (start === end) return [];
  checkIndex(items, start);
  if (end !== 0) checkIndex(items, end - 1);
  if (start > end) {
    throw new TemplateError(`starting index ${start} is greater than ending index ${end}`);
  }
  if (step <= 0) throw new TemplateError("step must be > 0");
  return items.slice(start, end).filter((_item, index) => index % step === 0);
}

function filtered(value: Json, filter: Filter, allowMissing: boolean): readonly Json[] {
  if (!isItems(value)) {
    // kubectl prints the value itself, which can be a secret.
    throw new TemplateError(`${goType(value)} is not array or slice and cannot be filtered`);
  }
  return value.filter((item) =>
    filter.operator === "exists"
      ? leadsSomewhere(filter.left, item, allowMissing)
      : compares(filter, item, allowMissing)
  );
}

/** True when a path finds anything. A step that fails ends the path with what was found before it. */
function leadsSomewhere(path: Path, item: Json, allowMissing: boolean): boolean {
  let values: readonly Json[] = [item];
  for (const step of path) {
    try {
      values = take(step, values, allowMissing);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return step.type !== "field" && values.length > 0;
    }
  }
  return values.length > 0;
}

function compares({ left, operator, right }: Filter, item: Json, allowMissing: boolean): boolean {
  const one = operand(left, item, allowMissing);
  if (one === undefined) return false;
  const other = operand(right, item, allowMissing);
  if (other === undefined) return false;
  switch (operator) {
    case "==":
      return areEqual(one, other);
    case "!=":
      return !areEqual(one, other);
    case "<":
      return isLess(one, other);
    case ">":
      return isLess(other, one);
    case "<=":
      return !isLess(other, one);
    case ">=":
      return !isLess(one, other);
    default:
      throw new TemplateError(`unrecognized filter operator ${operator}`);
  }
}

/** A side of a comparison. Go's types decide: an integer is never compared with a float. */
interface Operand {
  readonly value: Json;
  readonly kind: "text" | "boolean" | "integer" | "float" | "none";
}

/** The one value that a side finds; undefined when it finds none. */
function operand(path: Path, item: Json, allowMissing: boolean): Operand | undefined {
  const [value, ...more] = follow(path, [item], allowMissing);
  if (value === undefined) return undefined;
  if (more.length > 0) throw new TemplateError("can only compare one element at a time");
  const last = path.at(-1);
  return { value, kind: last?.type === "constant" && last.isFloat ? "float" : kindOf(value) };
}

function kindOf(value: Json): Operand["kind"] {
  switch (typeof value) {
    case "string":
      return "text";
    case "boolean":
      return "boolean";
    case "number":
    case "bigint":
      return isInt64(value) ? "integer" : "float";
    default:
      return "none";
  }
}

function areEqual(one: Operand, other: Operand): boolean {
  checkKinds(one, other);
  return one.value === other.value;
}

function isLess(one: Operand, other: Operand): boolean {
  checkKinds(one, other);
  const { value } = one;
  if (typeof value === "string") return compareBytes(value, other.value as string) < 0;
  if (typeof value === "boolean") throw new TemplateError("invalid type for comparison");
  return (value as number) < (other.value as number);
}

function checkKinds(one: Operand, other: Operand): void {
  if (one.kind === "none" || other.kind === "none") throw new TemplateError("invalid type for comparison");
  if (one.kind !== other.kind) throw new TemplateError("incompatible types for comparison");
}
