/** What the word after `explain` means: a resource, the fields that lead into it, and the document that explains it. */

import { AppError } from "../../errors.ts";
import { SERVER_HINTS } from "../../server-hints.ts";
import { printable } from "../../text.ts";
import { membersOf, textOf } from "../json-parts.ts";
import { parseTemplate, type Path, TemplateError } from "../jsonpath-parser.ts";
import type { Json } from "../lossless-json.ts";
import { resourceText, type ResourceVersion } from "./schemas.ts";

/** What is to be explained. */
export interface ExplainTarget {
  readonly resource: ResourceVersion;
  /** The names of the fields that lead to the one in question; none for the resource itself. */
  readonly fields: readonly string[];
}

/** A resource that a word may mean, as discovery names it. */
export interface FoundResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/**
 * The name of the resource in `TYPE[.field…]`, to be looked for.
 *
 * @throws {AppError} `USAGE` when it is no path of names.
 */
export function explainedName(text: string): string {
  const [name = ""] = namesOf(stepsOf(text).slice(0, 1));
  if (name === "") throw new AppError("USAGE", "You must specify the type of resource to explain.");
  return name;
}

/**
 * The resource and the fields of `TYPE[.field…]`. Where the type is given with its group (`deployments.apps.spec`), the
 * first resource with that name is meant, else the first one.
 *
 * @param found all resources that {@link explainedName} can mean, the most likely first.
 * @param apiVersion `group/version`, or the version alone for the core group: it replaces that of the resource.
 * @param hintOf what to do when nothing was found.
 * @throws {AppError} `USAGE` when it is no path of names, or for an API version that is none; `NOT_FOUND` when nothing
 * was found.
 */
export function explainTarget(
  text: string,
  found: readonly FoundResource[],
  apiVersion?: string | undefined,
  hintOf: () => string = () => SERVER_HINTS.NOT_FOUND.served,
): ExplainTarget {
  const name = explainedName(text);
  const [first] = found;
  if (first === undefined) {
    throw new AppError("NOT_FOUND", `the server doesn't have a resource type "${printable(name)}"`, {
      hint: hintOf(),
    });
  }
  if (apiVersion !== undefined && apiVersion !== "") {
    const resource = { ...groupVersionOf(apiVersion), resource: first.plural };
    return { resource, fields: namesOf(stepsOf(text).slice(1)) };
  }
  const named = found.find((resource) => text.startsWith(fullName(resource)));
  const { group, version, plural } = named ?? first;
  const fields = named === undefined ? text : text.slice(fullName(named).length);
  // What stands before the first field is the type, or the dot that ends its name.
  return { resource: { group, version, resource: plural }, fields: namesOf(stepsOf(fields).slice(1)) };
}

/**
 * The path of the document for a group and version, below the root of the API server, as the index at `/openapi/v3` has
 * it.
 *
 * @throws {AppError} `NOT_FOUND` when the index has none.
 */
export function openApiPath(index: Json, resource: ResourceVersion): string {
  const { group, version } = resource;
  const key = group === "" ? `api/${version}` : `apis/${group}/${version}`;
  const entry = membersOf(membersOf(index, "paths"), key);
  if (entry === undefined) {
    throw new AppError("NOT_FOUND", `couldn't find resource for "${printable(resourceText(resource))}"`, {
      hint: SERVER_HINTS.NOT_FOUND.version,
    });
  }
  // It has the digest of the document, so that what was kept of it can be used again.
  const path = textOf(entry, "serverRelativeURL");
  return path.startsWith("/openapi/v3/") ? path : `/openapi/v3/${key}`;
}

function fullName({ plural, group }: FoundResource): string {
  return group === "" ? plural : `${plural}.${group}`;
}

function groupVersionOf(text: string): { readonly group: string; readonly version: string } {
  const parts = text.split("/");
  if (parts.length > 2) throw new AppError("USAGE", `unexpected GroupVersion string: ${printable(text)}`);
  const [version = "", group = ""] = parts.reverse();
  return { group, version };
}

function namesOf(path: Path): string[] {
  return path.map((step) => {
    if (step.type === "field") return step.name;
    throw new AppError("USAGE", "invalid jsonpath syntax, all nodes must be field nodes");
  });
}

/** The steps of `a.b['c']`, which is a JSONPath without its braces and the dot at its beginning. */
function stepsOf(text: string): Path {
  const [path, ...more] = partsOf(`{.${text.replace(/\.$/, "")}}`);
  if (path?.type === "path" && more.length === 0) return path.path;
  throw new AppError("USAGE", "must pass in 1 jsonpath string");
}

function partsOf(template: string) {
  try {
    return parseTemplate(template);
  } catch (error) {
    if (error instanceof TemplateError) throw new AppError("USAGE", printable(error.message));
    throw error;
  }
}
