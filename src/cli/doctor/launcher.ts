/** Checks what `update-kubeconfig --fast` needs: the launcher, what it becomes, and the runtime folder. */

import type { OwnUser } from "../../kubeconfig/file.ts";
import { LAUNCHER_VERSION, launcherPath, readLauncher } from "../../sessions/launcher.ts";
import { accessOfOthers } from "../../system/files.ts";
import { isProgram } from "../../system/processes.ts";
import { runtimeFolder, whyNotPrivate } from "../../system/runtime-folder.ts";
import { printable, shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding } from "./finding.ts";

const SCRIPT = checkNamed("launcher.script");
const PROGRAM = checkNamed("launcher.program");
const FOLDER = checkNamed("launcher.folder");
const RUNTIME = checkNamed("launcher.runtime-folder");

/**
 * Checks the launcher, and the runtime folder that it and `exec` keep credentials in.
 *
 * @param rewrite the line that writes the entry of a user again
 */
export async function checkLauncher(
  { env, store: { folders } }: CommandContext,
  users: readonly OwnUser[],
  rewrite: (user: OwnUser) => string | undefined,
): Promise<Finding[]> {
  const runtime = await runtimeFinding(env);
  if (folders.missing !== undefined) return [runtime];
  const path = launcherPath(folders);
  const user = users.find(({ launcher }) => launcher === path);
  const launcher = await readLauncher(folders);
  if (user === undefined && launcher === undefined) return [runtime];
  const line = user === undefined ? undefined : rewrite(user);
  if (launcher === undefined || !isProgram(path)) {
    // An entry whose launcher is gone is told of with the entry.
    const said = { about: path, found: "it cannot be run, or is not as it was written", line };
    return [user === undefined ? SCRIPT.note(said) : SCRIPT.fault(said), runtime];
  }
  if (accessOfOthers(path) === "write") {
    return [
      SCRIPT.fault({
        about: path,
        found: "other users can write in it",
        meaning: "kubectl runs it as you.",
        line: shellLine(["chmod", "go-w", path]),
      }),
      runtime,
    ];
  }
  return [
    launcher.version < LAUNCHER_VERSION
      ? SCRIPT.note({ about: path, found: "an older datumctl wrote it", meaning: "The next call renews it." })
      : SCRIPT.ok({ about: path, found: "it can be run" }),
    isProgram(launcher.program)
      ? PROGRAM.ok({ about: launcher.program, found: "the launcher becomes it" })
      : PROGRAM.fault({
        about: printable(launcher.program),
        found: "the launcher becomes it, and it is gone",
        meaning: "kubectl works only while a stored credential is left.",
        line,
      }),
    launcherFolder(launcher.folder, line),
    runtime,
  ];
}

/** The folder that is written in the launcher is made by the first call. */
function launcherFolder(folder: string, line: string | undefined): Finding {
  const above = folder.replace(/\/[^/]*$/, "");
  const why = whyNotPrivate(above);
  if (why !== undefined) {
    return FOLDER.warning({
      about: printable(above),
      found: `the launcher's runtime folder ${why}`,
      meaning: "Nothing is kept there, so that kubectl runs datumctl itself each time.",
      line: why.includes("0700") ? shellLine(["chmod", "700", above]) : line,
    });
  }
  const own = whyNotPrivate(folder);
  if (own === undefined || own === "is not there") {
    return FOLDER.ok({ about: printable(folder), found: "the launcher's folder is yours alone" });
  }
  return FOLDER.warning({
    about: printable(folder),
    found: `the launcher's folder ${own}`,
    meaning: "Nothing is kept there, so that kubectl runs datumctl itself each time.",
    line: own.includes("0700") ? shellLine(["chmod", "700", folder]) : undefined,
  });
}

async function runtimeFinding(env: CommandContext["env"]): Promise<Finding> {
  const runtime = await runtimeFolder(env);
  if (runtime.path !== undefined) {
    return RUNTIME.ok({ about: runtime.path, found: "the runtime folder is yours alone" });
  }
  const named = env("XDG_RUNTIME_DIR");
  if (named === undefined) {
    return RUNTIME.skipped({ found: `${runtime.refusal}; only update-kubeconfig --fast needs it` });
  }
  return RUNTIME.warning({
    about: "XDG_RUNTIME_DIR",
    found: runtime.refusal,
    meaning: "update-kubeconfig --fast cannot be used, and the keyring's bus may not be found.",
    line: runtime.refusal.includes("0700") ? shellLine(["chmod", "700", named]) : "unset XDG_RUNTIME_DIR",
  });
}
