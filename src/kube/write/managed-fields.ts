/** Who manages an object's fields, and how fields are handed from one manager to another. */

import { compactJson } from "../json-text.ts";
import { isMembers, type Json, type JsonMembers, memberOf } from "../lossless-json.ts";
import { asItems, asMembers, asText, metadataOf } from "../json-parts.ts";
import { type FieldPath, readStep, serverPath, valueAt, without } from "./field-path.ts";
import { LAST_APPLIED_PATH } from "./last-applied.ts";

/** As which manager `apply` writes unless told otherwise. */
export const APPLY_MANAGER = "datumctl";

/** The commands that change an object in place. */
export type ChangingCommand = "create" | "edit" | "patch" | "label" | "annotate";

/** As which manager a command writes: under another name than `apply`, which would be in conflict with itself. */
export function managerOf(command: ChangingCommand): string {
  return `${APPLY_MANAGER}-${command}`;
}

const OWN_MANAGERS = new Set(
  (["create", "edit", "patch", "label", "annotate"] as const).map(managerOf),
);

/** As which manager `kubectl apply` writes from the client's side. */
const CLIENT_SIDE_APPLY = "kubectl-client-side-apply";

/** What an apply takes over before it begins, or instead of a conflict. */
export interface Manager {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string;
}

/** A manager of an object, with its set of fields. */
interface Entry extends Manager {
  readonly apiVersion: string;
  readonly fields: JsonMembers;
  /** All that the server sent of it. */
  readonly sent: JsonMembers;
}

function entriesOf(object: JsonMembers): Entry[] {
  return asItems(memberOf(metadataOf(object), "managedFields")).filter(isMembers).map((sent) => ({
    manager: asText(sent.manager),
    operation: asText(sent.operation),
    subresource: asText(sent.subresource),
    apiVersion: asText(sent.apiVersion),
    fields: asMembers(sent.fieldsV1),
    sent,
  }));
}

/** True for what `kubectl apply` wrote from the client's side. */
export function isClientSideApply({ manager, operation, subresource }: Manager): boolean {
  return manager === CLIENT_SIDE_APPLY && operation === "Update" && subresource === "";
}

/** True for what one of our own commands wrote, where the apply is ours, too: what a document says wins over it. */
export function isOwnChange({ manager, operation, subresource }: Manager, applyManager: string): boolean {
  return applyManager === APPLY_MANAGER && OWN_MANAGERS.has(manager) && operation === "Update" &&
    subresource === "";
}

/**
 * The managed fields of an object whose fields from client-side apply are handed to our own apply, and so is the
 * annotation that client-side apply stores its document in, if another manager has it.
 *
 * @returns undefined where nothing is to be handed over.
 */
export function takenOver(object: JsonMembers, applyManager: string): readonly Json[] | undefined {
  const isAnnotated = valueAt(object, LAST_APPLIED_PATH) !== undefined;
  const annotation = serverPath(LAST_APPLIED_PATH);
  return handedOver(
    object,
    applyManager,
    (entry, path) => isClientSideApply(entry) || (isAnnotated && serverPath(path) === annotation),
  );
}

/** The managed fields of an object in which our own apply has some fields that our other commands wrote. */
export function yielded(
  object: JsonMembers,
  applyManager: string,
  fields: ReadonlySet<string>,
): readonly Json[] | undefined {
  return handedOver(
    object,
    applyManager,
    (entry, path) => isOwnChange(entry, applyManager) && fields.has(serverPath(path)),
  );
}

/** Tells whether a manager's field is handed over. */
type Pick = (entry: Entry, path: FieldPath) => boolean;

function handedOver(object: JsonMembers, applyManager: string, pick: Pick): readonly Json[] | undefined {
  const entries = entriesOf(object);
  const isOurs = (entry: Entry) =>
    entry.manager === applyManager && entry.operation === "Apply" && entry.subresource === "";
  const ours = entries.find(isOurs);
  const split = entries.map((entry) =>
    isOurs(entry) ? undefined : splitFields(entry.fields, (path) => pick(entry, path))
  );
  const givers = entries.filter((_entry, at) => !isEmpty(split[at]?.taken ?? {}));
  const base = ours ?? givers.findLast(({ apiVersion }) => apiVersion === asText(object.apiVersion)) ??
    givers.at(-1);
  if (base === undefined || givers.length === 0) return undefined;
  // Paths mean something in their own version only. What is left out here, the apply itself takes where it needs it.
  const taken = entries.flatMap(({ apiVersion }, at) =>
    apiVersion === base.apiVersion ? [split[at]?.taken ?? {}] : []
  );
  const fields = taken.reduce(union, ours?.fields ?? {});
  const rest = entries.flatMap(({ sent }, at) => {
    const parts = split[at];
    if (parts === undefined) return [];
    if (isEmpty(parts.taken)) return [sent];
    return isEmpty(parts.left) ? [] : [{ ...sent, fieldsV1: parts.left }];
  });
  return [...rest, { ...base.sent, manager: applyManager, operation: "Apply", fieldsV1: fields }];
}

