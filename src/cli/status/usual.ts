/**
 * The usual case of `status`: the active session of one's own, signed in, where no flag, variable or folder has a say. It is
 * most of what prompts ask, and takes the least code for it.
 */

import { checkErrorFormat } from "../../errors.ts";
import { mayHoldOurs } from "../../kubeconfig/default-files.ts";
import { chosenScope } from "../../providers/datum/scope.ts";
import { ALL, namesOf, variableInForce } from "../../providers/registry.ts";
import { ACTIVE_SESSION, namingVariable } from "../../sessions/choose.ts";
import { fileNameOf, isSessionName } from "../../sessions/name.ts";
import { parseConfig, parseSession } from "../../sessions/session.ts";
import { FOLDER_FILE } from "../../sessions/folder-file.ts";
import { parentOf } from "../../sessions/project-folder.ts";
import { PROJECT_FOLDER } from "../../sessions/reader.ts";
import { currentFolder, environment, foldersOf } from "../../system/environment.ts";
import { isFree, isPrivate, readTextFile } from "../../system/files.ts";
import { writeOut } from "../../system/terminal.ts";
import { lifeOf } from "../session-labels.ts";
import { readStatus } from "./arguments.ts";
import { checkTemplate, printStatus } from "./print.ts";
import { exitCodeOfStatus, type Status } from "./state.ts";

/** Answers a line of `status` in the usual case. False, before anything is printed, in any other. */
export async function answersUsualStatus(args: readonly string[]): Promise<boolean> {
  const line = readStatus(args);
  if (line === undefined || line.named !== undefined) return false;
  try {
    const errorFormat = environment("DATUMCTL_ERROR_FORMAT");
    if (errorFormat !== undefined) checkErrorFormat(errorFormat, "DATUMCTL_ERROR_FORMAT");
    if (line.format !== undefined) checkTemplate(line.format);
    const status = await usualStatus();
    if (status === undefined || exitCodeOfStatus(status) !== 0) return false;
    await printStatus(status, line, { text: writeOut });
    return true;
  } catch {
    // Whatever is wrong is told by the others.
    return false;
  }
}

async function usualStatus(): Promise<Status | undefined> {
  const { config, sessions } = foldersOf(environment);
  const configText = await privateText(config, `${config}/config.json`);
  if (configText === undefined) return undefined;
  const { activeSession: name } = parseConfig(config, configText);
  if (name === undefined || !isSessionName(name)) return undefined;
  // A digest, which another thread makes meanwhile.
  const fileName = fileNameOf(name);
  if (namingVariable(environment) !== undefined || variableInForce(environment, ALL) !== undefined) {
    return undefined;
  }
  if (mayFolderDecide()) return undefined;
  const file = `${sessions}/${await fileName}.json`;
  const text = await privateText(sessions, file);
  if (text === undefined) return undefined;
  const session = parseSession(text, file, namesOf(ALL));
  const scope = chosenScope({}, { env: environment, inUse: session.inUse, file: undefined });
  if (session.name !== name || (scope === undefined && await mayHoldOurs(environment))) return undefined;
  return { session, source: ACTIVE_SESSION, opened: true, scope, life: lifeOf(session, Date.now()) };
}

/** True where a project folder or a `.datumctl.json` is above, whether it counts or not. */
function mayFolderDecide(): boolean {
  let folder = currentFolder();
  if (folder === undefined) return true;
  for (; folder !== undefined; folder = parentOf(folder)) {
    if (!isFree(`${folder}/${PROJECT_FOLDER}`) || !isFree(`${folder}/${FOLDER_FILE}`)) return true;
  }
  return false;
}

/** The text of a file that is private, in a private folder; undefined for any other: permissions are mended elsewhere. */
async function privateText(folder: string, file: string): Promise<string | undefined> {
  return isPrivate(folder) && isPrivate(file) ? await readTextFile(file) : undefined;
}
