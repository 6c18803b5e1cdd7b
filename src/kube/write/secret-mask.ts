/** The values of Secrets, taken out of what is told about them. */

import { redactorOf, SHORTEST_SECRET } from "../../http/redact.ts";
import { compactJson } from "../json-text.ts";
import { isMembers, type Json, type JsonMembers, readJson } from "../lossless-json.ts";
import type { Mask } from "../resource-client.ts";
import { asText } from "../json-parts.ts";
import { type FieldPath, valueAt } from "./field-path.ts";
import { LAST_APPLIED, LAST_APPLIED_PATH } from "./last-applied.ts";

/** What stands for a value that nobody may see. */
export const MASKED = "***";

/** True for a Secret of the core group. */
export function isSecret(object: JsonMembers): boolean {
  return object.kind === "Secret" && object.apiVersion === "v1";
}

/** True where a field of a Secret holds its values: its data, and the annotation with the document that was applied. */
export function holdsValues(path: FieldPath): boolean {
  return path.some((step) =>
    step.type === "member" && (VALUES.includes(step.name) || step.name === LAST_APPLIED)
  );
}

/** The members of a Secret that hold its values. */
export const VALUES: readonly string[] = ["data", "stringData"];

/**
 * Takes the values of some Secrets out of a text, in every spelling; what is none is left out of account. A server can
 * repeat what it was sent, and does so where a value is no text.
 */
export function maskOf(objects: readonly (JsonMembers | undefined)[]): Mask {
  const secrets = objects.filter((object) => object !== undefined).filter(isSecret);
  if (secrets.length === 0) return (text) => text;
  let mask: Mask | undefined;
  return (text) => (mask ??= maskOfValues(secrets))(text);
}

function maskOfValues(secrets: readonly JsonMembers[]): Mask {
  const values = [...new Set(secrets.flatMap((secret) => valuesOf(secret)))].filter((value) => value !== "");
  const redact = redactorOf(values);
  const short = values.filter((value) => value.length < SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length).map(RegExp.escape);
  // A short value can be a part of any word, so it is looked for by itself.
  const byItself = short.length === 0 ? /(?!)/ : new RegExp(`(?<!\\w)(?:${short.join("|")})(?!\\w)`, "g");
  return (text) => redact.prose(text).replace(byItself, MASKED);
}

function valuesOf(secret: JsonMembers): string[] {
  const lastApplied = readJson(asText(valueAt(secret, LAST_APPLIED_PATH)));
  return [
    ...leaves(secret.data ?? null).flatMap((value) => [value, ...decoded(value)]),
    ...leaves(secret.stringData ?? null),
    ...(isMembers(lastApplied) ? valuesOf(lastApplied) : []),
  ].flatMap(spellings);
}

/** Every value that is no list or object, as text. */
function leaves(value: Json): string[] {
  if (typeof value === "string") return [value];
  if (value === null) return [];
  if (typeof value !== "object") return [compactJson(value)];
  return Object.values(value).flatMap(leaves);
}

function decoded(value: string): string[] {
  try {
    return [new TextDecoder().decode(Uint8Array.fromBase64(value))];
  } catch {
    return [];
  }
}

/** A value can be told without the blanks around it, or line by line. */
function spellings(value: string): string[] {
  const lines = value.split("\n").map((line) => line.trim());
  const quoted = JSON.stringify(value).slice(1, -1);
  return [value, value.trim(), quoted, ...(lines.length > 1 ? lines : [])];
}
