/** Waiting until objects are as they should be. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { printable } from "../../text.ts";
import { groupVersionOf } from "../discovery.ts";
import { goValue } from "../go-value.ts";
import { JsonPath, relaxedPath } from "../jsonpath.ts";
import { isItems, isMembers, type Json, type JsonMembers, memberOf } from "../lossless-json.ts";
import { errorOf, objectOf, type ResourceClient } from "../resource-client.ts";
import { asItems, asMembers, asText, metadataOf } from "../json-parts.ts";
import type { ChosenObject } from "./chosen-objects.ts";
import { lookUntil, type Time } from "./look-until.ts";
import { type ObjectRef, pluralLabel } from "./object-ref.ts";
import { askForObject } from "./read.ts";

/** What is waited for. */
export type WaitFor =
  | { readonly type: "delete" }
  | { readonly type: "create" }
  | { readonly type: "condition"; readonly name: string; readonly status: string }
  /** Any value will do where none is given. */
  | { readonly type: "jsonpath"; readonly path: JsonPath; readonly value: string | undefined };

const CONDITION = "condition=";
const JSONPATH = "jsonpath=";

/**
 * Reads what `--for` is given: `delete`, `create`, `condition=Ready`, `condition=Ready=False`,
 * `jsonpath='{.status.phase}'=Running`.
 *
 * @throws {AppError} `USAGE`.
 */
export function readWaitFor(text: string): WaitFor {
  const lower = text.toLowerCase();
  if (lower === "delete" || lower === "create") return { type: lower };
  if (text.startsWith(CONDITION)) {
    const [, name = "", status = "true"] = /^([^=]*)(?:=(.*))?$/s.exec(text.slice(CONDITION.length)) ?? [];
    return { type: "condition", name, status };
  }
  if (text.startsWith(JSONPATH)) return readJsonPathWait(text.slice(JSONPATH.length));
  const what = text === ""
    ? "--for is missing: what is waited for?"
    : `"${printable(text, 100)}" is nothing to wait for.`;
  throw new AppError("USAGE", what, {
    hint: "--for takes delete, create, condition=NAME[=VALUE] or jsonpath='{.path}'[=VALUE].",
  });
}

