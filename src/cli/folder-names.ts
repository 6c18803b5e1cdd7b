/** What `use` and `trust` say of a folder's file: its names in words, for programs, and whether it counts. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { checkedScope } from "../providers/datum/control-plane-address.ts";
import type { FolderNames, FoundFile } from "../sessions/folder-file.ts";

/** The names in a sentence: `the session "work", the project web of acme`. */
export function namesInWords({ session, organization, project, context }: FolderNames): string {
  const words: string[] = [];
  if (session !== undefined) words.push(`the session "${session}"`);
  if (project !== undefined) {
    words.push(`the project ${project}${organization === undefined ? "" : ` of ${organization}`}`);
  } else if (organization !== undefined) words.push(`the organization ${organization}`);
  if (context !== undefined) words.push(`the context "${printable(context, 100)}"`);
  return words.length === 0 ? "it names nothing" : words.join(", ");
}

/** The names as lines for people. */
export function nameLines(names: FolderNames = {}): readonly (readonly [string, string])[] {
  const { session, organization, project, context } = names;
  const all = [
    ["Session", session],
    ["Organization", organization],
    ["Project", project],
    ["Context", context],
  ] as const;
  return all.flatMap(([title, value]) => value === undefined ? [] : [[title, value] as const]);
}

/** A file as programs get it; nulls without one. */
export function fileObject(file: FoundFile | undefined): Readonly<Record<string, unknown>> {
  const { session = null, organization = null, project = null, context = null } = file?.names ?? {};
  return {
    file: file?.path ?? null,
    followed: file !== undefined && file.ignored === undefined,
    reason: file?.ignored ?? null,
    session,
    organization,
    project,
    context,
  };
}

/** @throws {AppError} `USAGE` for what cannot be an id. */
export function checkNames({ organization, project }: FolderNames): void {
  if (organization !== undefined) checkedScope("organization", organization);
  if (project !== undefined) checkedScope("project", project);
}

/**
 * {@link checkNames} of a file.
 *
 * @throws {AppError} `STORAGE`
 */
export function checkFile(path: string, names: FolderNames): void {
  try {
    checkNames(names);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const { message, hint, cause } = thrown;
    throw new AppError("STORAGE", `${printable(path, Infinity)} cannot be followed: ${message}`, {
      hint,
      cause,
    });
  }
}
