/** Checks our own folders and files: where they are, whether they can be read, and by whom else. */

import { type AppError, failureOrThrow } from "../../errors.ts";
import { isAdministrator, onWindows } from "../../system/environment.ts";
import { fileFailure, kindOf, listFolder, realPath } from "../../system/files.ts";
import { tryLock } from "../../system/locks.ts";
import { shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding } from "./finding.ts";
import type { BrokenFile, Stored } from "./stored.ts";

const FOLDER = checkNamed("files.folder");
const CONFIG = checkNamed("files.config");
const SESSIONS = checkNamed("files.sessions");
const PRIVATE = checkNamed("files.private");
const OWNER = checkNamed("files.owner");
const LOCKS = checkNamed("files.locks");

/** What to type where sessions cannot be kept in their folder. */
const ELSEWHERE = "export DATUMCTL_CONFIG_DIR=FOLDER";

/** Checks that our files have a place, and that it can be read. */
export async function checkFolder({ store: { folders }, env }: CommandContext): Promise<Finding> {
  if (folders.missing !== undefined) {
    return FOLDER.fault({
      found: folders.missing.message,
      meaning: "Nothing can be stored: not who is signed in, nor which project is in use.",
      line: !onWindows && env("HOME") === undefined
        ? 'export HOME="$(getent passwd "$(id -u)" | cut -d: -f6)"'
        : ELSEWHERE,
    });
  }
  for (const path of new Set([folders.config, folders.sessions])) {
    const trouble = await folderTrouble(path);
    if (trouble !== undefined) return trouble;
  }
  return await kindOf(folders.config) === undefined
    ? FOLDER.ok({ about: folders.config, found: "it is not there yet; the first sign-in makes it" })
    : FOLDER.ok({ about: folders.config, found: "it can be read" });
}

async function folderTrouble(path: string): Promise<Finding | undefined> {
  try {
    const kind = await kindOf(path);
    const target = kind === "link" && await realPath(path) === undefined ? "other" : kind;
    if (target === "file" || target === "other") {
      return FOLDER.fault({
        about: path,
        found: target === "file" ? "it is a file and not a folder" : "it leads to no folder",
        meaning: "Nothing can be stored until it makes room for a folder.",
        line: asideLine(path),
      });
    }
    await listFolder(path);
    return undefined;
  } catch (thrown) {
    return FOLDER.fault({
      about: path,
      found: failureOrThrow(thrown).message,
      meaning: "What is stored there cannot be read.",
      line: shellLine(["chmod", "u+rwx", path]),
    });
  }
}

/** The line that moves a file aside, so that nothing of it is lost. */
export function asideLine(path: string): string {
  return shellLine(["mv", path, `${path}.aside`]);
}

/** Checks the files in the folders. */
export async function checkFiles(cli: CommandContext, stored: Stored): Promise<Finding[]> {
  return [
    ...owners(stored),
    ...configFindings(cli, stored),
    ...sessionFiles(stored),
    ...permissions(cli, stored),
    await locks(stored),
  ];
}

function owners({ foreign }: Stored): Finding[] {
  const [first] = foreign;
  if (first === undefined) return [];
  const command = ["chown", "-R", "$(id -u):$(id -g)"];
  const words = isAdministrator() ? command : ["sudo", ...command];
  return [OWNER.fault({
    about: first,
    found: foreign.length === 1
      ? "it belongs to someone else"
      : `it and ${foreign.length - 1} more belong to someone else`,
    meaning: "Its owner could change it at any time, so it is not used.",
    line: `${words.slice(0, -1).join(" ")} "${command.at(-1)}" ${shellLine(foreign)}`,
  })];
}

function configFindings({ store }: CommandContext, { brokenConfig, config }: Stored): Finding[] {
  if (brokenConfig !== undefined) {
    return [CONFIG.fault({
      found: brokenConfig.message,
      meaning:
        "It says who is active. If a newer datumctl wrote it, use that one; else move it aside and choose " +
        "again with: datumctl auth switch",
      line: denied(brokenConfig)
        ? shellLine(["chmod", "u+rw", store.configPath])
        : asideLine(store.configPath),
    })];
  }
  return config?.activeSession === undefined ? [] : [CONFIG.ok({ found: "config.json can be read" })];
}

function denied({ cause }: AppError): boolean {
  return fileFailure(cause) === "denied";
}

function sessionFiles({ broken, sessions }: Stored): Finding[] {
  const found = broken.map(({ path, error }: BrokenFile) =>
    SESSIONS.fault({
      found: error.message,
      meaning:
        "Its session cannot be used. If a newer datumctl wrote it, use that one; else move the file aside " +
        "and sign in again.",
      line: denied(error) ? shellLine(["chmod", "u+rw", path]) : asideLine(path),
    })
  );
  if (found.length > 0) return found;
  const count = `${sessions.length} ${sessions.length === 1 ? "session" : "sessions"}`;
  return sessions.length === 0 ? [] : [SESSIONS.ok({ found: `${count} can be read` })];
}

function permissions({ store: { folders: { sessions } } }: CommandContext, stored: Stored): Finding[] {
  const { open, foreign, writable } = stored;
  if (writable !== undefined) {
    return [PRIVATE.warning({
      about: writable,
      found: "other users can write in it",
      meaning: "They could put files in the place of yours.",
      line: shellLine(["chmod", "go-w", writable]),
    })];
  }
  const own = open.filter((path) => !foreign.includes(path));
  const [first] = own;
  if (first === undefined) return [PRIVATE.ok({ found: "nobody else can read them" })];
  return [PRIVATE.warning({
    about: first,
    found: own.length === 1
      ? "other users can look at it"
      : `other users can look at it and at ${own.length - 1} more`,
    meaning:
      "Whoever reads a key file can use its session. The next command takes these permissions away by itself.",
    line: narrowLine(own, sessions),
  })];
}

/**
 * The line that takes others' permissions away; for many sessions, from their folder with all that is in it.
 */
function narrowLine(paths: readonly string[], sessions: string): string {
  if (paths.length < 4) return shellLine(["chmod", "go=", ...paths]);
  const others = paths.filter((path) => path !== sessions && !path.startsWith(`${sessions}/`));
  const whole = shellLine(["chmod", "-R", "go=", sessions]);
  return others.length === 0 ? whole : `${shellLine(["chmod", "go=", ...others])} && ${whole}`;
}

async function locks({ lockable }: Stored): Promise<Finding> {
  const [path] = lockable;
  if (path === undefined) return LOCKS.skipped({ found: "there is no lock file yet to try" });
  const held = await tryLock(path);
  switch (held) {
    case "keeps others out":
      return LOCKS.ok({ found: "a lock keeps others out" });
    case "keeps nobody out":
    case "lockless":
      return LOCKS.fault({
        about: path,
        found: held === "lockless" ? "its file system keeps no locks" : "its lock is granted to everybody",
        meaning:
          "Two commands that renew a session at once can end it. Start the lock service of that file " +
          "system (on NFS: rpc.statd), or keep sessions on a disk of this machine.",
        line: ELSEWHERE,
      });
    case "read-only":
      return LOCKS.fault({
        about: path,
        found: "its file system is read-only",
        meaning: "No session can be renewed there, because the next token could not be stored.",
        line: ELSEWHERE,
      });
    case "unusable":
      return LOCKS.fault({
        about: path,
        found: "it cannot be opened for writing",
        meaning: "No session can be renewed while its lock cannot be taken.",
        line: shellLine(["chmod", "u+rw", path]),
      });
  }
}
