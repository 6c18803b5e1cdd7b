/** The fields of an API token: how they are given for a new one, and how they are printed for programs. */

import { isObject, type JsonObject } from "../../encoding.ts";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { type ApiToken, checkedRole, kubernetesUser, type Role } from "../../providers/cloudfleet/api.ts";
import { readGivenFile } from "../../system/given-file.ts";
import type { CommandContext } from "../context.ts";
import { parseShorthand } from "./shorthand.ts";

const LARGEST_INPUT = 64 * 1024;

/** The three ways to give fields. */
export interface FieldInput {
  readonly name?: string | undefined;
  readonly role?: string | undefined;
  /** `-f`: a file, or `-`. */
  readonly filename?: string | undefined;
  /** The words of the shorthand. */
  readonly words: readonly string[];
}

/** A new token's fields. */
export interface TokenFields {
  readonly name: string;
  readonly role: Role;
}

/**
 * The fields of a new token. Flags win over shorthand, shorthand over a file.
 *
 * @throws {AppError} `USAGE` for fields that are missing, unknown or not a text
 */
export async function tokenFields(
  cli: CommandContext,
  { name, role, filename, words }: FieldInput,
): Promise<TokenFields> {
  const inFile = filename === undefined ? undefined : await fieldsIn(cli, filename);
  const inWords = words.length === 0 ? undefined : parseShorthand(words.join(" "));
  const fields: JsonObject = { ...inFile, ...inWords };
  const unknown = Object.keys(fields).find((key) => key !== "name" && key !== "role");
  if (unknown !== undefined) {
    throw new AppError("USAGE", `A token has no field "${printable(unknown, 60)}".`, {
      hint: "It has name and role.",
    });
  }
  return {
    name: fieldOf("name", name ?? fields.name),
    role: checkedRole(fieldOf("role", role ?? fields.role)),
  };
}

function fieldOf(key: "name" | "role", value: unknown): string {
  if (typeof value === "string" && value.trim() !== "" && printable(value, 253) === value.trim()) {
    return value.trim();
  }
  const example = key === "name" ? "--name ci" : "--role User";
  const what = value === undefined
    ? `needs a ${key}`
    : `has a ${key} that is not a text of at most 253 printable characters`;
  throw new AppError("USAGE", `A new token ${what}.`, {
    hint: `Give it as ${example}${
      key === "name" ? ", or .name:~ 1 for a text that looks like a number" : ""
    }.`,
  });
}

async function fieldsIn(
  { terminal }: CommandContext,
  path: string,
): Promise<JsonObject> {
  const where = path === "-" ? "standard input" : printable(path);
  if (path === "-" && terminal.canAsk) {
    throw new AppError("USAGE", "-f - reads standard input, which is a terminal.", {
      hint: "Send it a file, or use --name and --role.",
    });
  }
  const text = path === "-"
    ? await terminal.readIn(LARGEST_INPUT)
    : await readGivenFile(path, "-f", "Send it on standard input: -f -");
  if (text === undefined) throw new AppError("USAGE", `-f: ${where} does not exist.`);
  const { readYaml } = await import("../../splice/yaml-reader.ts");
  const value = text.length > LARGEST_INPUT ? undefined : readYaml(text);
  if (isObject(value)) return value;
  throw new AppError("USAGE", `-f: ${where} does not hold a JSON or YAML object with a token's fields.`, {
    hint: 'For example: {"name": "ci", "role": "User"}',
  });
}

/** A token as programs get it. */
export function tokenObject({ id, name, role, date_created, last_used }: ApiToken) {
  return {
    id,
    name: name ?? null,
    role: role ?? null,
    created: date_created ?? null,
    lastUsed: last_used ?? null,
    kubernetesUser: kubernetesUser(id),
  };
}
