/** The order of `--sort-by`: objects by what a path finds in them, as kubectl compares it. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { goSort } from "./go-sort.ts";
import { compareBytes } from "./json-text.ts";
import { JsonPath, relaxedPath } from "./jsonpath.ts";
import type { Json } from "./lossless-json.ts";
import { quantityOf } from "./quantity.ts";

/**
 * Items in the order of what a path finds in their objects. Objects in which it finds nothing come first, then
 * those with null. Equal ones are in kubectl's order, which is no order of theirs.
 *
 * @param objectOf an item's object.
 * @throws {AppError} `USAGE` when the path is invalid, finds nothing in any object, or finds values that have no
 * order.
 */
export function sortBy<T>(items: readonly T[], path: string, objectOf: (item: T) => Json): T[] {
  const relaxed = relaxedPath(path);
  const template = JsonPath.parse(relaxed);
  const keyed = items.map((item) => ({ item, key: template.find(objectOf(item))[0]?.[0] }));
  if (items.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw new AppError(
      "USAGE",
      `couldn't find any field with path ${JSON.stringify(printable(relaxed))} in the list of objects`,
    );
  }
  const quantities = new Map<string, bigint | undefined>();
  const quantity = (text: string) => {
    if (!quantities.has(text)) quantities.set(text, quantityOf(text));
    return quantities.get(text);
  };
  // Nothing comes before anything else, even before nothing.
  return goSort(keyed, (a, b) => a.key === undefined || compare(a.key, b.key, quantity, relaxed) < 0)
    .map(({ item }) => item);
}

function compare(
  a: Json | undefined,
  b: Json | undefined,
  quantity: (text: string) => bigint | undefined,
  path: string,
): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === "string" && typeof b === "string") {
    const [sizeA, sizeB] = [quantity(a), quantity(b)];
    return sizeA === undefined || sizeB === undefined ? compareBytes(a, b) : order(sizeA, sizeB);
  }
  if (isNumber(a) && isNumber(b)) return order(a, b);
  throw new AppError(
    "USAGE",
    `The values at ${printable(path)} cannot be sorted: they are of different kinds.`,
    {
      hint: "Sort by a field that holds a text or a number in each object.",
    },
  );
}

function isNumber(value: Json): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function order(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
