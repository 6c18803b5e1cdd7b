/** Deleting objects, and waiting until they are gone. */

import { AppError } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { ask, errorOf, isGood, objectOf, type ReadAnswer, type ResourceClient } from "../resource-client.ts";
import { asItems, asMembers, asText, metadataOf } from "../json-parts.ts";
import { maybeDone } from "./create.ts";
import { lookUntil, type Time } from "./look-until.ts";
import { type DryRun, objectPath, type ObjectRef, refLabel } from "./object-ref.ts";
import { askForObject } from "./read.ts";

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
 * Deletes an object: the very one that was found, else the one that is there now, so that the request may be repeated.
 * Where nobody may look first, it is deleted by its name, and once.
 *
 * @param found the uid of the object that is meant, if somebody has looked.
 *
 * @throws {AppError} `NOT_FOUND` for no such object; what a request throws.
 */
export async function deleteObject(
  client: ResourceClient,
  ref: ObjectRef,
  options: DeleteOptions,
  found = "",
): Promise<Deleted> {
  const look = found === "" ? await askForObject(client, ref) : undefined;
  if (look?.answer.status === 404) return notThere(client, ref, look, options);
  const uid = look === undefined ? found : uidSeen(client, look);
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

/** The uid in the answer of a look; empty where nobody may look. */
function uidSeen(client: ResourceClient, look: ReadAnswer): string {
  const mayNot = look.answer.status === 403 || look.answer.status === 405;
  return mayNot ? "" : asText(metadataOf(objectOf(client, look)).uid);
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
 * @param onHeld told after each look what is still there.
 * @returns what is still there when the time is over.
 * @throws {AppError} what a request throws.
 */
export async function waitUntilGone(
  context: Time & { readonly client: ResourceClient },
  deleted: readonly Deleted[],
  timeout: number,
  onHeld?: (held: readonly StillThere[]) => void,
): Promise<readonly StillThere[]> {
  let left = deleted.filter(({ outcome }) => outcome === "deleted");
  let held: readonly StillThere[] = [];
  await lookUntil(context, context.now() + timeout, async () => {
    const looks = await mapConcurrent(left, (one) => stillThere(context.client, one));
    left = left.filter((_one, at) => looks[at] !== undefined);
    held = looks.filter((look) => look !== undefined);
    if (left.length === 0) return true;
    onHeld?.(held);
    return undefined;
  });
  return held;
}

/** How many objects one sentence tells. */
const MOST_TOLD = 10;

/** What is still there, and what holds each object back, for one sentence. */
export function heldBack(held: readonly StillThere[]): string {
  const told = held.slice(0, MOST_TOLD).map(({ ref, finalizers }) => {
    const names = finalizers.map((name) => printable(name, 100)).join(", ");
    return names === "" ? refLabel(ref) : `${refLabel(ref)}, held back by ${names}`;
  });
  const more = held.length > MOST_TOLD ? [`${held.length - MOST_TOLD} more`] : [];
  return [...told, ...more].join("; ");
}

/** `TIMEOUT`, with what holds each object back. */
export function stillThereError(held: readonly StillThere[]): AppError {
  const isHeld = held.some(({ finalizers }) => finalizers.length > 0);
  return new AppError("TIMEOUT", `Deleted but still there: ${heldBack(held)}.`, {
    hint: isHeld
      ? "A finalizer goes when its controller has done its work: see whether that runs."
      : "Wait for it with wait --for=delete.",
  });
}
