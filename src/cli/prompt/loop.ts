/** The one loop that reads keys for a prompt. What a key does and what is shown are pure functions of the prompt. */

import type { Terminal } from "../../system/terminal.ts";
import { type Style, stylesOf, type TerminalFacts } from "../output/style.ts";

/** What a key led to. */
export type Step<State, Answer> =
  | { readonly kind: "open"; readonly state: State }
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "cancelled" };

/** A question on a terminal. */
export interface Prompt<State, Answer> {
  readonly start: State;
  onKey(state: State, key: string): Step<State, Answer>;
  /** The text that changes the terminal from one state to the next. Undefined is before the prompt, or after it. */
  draw(before: State | undefined, after: State | undefined, columns: number, style: Style): string;
}

/** Shows a prompt and reads keys until it is answered or cancelled, or until no more keys come. */
export async function ask<State, Answer>(
  terminal: Pick<Terminal, "keys" | "writeErr" | "columns"> & TerminalFacts,
  signal: AbortSignal,
  { start, onKey, draw }: Prompt<State, Answer>,
): Promise<Step<State, Answer>> {
  const style = stylesOf(terminal).err;
  const show = (before: State | undefined, after: State | undefined) => {
    const text = draw(before, after, terminal.columns(), style);
    if (text !== "") terminal.writeErr(text);
  };
  let state = start;
  let step: Step<State, Answer> = { kind: "open", state };
  show(undefined, state);
  for await (const key of terminal.keys(signal)) {
    step = onKey(state, key);
    if (step.kind !== "open") break;
    show(state, step.state);
    state = step.state;
  }
  show(state, undefined);
  return step;
}
