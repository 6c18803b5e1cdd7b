/**
 * The usual case of `status` in a prompt: the active session of one's own, signed in, with something in use, where no flag,
 * variable or folder has a say. It is loaded at each start, so it takes the least code.
 */

import { isScopeId } from "../../providers/datum/facts.ts";
import { ALL, namesOf, variableInForce } from "../../providers/registry.ts";
import { namingVariable } from "../../sessions/choose.ts";
import { FOLDER_FILE, parentOf } from "../../sessions/folders-above.ts";
import { fileNameOf, isSessionName } from "../../sessions/name.ts";
import { PROJECT_FOLDER } from "../../sessions/reader.ts";
import { parseConfig, parseSession, type Session } from "../../sessions/session.ts";
import { currentFolder, environment, foldersOf } from "../../system/environment.ts";
import { isFree, isPrivate, readTextFile } from "../../system/files.ts";
import { writeOut } from "../../system/terminal.ts";
import { printable } from "../../text.ts";
import { lifeOf, whoseSession } from "../session-life.ts";
import { readStatus } from "./arguments.ts";
import { checkTemplate, isForPrompt, promptLine, type PromptValues } from "./prompt-line.ts";

/** Answers a line of `status` in the usual case. False, before anything is printed, in any other. */
export async function answersUsualStatus(args: readonly string[]): Promise<boolean> {
  const line = readStatus(args);
  if (line === undefined || line.named !== undefined || !isForPrompt(line)) {
    return false;
  }
  try {
    if (environment("DATUMCTL_ERROR_FORMAT") !== undefined) return false;
    if (line.format !== undefined) checkTemplate(line.format);
    const session = await usualSession();
    const values = session && usualValues(session);
    if (values === undefined) return false;
    writeOut(promptLine(values, line.format));
    return true;
  } catch {
    // Whatever is wrong is told by the others.
    return false;
  }
}

/** The active session, where nothing else decides. */
async function usualSession(): Promise<Session | undefined> {
  const { config, sessions } = foldersOf(environment);
  const configText = await privateText(config, `${config}/config.json`);
  if (configText === undefined) return undefined;
  const { activeSession: name } = parseConfig(config, configText);
  if (name === undefined || !isSessionName(name)) return undefined;
  // A digest, which another thread makes meanwhile.
  const fileName = fileNameOf(name);
  if (DECIDING.some((variable) => environment(variable) !== undefined)) return undefined;
  if (namingVariable(environment) !== undefined || variableInForce(environment, ALL) !== undefined) {
    return undefined;
  }
  if (mayFolderDecide()) return undefined;
  const file = `${sessions}/${await fileName}.json`;
  const text = await privateText(sessions, file);
  const session = text === undefined ? undefined : parseSession(text, file, namesOf(ALL));
  return session?.name === name ? session : undefined;
}

/** Variables that name what commands act on. */
const DECIDING = ["DATUM_PROJECT", "DATUM_ORGANIZATION", "DATUM_ORG"];

/** What a prompt shows of a session that is not over and has a scope in use; undefined for any other. */
function usualValues(session: Session): PromptValues | undefined {
  const { organization, project } = session.inUse ?? {};
  const scope = [organization, project].filter((id) => id !== undefined);
  const { state, short } = lifeOf(session, Date.now());
  if (scope.length === 0 || !scope.every(isScopeId) || state === "expired") return undefined;
  return {
    user: printable(whoseSession(session)),
    session: session.name,
    organization: organization ?? "",
    project: project ?? "",
    scope: scope.join("/"),
    life: short,
    state,
    host: printable(session.apiHost),
  };
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
