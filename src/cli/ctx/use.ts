/** `ctx use`: chooses the organization or project that later commands act on. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ApiClient } from "../../http/api-client.ts";
import { refusedRequest } from "../../http/api-errors.ts";
import { AppError, fail, failureOrThrow } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import { reviewSelf } from "../../kube/self-review.ts";
import { checkedScope, type Scope } from "../../providers/datum/control-plane-address.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { openTarget } from "../../providers/datum/control-plane.ts";
import { scopeInUse } from "../../providers/datum/scope.ts";
import { actingSession, checkStored } from "../pick-session.ts";
import { profileFlag } from "../profile-flag.ts";
import { valueArgument } from "../complete/declare.ts";
import { checkedTarget, idsOf, namedTarget } from "./named.ts";
import { targetLabels } from "./pick-target.ts";
import { flagOf, type InUse, useTarget } from "./remember.ts";
import { isNamedBy, listTargets, type Target, targetName, type TargetRow } from "./targets.ts";

/** `ctx use`. */
export function ctxUseCommand(contextOf: ContextOf): CommandUnknownOpts {
  const use = new Command("use")
    .description("Choose what later commands act on")
    .addArgument(
      valueArgument(
        "target",
        "[target]",
        "ORG or ORG/PROJECT, by id or display name; - for the one before; asked for when left out",
      ),
    )
    .option("--skip-validation", "choose it without asking the server; takes ids alone")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl ctx use my-org-id\n  datumctl ctx use my-org-id/my-project-id\n" +
        '  datumctl ctx use "My Organization/My Project"\n  datumctl ctx use "My Project"\n' +
        "  datumctl ctx use -\n\nAn id counts before a display name that is spelled like it.",
    );
  use.action((target, flags) => runCtxUse(contextOf(use), { target, skipValidation: flags.skipValidation }));
  return use;
}

/** The argument and the flag. */
interface UseInput {
  readonly target?: string | undefined;
  readonly skipValidation?: true | undefined;
}

/** Checks a target with the server, except with `--skip-validation`, and remembers it with the session. */
export async function runCtxUse(
  given: CommandContext,
  input: UseInput,
): Promise<void> {
  const { target } = input;
  // Before anything is opened or asked.
  const ids = target === undefined || target === BACK ? undefined : idsOf(target);
  const { session, context: cli } = await actingSession(given);
  checkStored(
    session,
    "Set DATUM_ORGANIZATION or DATUM_PROJECT instead, or give --organization or --project.",
  );
  const chosen = await chosenTarget(cli, session, input, ids);
  await useTarget(cli, session, chosen);
  const flags = [...flagOf(chosen), ...await profileFlag(given, session)];
  cli.out.info(`For kubectl as well: ${shellLine(["datumctl", "auth", "update-kubeconfig", ...flags])}`);
}

/** The word that means what was in use before. */
const BACK = "-";

async function chosenTarget(
  cli: CommandContext,
  session: Session,
  { target, skipValidation }: UseInput,
  ids: Target | undefined,
): Promise<InUse> {
  const check = skipValidation === undefined;
  if (target === undefined) return await pickTarget(cli, session);
  if (target === BACK) return await usedBefore(cli, session, check);
  return check ? await targetOf(cli, session, target, ids) : ids ?? fail(needsServer(target));
}

function needsServer(text: string): AppError {
  return new AppError(
    "USAGE",
    `"${printable(text, 80)}" is no id, and the server is not asked whose name it is.`,
    {
      hint: "Leave out --skip-validation, or name ids: datumctl ctx use ORG[/PROJECT] --skip-validation",
    },
  );
}

async function pickTarget(cli: CommandContext, session: Session): Promise<Target> {
  const hint = "Name it: datumctl ctx use ORG[/PROJECT]. See what there is: datumctl ctx list";
  const question = "Which one do you want to use?";
  const { pick } = await import("../prompt/picker.ts");
  // Without a terminal this throws, before the servers are asked.
  if (!cli.terminal.canAsk) await pick(cli.terminal, cli.interrupted, question, [], hint);
  const rows = await listTargets(cli, session);
  if (rows.length === 0) {
    throw new AppError("NOT_FOUND", "There is nothing to choose: you are in no organization.");
  }
  const cursor = Math.max(0, rows.findIndex(isNamedBy(session.inUse ?? {})));
  const chosen = rows[await pick(cli.terminal, cli.interrupted, question, targetLabels(rows), hint, cursor)];
  if (chosen === undefined) throw new AppError("NOT_FOUND", "There is nothing to choose.");
  return checkedTarget(chosen);
}

/**
 * What was in use before what is in use now.
 *
 * @throws {AppError} `NOT_FOUND` where there is no such thing, and as {@link checkTarget}
 */