function isEmpty(fields: JsonMembers): boolean {
  return Object.keys(fields).length === 0;
}

interface SplitFields {
  readonly taken: JsonMembers;
  readonly left: JsonMembers;
}

/** Parts a set of fields in two. What is no set of fields stays where it is. */
function splitFields(
  fields: JsonMembers,
  pick: (path: FieldPath) => boolean,
  path: FieldPath = [],
): SplitFields {
  const taken: { [name: string]: Json } = {};
  const left: { [name: string]: Json } = {};
  for (const [key, inner] of Object.entries(fields)) {
    const step = readStep(key);
    if (key === ".") (pick(path) ? taken : left)[key] = inner;
    else if (step === undefined) left[key] = inner;
    else if (!isMembers(inner) || isEmpty(inner)) (pick([...path, step]) ? taken : left)[key] = inner;
    else {
      const parts = splitFields(inner, pick, [...path, step]);
      if (!isEmpty(parts.taken)) taken[key] = parts.taken;
      if (!isEmpty(parts.left)) left[key] = parts.left;
    }
  }
  return { taken, left };
}

/** All fields of two sets. A field that has none below it says with a point that it is itself one of the set. */
function union(one: JsonMembers, other: JsonMembers): JsonMembers {
  const all: { [name: string]: Json } = { ...one };
  for (const [key, inner] of Object.entries(other)) {
    const known = all[key];
    if (!isMembers(known) || !isMembers(inner)) all[key] = inner;
    else if (isEmpty(known) && isEmpty(inner)) all[key] = {};
    else all[key] = union(isEmpty(known) ? ITSELF : known, isEmpty(inner) ? ITSELF : inner);
  }
  return all;
}

const ITSELF: JsonMembers = { ".": {} };

/** The path of every field that a manager has, as the server writes it, with its steps. */
export function fieldsOf(object: JsonMembers, isMeant: (entry: Manager) => boolean): Map<string, FieldPath> {
  const found = new Map<string, FieldPath>();
  for (const entry of entriesOf(object).filter(isMeant)) {
    splitFields(entry.fields, (path) => {
      found.set(serverPath(path), path);
      return false;
    });
  }
  return found;
}

/** An object without the fields that only client-side apply manages, and without its being a manager; else the same. */
export function withoutLeftovers(object: JsonMembers): JsonMembers {
  const leftovers = fieldsOf(object, isClientSideApply);
  const others = fieldsOf(object, (entry) => !isClientSideApply(entry));
  const paths = [...leftovers].filter(([name]) => !others.has(name) && !isWithin(name, others));
  // The deepest first: a field can hold others.
  paths.sort(([, a], [, b]) => b.length - a.length);
  const rest = paths.reduce<JsonMembers>((left, [, path]) => asMembers(without(left, path)), object);
  if (rest === object) return object;
  const managers = entriesOf(object).filter((entry) => !isClientSideApply(entry)).map(({ sent }) => sent);
  return { ...rest, metadata: { ...metadataOf(rest), managedFields: managers } };
}

/** Whether somebody manages something within a field. */
function isWithin(name: string, others: ReadonlyMap<string, FieldPath>): boolean {
  return [...others.keys()].some((other) => other.startsWith(`${name}.`) || other.startsWith(`${name}[`));
}

/**
 * A JSON patch that replaces an object's managed fields, if the object is still as it was; undefined for an object without
 * a version, which nobody can say that of.
 */
export function managedFieldsPatch(object: JsonMembers, fields: readonly Json[]): string | undefined {
  const resourceVersion = asText(metadataOf(object).resourceVersion);
  if (resourceVersion === "") return undefined;
  return compactJson([
    { op: "replace", path: "/metadata/managedFields", value: fields },
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
  ]);
}
