/** Labels and annotations: the changes that a command line asks for, and one object changed by them. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import { type JsonMembers, memberOf } from "../lossless-json.ts";
import { ask, objectOf, type ResourceClient, warningsOf } from "../resource-client.ts";
import { asMembers, metadataOf } from "../json-parts.ts";
import { readExisting } from "./read.ts";
import { maybeDone, type Written } from "./create.ts";
import { LAST_APPLIED } from "./last-applied.ts";
import { type DryRun, objectPath, type ObjectRef, refLabel } from "./object-ref.ts";
import { MASKED, maskOf } from "./secret-mask.ts";

/** What of an object's metadata is changed. */
export type MetadataField = "labels" | "annotations";

const ONE: Readonly<Record<MetadataField, string>> = { labels: "label", annotations: "annotation" };

/** What is asked for. */
export interface MetadataChanges {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** Arguments that name objects, and the ones behind them that ask for changes. */
export interface SplitArguments {
  readonly objects: readonly string[];
  readonly changes: readonly string[];
}

/**
 * Parts a command line where its first change stands: `configmap a` and `x=1 y-`.
 *
 * @throws {AppError} `USAGE` for an object behind a change.
 */
export function splitArguments(args: readonly string[], field: MetadataField): SplitArguments {
  const first = args.findIndex(isChange);
  if (first < 0) return { objects: args, changes: [] };
  const [objects, changes] = [args.slice(0, first), args.slice(first)];
  const misplaced = changes.find((arg) => !isChange(arg));
  if (misplaced === undefined) return { objects, changes };
  throw new AppError(
    "USAGE",
    `All objects stand before the ${ONE[field]} changes, and "${printable(misplaced, 100)}" does not.`,
  );
}

function isChange(arg: string): boolean {
  return /^[^=]+=/s.test(arg) || /^.+-$/s.test(arg);
}

/** As the server has it for the values of labels. */
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Reads changes: `key=value`, and `key-` to remove.
 *
 * @throws {AppError} `USAGE` for none, for a key that is both set and removed, and for what can be no label.
 */
export function readChanges(args: readonly string[], field: MetadataField): MetadataChanges {
  if (args.length === 0) throw new AppError("USAGE", `At least one ${ONE[field]} change is needed.`);
  const pairs: (readonly [key: string, value: string])[] = [];
  const remove: string[] = [];
  for (const arg of args) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (key === undefined || value === undefined) {
      if (!isChange(arg)) throw unreadable(arg, field);
      remove.push(arg.slice(0, -1));
      continue;
    }
    if (field === "labels" && value.includes("=")) throw unreadable(arg, field);
    if (field === "labels" && !LABEL_VALUE.test(value)) {
      throw new AppError("USAGE", `"${printable(value, 100)}" can be no label's value.`, {
        hint: "Letters, digits, '-', '_' and '.', at most 63 of them; a letter or digit at either end.",
      });
    }
    pairs.push([key, value]);
  }
  const set = Object.fromEntries(pairs);
  const both = remove.find((key) => Object.hasOwn(set, key));
  if (both === undefined) return { set, remove };
  throw new AppError("USAGE", `The ${ONE[field]} "${printable(both, 100)}" is both set and removed.`);
}

function unreadable(arg: string, field: MetadataField): AppError {
  return new AppError("USAGE", `"${printable(arg, 100)}" is no change of ${ONE[field]}s.`, {
    hint: "Write key=value, or key- to remove it.",
  });
}

/** What changes come to for one object. */
export interface ChangedMetadata {
  /** The object with the changes in it. */
  readonly object: JsonMembers;
  /** The members of the labels or annotations that differ now; null for one that is removed. */
  readonly differing: Readonly<Record<string, string | null>>;
  /** What was to be removed and is not there. */
  readonly absent: readonly string[];
}

/** The annotation that says why an object was changed last; it is made to be overwritten. */
const CHANGE_CAUSE = "kubernetes.io/change-cause";

/**
 * Changes the labels or annotations of an object.
 *
 * @throws {AppError} `INVALID` where one has another value already and may not be overwritten.
 */
