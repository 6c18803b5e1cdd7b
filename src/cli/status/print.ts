/** Prints what `status` found: lines for people, one line for a prompt, a template of the user's own. */

import { printable } from "../../text.ts";
import type { Output } from "../../providers/context.ts";
import { formatObject, type ListFormat } from "../output/table.ts";
import { describeScope } from "../scope-lines.ts";
import { whoseSession } from "../session-life.ts";
import { isForPrompt, promptLine, type PromptValues } from "./prompt-line.ts";
import { exitCodeOfStatus, type Status } from "./state.ts";

/** How `status` prints. */
export interface StatusForm {
  /** One line for a prompt. */
  readonly short: boolean;
  /** A line with placeholders. */
  readonly format: string | undefined;
  /** The value of `-o`, where it is neither of the two. */
  readonly output: ListFormat;
}

function stateOf({ life }: Status): string {
  return life?.state ?? "unopened";
}

/** The values of the placeholders, safe to print; empty where there is none. */
function valuesOf(status: Status): PromptValues {
  const { session, opened, scope, life } = status;
  const { object: { organization, project }, name } = describeScope(scope, session);
  return {
    user: opened ? printable(whoseSession(session)) : "",
    session: session.name,
    organization: printable(String(organization ?? "")),
    project: printable(String(project ?? "")),
    scope: printable(name),
    life: life?.short ?? "",
    state: stateOf(status),
    host: opened ? printable(session.apiHost) : "",
  };
}

/** The lines for people, as titles and values. */
function linesOf(
  { session, source, opened, scope, life }: Status,
): readonly (readonly [title: string, value: string])[] {
  const whose = [session.kind.tokens === "given" ? "Token" : "User", whoseSession(session)] as const;
  return [
    ...opened ? [whose] : [],
    ["Session", session.name],
    ["Chosen by", source],
    ...opened ? [["Host", session.apiHost] as const] : [],
    ...describeScope(scope, session).lines,
    ["Life left", life?.words ?? "not told: the key of this folder's session is in the keyring"],
  ];
}

/** The object for programs. */
function objectOf(status: Status): Readonly<Record<string, unknown>> {
  const { session, source, opened, scope, life } = status;
  const { user } = session;
  return {
    signedIn: exitCodeOfStatus(status) === 0,
    state: stateOf(status),
    user: (opened ? user.email ?? user.username : undefined) ?? null,
    session: session.name,
    source,
    host: opened ? session.apiHost : null,
    ...describeScope(scope, session).object,
    ends: life?.ends ?? null,
    secondsLeft: life?.left === undefined ? null : Math.floor(life.left / 1000),
  };
}

/** Prints it; people are told how to sign in again. */
export async function printStatus(
  status: Status,
  form: StatusForm,
  out: { text(text: string): void; readonly info?: Output["info"] },
): Promise<void> {
  if (isForPrompt(form)) return out.text(promptLine(valuesOf(status), form.format));
  const text = await formatObject(linesOf(status), objectOf(status), status.session.name, form.output);
  const again = status.life?.state === "expired" ? await status.signInAgain?.() : undefined;
  out.text(text);
  if (again !== undefined) out.info?.(again);
}
