/** After a person's sign-in at a Datum, on a terminal: which organization or project commands act on from then on. */

import { AppError, failureOrThrow } from "../../errors.ts";
import { hasControlPlanes } from "../../providers/datum/facts.ts";
import { shellLine } from "../../text.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext } from "../context.ts";
import { checkedTarget } from "../ctx/named.ts";
import { targetLabels } from "../ctx/pick-target.ts";
import { type InUse, useTarget } from "../ctx/remember.ts";
import { listTargets, type Target, type TargetRow, targetWords } from "../ctx/targets.ts";
import { profileFlag } from "../profile-flag.ts";
import { ignoringKeys } from "../prompt/ignore-keys.ts";

/** In milliseconds: the sign-in is done, and `ctx use` can ask, too. */
const LONGEST_QUESTION_MS = 5_000;
/** After so many milliseconds a word says what is waited for. */
const PATIENCE_MS = 1_500;

/** True where a person is asked after the sign-in: on a terminal, at a Datum, with nothing in use yet. */
export function asksForTarget({ terminal }: Pick<CommandContext, "terminal">, session: Session): boolean {
  return terminal.canAsk && hasControlPlanes(session) && session.inUse === undefined;
}

/**
 * What is in use afterwards: what was before, the only choice, or what the person picks; undefined for
 * nothing. The sign-in stays whatever comes of it.
 *
 * @throws {AppError} `INTERRUPTED` for Ctrl-C
 */
export async function chooseTarget(cli: CommandContext, session: Session): Promise<InUse | undefined> {
  if (!hasControlPlanes(session)) return session.inUse;
  const { out } = cli;
  const line = shellLine(["datumctl", "ctx", "use", ...await profileFlag(cli, session)]);
  if (session.inUse !== undefined) {
    out.info(`Still in use: ${targetWords(session.inUse)}. Another one: ${line}`);
  }
  if (!asksForTarget(cli, session)) return session.inUse;
  const later = `Choose later: ${line}`;
  try {
    // With what the sign-in learned of the server.
    const rows = await listed(cli, await cli.store.read(session.name) ?? session);
    if (rows.length === 0) out.info("You are not a member of any organization yet.");
    const only = onlyTarget(rows);
    const chosen = only ?? await picked(cli, rows, later);
    if (chosen === undefined) return undefined;
    const target = checkedTarget(chosen);
    await useTarget(cli, session, target);
    if (only !== undefined) out.info("It is the only one that you can choose.");
    return target;
  } catch (thrown) {
    if (cli.interrupted.aborted || isInterrupt(thrown)) throw interruptedAfterSignIn(later, thrown);
    const { message } = failureOrThrow(thrown);
    out.warn(`You are signed in, but what you may use was not chosen: ${message} ${later}`);
    return undefined;
  }
}

async function listed(cli: CommandContext, session: Session): Promise<TargetRow[]> {
  const timer = setTimeout(() => cli.out.info("Listing your organizations and projects …"), PATIENCE_MS);
  const requestTimeout = Math.min(LONGEST_QUESTION_MS, cli.requestTimeout);
  try {
    return await ignoringKeys(
      cli.terminal,
      cli.interrupted,
      (interrupted) => listTargets({ ...cli, requestTimeout, interrupted }, session),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The one thing to choose: the project of the only organization, or that organization where it has none. */
function onlyTarget(rows: readonly TargetRow[]): TargetRow | undefined {
  const [organization, project, ...more] = rows;
  if (more.length > 0 || project?.project === undefined && project !== undefined) return undefined;
  return project ?? organization;
}

async function picked(
  cli: CommandContext,
  rows: readonly TargetRow[],
  later: string,
): Promise<Target | undefined> {
  if (rows.length === 0) return undefined;
  const { pickOrLeave } = await import("../prompt/picker.ts");
  const question = "Use which one? (Esc: later)";
  const at = await pickOrLeave(cli.terminal, cli.interrupted, question, targetLabels(rows));
  if (at === undefined) cli.out.info(`Nothing was chosen. ${later}`);
  return at === undefined ? undefined : rows[at];
}

function isInterrupt(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === "INTERRUPTED";
}

function interruptedAfterSignIn(hint: string, cause: unknown): AppError {
  return new AppError("INTERRUPTED", "Interrupted. You are signed in; nothing was chosen.", {
    hint,
    cause,
  });
}
