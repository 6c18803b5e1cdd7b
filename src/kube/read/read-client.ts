/** The requests that `get` and a watch are made of, and their answers as objects. */

import type { ByteBudget, StreamedAnswer } from "../../http/bounded.ts";
import { compactJson } from "../json-text.ts";
import { isMembers, type JsonMembers, readJson } from "../lossless-json.ts";
import {
  errorOf,
  isGood,
  type ReadAnswer,
  type ResourceAnswer,
  type ResourceClient,
  type ResourceRequest,
  warningsOf,
} from "../resource-client.ts";

/** A request that changes nothing. */
export interface ReadRequest extends ResourceRequest {
  readonly method: "GET";
  /** Which forms of the answer are understood, the best one first. */
  readonly accept: string;
  readonly repeatable: true;
  /** What the answers of several requests may come to together. */
  readonly budget?: ByteBudget | undefined;
}

/** A {@link ResourceClient} that asks for a form of the answer, and for answers without an end. */
export interface ReadClient extends ResourceClient {
  send(request: ResourceRequest | ReadRequest): Promise<ResourceAnswer>;
  /**
   * The answer as soon as it begins, whatever its status; its body has no time limit of its own. Each call takes the
   * token that is valid then.
   *
   * @throws {AppError} `NETWORK` and the like when no answer begins, or the signal's reason.
   */
  stream(
    request: ReadRequest,
    signal: AbortSignal,
  ): Promise<Pick<StreamedAnswer, "status" | "headers" | "body">>;
}

/** The server's table of what is asked for. */
export const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** The objects themselves. */
export const OBJECTS = "application/json";

/** A request for what is at a path. */
export function readRequest(path: string, accept: string, query: ResourceRequest["query"] = {}): ReadRequest {
  return { method: "GET", path, query, accept, repeatable: true };
}

/** An answer, read as JSON. @throws {AppError} as {@link ReadClient.send}. */
export async function readAnswer(client: ReadClient, request: ReadRequest): Promise<ReadAnswer> {
  const answer = await client.send(request);
  const body = readJson(new TextDecoder().decode(answer.body));
  return { answer, body: isMembers(body) ? body : undefined };
}

/**
 * The object of a good answer.
 *
 * @param onWarning told what the server warns of.
 * @throws {AppError} `NETWORK` where there is none, and the refusal.
 */
export function bodyOf(
  client: ReadClient,
  read: ReadAnswer,
  onWarning?: (warning: string) => void,
): JsonMembers {
  for (const warning of warningsOf(read)) onWarning?.(warning);
  if (isGood(read) && read.body !== undefined) return read.body;
  throw errorOf(client, { ...read, body: shallow(read.body) });
}

/** The body of a refusal; undefined for one that nests so deep that nothing can walk through it. */
function shallow(body: JsonMembers | undefined): JsonMembers | undefined {
  try {
    if (body !== undefined) compactJson(body);
    return body;
  } catch {
    return undefined;
  }
}
