/** Owns the copy of Studio's token that DataChain's own tools read: written on request, kept in step, taken away. */

import { AppError, printable } from "../errors.ts";
import {
  configText,
  datachainConfigPath,
  type StudioTable,
  withoutStudioToken,
  withStudioTable,
} from "../providers/datachain-config.ts";
import { type Environment, operatingSystem } from "../system/environment.ts";
import {
  createFile,
  ensurePrivateFolder,
  kindOf,
  othersCanRead,
  prepareReplacement,
  realPath,
  tighten,
} from "../system/files.ts";
import { readSharedFile, replaceSharedFile } from "../system/shared-file.ts";

const MOST_ATTEMPTS = 5;

/** Where the copy goes: the person's own file, or the project folder's. */
export interface ExportPlace {
  readonly path: string;
  readonly project?: string | undefined;
}

/**
 * Where DataChain's own tools look, made ready for this table to be written there. Throws `STORAGE`, also for
 * a link in a project folder, which could lead anywhere.
 */
export async function exportPlaceFor(
  env: Environment,
  project: string | undefined,
  url: string,
): Promise<ExportPlace> {
  const path = datachainConfigPath({ env, os: operatingSystem }, project);
  const parts = project === undefined ? [] : [[path.slice(0, -"/config".length), "folder"], [path, "file"]];
  for (const [part = "", wanted] of parts) {
    const kind = await kindOf(part);
    if (kind === undefined || kind === wanted) continue;
    throw new AppError("STORAGE", `Nothing is exported to ${printable(part)}: it is no plain ${wanted}.`, {
      hint: "Look at what it is; then remove it and run the same command again.",
    });
  }
  const before = await readSharedFile(path);
  withStudioTable(configText(before, path), { url, token: "token" }, path);
  if (before === undefined) {
    await ensurePrivateFolder(path.slice(0, -"/config".length));
    await (await prepareReplacement(`${path}-room-${crypto.randomUUID()}`, 0)).discard();
  }
  return { path, project };
}

/** Writes the copy (0600); every other line of the file stays as it is. Throws `STORAGE`. */
export async function exportToken({ path, project }: ExportPlace, table: StudioTable): Promise<void> {
  if (project !== undefined) {
    const folder = path.slice(0, -"/config".length);
    await ensurePrivateFolder(folder);
    // A bare token has no place in a repository.
    await createFile(`${folder}/.gitignore`, "*\n");
  }
  const target = await realPath(path);
  if (target !== undefined) {
    await tighten(target);
    if (await othersCanRead(target)) {
      throw new AppError("STORAGE", `The token is not written to ${printable(path)}: others can read it.`, {
        hint: `Make it yours alone, and run the same command again: chmod 600 ${printable(path)}`,
      });
    }
  }
  await edit(path, (text) => withStudioTable(text, table, path));
}

/** Gives the copy another default team, where the token there is this one. Throws `STORAGE`. */
export async function exportTeam(path: string, table: StudioTable): Promise<void> {
  await edit(path, (text = "") => {
    const ours = withoutStudioToken(text, table.token, path) !== text;
    return ours ? withStudioTable(text, table, path) : text;
  });
}

/** Takes the token out of the copy, where it is this one. False when it was not there. Throws `STORAGE`. */
export async function withdrawToken(path: string, token: string): Promise<boolean> {
  return await edit(path, (text = "") => withoutStudioToken(text, token, path));
}

/** Rewrites a file until nobody else writes it meanwhile. False when there was nothing to change. */
async function edit(path: string, change: (text: string | undefined) => string): Promise<boolean> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const before = await readSharedFile(path);
    const text = configText(before, path);
    const changed = change(text);
    if (changed === (text ?? "")) return false;
    if (await replaceSharedFile(path, before, new TextEncoder().encode(changed)) !== "changed") return true;
  }
  throw new AppError("BUSY", `Another program keeps writing ${printable(path)}.`);
}
