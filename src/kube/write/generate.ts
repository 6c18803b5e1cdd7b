/** Objects made from the command line: a ConfigMap or a Secret of names with values. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { JsonMembers } from "../lossless-json.ts";

/** A value with its name. Errors never tell the value. */
export interface NamedValue {
  readonly name: string;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** What a server takes as the name of a value; `.` and `..` are none. */
const VALUE_NAME = /^[-._a-zA-Z0-9]{1,253}$/;

/** True for what can name a value. */
export function isValueName(name: string): boolean {
  return VALUE_NAME.test(name) && name !== "." && !name.startsWith("..");
}

/** @throws {AppError} `USAGE` for a name that is none, or that comes twice. */
function checkNames(values: readonly NamedValue[]): void {
  const seen = new Set<string>();
  for (const { name } of values) {
    const told = `"${printable(name, 100)}"`;
    if (!isValueName(name)) {
      throw new AppError("USAGE", `${told} cannot name a value.`, {
        hint: "A name is made of letters, digits, dashes, underscores and dots.",
      });
    }
    if (seen.has(name)) throw new AppError("USAGE", `There are two values of the name ${told}.`);
    seen.add(name);
  }
}

/** A ConfigMap; values that are no text are in its binaryData. @throws {AppError} `USAGE` for a name that is none. */
export function configMapOf(name: string, values: readonly NamedValue[]): JsonMembers {
  checkNames(values);
  const texts = values.map((one) => [one.name, textOf(one.value)] as const);
  const data = texts.flatMap(([key, text]) => text === undefined ? [] : [[key, text] as const]);
  const binary = values.filter((_one, at) => texts[at]?.[1] === undefined);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    ...membersIfAny("data", data),
    ...membersIfAny("binaryData", binary.map((one) => [one.name, one.value.toBase64()] as const)),
  };
}

/** A Secret of some type. @throws {AppError} `USAGE` for a name that is none. */
export function secretOf(name: string, type: string, values: readonly NamedValue[]): JsonMembers {
  checkNames(values);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    ...(type === "" ? {} : { type }),
    ...membersIfAny("data", values.map((one) => [one.name, one.value.toBase64()] as const)),
  };
}

function membersIfAny(member: string, entries: readonly (readonly [string, string])[]): JsonMembers {
  return entries.length === 0 ? {} : { [member]: Object.fromEntries(entries) };
}

function textOf(value: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}

/**
 * The values of a file of lines `NAME=VALUE`; a line without a sign of equality takes the variable of that name, which is
 * empty where there is none.
 *
 * @throws {AppError} `USAGE` for a line that is none, without telling it.
 */
export function envFileValues(
  text: string,
  source: string,
  variable: (name: string) => string | undefined,
): NamedValue[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n/).flatMap((line, at) => {
    const start = line.trimStart();
    if (start === "" || start.startsWith("#")) return [];
    const equals = start.indexOf("=");
    const name = equals < 0 ? start : start.slice(0, equals);
    if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name)) {
      throw new AppError("USAGE", `Line ${at + 1} of ${printable(source)} does not begin with a name.`, {
        hint: "Write NAME=VALUE, with a name of letters, digits, dashes, underscores and dots.",
      });
    }
    return [{ name, value: bytesOf(equals < 0 ? variable(name) ?? "" : start.slice(equals + 1)) }];
  });
}

/** A text as the bytes of a value. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
