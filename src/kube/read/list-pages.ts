/** A list of a Kubernetes API, part by part. */

import { AppError } from "../../errors.ts";
import { capital } from "../../text.ts";
import { type JsonMembers } from "../lossless-json.ts";
import { isGood, type ReadAnswer } from "../resource-client.ts";
import { asText, metadataOf } from "../json-parts.ts";
import { bodyOf, readAnswer, type ReadClient, readRequest } from "./read-client.ts";

/** What is asked for of a list. */
export interface ListRequest {
  readonly path: string;
  readonly accept: string;
  /** Selectors and the like. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** How many objects are asked for at once; 0 for all. */
  readonly chunkSize: number;
  /**
   * Called when the server no longer has the list as it was at its first part: what follows is as it is now, so that an
   * object may be there twice or not at all.
   */
  readonly onExpired?: (() => void) | undefined;
  /** Told what the server warns of, with each part. */
  readonly onWarning?: ((warning: string) => void) | undefined;
}

/** The most parts, and the most of them that have nothing new. */
const MOST_PARTS = 100_000;
const MOST_RESTARTS = 100;

/**
 * The parts of a list, each as the server sent it.
 *
 * @throws {AppError} `INVALID` for a list that does not end, and what a request throws.
 */
export async function* listPages(
  client: ReadClient,
  list: ListRequest,
): AsyncGenerator<JsonMembers, void, void> {
  const { path, accept, query, chunkSize, onExpired, onWarning } = list;
  const limit = chunkSize > 0 ? String(chunkSize) : undefined;
  let token: string | undefined;
  let restarts = 0;
  for (let part = 1; part <= MOST_PARTS && restarts <= MOST_RESTARTS; part += 1) {
    const read = await readAnswer(client, readRequest(path, accept, { ...query, limit, continue: token }));
    const rest: string = token === undefined ? "" : expiredToken(read);
    if (rest !== "") {
      restarts += 1;
      onExpired?.();
      token = rest;
      continue;
    }
    const page = bodyOf(client, read, onWarning);
    yield page;
    const next = asText(metadataOf(page).continue);
    if (next === "") return;
    // The same part again and again would never end.
    if (next === token) break;
    token = next;
  }
  throw new AppError("INVALID", `${capital(client.what)} answers with a list that does not end.`, {
    hint: "Ask for a part of it with a selector.",
  });
}

/** The token for the rest of a list whose token has expired; an empty text for any other answer. */
function expiredToken(read: ReadAnswer): string {
  if (isGood(read) || read.answer.status !== 410 || read.body === undefined) return "";
  return asText(metadataOf(read.body).continue);
}
