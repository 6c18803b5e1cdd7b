/** Server-side apply of one object. */

import { AppError } from "../../errors.ts";
import { compactJson } from "../json-text.ts";
import { type JsonMembers, memberOf } from "../lossless-json.ts";
import {
  ask,
  errorOf,
  isGood,
  type Mask,
  objectOf,
  type ReadAnswer,
  type ResourceClient,
  warningsOf,
} from "../resource-client.ts";
import { asText, metadataOf } from "../json-parts.ts";
import { conflictError, conflictsOf, type FieldConflict } from "./conflict.ts";
import { withLastApplied, withoutLastApplied } from "./last-applied.ts";
import {
  isClientSideApply,
  isOwnChange,
  managedFieldsPatch,
  takenOver,
  withoutLeftovers,
  yielded,
} from "./managed-fields.ts";
import { type DryRun, objectPath, type ObjectRef, refLabel } from "./object-ref.ts";
import { readObject } from "./read.ts";
import type { SeenObject } from "./read-ahead.ts";
import { maskOf } from "./secret-mask.ts";

/** What the server does about fields that it does not know. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** How objects are applied. */
export interface ApplyOptions {
  readonly fieldManager: string;
  readonly validation: FieldValidation;
  /** Whether fields of other managers are taken. */
  readonly force: boolean;
  readonly dryRun: DryRun;
}

/** An object that was applied. */
export interface Applied {
  readonly outcome: "created" | "configured" | "unchanged";
  /** As it was before, when nothing but who manages it had changed yet; undefined where it was not there. */
  readonly live: JsonMembers | undefined;
  /** As the server has it now; as the document has it in a dry run of the client. */
  readonly object: JsonMembers;
  /** What the server warns of. */
  readonly warnings: readonly string[];
  /** Changes of our own commands that the document replaced. */
  readonly replaced: readonly FieldConflict[];
}

/** How often an apply starts over because somebody writes to the same object. */
const ATTEMPTS = 5;

/**
 * Applies a document. What client-side apply wrote to the object is taken over first; every request may be repeated.
 *
 * @param seen what a list said of the object a moment ago; it is read unless given.
 * @throws {AppError} `CONFLICT` for fields of other managers, see {@link conflictsIn}, and for an object that others keep
 * changing; `INVALID` for what the server does not take; what a request throws.
 */
export async function applyObject(
  client: ResourceClient,
  ref: ObjectRef,
  document: JsonMembers,
  options: ApplyOptions,
  seen?: SeenObject,
): Promise<Applied> {
  const task = { client, ref, document: withoutLastApplied(document), options };
  const early = seen === undefined ? undefined : await tryToApply(task, seen);
  if (early !== undefined && early !== "changed meanwhile") return early;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const applied = await tryToApply(task);
    if (applied !== "changed meanwhile") return applied;
  }
  throw new AppError("CONFLICT", `${refLabel(ref)} was not applied, for others change it all the time.`, {
    hint: "Run the same command again.",
    retryable: true,
  });
}

/** What one apply is about. */
interface ApplyTask {
  readonly client: ResourceClient;
  readonly ref: ObjectRef;
  readonly document: JsonMembers;
  readonly options: ApplyOptions;
}

/** The answer to a write of what somebody else has written to since it was read. */
type Meanwhile = "changed meanwhile";

async function tryToApply(task: ApplyTask, seen?: SeenObject): Promise<Applied | Meanwhile> {
  const { client, ref, document, options } = task;
  const found = seen === undefined ? await readObject(client, ref) : seen.object;
  if (options.dryRun === "client") {
    const outcome = found === undefined ? "created" : "configured";
    return { outcome, live: found, object: document, warnings: [], replaced: [] };
  }
  const live = found === undefined ? undefined : await takeOver(task, found);
  if (live === "changed meanwhile") return live;
  const sent = documentFor(task, found, live);
  const answer = await sendApply(task, sent, options.force);
  if (isGood(answer)) {
    return isOutdated(task, seen, answer) ? "changed meanwhile" : await applied(task, answer, live);
  }
  // What a conflict tells is read afresh.
  if (seen !== undefined && answer.answer.status === 409) return "changed meanwhile";
  const mask = maskOf([live, sent]);
  const conflicts = conflictsOf(answer, live, sent, mask);
  if (conflicts.length > 0) {
    if (found === undefined || live === undefined) return "changed meanwhile";
    return await settle(task, conflicts, found, live, mask);
  }
  if (answer.answer.status === 409 && !hasPrecondition(document)) return "changed meanwhile";
  throw refusedApply(task, answer, live, mask);
}

