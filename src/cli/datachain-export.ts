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
  ensurePrivateFolder,
  kindOf,
  othersCanRead,
  prepareReplacement,
  realPath,
  tighten,
} from "../system/files.ts";
import { readSharedFile, replaceSharedFile } from "../system/shared-file.ts";
import { isTracked } from "./git-index.ts";

const MOST_ATTEMPTS = 5;

/** Where the copy goes: the person's own file, or the project folder's. */
export interface ExportPlace {
  readonly path: string;
  readonly project?: string | undefined;
}

/**
 * Where DataChain's own tools look, made ready for this table to be written there. Throws `STORAGE`, also for
 * a link in a project folder, which could lead anywhere, and for a file there that git tracks.
 */
export async function exportPlaceFor(
  env: Environment,
  project: string | undefined,
  url: string,
): Promise<ExportPlace> {
  const path = datachainConfigPath({ env, os: operatingSystem }, project);
  const folder = path.slice(0, -"/config".length);
  const parts = project === undefined
    ? []
    : [[folder, "folder"], [path, "file"], [`${folder}/.gitignore`, "file"]];
  for (const [part = "", wanted] of parts) {
    const kind = await kindOf(part);
    if (kind === undefined || kind === wanted) continue;
    throw new AppError("STORAGE", `Nothing is exported to ${printable(part)}: it is not a plain ${wanted}.`, {
      hint: "Look at what it is; then remove it and run the same command again.",
    });
  }
  if (project !== undefined && await isTracked(project, ".datachain/config")) throw tracked(path);
  const before = await readSharedFile(path);
  withStudioTable(configText(before, path), { url, token: "token" }, path);
  if (before === undefined) {
    await ensurePrivateFolder(folder);
    await (await prepareReplacement(`${path}-room-${crypto.randomUUID()}`, 0)).discard();
  }
  return { path, project };
}

function tracked(path: string): AppError {
  return new AppError(
    "STORAGE",
    `Nothing is exported: git tracks ${printable(path)}, and the token would go where the repository goes.`,
    {
      hint: "Take the file out of git and run the same command again: git rm --cached .datachain/config; " +
        "or leave out --export-datachain.",
    },
  );
}

/**
 * Writes the copy (0600); every other line of the file stays as it is. `note` hears of what else was changed. Throws
 * `STORAGE`.
 */
export async function exportToken(
  { path, project }: ExportPlace,
  table: StudioTable,
  note: (text: string) => void,
): Promise<void> {
  if (project !== undefined) {
    const folder = path.slice(0, -"/config".length);
    await ensurePrivateFolder(folder);
    // A bare token has no place in a repository.
    const ignore = `${folder}/.gitignore`;
    const had = await readSharedFile(ignore) !== undefined;
    if (await edit(ignore, ignoringConfig) && had) {
      note(`Added "config" to ${printable(ignore)}, so that git does not see the token.`);
    }
  }
  const target = await realPath(path);
  if (target !== undefined) {
    await tighten(target);
    if (await othersCanRead(target)) {
      throw new AppError("STORAGE", `The token is not written to ${printable(path)}: others can read it.`, {
        hint: `Make it private and run the same command again: chmod 600 ${printable(path)}`,
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

/** The `.gitignore` with `config` ignored; one that there is not gets to ignore everything beside it. */
function ignoringConfig(text: string | undefined): string {
  if (text === undefined) return "*\n";
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  // The last line that speaks of it counts. Patterns of other kinds are not looked into: one line more does no harm.
  const last = lines.findLast((line) => /^!?\/?(?:\*|config)$/.test(line));
  if (last !== undefined && !last.startsWith("!")) return text;
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  return `${text}${text === "" || text.endsWith("\n") ? "" : end}config${end}`;
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
