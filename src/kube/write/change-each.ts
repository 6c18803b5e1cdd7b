/** The same done to each of some objects: several at a time, told in their order, whatever fails. */

import { type AppError, failureOrThrow } from "../../errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import type { ChosenObject } from "./chosen-objects.ts";
import { collectionPath, objectPath, type ObjectRef } from "./object-ref.ts";

/** What became of one object. */
export type EachResult<Done> =
  & { readonly ref: ObjectRef }
  & ({ readonly type: "done"; readonly done: Done } | { readonly type: "failed"; readonly error: AppError });

/** Who hears of it. */
export interface EachOptions<Done> {
  /** Told of each result as soon as all before it are told of. */
  readonly onResult?: ((result: EachResult<Done>) => void) | undefined;
  /** Told after each object how many are done, and of how many. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

/**
 * Changes objects in runs of one kind, several at a time; a failure with one does not stop the others.
 *
 * @returns the results in the objects' order.
 * @throws {AppError} `INTERRUPTED`, and `SESSION_REJECTED` when no other request can do better.
 */
export async function changeEach<Done>(
  objects: readonly ChosenObject[],
  change: (object: ChosenObject) => Promise<Done>,
  { onResult, onProgress }: EachOptions<Done> = {},
): Promise<readonly EachResult<Done>[]> {
  const results: EachResult<Done>[] = [];
  let [told, done] = [0, 0];
  for (const run of runsOfOneKind(objects)) {
    await mapConcurrent(run, async ({ at, object }) => {
      results[at] = await resultOf(object, change);
      onProgress?.(done += 1, objects.length);
      for (let next = results[told]; next !== undefined; next = results[told]) {
        told += 1;
        onResult?.(next);
      }
    });
  }
  return results;
}

async function resultOf<Done>(
  object: ChosenObject,
  change: (object: ChosenObject) => Promise<Done>,
): Promise<EachResult<Done>> {
  const { ref } = object;
  try {
    return { ref, type: "done", done: await change(object) };
  } catch (thrown) {
    const error = failureOrThrow(thrown);
    if (error.code === "SESSION_REJECTED") throw error;
    return { ref, type: "failed", error };
  }
}

interface Placed {
  readonly object: ChosenObject;
  readonly at: number;
}

/** An object that is named twice begins a run of its own: its changes come one after the other. */
function runsOfOneKind(objects: readonly ChosenObject[]): Placed[][] {
  const runs: Placed[][] = [];
  let kind: string | undefined;
  const inRun = new Set<string>();
  for (const [at, object] of objects.entries()) {
    const [own, path] = [collectionPath(object.ref.resource, "-"), pathOf(object.ref)];
    if (own !== kind || inRun.has(path)) {
      runs.push([]);
      inRun.clear();
    }
    runs.at(-1)?.push({ object, at });
    inRun.add(path);
    kind = own;
  }
  return runs;
}

/** For comparison only: what cannot stand in a path is told when the object's turn comes. */
function pathOf(ref: ObjectRef): string {
  try {
    return objectPath(ref);
  } catch {
    return `${ref.namespace} ${ref.name}`;
  }
}
