/** Docker's configuration file: which helper it asks for which registry. Everything else in it stays as it is. */

import { AppError } from "../../errors.ts";
import { isObject } from "../../encoding.ts";
import { editJsonTexts, JsonFault, type JsonObject, readJsonObject, sameToGo } from "../../splice/json.ts";
import { absolutePath, type Environment, homeOf } from "../../system/environment.ts";
import { kindOf } from "../../system/files.ts";
import { editFile, lockingSharedFiles, readSharedFile, replaceSharedFile } from "../../system/shared-file.ts";
import { printable } from "../../text.ts";
import { HELPER_NAME } from "./helper-script.ts";

const HELPERS = "credHelpers";
/** In bytes. Docker's own is a few hundred. */
const LARGEST = 4 * 1024 * 1024;

/**
 * The file: `--config`, else `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. Of a folder it is the file in it.
 *
 * @throws {AppError} `STORAGE` where no variable names a home; `USAGE` for an empty name
 */
export async function dockerConfigPath(chosen: string | undefined, env: Environment): Promise<string> {
  // As of a variable that is not set: it must not mean the working folder.
  if (chosen === "") {
    throw new AppError("USAGE", "--config is empty.", { hint: "Name the file, or its folder." });
  }
  if (chosen !== undefined) {
    const path = absolutePath(chosen);
    return await kindOf(path) === "folder" ? `${path.replace(/[\\/]+$/, "")}/config.json` : path;
  }
  const folder = env("DOCKER_CONFIG");
  if (folder !== undefined) return `${absolutePath(folder).replace(/[\\/]+$/, "")}/config.json`;
  const home = homeOf(env);
  if (home !== undefined) return `${home}/.docker/config.json`;
  throw new AppError("STORAGE", "There is no home folder, so docker's config.json is not known.", {
    hint: "Name it: --config PATH",
  });
}

/** What Docker's configuration says of credentials. */
export interface DockerConfig {
  /** The file is there. */
  readonly exists: boolean;
  /** The helper of each registry that has one of its own. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper of all others. */
  readonly store?: string | undefined;
  /** The registries with a login that stands in the file itself. */
  readonly logins: ReadonlySet<string>;
}

/**
 * Reads the file, and checks that it can be edited.
 *
 * @throws {AppError} `STORAGE` for a file that Docker could not read either, or that is not written as it should be
 */
export async function readDockerConfig(path: string): Promise<DockerConfig> {
  const bytes = await readSharedFile(path, LARGEST);
  const text = textOf(path, bytes);
  // Also refuses what could not be edited later.
  edited(path, text, new Map([["registry.invalid", undefined]]));
  const value = text.trim() === "" ? {} : readJsonObject(text);
  const helpers = Object.entries(objectIn(value, HELPERS)).filter((entry): entry is [string, string] =>
    typeof entry[1] === "string"
  );
  const logins = Object.entries(objectIn(value, "auths")).filter(([, login]) =>
    isObject(login) && (login.auth !== undefined || login.identitytoken !== undefined)
  );
  const store = Object.entries(value).find(([name]) => sameToGo(name, "credsStore"))?.[1];
  return {
    exists: bytes !== undefined,
    helpers: new Map(helpers),
    store: typeof store === "string" && store !== "" ? store : undefined,
    logins: new Set(logins.map(([registry]) => registry)),
  };
}

/** The member of that name, as Go's decoder finds it. */
function objectIn(value: JsonObject, name: string): JsonObject {
  const found = Object.entries(value).find(([key]) => sameToGo(key, name))?.[1];
  return isObject(found) ? found : {};
}

/**
 * Makes this program the helper of registries, or with undefined takes that back. False when nothing had to change. Every
 * other byte of the file stays. A new file is private (0600), links are followed, and what Docker writes meanwhile is kept.
 *
 * @throws {AppError} as {@link readDockerConfig}; `BUSY`, `STORAGE`
 */
export async function setHelpers(path: string, registries: readonly string[], on: boolean): Promise<boolean> {
  const edits = new Map(registries.map((registry) => [registry, on ? HELPER_NAME : undefined]));
  return await lockingSharedFiles([path], (signal) =>
    editFile(path, (before) => {
      const text = textOf(path, before);
      const after = edited(path, text, edits);
      return after === text ? undefined : new TextEncoder().encode(after);
    }, {
      largest: LARGEST,
      replace: (path, before, after) => replaceSharedFile(path, before, after, signal),
    }));
}

function edited(path: string, text: string, edits: ReadonlyMap<string, string | undefined>): string {
  try {
    return editJsonTexts(text, HELPERS, edits);
  } catch (thrown) {
    if (!(thrown instanceof JsonFault)) throw thrown;
    throw unusable(path, thrown.message, thrown);
  }
}

function textOf(path: string, bytes: Uint8Array | undefined): string {
  try {
    // A byte order mark must show.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw unusable(path, "it is not UTF-8", cause);
  }
}

function unusable(path: string, why: string, cause: unknown): AppError {
  return new AppError(
    "STORAGE",
    `${printable(path)} cannot be edited, and is left as it is: ${printable(why)}.`,
    {
      hint: "Mend it, or name another file: --config PATH",
      cause,
    },
  );
}
