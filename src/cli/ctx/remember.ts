/** Remembers with a session what its commands act on, and what they acted on before. */

import { organizationVariable, scopeInUse } from "../../providers/datum/scope.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext } from "../context.ts";
import { targetWords } from "./targets.ts";

/** An organization or project in use. A project's organization need not be known. */
export type InUse = NonNullable<Session["inUse"]>;

/** Remembers it, says so, and warns of variables and of a folder's file that take precedence. */
export async function useTarget(
  cli: CommandContext,
  session: Session,
  { organization, project }: InUse,
): Promise<void> {
  const { store, out, env } = cli;
  const inUse = { organization, project };
  await store.update(session.name, (now) => ({
    inUse,
    inUseBefore: isSame(now.inUse, inUse) ? now.inUseBefore : now.inUse,
  }));
  out.success(`Now in use: ${targetWords({ organization, project })}.`);
  const variables = [env("DATUM_PROJECT") && "DATUM_PROJECT", organizationVariable(env)?.variable];
  for (const variable of variables.filter((one) => one !== undefined)) {
    out.warn(`${variable} is set in this terminal and takes precedence over what is in use.`);
  }
  await warnOfFolderFile(cli, session.name);
}

/** Warns where the folder's file says what commands act on there. */
async function warnOfFolderFile({ out, choice }: CommandContext, session: string): Promise<void> {
  const file = await choice.folderFile?.();
  const { organization, project, context } = file ?? {};
  if (file === undefined || (file.session !== undefined && file.session !== session)) return;
  if ((organization ?? project ?? context) === undefined) return;
  out.warn(`In ${file.folder} and its subfolders, ${file.path} takes precedence over what is in use.`);
}

function isSame(a: Session["inUse"], b: Session["inUse"]): boolean {
  const [one, other] = [scopeInUse(a), scopeInUse(b)];
  return one?.kind === other?.kind && one?.id === other?.id;
}

/** The flag that names it to other commands. */
export function flagOf(inUse: InUse): readonly string[] {
  const scope = scopeInUse(inUse);
  return scope === undefined ? [] : [`--${scope.kind}`, scope.id];
}
