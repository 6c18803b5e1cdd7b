/** The objects of an answer, whether it is a list, a table or one object. */

import { AppError } from "../../errors.ts";
import { capital } from "../../text.ts";
import { humanDuration } from "../human-duration.ts";
import { isItems, isMembers, type Json, type JsonMembers } from "../lossless-json.ts";
import { asMembers, asText, metadataOf } from "../json-parts.ts";

/** True for a table of a Kubernetes API. */
export function isTable({ kind, apiVersion }: JsonMembers): boolean {
  return kind === "Table" && asText(apiVersion).startsWith("meta.k8s.io/");
}

/** True for a list of objects. */
export function isList({ kind, items }: JsonMembers): boolean {
  return isItems(items) || items === null && asText(kind).endsWith("List");
}

/**
 * The objects of a list; those of a kind that the list names for them need not say theirs.
 *
 * @throws {AppError} `NETWORK` for an answer that is no list.
 */
export function listItems(list: JsonMembers, what: string): JsonMembers[] {
  if (isTable(list) || !isList(list)) throw notList(what);
  const apiVersion = asText(list.apiVersion);
  const kind = asText(list.kind).replace(/List$/, "");
  const items = isItems(list.items) ? list.items.filter(isMembers) : [];
  if (kind === "" || apiVersion === "") return items;
  return items.map((item) =>
    asText(item.kind) === "" || asText(item.apiVersion) === "" ? { ...item, apiVersion, kind } : item
  );
}

function notList(what: string): AppError {
  return new AppError("NETWORK", `${capital(what)} answered with something that is no list of objects.`, {
    hint: "A proxy or captive portal may have answered; else check the API host.",
  });
}

/** An object without what only servers need to know. */
export function withoutManagedFields(object: JsonMembers): JsonMembers {
  const { metadata } = object;
  if (!isMembers(metadata) || !Object.hasOwn(metadata, "managedFields")) return object;
  const { managedFields: _, ...shown } = metadata;
  return { ...object, metadata: shown };
}

const PLAIN_COLUMNS: readonly Json[] = [
  { name: "Name", type: "string", format: "name" },
  { name: "Age", type: "string" },
];

/** A table of objects whose server makes none: their names and ages. */
export function plainTable(objects: readonly JsonMembers[], now: number): JsonMembers {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    columnDefinitions: PLAIN_COLUMNS,
    rows: objects.map((object) => ({
      cells: [asText(metadataOf(object).name), age(object, now)],
      object,
    })),
  };
}

function age(object: JsonMembers, now: number): string {
  const created = Date.parse(asText(metadataOf(object).creationTimestamp));
  return Number.isNaN(created) ? "<unknown>" : humanDuration(now - created);
}

/** The object of a table's row, as much of it as the server sent. */
export function rowObject(row: Json): JsonMembers {
  return isMembers(row) ? asMembers(row.object) : {};
}
