/** The answers for everything that is to be read, the first part of each at once and the rest when it is its turn. */

import { type AppError, failureOrThrow } from "../../errors.ts";
import type { ByteBudget } from "../../http/bounded.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { isUnserved } from "../resource-client.ts";
import { listPages } from "./list-pages.ts";
import { bodyOf, readAnswer, type ReadClient, readRequest } from "./read-client.ts";
import { type ReadTarget, targetPath } from "./targets.ts";

/** How a target is read. */
export interface ReadOptions {
  readonly accept: string;
  /** How much of the objects a table carries along. */
  readonly includeObject?: "None" | "Metadata" | "Object" | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** 0 for lists in one part. */
  readonly chunkSize: number;
  readonly subresource?: string | undefined;
  readonly ignoreNotFound?: boolean | undefined;
  /** What all answers may come to together. */
  readonly budget?: ByteBudget | undefined;
  /** See {@link listPages}. */
  readonly onExpired?: ((target: ReadTarget) => void) | undefined;
  /** Told what the server warns of, with each answer. */
  readonly onWarning?: ((warning: string) => void) | undefined;
}

/** A target that the server has answered for. */
export interface OpenTarget {
  readonly target: ReadTarget;
  readonly first: JsonMembers;
  /** The parts after the first one. */
  readonly rest: AsyncGenerator<JsonMembers, void, void>;
}

/**
 * Asks for each target. What cannot be read is in the errors, and the rest is still read.
 *
 * @throws {AppError} `NOT_FOUND` when nothing at all is served at a target's path.
 */
export async function openTargets(
  client: ReadClient,
  targets: readonly ReadTarget[],
  options: ReadOptions,
  errors: AppError[],
): Promise<OpenTarget[]> {
  const opened = await mapConcurrent(targets, async (target) => {
    const pages = targetPages(client, target, options);
    try {
      const { value } = await pages.next();
      return value === undefined ? undefined : { target, first: value, rest: pages };
    } catch (thrown) {
      return failureOrThrow(thrown);
    }
  });
  const found: OpenTarget[] = [];
  for (const one of opened) {
    if (one === undefined) continue;
    if (!(one instanceof Error)) found.push(one);
    else if (isUnserved(one)) throw one;
    else if (!options.ignoreNotFound || one.code !== "NOT_FOUND") errors.push(one);
  }
  return found;
}

/** The parts of an open target. A part that cannot be read is in the errors, and ends it. */
export async function* pagesOf(
  { first, rest }: OpenTarget,
  errors: AppError[],
): AsyncGenerator<JsonMembers, void, void> {
  yield first;
  try {
    yield* rest;
  } catch (thrown) {
    errors.push(failureOrThrow(thrown));
  }
}

async function* targetPages(
  client: ReadClient,
  target: ReadTarget,
  options: ReadOptions,
): AsyncGenerator<JsonMembers, void, void> {
  const {
    accept,
    includeObject,
    labelSelector,
    fieldSelector,
    chunkSize,
    subresource,
    budget,
    onExpired,
    onWarning,
  } = options;
  if (target.name === undefined) {
    const query = { labelSelector, fieldSelector, includeObject };
    const told = () => onExpired?.(target);
    yield* listPages(client, {
      path: targetPath(target),
      accept,
      query,
      chunkSize,
      budget,
      onExpired: told,
      onWarning,
    });
    return;
  }
  const path = targetPath(target, subresource);
  yield bodyOf(client, await readAnswer(client, readRequest(path, accept, { includeObject })), onWarning);
}