/** Whether an object was created, or written by client-side apply, after it was listed. */
function isOutdated(
  { options }: ApplyTask,
  seen: SeenObject | undefined,
  { answer, body = {} }: ReadAnswer,
): boolean {
  if (seen === undefined || options.dryRun !== "none") return false;
  return seen.object === undefined
    ? answer.status !== 201
    : takenOver(body, options.fieldManager) !== undefined;
}

/** A dry run takes nothing over, so that old and new items of a list can be too many together. */
function refusedApply(
  { client, options: { dryRun, fieldManager } }: ApplyTask,
  answer: ReadAnswer,
  live: JsonMembers | undefined,
  mask: Mask,
): AppError {
  const error = errorOf(client, answer, mask);
  const isInTheWay = dryRun === "server" && error.code === "INVALID" && live !== undefined &&
    takenOver(live, fieldManager) !== undefined;
  if (!isInTheWay) return error;
  return new AppError("INVALID", error.message, {
    hint:
      "kubectl apply wrote this object. A dry run cannot take it over, and may fail where apply does not.",
    cause: error.cause,
  });
}

/** Takes over what client-side apply manages; the object as it is then. */
async function takeOver(task: ApplyTask, live: JsonMembers): Promise<JsonMembers | Meanwhile> {
  const { fieldManager, dryRun } = task.options;
  const version = versionOf(task.document);
  const isRefused = version !== "" && version !== versionOf(live);
  const fields = dryRun === "none" && !isRefused ? takenOver(live, fieldManager) : undefined;
  const patch = fields === undefined ? undefined : managedFieldsPatch(live, fields);
  return patch === undefined ? live : await patchManagedFields(task, patch, live);
}

/** Sends a patch that names the version of the object, so that it does nothing when it comes twice. */
async function patchManagedFields(
  { client, ref, document, options }: ApplyTask,
  patch: string,
  live: JsonMembers,
): Promise<JsonMembers | Meanwhile> {
  const read = await ask(client, {
    method: "PATCH",
    path: objectPath(ref),
    query: { fieldManager: options.fieldManager },
    contentType: "application/json-patch+json",
    body: patch,
    repeatable: true,
  });
  // It is gone, or it is another one.
  if (read.answer.status === 409 || read.answer.status === 404) return "changed meanwhile";
  return objectOf(client, read, maskOf([live, document]));
}

/** What is sent of a document. If it is for the version of the object that was read, it is so for our own changes to that. */
function documentFor(
  { document }: ApplyTask,
  found: JsonMembers | undefined,
  live: JsonMembers | undefined,
): JsonMembers {
  const carrying = withLastApplied(document, live);
  const version = versionOf(document);
  if (version === "" || found === undefined || live === undefined || version !== versionOf(found)) {
    return carrying;
  }
  return { ...carrying, metadata: { ...metadataOf(carrying), resourceVersion: versionOf(live) } };
}

function versionOf(object: JsonMembers): string {
  return asText(metadataOf(object).resourceVersion);
}

async function sendApply(
  { client, ref, options }: ApplyTask,
  document: JsonMembers,
  force: boolean,
): Promise<ReadAnswer> {
  return await ask(client, {
    method: "PATCH",
    path: objectPath(ref),
    query: {
      fieldManager: options.fieldManager,
      fieldValidation: options.validation,
      force: force ? "true" : undefined,
      dryRun: options.dryRun === "server" ? "All" : undefined,
    },
    contentType: "application/apply-patch+yaml",
    body: compactJson(document),
    repeatable: true,
  });
}

async function applied(
  task: ApplyTask,
  read: ReadAnswer,
  live: JsonMembers | undefined,
  replaced: readonly FieldConflict[] = [],
): Promise<Applied | Meanwhile> {
  const { client, options, document } = task;
  const mask = maskOf([live, document]);
  const answered = objectOf(client, read, mask);
  const object = options.dryRun === "server" ? await asTakenOver(task, answered, mask) : answered;
  if (object === "changed meanwhile") return object;
  const isSame = live !== undefined && hasContentOf(object, live);
  const outcome = read.answer.status === 201 ? "created" : isSame ? "unchanged" : "configured";
  return { outcome, live, object, warnings: warningsOf(read).map(mask), replaced };
}

