/** What an API answered, as text and as JSON; no member is trusted before it is checked. */

import { isObject, type JsonObject, parseJson } from "../encoding.ts";
import type { ReadAnswer } from "./redact.ts";

/** An answer, whatever its status. */
export interface ApiAnswer extends ReadAnswer {
  /** Takes the request's secrets out of a text. */
  readonly redact?: ((text: string) => string) | undefined;
}

/** The body of an answer as text. */
export function textOf({ body }: ApiAnswer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
}

/** In levels; what is nested deeper is not read. */
const DEEPEST = 100;

const TOO_DEEP = "…";

/**
 * The body of an answer as JSON, whatever its label says; undefined when it is none. No text in it repeats a secret that
 * the request carried, and what is nested beyond a hundred levels is an ellipsis, so that no walk through it exhausts the
 * stack.
 */
export function jsonOf(answer: ApiAnswer): unknown {
  const { redact = (text: string) => text } = answer;
  const whole = { value: parseJson(textOf(answer).replace(/^\ufeff/, "")) };
  // No recursion: the answer may be deeper than the stack.
  const path: Position[] = [startOf(whole)];
  for (let position = path.at(-1); position !== undefined; position = path.at(-1)) {
    const { container, names, length, at } = position;
    position.at++;
    if (at >= length) {
      path.pop();
      continue;
    }
    const name = names?.[at] ?? at;
    const value = container[name];
    const shown = typeof name === "string" ? redact(name) : name;
    if (shown !== name) delete container[name];
    let result = typeof value === "string" ? redact(value) : value;
    if (typeof value === "object" && value !== null) {
      if (path.length > DEEPEST) result = TOO_DEEP;
      else path.push(startOf(value));
    }
    if (shown !== name || result !== value) define(container, shown, result);
  }
  return whole.value;
}

/** Where a walk through an array or object is. */
interface Position {
  readonly container: Record<string | number, unknown>;
  /** Of an object. */
  readonly names: readonly string[] | undefined;
  readonly length: number;
  at: number;
}

function startOf(value: object): Position {
  const container = value as Record<string | number, unknown>;
  if (Array.isArray(value)) return { container, names: undefined, length: value.length, at: 0 };
  const names = Object.keys(value);
  return { container, names, length: names.length, at: 0 };
}

/** Sets a member, also one that is called `__proto__`. */
function define(container: object, name: string | number, value: unknown): void {
  Object.defineProperty(container, name, { value, enumerable: true, writable: true, configurable: true });
}

/** The body of an answer when it is a JSON object, whatever its label says. */
export function objectOf(answer: ApiAnswer): JsonObject | undefined {
  const value = jsonOf(answer);
  return isObject(value) ? value : undefined;
}