async function usedBefore(cli: CommandContext, session: Session, check: boolean): Promise<InUse> {
  const { inUseBefore } = session;
  const scope = scopeInUse(inUseBefore);
  if (inUseBefore === undefined || scope === undefined) {
    throw new AppError("NOT_FOUND", `Nothing else was in use before in the session "${session.name}".`, {
      hint: "Choose something: datumctl ctx use ORG[/PROJECT]. See what there is: datumctl ctx list",
    });
  }
  const { organization, project } = inUseBefore;
  if (organization !== undefined) checkedTarget({ organization, project });
  const { kind, id } = checkedScope(scope.kind, scope.id);
  if (!check) return inUseBefore;
  if (organization === undefined) await checkControlPlane(cli, session, { kind, id });
  else await checkTarget(cli, session, { organization, project });
  return inUseBefore;
}

/**
 * The target that a text means: by its ids where these exist, else by display names.
 *
 * @throws {AppError} as {@link checkTarget}; `NOT_FOUND` where nothing is called so; `USAGE` where several are
 */
async function targetOf(
  cli: CommandContext,
  session: Session,
  text: string,
  ids: Target | undefined,
): Promise<Target> {
  if (ids === undefined) {
    const found = namedTarget(await listTargets(cli, session), text);
    if (found !== undefined) return checkedTarget(found);
    throw new AppError("NOT_FOUND", `No organization or project is called "${printable(text, 80)}".`, {
      hint: "See what there is, with ids and names: datumctl ctx list",
    });
  }
  try {
    await checkTarget(cli, session, ids);
    return ids;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !["NOT_FOUND", "FORBIDDEN"].includes(thrown.code)) throw thrown;
    const rows = await listTargets({ ...cli, out: { ...cli.out, warn() {} } }, session).catch((failure) => {
      failureOrThrow(failure);
      return [];
    });
    const found = namedTarget(rows, text);
    if (found !== undefined) return checkedTarget(found);
    throw ids.project === undefined ? meantProject(session, rows, ids.organization, thrown) : thrown;
  }
}

/** @throws {AppError} `NOT_FOUND` unless the organization exists, and the project in it; what a request throws */
async function checkTarget(
  cli: CommandContext,
  session: Session,
  { organization, project }: Target,
): Promise<void> {
  if (project === undefined) {
    return await checkControlPlane(cli, session, { kind: "organization", id: organization });
  }
  try {
    using plane = await openTarget(cli, session, { kind: "organization", id: organization, source: "" });
    await plane.client.get(`/apis/${plane.api}/projects/${project}`);
  } catch (thrown) {
    const refused = refusedRequest(thrown);
    if (refused?.status === 404 && refused.reason !== undefined) {
      throw new AppError(
        "NOT_FOUND",
        `There is no project "${project}" in the organization "${organization}".`,
        {
          hint: `See what there is: datumctl projects list --organization ${organization}`,
          cause: thrown,
        },
      );
    }
    // A user may be allowed to use a project but not to read its organization.
    if (refused?.status !== 403 || refused.reason === undefined) {
      throw missing(thrown, "organization", organization);
    }
    await checkControlPlane(cli, session, { kind: "project", id: project });
  }
}

/** The error, with a hint when the organization in use has a project of that id. */
function meantProject(
  { inUse }: Session,
  rows: readonly TargetRow[],
  id: string,
  error: AppError,
): AppError {
  const meant = rows.find(({ organization, project }) =>
    organization === inUse?.organization && project === id
  );
  if (meant === undefined) return error;
  return new AppError("NOT_FOUND", error.message, {
    hint: `There is a project of that name: datumctl ctx use ${targetName(meant)}`,
    cause: error,
  });
}

async function checkControlPlane(cli: CommandContext, session: Session, scope: Scope): Promise<void> {
  using plane = await openTarget(cli, session, { ...scope, source: "" });
  await reviewed(plane.client, scope);
}

async function reviewed(client: ApiClient, { kind, id }: Scope): Promise<void> {
  try {
    await reviewSelf(client);
  } catch (thrown) {
    throw missing(thrown, kind, id);
  }
}

/** The error for an id that the server does not know. Some answer 400, some 403 in plain text. */
function missing(thrown: unknown, kind: Scope["kind"], id: string): unknown {
  const refused = refusedRequest(thrown);
  const unknown = refused !== undefined &&
    (refused.status === 400 || refused.status === 404 ||
      (refused.status === 403 && refused.reason === undefined));
  if (!unknown || (thrown instanceof AppError && thrown.code === "SESSION_REJECTED")) return thrown;
  const code = refused.status === 403 ? "FORBIDDEN" : "NOT_FOUND";
  return new AppError(code, `There is no ${kind} "${id}", or you may not see it.`, {
    hint: "See what there is: datumctl ctx list. --skip-validation chooses without asking.",
    cause: thrown,
  });
}
