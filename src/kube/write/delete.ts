/** Deleting objects, and waiting until they are gone. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { ask, errorOf, isGood, objectOf, type ReadAnswer, type ResourceClient } from "../resource-client.ts";
import { asItems, asMembers, asText, metadataOf } from "../json-parts.ts";
import { maybeDone } from "./create.ts";
import { lookUntil, type Time } from "./look-until.ts";
import { collectionPath, type DryRun, objectPath, type ObjectRef, refLabel } from "./object-ref.ts";
import { askForObject } from "./read.ts";
import { runsOf } from "./write-all.ts";

/** How an object is deleted. */
export interface DeleteOptions {
  /** What happens to the objects that it owns. */
  readonly propagation: "Background" | "Foreground" | "Orphan";
  /** In seconds; the object's own unless given. */
  readonly gracePeriod?: number | undefined;
  readonly dryRun: DryRun;
  /** Whether an object that is not there is no failure. */
  readonly ignoreNotFound: boolean;
}

/** An object that was deleted, which may still be there for a while. */
export interface Deleted {
  readonly outcome: "deleted" | "not there";
  readonly ref: ObjectRef;
  /** Empty where the server does not tell it. */
  readonly uid: string;
}

/**
 * Deletes an object: the very one that is there now, so that the request may be repeated. Where nobody may look first,
 * it is deleted by its name, and once.
 *
 * @throws {AppError} `NOT_FOUND` for no such object; what a request throws.
 */
export async function deleteObject(
  client: ResourceClient,
  ref: ObjectRef,
  options: DeleteOptions,
): Promise<Deleted> {
  const found = await askForObject(client, ref);
  if (found.answer.status === 404) return notThere(client, ref, found, options);
  const mayLook = found.answer.status !== 403 && found.answer.status !== 405;
  const uid = mayLook ? asText(metadataOf(objectOf(client, found)).uid) : "";
  if (options.dryRun === "client") return { outcome: "deleted", ref, uid };
  const read = await ask(client, {
    method: "DELETE",
    path: objectPath(ref),
    body: compactJson(deleteBody(uid, options)),
    repeatable: uid !== "" || options.dryRun === "server",
  }).catch((error) => {
    throw options.dryRun === "none" ? maybeDone(error, `${refLabel(ref)} may have been deleted`) : error;
  });
  if (isGood(read)) return { outcome: "deleted", ref, uid: uid || uidIn(read) };
  if (uid === "" && read.answer.status === 404) return notThere(client, ref, read, options);
  if (uid !== "" && await isGone(client, ref, uid, read)) return { outcome: "deleted", ref, uid };
  throw errorOf(client, read);
}

function notThere(
  client: ResourceClient,
  ref: ObjectRef,
  read: ReadAnswer,
  { ignoreNotFound }: DeleteOptions,
): Deleted {
  if (!ignoreNotFound) throw errorOf(client, read);
  return { outcome: "not there", ref, uid: "" };
}

/** Whether a refusal means that the object is gone: a repeated request finds nothing, or another object. */
async function isGone(
  client: ResourceClient,
  ref: ObjectRef,
  uid: string,
  read: ReadAnswer,
): Promise<boolean> {
  if (read.answer.status === 404) return true;
  return read.answer.status === 409 &&
    await stillThere(client, { outcome: "deleted", ref, uid }) === undefined;
}

/** What the server is told of a deletion. */
function deleteBody(uid: string, { propagation, gracePeriod, dryRun }: DeleteOptions): JsonMembers {
  const all = {
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: propagation,
    gracePeriodSeconds: gracePeriod,
    preconditions: uid === "" ? undefined : { uid },
    dryRun: dryRun === "server" ? ["All"] : undefined,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const]),
  );
}

/** An answer is the object, or a Status with its uid. */
function uidIn({ body }: ReadAnswer): string {
  const { metadata, details } = body ?? {};
  return asText(asMembers(metadata).uid) || asText(asMembers(details).uid);
}

/** What became of the deletion of one object. */
export type DeleteResult =
  & { readonly ref: ObjectRef }
  & ({ readonly type: "done"; readonly done: Deleted } | {
    readonly type: "failed";
    readonly error: AppError;
  });

/**
 * Deletes objects in runs of one kind, several at a time; a failure with one does not stop the others.
 *
 * @throws {AppError} `INTERRUPTED`.
 */
export async function deleteObjects(
  client: ResourceClient,
  refs: readonly ObjectRef[],
  options: DeleteOptions,
): Promise<readonly DeleteResult[]> {
  const results: DeleteResult[] = [];
  for (const run of runsOf(refs, ({ resource }) => collectionPath(resource, "-"))) {
    results.push(
      ...await mapConcurrent(run, async (ref): Promise<DeleteResult> => {
        try {
          return { ref, type: "done", done: await deleteObject(client, ref, options) };
        } catch (thrown) {
          return { ref, type: "failed", error: failureOrThrow(thrown) };
        }
      }),
    );
  }
  return results;
}

/** An object that is not gone, with what holds it back. */
export interface StillThere {
  readonly ref: ObjectRef;
  readonly finalizers: readonly string[];
}

async function stillThere(client: ResourceClient, { ref, uid }: Deleted): Promise<StillThere | undefined> {
  const read = await askForObject(client, ref);
  // Who may delete may not always look; kubectl waits for nothing then, either.
  if ([403, 404, 405].includes(read.answer.status)) return undefined;
  const object = objectOf(client, read);
  if (uid !== "" && asText(metadataOf(object).uid) !== uid) return undefined;
  // A Namespace has finalizers in its spec, too.
  const finalizers = [metadataOf(object).finalizers, asMembers(object.spec).finalizers]
    .flatMap((list) => asItems(list).map(asText).filter((name) => name !== ""));
  return { ref, finalizers };
}

/**
 * Waits until deleted objects are gone, all at once.
 *
 * @param timeout in milliseconds.
 * @returns what is still there when the time is over.
 * @throws {AppError} what a request throws.
 */
export async function waitUntilGone(
  context: Time & { readonly client: ResourceClient },
  deleted: readonly Deleted[],
  timeout: number,
): Promise<readonly StillThere[]> {
  let left = deleted.filter(({ outcome }) => outcome === "deleted");
  let held: readonly StillThere[] = [];
  await lookUntil(context, context.now() + timeout, async () => {
    const looks = await mapConcurrent(left, (one) => stillThere(context.client, one));
    left = left.filter((_one, at) => looks[at] !== undefined);
    held = looks.filter((look) => look !== undefined);
    return left.length === 0 ? true : undefined;
  });
  return held;
}

/** How many objects one sentence tells. */
const MOST_TOLD = 10;

/** `TIMEOUT`, with what holds each object back. */
export function stillThereError(held: readonly StillThere[]): AppError {
  const told = held.slice(0, MOST_TOLD).map(({ ref, finalizers }) => {
    const names = finalizers.map((name) => printable(name, 100)).join(", ");
    return names === "" ? refLabel(ref) : `${refLabel(ref)}, held back by ${names}`;
  });
  const more = held.length > MOST_TOLD ? [`${held.length - MOST_TOLD} more`] : [];
  const isHeld = held.some(({ finalizers }) => finalizers.length > 0);
  return new AppError("TIMEOUT", `Deleted but still there: ${[...told, ...more].join("; ")}.`, {
    hint: isHeld
      ? "A finalizer goes when its controller has done its work: see whether that runs."
      : "Wait for it with wait --for=delete.",
  });
}
