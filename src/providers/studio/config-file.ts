/** Edits the `[studio]` table of the TOML file that DataChain's own tools read, and no other line. */

import { parse, TomlError } from "smol-toml";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { sameData } from "../../splice/same-data.ts";
import type { Environment } from "../../system/environment.ts";
import { CannotEdit, withKey } from "../../splice/toml.ts";
import { STUDIO_HOST } from "./token-fields.ts";

/** What DataChain's own tools need to be signed in. */
export interface StudioTable {
  /** Studio's address. */
  readonly url: string;
  readonly token: string;
  /** The default team; without one, none stays. */
  readonly team?: string | undefined;
}

/** Where DataChain's own tools look, told apart by the system. */
export interface ConfigEnvironment {
  readonly env: Environment;
  /** As Deno names it. */
  readonly os: string;
}

/**
 * The path of that file: the project's when its folder is given, else the person's own. The former is in
 * `$DATACHAIN_DIR`, else in `.datachain` of `$DATACHAIN_ROOT_DIR` or of the project's folder. The latter as Python's
 * `platformdirs` has it: `$XDG_CONFIG_HOME` (macOS too), `~/.config`, `~/Library/Application Support`,
 * `%LocalAppData%\iterative`.
 *
 * @throws {AppError} `STORAGE` when no variable names a home
 */
export function datachainConfigPath({ env, os }: ConfigEnvironment, projectFolder?: string): string {
  const slash = os === "windows" ? "\\" : "/";
  if (projectFolder !== undefined) {
    const own = env("DATACHAIN_DIR");
    const root = env("DATACHAIN_ROOT_DIR");
    const folder = own !== undefined
      ? [below(projectFolder, own, slash)]
      : [root === undefined ? projectFolder : below(projectFolder, root, slash), ".datachain"];
    return [...folder, "config"].join(slash);
  }
  const chosen = env("DATACHAIN_GLOBAL_CONFIG_DIR");
  if (chosen !== undefined) return `${chosen}${slash}config`;
  if (os === "windows") return `${need(env, "LOCALAPPDATA")}\\iterative\\datachain\\config`;
  const xdg = env("XDG_CONFIG_HOME")?.trim();
  // The XDG specification: a relative path there is invalid and is ignored.
  if (xdg?.startsWith("/")) return `${xdg}/datachain/config`;
  const home = need(env, "HOME");
  return `${home}/${os === "darwin" ? "Library/Application Support" : ".config"}/datachain/config`;
}

/** A folder as a variable names it: from the root, or below the one that the process works in; no slash at its end. */
function below(folder: string, path: string, slash: string): string {
  const rooted = path.startsWith("/") || (slash === "\\" && /^(?:[A-Za-z]:)?[\\/]/.test(path));
  const whole = rooted ? path : `${folder}${slash}${path}`;
  return whole.replace(slash === "/" ? /\/+$/ : /[\\/]+$/, "");
}

function need(env: Environment, variable: string): string {
  const value = env(variable);
  if (value !== undefined) return value;
  throw new AppError(
    "STORAGE",
    `Cannot tell where DataChain keeps its configuration: ${variable} is not set.`,
    {
      hint: "Set DATACHAIN_GLOBAL_CONFIG_DIR to the folder of its file.",
    },
  );
}

const LARGEST = 1024 * 1024;

/**
 * A file's bytes as text.
 *
 * @throws {AppError} `STORAGE` for one that is too large or not UTF-8
 */
export function configText(bytes: Uint8Array | undefined, path: string): string | undefined {
  if (bytes === undefined) return undefined;
  if (bytes.length > LARGEST) throw unusable(path, "is larger than 1 MiB");
  try {
    // With the mark of its byte order, so that it is written back as it was.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unusable(path, "is not UTF-8");
  }
}

