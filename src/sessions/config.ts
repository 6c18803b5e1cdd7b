/** The schema of `config.json`, which says which session is active. */

import { isObject } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { SCHEMA_VERSION } from "./session.ts";

/** What `config.json` holds; members that this version does not know are kept. */
export interface Config {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly activeSession?: string | undefined;
  readonly [unknown: string]: unknown;
}

/**
 * What the text of `config.json` holds; without a text, that of a new one.
 *
 * @throws {AppError} `STORAGE` when it is damaged or of a newer schema.
 */
export function parseConfig(path: string, text: string | undefined): Config {
  if (text === undefined) return { schemaVersion: SCHEMA_VERSION };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damagedConfig(path, "it is not JSON", cause);
  }
  if (!isObject(value)) throw damagedConfig(path, "it is not an object");
  const { schemaVersion, activeSession } = value;
  if (schemaVersion !== SCHEMA_VERSION) {
    const found = printable(JSON.stringify(schemaVersion) ?? "absent", 20);
    throw damagedConfig(path, `its schemaVersion is ${found} and not ${SCHEMA_VERSION}`);
  }
  if (activeSession !== undefined && typeof activeSession !== "string") {
    throw damagedConfig(path, "activeSession is not a string");
  }
  return { ...value, schemaVersion, activeSession };
}

function damagedConfig(path: string, what: string, cause?: unknown): AppError {
  return new AppError("STORAGE", `${path} cannot be used: ${what}.`, {
    hint: HINTS.STORAGE.damagedConfig,
    cause,
  });
}
