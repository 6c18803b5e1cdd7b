/** The annotation that client-side apply keeps its last document in, carried on for objects that have it. */

import { compactJson } from "../json-text.ts";
import type { JsonMembers } from "../lossless-json.ts";
import { asMembers, metadataOf } from "../json-parts.ts";
import { type FieldPath, valueAt } from "./field-path.ts";

/** The name of the annotation. */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Where the annotation is in an object. */
export const LAST_APPLIED_PATH: FieldPath = ["metadata", "annotations", LAST_APPLIED].map((name) => ({
  type: "member",
  name,
}));

/** What all annotations of an object may come to, in bytes. A longer one is not carried, for the server refuses it. */
const MOST_BYTES = 256 * 1024;

/** A document without the annotation: where it was exported from a server it says what was applied once. */
export function withoutLastApplied(document: JsonMembers): JsonMembers {
  const metadata = metadataOf(document);
  const { [LAST_APPLIED]: old, ...annotations } = asMembers(metadata.annotations);
  return old === undefined ? document : { ...document, metadata: { ...metadata, annotations } };
}

/** A document with the annotation made from itself, where the live object has one: the text is as kubectl makes it. */
export function withLastApplied(document: JsonMembers, live: JsonMembers | undefined): JsonMembers {
  if (live === undefined || valueAt(live, LAST_APPLIED_PATH) === undefined) return document;
  const metadata = metadataOf(document);
  const annotations = asMembers(metadata.annotations);
  const carried = `${compactJson({ ...document, metadata: { ...metadata, annotations } })}\n`;
  const bytes = new TextEncoder().encode(carried + compactJson(annotations)).length;
  if (bytes > MOST_BYTES) return document;
  return { ...document, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: carried } } };
}
