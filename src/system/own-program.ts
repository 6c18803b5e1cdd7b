/** The running program: a compiled binary, or sources under Deno. */

import { shellQuote } from "../text.ts";
import type { Folders } from "./environment.ts";
import { ensurePrivateFolder, readTextFile, storageError } from "./files.ts";
import { isProgram } from "./processes.ts";
import { successorPath } from "./successor-path.ts";

/** The running program. */
export interface OwnProgram {
  /** The name or path it was called by. */
  readonly calledAs: string;
  /** Its real path. */
  readonly path: string;
  /** The entry module when it runs from source. */
  readonly sources?: string | undefined;
  /** The absolute path, without `.` and `..`; links are not followed. */
  absolute(path: string): string;
  /** The path with its links followed; undefined when nothing is there. */
  realPath(path: string): Promise<string | undefined>;
}

/**
 * The path of a program that does what this one does, for as long as this one runs: a compiled binary's own, else that of
 * a launcher, which is written into a folder of ours.
 *
 * @throws {AppError} `STORAGE` when the launcher cannot be written.
 */
export async function runningProgram(folders: Pick<Folders, "config">): Promise<string> {
  return Deno.build.standalone ? Deno.execPath() : await writeLauncher(folders.config, Deno.mainModule);
}

/** This program, as a kubeconfig may name it for longer than it runs. To ask what it was called by takes a while. */
export function ownProgram(): OwnProgram {
  // Deno has no other name for it. The global loads no `node:` module until it is used.
  const { argv0 } =
    (globalThis as typeof globalThis & { readonly process: { readonly argv0: string } }).process;
  return {
    calledAs: argv0,
    path: Deno.execPath(),
    sources: Deno.build.standalone ? undefined : Deno.mainModule,
    absolute: (path) => withoutDots(/^(?:[\\/]|[A-Za-z]:)/.test(path) ? path : `${Deno.cwd()}/${path}`),
    realPath: (path) => Deno.realPath(path).catch(() => undefined),
  };
}

/** An absolute path without `.` and `..`, which are resolved by name only; `realPath` follows links. */
function withoutDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split(Deno.build.os === "windows" ? /[\\/]/ : "/")) {
    // The first part is the root or the drive, which has no parent.
    if (part === "..") parts.splice(Math.max(1, parts.length - 1));
    else if (parts.length === 0 || (part !== "" && part !== ".")) parts.push(part);
  }
  return parts.length > 1 ? parts.join("/") : `${parts[0]}/`;
}

/** Where the launcher for sources is in a folder of ours. */
export function sourceLauncherPath(folder: string): string {
  return `${folder}/datumctl-from-source${Deno.build.os === "windows" ? ".cmd" : ""}`;
}

/**
 * Writes a launcher for sources into a folder of ours and returns its path.
 *
 * @throws {AppError} `STORAGE` when it cannot be written.
 */
export async function writeLauncher(folder: string, mainModule: string): Promise<string> {
  const windows = Deno.build.os === "windows";
  const path = sourceLauncherPath(folder);
  const sources = decodeURIComponent(new URL(mainModule).pathname);
  const config = new URL("./deno.json", mainModule).pathname;
  const quote = (word: string) => windows ? `"${word}"` : shellQuote(word);
  const words = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--config", decodeURIComponent(config)];
  const permissions = ["net", "env", "read", "write", "run", "sys=hostname,osRelease,uid"].map((name) =>
    `--allow-${name}`
  );
  const line = [...words, ...permissions, sources].map(quote).join(" ");
  const text = windows ? `@${line} %*\r\n` : `#!/bin/sh\nexec ${line} "$@"\n`;
  await writeProgram(path, text, 0o700);
  return path;
}

/**
 * Writes a script that can be run into a folder of ours, unless it is there already.
 *
 * @throws {AppError} `STORAGE` when it cannot be written.
 */
export async function writeProgram(path: string, text: string, mode: number): Promise<void> {
  if (isProgram(path) && await readTextFile(path) === text) return;
  try {
    await ensurePrivateFolder(path.replace(/[\\/][^\\/]*$/, ""));
    const successor = successorPath(path);
    await Deno.writeTextFile(successor, text, { createNew: true, mode });
    // The process may have been told to leave out some of the mode.
    if (Deno.build.os !== "windows") await Deno.chmod(successor, mode);
    await Deno.rename(successor, path);
  } catch (thrown) {
    throw storageError("write", path, thrown);
  }
}
