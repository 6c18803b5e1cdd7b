/**
 * The usual case of `status` in a prompt: the active session of one's own, signed in, with something in use, where no flag,
 * variable or folder has a say. It is loaded in the program's place, so it takes the least code.
 */

import { isScopeId } from "../../providers/datum/facts.ts";
import { ALL, namesOf, variableInForce } from "../../providers/registry.ts";
import { printAnswer } from "../../plugin/print.ts";
import { namingVariable } from "../../sessions/choose.ts";
import { activeAtHand, sessionAtHand } from "../../sessions/at-hand.ts";
import { FOLDER_FILE, upFrom } from "../../sessions/folders-above.ts";
import { PROJECT_FOLDER } from "../../sessions/paths.ts";
import type { Session } from "../../sessions/session.ts";
import { currentFolder, environment, foldersOf, homeOf } from "../../system/environment.ts";
import { haveNone } from "../../system/files.ts";
import { writeErr, writeOut } from "../../system/terminal.ts";
import { printable } from "../../text.ts";
import { lifeOf, whoseSession } from "../session-life.ts";
import { readStatus } from "./arguments.ts";
import { checkTemplate, isForPrompt, promptLine, type PromptValues } from "./prompt-line.ts";

/** Runs a line of `status` in the usual case. Returns its exit code; undefined, before anything is printed, in any other. */
export async function runUsualStatus(args: readonly string[]): Promise<number | undefined> {
  const line = readStatus(args);
  if (line === undefined || line.named !== undefined || !isForPrompt(line)) return undefined;
  // Whatever is wrong is told by the others.
  const text = await usualText(line.format).catch(() => undefined);
  return text === undefined ? undefined : printAnswer(text, { writeOut, writeErr, errorFormat: "human" });
}

async function usualText(format: string | undefined): Promise<string | undefined> {
  if (environment("DATUMCTL_ERROR_FORMAT") !== undefined) return undefined;
  if (format !== undefined) checkTemplate(format);
  const session = await usualSession();
  const values = session && usualValues(session);
  return values && promptLine(values, format);
}

/** The active session, where nothing else decides. */
async function usualSession(): Promise<Session | undefined> {
  const folders = foldersOf(environment);
  const name = activeAtHand(folders);
  if (name === undefined) return undefined;
  const reading = sessionAtHand(folders, name, namesOf(ALL));
  const decided = DECIDING.some((variable) => environment(variable) !== undefined) ||
    namingVariable(environment) !== undefined || variableInForce(environment, ALL) !== undefined ||
    mayFolderDecide();
  const found = await reading;
  return decided ? undefined : found?.session;
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
  const folder = currentFolder();
  return folder === undefined ||
    !haveNone(upFrom(folder, homeOf(environment)), [PROJECT_FOLDER, FOLDER_FILE]);
}
