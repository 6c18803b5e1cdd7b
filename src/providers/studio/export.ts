/** Writes, updates and removes the copy of Studio's token that DataChain's own tools read. */

import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import {
  configText,
  datachainConfigPath,
  type StudioTable,
  withoutStudioToken,
  withStudioTable,
} from "./config-file.ts";
import { type Environment, operatingSystem } from "../../system/environment.ts";
import { ensurePrivateFolder, othersCanRead, realPath, tighten } from "../../system/files.ts";
import { prepareReplacement } from "../../system/replacement.ts";
import { EVERYTHING, ignoringFile, keepOutOfGit } from "../../system/git-ignore.ts";
import {
  editFile,
  readSharedFile,
  removeOldCopies,
  replaceOwnFile,
  replaceSharedFile,
  targetOf,
  whyForeign,
} from "../../system/shared-file.ts";
import { isTracked } from "../../system/git-index.ts";

/** In bytes. */
const LARGEST_CONFIG = 1024 * 1024;

/** Where the copy goes: the person's own file, or the project folder's. */
export interface ExportTarget {
  readonly path: string;
  readonly project?: string | undefined;
}

/**
 * Where DataChain's own tools look, made ready for this table to be written there.
 *
 * @throws {AppError} `STORAGE`, also for what {@link exportToken} does not write to
 */
export async function exportTargetFor(
  env: Environment,
  project: string | undefined,
  url: string,
): Promise<ExportTarget> {
  const path = await exportPath(env, project);
  const place = { path, project };
  await refuseUnsafe(place);
  const before = await readSharedFile(path, LARGEST_CONFIG);
  withStudioTable(configText(before, path), { url, token: "token" }, path);
  if (before === undefined) {
    await ensurePrivateFolder(folderOf(path));
    await (await prepareReplacement(`${path}-room-${crypto.randomUUID()}`, 0)).discard();
  }
  return place;
}

/** The folder that a variable names may be led to by links of the person's own; what is in it may not. */
async function exportPath(env: Environment, project: string | undefined): Promise<string> {
  const path = datachainConfigPath({ env, os: operatingSystem }, project);
  if (project === undefined) return path;
  const folder = folderOf(path);
  const named = env("DATACHAIN_DIR") === undefined ? folder.slice(0, -"/.datachain".length) : folder;
  return `${await realPath(named) ?? named}${path.slice(named.length)}`;
}

function folderOf(path: string): string {
  return path.slice(0, -"/config".length);
}

/**
 * Refuses a file that git tracks, also where a link of the person's own leads to one, as in a folder of dotfiles. And what a
 * project folder holds in the way: a link, which could lead anywhere, and what belongs to another user, who could read the
 * token.
 *
 * @throws {AppError} `STORAGE`.
 */
async function refuseUnsafe({ path, project }: ExportTarget): Promise<void> {
  if (project !== undefined) await refuseForeignParts(path);
  if (await isTracked(path)) throw await tracked(path);
}

async function refuseForeignParts(path: string): Promise<void> {
  const folder = folderOf(path);
  for (
    const [part, wanted] of [[folder, "folder"], [path, "file"], [`${folder}/.gitignore`, "file"]] as const
  ) {
    const why = await whyForeign(part, wanted);
    if (why === undefined) continue;
    throw new AppError("STORAGE", `Nothing is exported to ${printable(part)}: ${why}.`, {
      hint: "Look at what it is; then remove it and run the same command again.",
    });
  }
}

async function tracked(path: string): Promise<AppError> {
  const target = await targetOf(path);
  const [, folder = "", name = target] = /^(.*)[/\\]([^/\\]*)$/.exec(target) ?? [];
  const through = target === path ? "" : `, which ${printable(path)} leads to`;
  return new AppError(
    "STORAGE",
    `Nothing is exported: git tracks ${
      printable(target)
    }${through}, and the token would go where the repository goes.`,
    {
      hint: `Take the file out of git and run the same command again: ${
        shellLine(["git", "-C", folder, "rm", "--cached", name])
      }; or leave out --export-datachain.`,
    },
  );
}

/**
 * Writes the copy (0600); every other line of the file stays as it is. `note` hears of what else was changed. Throws
 * `STORAGE`.
 */
export async function exportToken(
  target: ExportTarget,
  table: StudioTable,
  note: (text: string) => void,
): Promise<void> {
  const { path, project } = target;
  const folder = folderOf(path);
  if (project !== undefined) await ensurePrivateFolder(folder);
  // Again: the person took minutes to sign in.
  await refuseUnsafe(target);
  if (project !== undefined) {
    // A bare token has no place in a repository.
    const patterns = ignoringFile("config");
    // In a folder that a variable names there may be what git is to see.
    const added = await keepOutOfGit(
      folder,
      patterns,
      /[\\/]\.datachain$/.test(folder) ? EVERYTHING : patterns,
    );
    if (added.length > 0) {
      const lines = added.map((line) => `"${line}"`).join(" and ");
      note(`Added ${lines} to ${printable(`${folder}/.gitignore`)}, so that git does not see the token.`);
    }
  } else await makePrivate(path);
  await edit(target, (text) => withStudioTable(text, table, path));
}

async function makePrivate(path: string): Promise<void> {
  const target = await realPath(path);
  if (target === undefined) return;
  await tighten(target);
  if (await othersCanRead(target)) {
    throw new AppError("STORAGE", `The token is not written to ${printable(path)}: others can read it.`, {
      hint: `Make it private and run the same command again: chmod 600 ${printable(path)}`,
    });
  }
}

/**
 * Gives the copy another default team, where the token there is this one.
 *
 * @throws {AppError} `STORAGE`
 */
export async function exportTeam(target: ExportTarget, table: StudioTable): Promise<void> {
  const { path } = target;
  await edit(target, (text = "") => {
    const ours = withoutStudioToken(text, table.token, path) !== text;
    return ours ? withStudioTable(text, table, path) : text;
  });
}

/**
 * Takes the token out of the copy, where it is this one; and away what a killed process left of it. False when it was
 * not there.
 *
 * @throws {AppError} `STORAGE`
 */
export async function withdrawToken(target: ExportTarget, token: string): Promise<boolean> {
  const { path } = target;
  await removeOldCopies(path);
  return await edit(target, (text = "") => withoutStudioToken(text, token, path));
}

/** Rewrites the copy until nobody else writes it meanwhile. False when there was nothing to change. */
async function edit(
  { path, project }: ExportTarget,
  change: (text: string | undefined) => string,
): Promise<boolean> {
  // In a project folder others may write, too.
  const replace = project === undefined ? replaceSharedFile : replaceOwnFile;
  return await editFile(path, (before) => {
    const text = configText(before, path);
    const changed = change(text);
    return changed === (text ?? "") ? undefined : new TextEncoder().encode(changed);
  }, { largest: LARGEST_CONFIG, replace });
}
