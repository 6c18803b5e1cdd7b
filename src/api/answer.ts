/** Owns what an API answered, as text and as JSON: nothing about it is known until it is checked. */

import { parseJson } from "../encoding.ts";

/** An answer, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Takes out of a text what the request carried as a secret. */
  readonly hide?: (text: string) => string;
}

/** A JSON object that a server sent: nothing about it is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The body of an answer as text. */
export function textOf({ body }: ApiAnswer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
}

/** How deep an answer is read; nobody nests so deep who wants to be read. */
const DEEPEST = 100;

const TOO_DEEP = "…";

/**
 * The body of an answer as JSON, whatever its label says; undefined when it is none. No text in it repeats a secret that
 * the request carried, and what is nested beyond a hundred levels is an ellipsis, so that no walk through it exhausts the
 * stack.
 */
export function jsonOf(answer: ApiAnswer): unknown {
  const { hide = (text: string) => text } = answer;
  const whole = { value: parseJson(textOf(answer).replace(/^\ufeff/, "")) };
  // A walk that keeps its own place, for the answer may be deeper than the stack.
  const way: Place[] = [placeIn(whole)];
  for (let place = way.at(-1); place !== undefined; place = way.at(-1)) {
    const { container, names, length, at } = place;
    place.at++;
    if (at >= length) {
      way.pop();
      continue;
    }
    const name = names?.[at] ?? at;
    const value = container[name];
    const shown = typeof name === "string" ? hide(name) : name;
    if (shown !== name) delete container[name];
    let kept = typeof value === "string" ? hide(value) : value;
    if (typeof value === "object" && value !== null) {
      if (way.length > DEEPEST) kept = TOO_DEEP;
      else way.push(placeIn(value));
    }
    if (shown !== name || kept !== value) put(container, shown, kept);
  }
  return whole.value;
}

/** Where a walk through an array or object is. */
interface Place {
  readonly container: Record<string | number, unknown>;
  /** Of an object. */
  readonly names: readonly string[] | undefined;
  readonly length: number;
  at: number;
}

function placeIn(value: object): Place {
  const container = value as Record<string | number, unknown>;
  if (Array.isArray(value)) return { container, names: undefined, length: value.length, at: 0 };
  const names = Object.keys(value);
  return { container, names, length: names.length, at: 0 };
}

/** Also where the name is `__proto__`. */
function put(container: object, name: string | number, value: unknown): void {
  Object.defineProperty(container, name, { value, enumerable: true, writable: true, configurable: true });
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
