/** What a patch makes of an object, computed here. RFC 7396 and RFC 6902. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import { isItems, isMembers, type Json, type JsonMembers, memberOf } from "../lossless-json.ts";
import { asText } from "../json-parts.ts";
import { splitApiVersion } from "./object-ref.ts";

/**
 * The object as it would be after a patch.
 *
 * @throws {AppError} `INVALID` for a patch that does not fit the object, or that only a server can understand.
 */
export function patchedHere(
  object: JsonMembers,
  type: "strategic" | "merge" | "json",
  patch: Json,
): JsonMembers {
  const patched = type === "json"
    ? operationsOf(patch).reduce(operated, object)
    : merged(object, type === "strategic" ? plainMerge(object, patch) : patch);
  if (isMembers(patched)) return patched;
  throw new AppError("INVALID", "The patch leaves no object.");
}

/** RFC 7396, 2. */
function merged(value: Json | undefined, patch: Json): Json {
  if (!isMembers(patch)) return patch;
  const before = isMembers(value) ? value : {};
  const kept = Object.entries(before).filter(([name]) => !Object.hasOwn(patch, name));
  const changed = Object.entries(patch).filter(([, member]) => member !== null)
    .map(([name, member]) => [name, merged(memberOf(before, name), member)] as const);
  return Object.fromEntries([...kept, ...changed]);
}

/** The groups whose kinds have a strategic merge: Kubernetes' own. */
const STRATEGIC = new Set([
  ...["", "apps", "autoscaling", "batch", "extensions", "policy"],
  ...[
    ...["admissionregistration", "authentication", "authorization", "certificates", "coordination"],
    ...["discovery", "events", "flowcontrol.apiserver", "internal.apiserver", "networking", "node"],
    ...["rbac.authorization", "resource", "scheduling", "storage", "storagemigration"],
  ].map((name) => `${name}.k8s.io`),
]);

/** A strategic patch that is no other than a merge patch; how lists are merged, only a server knows. */
function plainMerge(object: JsonMembers, patch: Json): Json {
  const { group } = splitApiVersion(asText(object.apiVersion));
  if (!STRATEGIC.has(group)) {
    throw new AppError("INVALID", "This kind has no strategic merge.", {
      hint: "Use --type=merge or --type=json.",
    });
  }
  if (!isPlain(patch)) {
    throw new AppError("INVALID", "How a strategic patch merges lists is known to the server only.", {
      hint: "Use --dry-run=server, or --type=merge or --type=json.",
    });
  }
  return patch;
}

function isPlain(patch: Json): boolean {
  if (isItems(patch)) return false;
  if (!isMembers(patch)) return true;
  return Object.entries(patch).every(([name, value]) => !name.startsWith("$") && isPlain(value));
}

/** One step of a JSON patch. */
type Operation =
  | { readonly op: "add" | "replace" | "test"; readonly path: readonly string[]; readonly value: Json }
  | { readonly op: "remove"; readonly path: readonly string[] }
  | { readonly op: "move" | "copy"; readonly path: readonly string[]; readonly from: readonly string[] };

function operationsOf(patch: Json): Operation[] {
  if (!isItems(patch)) throw unfit("it is no list of operations");
  return patch.map((one) => {
    if (!isMembers(one)) throw unfit("an operation is no object");
    const path = pointer(one.path, "path");
    switch (one.op) {
      case "add":
      case "replace":
      case "test":
        if (one.value === undefined) throw unfit(`an operation "${one.op}" has no value`);
        return { op: one.op, path, value: one.value };
      case "remove":
        return { op: one.op, path };
      case "move":
      case "copy":
        return { op: one.op, path, from: pointer(one.from, "from") };
    }
    throw unfit(`there is no operation "${printable(asText(one.op), 60)}"`);
  });
}

/** The steps of a JSON pointer. RFC 6901. */
function pointer(text: Json | undefined, name: string): string[] {
  if (typeof text !== "string" || !/^(?:\/|$)/.test(text)) {
    throw unfit(`the ${name} of an operation does not begin with a slash`);
  }
  return text.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function operated(value: Json, operation: Operation): Json {
  switch (operation.op) {
    case "add":
      return withValue(value, operation.path, operation.value, "add");
    case "replace":
      return withValue(value, operation.path, operation.value, "replace");
    case "remove":
      return without(value, operation.path);
    case "test":
      if (compactJson(valueAt(value, operation.path)) === compactJson(operation.value)) return value;
      throw unfit(`${shown(operation.path)} has another value than its test`);
    case "copy":
      return withValue(value, operation.path, valueAt(value, operation.from), "add");
    case "move":
      return withValue(
        without(value, operation.from),
        operation.path,
        valueAt(value, operation.from),
        "add",
      );
  }
}

function valueAt(value: Json, path: readonly string[]): Json {
  let at: Json | undefined = value;
  for (const step of path) at = at === undefined ? undefined : child(at, step);
  if (at === undefined) throw unfit(`${shown(path)} is not there`);
  return at;
}

function child(value: Json, step: string): Json | undefined {
  if (isMembers(value)) return memberOf(value, step);
  return isItems(value) && /^(?:0|[1-9]\d{0,8})$/.test(step) ? value[Number(step)] : undefined;
}

/** Changes what is at a path, with everything around it as it was. */
function changedAt(
  value: Json,
  path: readonly string[],
  change: (parent: Json, step: string) => Json,
  whole: readonly string[] = path,
): Json {
  const [step, ...rest] = path;
  if (step === undefined) throw unfit("the whole object cannot be removed");
  if (rest.length === 0) return change(value, step);
  const inner = child(value, step);
  if (inner === undefined) throw unfit(`${shown(whole)} is not there`);
  const changed = changedAt(inner, rest, change, whole);
  if (isItems(value)) return value.with(Number(step), changed);
  return isMembers(value) ? withMember(value, step, changed) : value;
}

function withMember(object: JsonMembers, name: string, value: Json): JsonMembers {
  return Object.fromEntries([...Object.entries(object).filter(([one]) => one !== name), [name, value]]);
}

function withValue(value: Json, path: readonly string[], given: Json, op: "add" | "replace"): Json {
  if (path.length === 0) return given;
  return changedAt(value, path, (parent, step) => {
    // As a server has it, a member that is not there may be replaced.
    if (isMembers(parent)) return withMember(parent, step, given);
    if (!isItems(parent) || op === "replace" && child(parent, step) === undefined) {
      throw unfit(`${shown(path)} is not there`);
    }
    const at = step === "-" ? parent.length : Number(step);
    if (!Number.isInteger(at) || at < 0 || at > parent.length) throw unfit(`${shown(path)} is not there`);
    return op === "replace" ? parent.with(at, given) : parent.toSpliced(at, 0, given);
  });
}

function without(value: Json, path: readonly string[]): Json {
  return changedAt(value, path, (parent, step) => {
    if (child(parent, step) === undefined) throw unfit(`${shown(path)} is not there`);
    if (isItems(parent)) return parent.toSpliced(Number(step), 1);
    return isMembers(parent)
      ? Object.fromEntries(Object.entries(parent).filter(([name]) => name !== step))
      : parent;
  });
}

function shown(path: readonly string[]): string {
  return printable(`/${path.join("/")}`, 200);
}

function unfit(why: string): AppError {
  return new AppError("INVALID", `The patch cannot be applied: ${why}.`);
}
