/** Owns what an API answered, as text and as JSON: nothing about it is known until it is checked. */

import { parseJson } from "../json.ts";

/** An answer, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A JSON object that a server sent: nothing about it is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The body of an answer as text. */
export function textOf({ body }: ApiAnswer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
}

/** The body of an answer as JSON, whatever its label says; undefined when it is none. */
export function jsonOf(answer: ApiAnswer): unknown {
  return parseJson(textOf(answer).replace(/^\ufeff/, ""));
}

/** The body of an answer when it is a JSON object, whatever its label says. */
export function objectOf(answer: ApiAnswer): JsonObject | undefined {
  const value = jsonOf(answer);
  return isObject(value) ? value : undefined;
}

/** True for a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
