/** The requests that resources are read and written with, and what their answers hold. */

import { AppError } from "../errors.ts";
import { capital, printable } from "../text.ts";
import { asItems, asMembers, asText } from "./json-parts.ts";
import { compactJson } from "./json-text.ts";
import { DEEPEST, isItems, isMembers, type Json, type JsonMembers, readJson } from "./lossless-json.ts";

/** A request to a Kubernetes API. */
export interface ResourceRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the API's base URL, without a query. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  /** JSON, sent as it is: its integers have all their digits. */
  readonly body?: string | undefined;
  /** `application/json` unless given. */
  readonly contentType?: string | undefined;
  /** Whether sending it twice does no more than once, so that it may be sent again when its answer is lost. */
  readonly repeatable: boolean;
}

/** An answer, whatever its status. */
export interface ResourceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Asks one Kubernetes API in one person's name. */
export interface ResourceClient {
  /** What is asked, for messages: `the project "web" at api.datum.net`. */
  readonly what: string;
  /**
   * The answer as it came. A request that is not `repeatable` is sent once.
   *
   * @throws {AppError} `NETWORK` and the like when no answer comes.
   */
  send(request: ResourceRequest): Promise<ResourceAnswer>;
  /** The error for an answer that is not a success. */
  refusal(answer: ResourceAnswer): AppError;
}

/** Takes what nobody may see out of a text. */
export type Mask = (text: string) => string;

/** An answer with its body read. */
export interface ReadAnswer {
  readonly answer: ResourceAnswer;
  /** Undefined where the body is no JSON object. */
  readonly body: JsonMembers | undefined;
}

/** Sends a request and reads what comes. @throws {AppError} as {@link ResourceClient.send}. */
export async function ask(client: ResourceClient, request: ResourceRequest): Promise<ReadAnswer> {
  const answer = await client.send(request);
  const body = readJson(new TextDecoder().decode(answer.body));
  return { answer, body: isMembers(body) && nestsAtMost(body, DEEPEST) ? body : undefined };
}

/** Whether a value nests so deep at most, so that a walk through it needs no care. */
function nestsAtMost(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => nestsAtMost(inner, levels - 1));
}

/**
 * The object of a good answer.
 *
 * @throws {AppError} as {@link errorOf}.
 */
export function objectOf(client: ResourceClient, read: ReadAnswer, mask?: Mask): JsonMembers {
  if (!isGood(read) || read.body === undefined) throw errorOf(client, read, mask);
  return read.body;
}

/** True for an answer whose status is a success. */
export function isGood({ answer: { status } }: ReadAnswer): boolean {
  return status >= 200 && status < 300;
}

/**
 * The error for an answer that is none to go on with: the client's refusal with its texts masked, or `NETWORK` for a
 * success without an object.
 */
export function errorOf(client: ResourceClient, read: ReadAnswer, mask: Mask = (text) => text): AppError {
  if (isGood(read)) {
    return new AppError("NETWORK", `${capital(client.what)} answered with something that is no object.`, {
      hint: "A proxy or captive portal may have answered; else check the API host.",
    });
  }
  const { status } = read.answer;
  const said = refusalStatus(read);
  if (said !== undefined && isNotUnderstood(status, said)) {
    const message = `${capital(client.what)} cannot read the object as one of its kind`;
    return new AppError("INVALID", `${message} (HTTP ${status}: ${printable(mask(said.message), 1000)}).`, {
      hint: "Correct what the message names.",
    });
  }
  const error = client.refusal(masked(read, mask));
  if (status !== 404 || said !== undefined) return error;
  return new AppError("NOT_FOUND", error.message, { hint: error.hint ?? "", cause: UNSERVED });
}

/**
 * True for the answer to a document that the server cannot read as what its kind says: a server-side apply gets a 500
 * then, whose Status has no reason. A server that is in trouble gives one.
 */
function isNotUnderstood(status: number, { reason, message }: RefusalStatus): boolean {
  return status === 500 && reason === "" && message !== "";
}

/** The cause of the error for a path that is not served at all, instead of an object that is not there. */
const UNSERVED = Symbol("unserved");

/** True for the error of a request to a path that is not served at all. */
export function isUnserved(error: AppError): boolean {
  return error.cause === UNSERVED;
}

function masked({ answer, body }: ReadAnswer, mask: Mask): ResourceAnswer {
  const plain = body === undefined
    ? mask(new TextDecoder().decode(answer.body))
    : compactJson(maskedValue(body, mask));
  return { ...answer, body: new TextEncoder().encode(plain) };
}

function maskedValue(value: Json, mask: Mask): Json {
  if (typeof value === "string") return mask(value);
  if (typeof value !== "object" || value === null) return value;
  if (isItems(value)) return value.map((item) => maskedValue(item, mask));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskedValue(inner, mask)]));
}

/** What a refusal's Status says, each part empty where it says nothing. */
export interface RefusalStatus {
  readonly reason: string;
  readonly message: string;
  /** The plural of what the refusal is about. */
  readonly kind: string;
  readonly causes: readonly RefusalCause[];
}

/** One of the reasons of a refusal. */
export interface RefusalCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** The Status of a refusal; undefined where the body is none. */
export function refusalStatus({ body }: ReadAnswer): RefusalStatus | undefined {
  if (body === undefined || body.kind !== "Status") return undefined;
  const details = asMembers(body.details);
  const causes = asItems(details.causes).filter(isMembers).map((cause) => ({
    reason: asText(cause.reason),
    message: asText(cause.message),
    field: asText(cause.field),
  }));
  return { reason: asText(body.reason), message: asText(body.message), kind: asText(details.kind), causes };
}

/** What the server warns of, beside its answer. RFC 7234, 5.5. */
export function warningsOf({ answer: { headers } }: ReadAnswer): string[] {
  const warnings = (headers.get("warning") ?? "").matchAll(/(?:^|,\s*)299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...warnings].map(([, quoted = ""]) => quoted.replace(/\\(.)/g, "$1"));
}