/** The `[studio]` table of a text; undefined where it holds no address or no token. Throws `STORAGE` for what is no TOML. */
export function studioTableIn(text: string, path: string): StudioTable | undefined {
  const { studio } = readToml(text, path);
  const { url, token, team }: Table = isTable(studio) ? studio : {};
  if (typeof token !== "string" || token === "") return undefined;
  return {
    url: typeof url === "string" && url !== "" ? url : STUDIO_HOST,
    token,
    team: typeof team === "string" && team !== "" ? team : undefined,
  };
}

/**
 * The text with exactly this `[studio]` table; every other line, key and comment stays byte for byte. The result is
 * parsed and compared with what was meant before it is returned.
 *
 * @param text undefined when there is no file
 * @param path names the file in errors
 * @throws AppError `STORAGE` for a text that is not TOML, or cannot be changed without changing more than that table;
 * its message holds nothing of the file.
 */
export function withStudioTable(text: string | undefined, table: StudioTable, path: string): string {
  const { url, token, team } = table;
  return withStudioKeys(text ?? "", { url, token, team }, path);
}

/**
 * The text without the table's token, where it is this one, and without the team that came with it; else the text as it
 * is. The address stays, so that DataChain's own tools ask the same Studio.
 *
 * @throws AppError `STORAGE` as {@link withStudioTable}.
 */
export function withoutStudioToken(text: string, token: string, path: string): string {
  const { studio } = readToml(text, path);
  if (!isTable(studio) || !Object.hasOwn(studio, "token") || studio.token !== token) return text;
  return withStudioKeys(text, { token: undefined, team: undefined }, path);
}

/** Sets keys of the table; undefined takes a key away. */
function withStudioKeys(
  text: string,
  keys: Readonly<Record<string, string | undefined>>,
  path: string,
): string {
  const before = readToml(text, path);
  if (Object.hasOwn(before, "studio") && !isTable(before.studio)) {
    throw unusable(path, `holds a "studio" that is not a table`);
  }
  const unsafe = unusable(path, "is written in a way that cannot be changed safely");
  let result = text;
  const wanted = new Map(Object.entries(isTable(before.studio) ? before.studio : {}));
  try {
    for (const [key, value] of Object.entries(keys)) {
      result = withKey(result, "studio", key, value === undefined ? undefined : tomlString(value));
      if (value === undefined) wanted.delete(key);
      else wanted.set(key, value);
    }
  } catch (error) {
    throw error instanceof CannotEdit ? unsafe : error;
  }
  let after: Table;
  try {
    after = readToml(result, path);
  } catch {
    throw unsafe;
  }
  // An empty table is as good as none: where its last key was a dotted one, there is no header to stay.
  if (
    !sameData({ ...after, studio: after.studio ?? {} }, { ...before, studio: Object.fromEntries(wanted) })
  ) {
    throw unsafe;
  }
  return result;
}

type Table = Readonly<Record<string, unknown>>;

/** Deeper, the walks through a text would run out of stack. */
const DEEPEST = 100;

function readToml(text: string, path: string): Table {
  let table: Table;
  try {
    table = parse(text.replace(/^\ufeff/, ""), { integersAsBigInt: true });
  } catch (error) {
    // The parser's message quotes the lines around, and a token could stand there.
    throw unusable(path, `is not valid TOML${error instanceof TomlError ? ` (line ${error.line})` : ""}`);
  }
  let values: unknown[] = [table];
  for (let depth = 0; values.length > 0; depth += 1) {
    if (depth > DEEPEST) throw unusable(path, "is nested too deeply");
    values = values.flatMap((value) =>
      Array.isArray(value) ? value : isTable(value) ? Object.values(value) : []
    );
  }
  return table;
}

function unusable(path: string, why: string): AppError {
  return new AppError("STORAGE", `Cannot change ${printable(path)}: it ${why}.`, {
    hint: "It was left as it is. Fix that file, or move it away, and run the same command again.",
  });
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A basic string. TOML 1.0, "String". */
function tomlString(value: string): string {
  // JSON's escapes are TOML's; what JSON leaves as it is and TOML does not take is the delete character.
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}