export function withChanges(
  object: JsonMembers,
  field: MetadataField,
  { set, remove }: MetadataChanges,
  overwrite: boolean,
): ChangedMetadata {
  const metadata = metadataOf(object);
  const old = asMembers(memberOf(metadata, field));
  const taken = Object.entries(set).filter(([key, value]) =>
    key !== CHANGE_CAUSE && (memberOf(old, key) ?? value) !== value
  );
  if (taken.length > 0 && !overwrite) {
    // That annotation can hold the values of a Secret.
    const told = taken.map(([key]) =>
      `"${printable(key, 100)}" (${key === LAST_APPLIED ? MASKED : printable(String(old[key]), 100)})`
    );
    throw new AppError("INVALID", `The object has other values already: ${told.join(", ")}.`, {
      hint: "Replace them with --overwrite.",
    });
  }
  const absent = remove.filter((key) => !Object.hasOwn(old, key));
  const differing = Object.fromEntries([
    ...Object.entries(set).filter(([key, value]) => memberOf(old, key) !== value),
    ...remove.filter((key) => Object.hasOwn(old, key)).map((key) => [key, null]),
  ]);
  const left = Object.entries({ ...old, ...set }).filter(([key]) => !remove.includes(key));
  return {
    object: { ...object, metadata: { ...metadata, [field]: Object.fromEntries(left) } },
    differing,
    absent,
  };
}

/** How labels and annotations are changed. */
export interface ChangeOptions {
  readonly fieldManager: string;
  readonly overwrite: boolean;
  /** The version that the object must have. */
  readonly resourceVersion?: string | undefined;
  readonly dryRun: DryRun;
}

/** An object whose labels or annotations were changed. */
export interface Changed extends Written {
  readonly outcome: "labeled" | "unlabeled" | "not labeled" | "annotated";
  /** What was to be removed and is not there. */
  readonly absent: readonly string[];
}

/**
 * Changes the labels or annotations of an object by a patch of what differs.
 *
 * @throws {AppError} `NOT_FOUND` for no such object; as {@link withChanges}; what a request throws.
 */
export async function changeMetadata(
  client: ResourceClient,
  ref: ObjectRef,
  field: MetadataField,
  changes: MetadataChanges,
  options: ChangeOptions,
): Promise<Changed> {
  const { overwrite, resourceVersion, dryRun, fieldManager } = options;
  const live = await readExisting(client, ref);
  const { object, differing, absent } = withChanges(live, field, changes, overwrite);
  const outcome = field === "annotations" ? "annotated" : labelOutcome(live, object, overwrite);
  if (dryRun === "client") return { object, outcome, absent, warnings: [] };
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  const isSame = Object.keys(differing).length === 0;
  const metadata = isSame ? version : { ...version, [field]: differing };
  const mask = maskOf([live]);
  const read = await ask(client, {
    method: "PATCH",
    path: objectPath(ref),
    query: { fieldManager, dryRun: dryRun === "server" ? "All" : undefined },
    contentType: "application/merge-patch+json",
    body: compactJson(Object.keys(metadata).length === 0 ? {} : { metadata }),
    repeatable: isSame || dryRun === "server",
  }).catch((error) => {
    throw maybeDone(error, `${refLabel(ref)} may have been changed`);
  });
  return { outcome, absent, object: objectOf(client, read, mask), warnings: warningsOf(read).map(mask) };
}

/** As kubectl has it: what was said is by the length of the object before and after. */
function labelOutcome(before: JsonMembers, after: JsonMembers, overwrite: boolean): Changed["outcome"] {
  const [old, now] = [before, after].map(compactJson) as [string, string];
  if (old === now) return "not labeled";
  return !overwrite && now.length < old.length ? "unlabeled" : "labeled";
}

/** An object's labels or annotations, one a line, in the order of their keys. */
export function metadataLines(object: JsonMembers, field: MetadataField): string[] {
  const all = asMembers(memberOf(metadataOf(object), field));
  return Object.keys(all).sort().map((key) => printable(`${key}=${String(all[key])}`, Infinity));
}
