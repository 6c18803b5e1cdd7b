/** `ctx use`: chooses the organization or project that later commands act on. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ApiClient } from "../../http/api-client.ts";
import { refusedRequest } from "../../http/api-errors.ts";
import { AppError } from "../../errors.ts";
import { reviewSelf } from "../../kube/self-review.ts";
import { checkedScope, type Scope } from "../../providers/datum/control-plane-address.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { openTarget } from "../../providers/datum/control-plane.ts";
import { organizationVariable } from "../../providers/datum/scope.ts";
import { actingSession, checkStored } from "../pick-session.ts";
import { listProjects } from "../../providers/datum/organizations.ts";
import { listTargets, parseTarget, type Target, targetName } from "./targets.ts";
import { valueArgument } from "../complete/declare.ts";

/** `ctx use`. */
export function ctxUseCommand(contextOf: ContextOf): CommandUnknownOpts {
  const use = new Command("use")
    .description("Choose what later commands act on")
    .addArgument(valueArgument("target", "[target]", "ORG or ORG/PROJECT; asked for when left out"))
    .option("--skip-validation", "choose it without asking the server")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl ctx use my-org-id\n  datumctl ctx use my-org-id/my-project-id",
    );
  use.action((target, flags) => runCtxUse(contextOf(use), { target, skipValidation: flags.skipValidation }));
  return use;
}

/** Checks a target with the server, except with `--skip-validation`, and remembers it with the session. */
export async function runCtxUse(
  given: CommandContext,
  input: { readonly target?: string | undefined; readonly skipValidation?: true | undefined },
): Promise<void> {
  const { out, env } = given;
  const named = input.target === undefined ? undefined : parseTarget(input.target);
  const { session, store, context: cli } = await actingSession(given);
  checkStored(
    session,
    "Set DATUM_ORGANIZATION or DATUM_PROJECT instead, or give --organization or --project.",
  );
  const target = named ?? await pickTarget(cli, session);
  if (named !== undefined && input.skipValidation === undefined) await checkTarget(cli, session, target);
  const { organization, project } = target;
  await store.update(session.name, () => ({
    inUse: project === undefined ? { organization } : { organization, project },
  }));
  const words = project === undefined
    ? `the organization ${organization}`
    : `the project ${project} of ${organization}`;
  out.line(`Now in use: ${words}.`);
  const variables = [env("DATUM_PROJECT") && "DATUM_PROJECT", organizationVariable(env)?.variable];
  for (const variable of variables.filter((one) => one !== undefined)) {
    out.warn(`${variable} is set in this terminal and takes precedence over what is in use.`);
  }
  await warnOfFolderFile(cli, session.name);
  const flag = project === undefined ? `--organization ${organization}` : `--project ${project}`;
  out.info(`For kubectl as well: datumctl auth update-kubeconfig ${flag}`);
}

/** Warns where the folder's file says what commands act on there. */
async function warnOfFolderFile({ out, choice }: CommandContext, session: string): Promise<void> {
  const file = await choice.folderFile?.();
  const { organization, project, context } = file ?? {};
  if (file === undefined || (file.session !== undefined && file.session !== session)) return;
  if ((organization ?? project ?? context) === undefined) return;
  out.warn(`In ${file.folder} and its subfolders, ${file.path} takes precedence over what is in use.`);
}

async function pickTarget(cli: CommandContext, session: Session): Promise<Target> {
  const hint = "Name it: datumctl ctx use ORG[/PROJECT]. See what there is: datumctl ctx list";
  const question = "Which one do you want to use?";
  const { pick } = await import("../prompt/picker.ts");
  // Without a terminal this throws, before the servers are asked.
  if (!cli.terminal.canAsk) await pick(cli.terminal, cli.interrupted, question, [], hint);
  const rows = await listTargets(cli, session);
  const labels = rows.map((row) => [targetName(row), row.displayName ?? ""].join("  ").trim());
  const chosen = rows[await pick(cli.terminal, cli.interrupted, question, labels, hint)];
  if (chosen === undefined) throw new AppError("NOT_FOUND", "There is nothing to choose.");
  // The id becomes part of addresses, so one that a server sent is checked, too.
  return parseTarget(targetName(chosen));
}

/** @throws {AppError} `NOT_FOUND` unless the organization exists, and the project in it; what a request throws */
async function checkTarget(
  cli: CommandContext,
  session: Session,
  { organization, project }: Target,
): Promise<void> {
  if (project === undefined) {
    try {
      return await checkControlPlane(cli, session, { kind: "organization", id: organization });
    } catch (thrown) {
      throw await meantProject(cli, session, organization, thrown);
    }
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
async function meantProject(
  cli: CommandContext,
  session: Session,
  id: string,
  thrown: unknown,
): Promise<unknown> {
  const { organization } = session.inUse ?? {};
  if (
    organization === undefined || !(thrown instanceof AppError) ||
    !["NOT_FOUND", "FORBIDDEN"].includes(thrown.code)
  ) {
    return thrown;
  }
  const projects = await listProjects(cli, session, checkedScope("organization", organization).id)
    .catch(() => []);
  if (!projects.some((project) => project.id === id)) return thrown;
  return new AppError("NOT_FOUND", thrown.message, {
    hint: `There is a project of that name: datumctl ctx use ${organization}/${id}`,
    cause: thrown,
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
