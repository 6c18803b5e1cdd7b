/** What an apply would change of an object, as two texts; the values of a Secret are masked in both. */

import { unifiedDiff } from "../../kubeconfig/diff.ts";
import { compactJson } from "../json-text.ts";
import { asMembers, membersOf, metadataOf } from "../json-parts.ts";
import { type Json, type JsonMembers, memberOf } from "../lossless-json.ts";
import { withoutManagedFields } from "../read/list-items.ts";
import { yamlText } from "../yaml-printer.ts";
import type { Applied } from "./apply.ts";
import { LAST_APPLIED } from "./last-applied.ts";
import type { ObjectRef } from "./object-ref.ts";
import { isSecret, MASKED, VALUES } from "./secret-mask.ts";

/** An object before an apply and after it, as YAML. */
export interface ObjectDiff {
  /** A file name: `apps.v1.Deployment.default.web`. */
  readonly name: string;
  /** Empty for an object that is not there. */
  readonly live: string;
  readonly merged: string;
}

/** The names of the two folders that are compared. */
export const LIVE = "LIVE";
export const MERGED = "MERGED";

/** What a dry run of an apply says of an object. */
export function objectDiff(
  { resource: { group, version, kind, namespaced }, namespace, name }: ObjectRef,
  { live, object }: Pick<Applied, "live" | "object">,
  { showManagedFields = false }: { readonly showManagedFields?: boolean | undefined } = {},
): ObjectDiff {
  const parts = [...(group === "" ? [] : [group]), version, kind, namespaced ? namespace : "", name];
  const shown = (one: JsonMembers, other: JsonMembers | undefined, side: string) => {
    const masked = isSecret(one) ? maskedSecret(one, other ?? {}, side) : one;
    return yamlText(showManagedFields ? masked : withoutManagedFields(masked));
  };
  return {
    name: parts.join("."),
    live: live === undefined ? "" : shown(live, object, "before"),
    merged: shown(object, live, "after"),
  };
}

/** A Secret without its values: each tells no more than whether it differs from the other Secret's. */
function maskedSecret(secret: JsonMembers, other: JsonMembers, side: string): JsonMembers {
  const masked = { ...secret };
  for (const part of VALUES) {
    const values = secret[part];
    if (values !== undefined) masked[part] = maskedValues(values, membersOf(other, part) ?? {}, side);
  }
  const metadata = metadataOf(secret);
  const annotations = membersOf(metadata, "annotations");
  const applied = annotations === undefined ? undefined : memberOf(annotations, LAST_APPLIED);
  if (applied === undefined) return masked;
  // It holds the values in clear.
  const others = asMembers(metadataOf(other).annotations);
  const shown = maskedValue(applied, memberOf(others, LAST_APPLIED), side);
  return { ...masked, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: shown } } };
}

function maskedValues(values: Json, others: JsonMembers, side: string): Json {
  const members = Object.entries(asMembers(values));
  if (members.length === 0 && compactJson(values) !== "{}") return values === null ? null : MASKED;
  return Object.fromEntries(
    members.map(([name, value]) => [name, maskedValue(value, memberOf(others, name), side)]),
  );
}

function maskedValue(value: Json, other: Json | undefined, side: string): string {
  const isSame = other === undefined || compactJson(other) === compactJson(value);
  return isSame ? MASKED : `${MASKED} (${side})`;
}

/** All that differs, as `diff -u -N` of two folders prints it; "" where nothing does. */
export function diffText(diffs: readonly ObjectDiff[]): string {
  return diffs.map(({ name, live, merged }) => {
    const [before, after] = [`${LIVE}/${name}`, `${MERGED}/${name}`];
    const text = unifiedDiff(live, merged, { before, after });
    return text === "" ? "" : `diff -u -N ${before} ${after}\n${text}`;
  }).join("");
}
