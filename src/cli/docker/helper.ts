/** Finds Docker's credential helper on PATH, or writes it there. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { ownCommand } from "../../kubeconfig/exec-command.ts";
import type { Environment, Folders } from "../../system/environment.ts";
import { homeOf, onWindows } from "../../system/environment.ts";
import { readTextFile } from "../../system/files.ts";
import { ownProgram, writeProgram } from "../../system/own-program.ts";
import { findProgram } from "../../system/processes.ts";
import { printable } from "../../text.ts";
import { HELPER, helperFileName, programOfHelper, shippedAs, writtenHelper } from "./helper-script.ts";

/** Where the helper is, or will be. */
export interface HelperPlan {
  /** The script that is there and does; undefined where one must be written. */
  readonly present?: string | undefined;
  /** Where one can be written, the best place first; one of them is on PATH, and empty where {@link present} is. */
  readonly places: readonly string[];
  /** What is written. */
  readonly text: string;
  /** The program that is written into it, where an upgrade may move that. */
  readonly movable?: string | undefined;
  /** What the helper that is there runs, where that is another program than this one. */
  readonly leadsTo?: string | undefined;
}

/**
 * Looks for the helper as Docker does: on PATH.
 *
 * @throws {AppError} `ALREADY_EXISTS` for another program of that name, `STORAGE` where no folder on PATH can hold it
 */
export async function planHelper(env: Environment, folders: Folders): Promise<HelperPlan> {
  const { command, warning } = await ownCommand(env, folders);
  const text = writtenHelper(command, onWindows);
  const movable = warning === undefined ? undefined : command;
  const there = findProgram(HELPER, env("PATH"));
  if (there === undefined) {
    const places = await placesFor(env, command);
    if (places.length === 0) throw nowhere(env);
    return { places, text, movable };
  }
  const found = await readTextFile(there).catch(() => undefined) ?? "";
  const written = programOfHelper(found);
  if (written !== undefined) {
    return found === text ? { present: there, places: [], text } : { places: [there], text, movable };
  }
  const shipped = shippedAs(found);
  if (shipped === undefined) throw another(there);
  if (shipped === "link") return { present: there, places: [], text };
  const program = findProgram("datumctl", `${folderOf(there)}${onWindows ? ";" : ":"}${env("PATH") ?? ""}`);
  const { realPath } = ownProgram();
  const same = program !== undefined && await realPath(program) === await realPath(command);
  return { present: there, places: [], text, leadsTo: same ? undefined : program };
}

/**
 * Writes the helper where that is needed; its path.
 *
 * @throws {AppError} `STORAGE` where none of its places can be written
 */
export async function placeHelper({ present, places, text }: HelperPlan): Promise<string> {
  if (present !== undefined) return present;
  let last: AppError | undefined;
  for (const place of places) {
    try {
      await writeProgram(place, text, 0o755);
      return place;
    } catch (thrown) {
      last = failureOrThrow(thrown);
    }
  }
  throw new AppError(
    "STORAGE",
    `${HELPER} cannot be written: ${last?.message ?? "there is no place for it."}`,
    {
      hint: PUT_ON_PATH,
      cause: last,
    },
  );
}

/** Beside this program where that is on PATH, else in the person's own folder for programs where that is. */
async function placesFor(env: Environment, command: string): Promise<readonly string[]> {
  const { realPath, sources } = ownProgram();
  const onPath = (env("PATH") ?? "").split(onWindows ? ";" : ":").map(withoutEnd);
  const home = homeOf(env);
  const own = home === undefined || onWindows
    ? []
    : [`${withoutEnd(home)}/.local/bin`, `${withoutEnd(home)}/bin`];
  const beside = sources === undefined ? [folderOf(command)] : [];
  const places: string[] = [];
  for (const folder of [...beside, ...own]) {
    if (!onPath.includes(folder) || places.includes(folder)) continue;
    // A folder that is a link to one before it, as /bin is, would be tried twice.
    const real = await realPath(folder) ?? folder;
    if (!places.includes(real)) places.push(folder);
  }
  return places.map((folder) => `${folder}${onWindows ? "\\" : "/"}${helperFileName(onWindows)}`);
}

function folderOf(path: string): string {
  return path.replace(/[\\/][^\\/]*$/, "") || "/";
}

function withoutEnd(folder: string): string {
  return folder.length > 1 ? folder.replace(/[\\/]+$/, "") : folder;
}

const PUT_ON_PATH = onWindows
  ? "Put the folder of datumctl.exe on your PATH, and run this again."
  : 'Run this again after: mkdir -p ~/.local/bin && export PATH="$HOME/.local/bin:$PATH"';

function nowhere(env: Environment): AppError {
  const shown = printable(env("PATH") ?? "", 200);
  return new AppError(
    "STORAGE",
    `Docker looks for ${HELPER} on PATH, and no folder of yours or of datumctl is there (PATH=${shown}).`,
    { hint: PUT_ON_PATH },
  );
}

function another(path: string): AppError {
  return new AppError(
    "ALREADY_EXISTS",
    `There is another program at ${printable(path)}, and it is left alone.`,
    {
      hint: "Look at what it is; then remove it and run this again.",
    },
  );
}