/**
 * What a dry run shows of an object that is still client-side apply's: without the fields that only that still manages,
 * for an apply takes it over and then does without them. The server is asked what it puts in their place, for many of
 * them are its own defaults.
 */
async function asTakenOver(
  { client, ref, document, options }: ApplyTask,
  answered: JsonMembers,
  mask: Mask,
): Promise<JsonMembers | Meanwhile> {
  const rest = withoutLeftovers(answered);
  if (rest === answered) return answered;
  const { managedFields = null, ...metadata } = metadataOf(rest);
  const { stringData } = document;
  const read = await ask(client, {
    method: "PUT",
    path: objectPath(ref),
    query: { fieldManager: options.fieldManager, dryRun: "All" },
    // The server has put it into the data, which nobody manages there.
    body: compactJson({ ...rest, metadata, ...(stringData === undefined ? {} : { stringData }) }),
    repeatable: true,
  });
  const { status } = read.answer;
  if (status === 409 || status === 404) return "changed meanwhile";
  // Who may patch need not be allowed to replace.
  if (status === 403) return rest;
  const object = objectOf(client, read, mask);
  return { ...object, metadata: { ...metadataOf(object), managedFields } };
}

/**
 * Whether an apply has changed nothing but who manages what. The version alone does not tell: that of a dry run stays as it
 * is, and the second apply of an object that has no field of its own, such as a Namespace, writes down its managers.
 */
function hasContentOf(object: JsonMembers, other: JsonMembers): boolean {
  const [content, otherContent] = [object, other].map((one) => {
    const { resourceVersion: _version, managedFields: _fields, ...metadata } = metadataOf(one);
    return compactJson({ ...one, metadata });
  });
  return content === otherContent;
}

/** Whether a document says itself which version of the object it is for. */
function hasPrecondition(document: JsonMembers): boolean {
  const metadata = metadataOf(document);
  return ["resourceVersion", "uid"].some((name) => memberOf(metadata, name) !== undefined);
}

/**
 * Goes on after a conflict: what our own commands changed gives way to the document. A dry run takes no field from
 * anybody, so it forces what an apply would take over before.
 */
async function settle(
  task: ApplyTask,
  conflicts: readonly FieldConflict[],
  found: JsonMembers,
  live: JsonMembers,
  mask: Mask,
): Promise<Applied | Meanwhile> {
  const { ref, options } = task;
  const isDry = options.dryRun === "server";
  const isOurs = ({ manager }: FieldConflict) =>
    isOwnChange(manager, options.fieldManager) || (isDry && isClientSideApply(manager));
  const foreign = conflicts.filter((conflict) => !isOurs(conflict));
  // Client-side apply has come in between: it is taken over again.
  if (!isDry && conflicts.some(({ manager }) => isClientSideApply(manager))) return "changed meanwhile";
  if (foreign.length > 0) throw conflictError(refLabel(ref), foreign, mask, { isDry });
  const replaced = conflicts.filter(({ manager }) => isOwnChange(manager, options.fieldManager));
  if (isDry) return await applyAgain(task, found, live, replaced, true);
  const fields = yielded(live, options.fieldManager, new Set(conflicts.map(({ path }) => path)));
  if (fields === undefined) return "changed meanwhile";
  const patch = managedFieldsPatch(live, fields);
  if (patch === undefined) throw conflictError(refLabel(ref), conflicts, mask);
  const patched = await patchManagedFields(task, patch, live);
  return patched === "changed meanwhile" ? patched : await applyAgain(task, found, patched, replaced, false);
}

async function applyAgain(
  task: ApplyTask,
  found: JsonMembers,
  live: JsonMembers,
  replaced: readonly FieldConflict[],
  force: boolean,
): Promise<Applied | Meanwhile> {
  const sent = documentFor(task, found, live);
  const answer = await sendApply(task, sent, force);
  if (answer.answer.status === 409) return "changed meanwhile";
  if (!isGood(answer)) throw errorOf(task.client, answer, maskOf([live, sent]));
  return await applied(task, answer, live, replaced);
}
