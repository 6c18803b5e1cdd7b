/** A list of a Kubernetes API, part by part. */

import { AppError } from "../../errors.ts";
import { type ByteBudget, failedRequest } from "../../http/bounded.ts";
import { capital } from "../../text.ts";
import { type JsonMembers } from "../lossless-json.ts";
import { isGood, type ReadAnswer } from "../resource-client.ts";
import { asItems, asText, metadataOf } from "../json-parts.ts";
import { bodyOf, readAnswer, type ReadClient, type ReadRequest, readRequest } from "./read-client.ts";

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
  /** What the parts may come to together, where all of them are kept. */
  readonly budget?: ByteBudget | undefined;
  /** Told what the server warns of, with each part. */
  readonly onWarning?: ((warning: string) => void) | undefined;
}

/** The most parts, the most of them one after the other that hold nothing, and the most expired tokens. */
const MOST_PARTS = 100_000;
const MOST_EMPTY = 1_000;
const MOST_RESTARTS = 100;

/** How much smaller parts are asked for when one is too large, and how many objects where no number was asked for. */
const SMALLER = 4;
const FIRST_LIMIT = 500;

/**
 * The parts of a list, each as the server sent it.
 *
 * @throws {AppError} `INVALID` for a list that does not end, and what a request throws.
 */
export async function* listPages(
  client: ReadClient,
  list: ListRequest,
): AsyncGenerator<JsonMembers, void, void> {
  const { path, accept, query, chunkSize, budget, onExpired, onWarning } = list;
  let limit = chunkSize > 0 ? chunkSize : undefined;
  let token: string | undefined;
  let restarts = 0;
  let empty = 0;
  for (let part = 1; part <= MOST_PARTS && restarts <= MOST_RESTARTS; part += 1) {
    const asked = { ...query, limit: limit?.toString(), continue: token };
    const read = await partOf(client, { ...readRequest(path, accept, asked), budget }, limit !== 1);
    if (read === "too large") {
      limit = limit === undefined ? FIRST_LIMIT : Math.ceil(limit / SMALLER);
      continue;
    }
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
    empty = isEmpty(page) ? empty + 1 : 0;
    // The same part again and again would never end.
    if (next === token || empty >= MOST_EMPTY) break;
    token = next;
  }
  throw new AppError("INVALID", `${capital(client.what)} answers with a list that does not end.`, {
    hint: "Ask for a part of it with a selector.",
  });
}

/** A part; a list of large objects is asked for again in smaller parts where that is possible. */
async function partOf(
  client: ReadClient,
  request: ReadRequest,
  canBeSmaller: boolean,
): Promise<ReadAnswer | "too large"> {
  try {
    return await readAnswer(client, request);
  } catch (thrown) {
    const isSpent = request.budget !== undefined && request.budget.left < 0;
    if (canBeSmaller && !isSpent && failedRequest(thrown)?.kind === "answer") return "too large";
    throw thrown;
  }
}

function isEmpty({ items, rows }: JsonMembers): boolean {
  return asItems(items).length === 0 && asItems(rows).length === 0;
}

/** The token for the rest of a list whose token has expired; an empty text for any other answer. */
function expiredToken(read: ReadAnswer): string {
  if (isGood(read) || read.answer.status !== 410 || read.body === undefined) return "";
  return asText(metadataOf(read.body).continue);
}
