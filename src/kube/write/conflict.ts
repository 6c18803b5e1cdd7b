/** Fields that an apply would take from another manager: what the server says of them, and how it is told. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { compactJson } from "../json-text.ts";
import type { Json, JsonMembers } from "../lossless-json.ts";
import { type Mask, type ReadAnswer, refusalStatus } from "../resource-client.ts";
import { pathText, valueAt } from "./field-path.ts";
import { fieldsOf, type Manager } from "./managed-fields.ts";
import { holdsValues, isSecret, MASKED } from "./secret-mask.ts";

/** A field that another manager has, with another value. Its texts are safe to print. */
export interface FieldConflict {
  /** As the server writes it. */
  readonly path: string;
  readonly manager: Manager;
  /** As a person reads it: `spec.containers[name=web].image`. */
  readonly field: string;
  /** The live value; undefined where there is none, or where it is not known. */
  readonly live: string | undefined;
  /** The document's value. */
  readonly wanted: string | undefined;
}

const CAUSE = /^conflict with ("(?:[^"\\]|\\.)*")(?: with subresource ("(?:[^"\\]|\\.)*"))?( using )?/;

/**
 * The conflicts that a refusal of an apply is about; none where it is about something else.
 *
 * @param live the object as it was read before, and `wanted` the document that was sent.
 */
export function conflictsOf(
  refusal: ReadAnswer,
  live: JsonMembers | undefined,
  wanted: JsonMembers,
  mask: Mask,
): FieldConflict[] {
  if (refusal.answer.status !== 409) return [];
  const causes = refusalStatus(refusal)?.causes ?? [];
  const ofFields = causes.filter(({ reason }) => reason === "FieldManagerConflict");
  const paths = ofFields.length === 0 || live === undefined ? undefined : fieldsOf(live, () => true);
  return ofFields.map(({ message, field }) => {
    const path = paths?.get(field);
    const manager = managerIn(mask(message));
    if (path === undefined) {
      const told = mask(printable(field, 200));
      return { path: told, manager, field: told, live: undefined, wanted: undefined };
    }
    const isMasked = holdsValues(path) && [live, wanted].some((one) => one !== undefined && isSecret(one));
    const told = (object: JsonMembers | undefined) => {
      const value = object === undefined ? undefined : valueAt(object, path);
      return value === undefined ? undefined : isMasked ? MASKED : valueText(value);
    };
    return { path: field, manager, field: mask(pathText(path)), live: told(live), wanted: told(wanted) };
  });
}

function managerIn(message: string): Manager {
  const [, quoted = "", subresource = '""', version] = CAUSE.exec(message) ?? [];
  // The version is told of what is no apply.
  const operation = version === undefined ? "Apply" : "Update";
  return { manager: unquoted(quoted), operation, subresource: unquoted(subresource) };
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return "";
  }
}

function valueText(value: Json): string {
  return printable(compactJson(value), 80);
}

/** How many conflicts one sentence tells. */
const MOST_TOLD = 10;

/** `data.a of kubectl-edit (live "2", here "1")`. */
export function conflictText(
  { field, manager: { manager, subresource }, live, wanted }: FieldConflict,
): string {
  const by = manager === "" ? "another manager" : manager;
  const through = subresource === "" ? "" : ` through ${subresource}`;
  const values = live === undefined && wanted === undefined
    ? ""
    : ` (live ${live ?? "nothing"}, here ${wanted ?? "nothing"})`;
  return `${field} of ${printable(by + through, 100)}${values}`;
}

/** The `cause` of the error about conflicts. */
export interface ConflictCause {
  readonly conflicts: readonly FieldConflict[];
}

/** The fields that an error is about; undefined for an error that is about none. */
export function conflictsIn({ cause }: AppError): readonly FieldConflict[] | undefined {
  return typeof cause === "object" && cause !== null && "conflicts" in cause
    ? (cause as ConflictCause).conflicts
    : undefined;
}

/** `CONFLICT`, with each field, who has it, both values, and what to do. */
export function conflictError(
  label: string,
  conflicts: readonly FieldConflict[],
  mask: Mask,
  { isDry = false }: { readonly isDry?: boolean | undefined } = {},
): AppError {
  const told = conflicts.slice(0, MOST_TOLD).map(conflictText);
  const more = conflicts.length > MOST_TOLD ? [`${conflicts.length - MOST_TOLD} more`] : [];
  const fields = conflicts.length === 1
    ? "a field that has another manager"
    : "fields that have other managers";
  const message = `${label} ${isDry ? "would not be" : "was not"} applied, for it would change ${fields}: ${
    [...told, ...more].join("; ")
  }.`;
  return new AppError("CONFLICT", mask(message), {
    hint: isDry
      ? "With --force-conflicts is shown what taking them over comes to; nothing is changed."
      : "Give the field its live value or leave it out of the document, or take it over with --force-conflicts.",
    cause: { conflicts } satisfies ConflictCause,
  });
}