function readJsonPathWait(text: string): WaitFor {
  // Two signs of equality compare within the path.
  const [path = "", value, ...more] = text.split(/(?<!=)=(?!=)/);
  if (more.length > 0) throw notJsonPath("more than one value is given");
  if (value === undefined) {
    return { type: "jsonpath", path: JsonPath.parse(relaxedPath(path)), value };
  }
  const plain = value.replace(/^['"]+|['"]+$/g, "");
  if (plain === "") throw notJsonPath("no value stands behind the sign of equality");
  return { type: "jsonpath", path: JsonPath.parse(relaxedPath(path)), value: plain };
}

function notJsonPath(why: string): AppError {
  return new AppError("USAGE", `--for=jsonpath cannot be understood: ${why}.`, {
    hint: "Write --for=jsonpath='{.status.readyReplicas}'=3, or without a value for any.",
  });
}

/**
 * Whether an object is as it should be, as kubectl has it.
 *
 * @throws {AppError} `INVALID` where a path leads to more than one value, or to none that can be compared.
 */
export function isMet(waitFor: WaitFor, object: JsonMembers): boolean {
  switch (waitFor.type) {
    case "delete":
      return false;
    case "create":
      return true;
    case "condition":
      return hasCondition(object, waitFor.name, waitFor.status);
    case "jsonpath":
      return hasValue(object, waitFor.path, waitFor.value);
  }
}

function hasCondition(object: JsonMembers, name: string, status: string): boolean {
  const state = asMembers(object.status);
  const condition = asItems(state.conditions).filter(isMembers).find((one) =>
    sameLetters(asText(one.type), name) && typeof one.status === "string"
  );
  if (condition === undefined) return false;
  const observed = integer(condition.observedGeneration) ?? integer(state.observedGeneration);
  const generation = integer(metadataOf(object).generation);
  // What was seen of an older object says nothing of this one.
  if (generation !== undefined && observed !== undefined && observed < generation) return false;
  return sameLetters(asText(condition.status), status);
}

function sameLetters(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function integer(value: Json | undefined): number | bigint | undefined {
  return typeof value === "bigint" || Number.isInteger(value) ? value as number | bigint : undefined;
}

function hasValue(object: JsonMembers, path: JsonPath, wanted: string | undefined): boolean {
  const [values = [], ...more] = path.find(object);
  const [value, ...others] = values;
  if (value === undefined) return false;
  if (more.length > 0 || others.length > 0) {
    throw new AppError("INVALID", "The JSONPath expression matches more than one value.", {
      hint: "Wait for one value.",
    });
  }
  if (wanted === undefined) return true;
  if (isItems(value) || isMembers(value)) {
    throw new AppError(
      "INVALID",
      "The JSONPath expression leads to an object or a list, which is not compared.",
      {
        hint: "Wait for one value.",
      },
    );
  }
  return goValue(value).trim() === wanted.trim();
}

/** What a wait for one object came to. */
export type Waited =
  & { readonly ref: ObjectRef }
  & (
    /** With the object as it was seen last. */
    | { readonly type: "met"; readonly object: JsonMembers }
    /** It was to go, and was not there. */
    | { readonly type: "not there" }
    | { readonly type: "failed"; readonly error: AppError }
  );

/** How long is waited, and who hears of it. */
export interface WaitOptions {
  /** In milliseconds; with 0 is looked once. */
  readonly timeout: number;
  /** Told of each object when its wait is over, and that of all before it. */
  readonly onResult?: ((result: Waited) => void) | undefined;
}

/** Waits for some objects at once; the results in their order. A failure with one does not end the wait for others. */
export async function waitFor(
  context: Time & { readonly client: ResourceClient },
  objects: readonly Pick<ChosenObject, "ref" | "uid">[],
  goal: WaitFor,
  { timeout, onResult }: WaitOptions,
): Promise<readonly Waited[]> {
  const results: Waited[] = [];
  let told = 0;
  const tell = () => {
    for (let next = results[told]; next !== undefined; next = results[told]) {
      told += 1;
      onResult?.(next);
    }
  };
  let left = objects.map(({ ref, uid }, at): Watched & { readonly at: number } => {
    return { ref, at, uid, seen: undefined };
  });
  await lookUntil(context, context.now() + timeout, async () => {
    await mapConcurrent(left, async (one) => {
      const result = await look(context.client, one, goal);
      if (result === undefined) return;
      results[one.at] = result;
      tell();
    });
    left = left.filter(({ at }) => results[at] === undefined);
    return left.length === 0 ? true : undefined;
  });
  for (const { ref, at } of left) {
    results[at] = { ref, type: "failed", error: notMet(ref, timeout) };
  }
  tell();
  return results;
}

/** An object that is waited for. */
interface Watched {
  readonly ref: ObjectRef;
  /** Of the object that was there first. */
  uid: string | undefined;
  /** The object at the last look. */
  seen: JsonMembers | undefined;
}

/** Looks at an object once; undefined while it is not as it should be. */
async function look(client: ResourceClient, watched: Watched, goal: WaitFor): Promise<Waited | undefined> {
  const { ref } = watched;
  try {
    const read = await askForObject(client, ref);
    if (read.answer.status === 404) {
      if (goal.type === "create") return undefined;
      if (goal.type !== "delete") throw errorOf(client, read);
      return watched.uid === undefined ? { ref, type: "not there" } : met(watched);
    }
    const object = objectOf(client, read);
    const uid = asText(memberOf(metadataOf(object), "uid"));
    watched.uid ??= uid;
    // Another object of the same name is in its place.
    const isReplaced = goal.type === "delete" && uid !== watched.uid;
    if (!isReplaced) watched.seen = object;
    return isReplaced || isMet(goal, object) ? met(watched) : undefined;
  } catch (thrown) {
    return { ref, type: "failed", error: failureOrThrow(thrown) };
  }
}

/** The result for an object, with at least its name where nobody has seen it. */
function met({ ref, seen }: Watched): Waited {
  const { resource: { group, version, kind }, namespace, name } = ref;
  const apiVersion = groupVersionOf(group, version);
  return { ref, type: "met", object: seen ?? { apiVersion, kind, metadata: { name, namespace } } };
}

function notMet(ref: ObjectRef, timeout: number): AppError {
  const label = pluralLabel(ref);
  return timeout > 0
    ? new AppError("TIMEOUT", `timed out waiting for the condition on ${label}`, {
      hint: "Wait longer with --timeout, or look why with describe.",
    })
    : new AppError("TIMEOUT", `condition not met for ${label}`, { hint: "Wait for it with --timeout." });
}
