/** Owns `ctx`: which organization or project commands act on, and choosing it. */

import { Command } from "@commander-js/extra-typings";
import type { ApiClient } from "../../http/api-client.ts";
import { refusedRequest } from "../../http/api-errors.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { checkedScope, type Scope } from "../../providers/datum/hosts.ts";
import { originOf } from "../../sessions/served-servers.ts";
import type { Session } from "../../sessions/session.ts";
import type { ChosenSession } from "../../sessions/choose.ts";
import { boundedSignal } from "../../system/clock.ts";
import { reviewSelf } from "../auth/whoami.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { openTarget } from "../control-plane.ts";
import { findScope } from "../find-scope.ts";
import { type ChosenScope, nothingInUse, organizationVariable } from "../scope.ts";
import { actingSession, checkStored } from "../session-words.ts";
import { formatListing, formatObject, listFormat } from "../output/table.ts";
import { listOrganizations, listProjects } from "../tenancy.ts";

/** `ctx`, which shows what is in use and holds `use` and `list`. */
export function ctxCommand(deps: ContextOf): Command {
  const output = "table, json, yaml or name";
  const command = new Command("ctx")
    .description("Show or choose the organization or project that commands act on")
    .option("-o, --output <format>", output)
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl ctx\n  datumctl ctx use my-org-id/my-project-id\n  datumctl ctx list\n\n" +
        "For one command: --organization, --project or --platform-wide; for one terminal: the variables\n" +
        "DATUM_ORGANIZATION and DATUM_PROJECT.",
    );
  command.action((flags) => runCtx(deps(command), { output: flags.output }));

  const use = new Command("use")
    .description("Choose what later commands act on")
    .argument("[target]", "ORG or ORG/PROJECT; asked for when left out")
    .option("--skip-validation", "choose it without asking the server")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl ctx use my-org-id\n  datumctl ctx use my-org-id/my-project-id",
    );
  use.action((target, flags) => runCtxUse(deps(use), { target, skipValidation: flags.skipValidation }));

  const list = new Command("list").alias("ls")
    .description("List what can be chosen: every organization with its projects")
    .option("-o, --output <format>", output)
    .addHelpText("after", "\nExamples:\n  datumctl ctx list\n  datumctl ctx list -o name");
  // The same flag of `ctx` takes the value, wherever it stands.
  list.action(() => runCtxList(deps(list), list.optsWithGlobals() as { readonly output?: string }));

  command.addCommand(use as unknown as Command).addCommand(list as unknown as Command);
  return command as unknown as Command;
}

/** What is acted on, in the words of its parts; for `ctx` and `whoami`. */
export function scopeWords(scope: ChosenScope | undefined, { apiHost }: Pick<Session, "apiHost">): {
  readonly lines: readonly (readonly [title: string, value: string])[];
  readonly object: Readonly<Record<string, string | boolean | null>>;
  readonly name: string;
  /** The host that a command would ask. */
  readonly host: string;
} {
  const { organization, project, server, host = apiHost } = partsOf(scope, apiHost);
  const platformWide = scope?.kind === "platform";
  return {
    lines: [
      ...(organization === undefined ? [] : [["Organization", organization] as const]),
      ...(project === undefined ? [] : [["Project", project] as const]),
      ...(platformWide ? [["Platform", "all of it"] as const] : []),
      ...(server === undefined ? [] : [["API server", server] as const]),
      ...(scope === undefined ? [] : [["Set by", scope.source] as const]),
    ],
    object: {
      organization: organization ?? null,
      project: project ?? null,
      platformWide,
      server: server ?? null,
      scopeSource: scope?.source ?? null,
    },
    name: platformWide
      ? "platform"
      : [organization, project].filter((one) => one !== undefined).join("/") || (server ?? ""),
    host,
  };
}

function partsOf(scope: ChosenScope | undefined, apiHost: string): {
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  /** Where another server than the session's own is asked, or another thing than a control plane. */
  readonly server?: string | undefined;
  readonly host?: string | undefined;
} {
  if (scope === undefined || scope.kind === "platform") return {};
  if (scope.kind !== "context") {
    return scope.kind === "project"
      ? { organization: scope.organization, project: scope.id }
      : { organization: scope.id };
  }
  const address = scope.context.server ?? "";
  const host = originOf(address)?.replace(/^https:\/\//, "") ?? printable(address);
  return {
    host,
    ...(scope.scope === undefined ? {} : { [scope.scope.kind]: scope.scope.id }),
    ...(scope.scope === undefined || host !== apiHost ? { server: printable(address) } : {}),
  };
}

/** Says why what would be asked gets no token. */
export function warnOfRefusal({ out }: CommandContext, scope: ChosenScope | undefined): void {
  if (scope?.kind !== "context" || scope.refused === undefined) return;
  out.warn(`${scope.refused.message} ${scope.refused.hint ?? ""}`.trim());
}

/** Prints what is in use, and what said so. */
export async function runCtx(
  cli: CommandContext,
  input: { readonly output?: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const chosen = await actingSession(cli);
  const scope = await findScope({}, cli.env, chosen);
  const { lines, object, name, host } = scopeWords(scope, chosen.session);
  if (scope === undefined && (format === "table" || format === "wide" || format === "name")) {
    if (chosen.session.provider === "datum") {
      return cli.out.info("Nothing is in use. Choose something: datumctl ctx use ORG[/PROJECT]");
    }
    const { message, hint = "" } = nothingInUse(chosen.session);
    return cli.out.info(`${message} ${hint}`);
  }
  const { name: session } = chosen.session;
  cli.out.text(
    await formatObject(
      [...lines, ["Host", host], ["Session", session]],
      { ...object, host, session },
      name,
      format,
    ),
  );
  warnOfRefusal(cli, scope);
}

/** Checks a target with the server, unless told not to, and remembers it with the session. */
export async function runCtxUse(
  given: CommandContext,
  input: { readonly target?: string | undefined; readonly skipValidation?: true | undefined },
): Promise<void> {
  const { out, env } = given;
  const named = input.target === undefined ? undefined : parseTarget(input.target);
  const { session, store, deps: cli } = await actingSession(given);
  checkStored(
    session,
    "Set DATUM_ORGANIZATION or DATUM_PROJECT instead, or give --organization or --project.",
  );
  const target = named ?? await pickTarget(cli, session);
  if (named !== undefined && input.skipValidation === undefined) await checkTarget(cli, session, target);
  const { organization, project } = target;
  await store.update(session.name, (now) => ({
    ...now,
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
  const flag = project === undefined ? `--organization ${organization}` : `--project ${project}`;
  out.info(`For kubectl as well: datumctl auth update-kubeconfig ${flag}`);
}

/** An organization, or a project within one. */
interface Target {
  readonly organization: string;
  readonly project?: string | undefined;
}

function parseTarget(text: string): Target {
  const [organization = "", project, ...more] = text.split("/");
  if (more.length > 0) {
    throw new AppError("USAGE", `"${printable(text, 80)}" is neither ORG nor ORG/PROJECT.`, {
      hint: "For example: datumctl ctx use my-org-id/my-project-id",
    });
  }
  checkedScope("organization", organization);
  if (project !== undefined) checkedScope("project", project);
  return { organization, project };
}

async function pickTarget(cli: CommandContext, session: Session): Promise<Target> {
  const hint = "Name it: datumctl ctx use ORG[/PROJECT]. See what there is: datumctl ctx list";
  const question = "Which one do you want to use?";
  const { pick } = await import("../prompt/picker.ts");
  // Nobody waits for the servers where nobody can be asked.
  if (!cli.terminal.canAsk) await pick(cli.terminal, cli.interrupted, question, [], hint);
  const rows = await listTargets(cli, session);
  const labels = rows.map((row) => [nameOf(row), row.displayName ?? ""].join("  ").trim());
  const chosen = rows[await pick(cli.terminal, cli.interrupted, question, labels, hint)];
  if (chosen === undefined) throw new AppError("NOT_FOUND", "There is nothing to choose.");
  // What a server sent becomes part of addresses.
  return parseTarget(nameOf(chosen));
}

/** Throws `NOT_FOUND` unless the organization is there, and the project within it. */
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
    // Some may use a project and not look into its organization.
    if (refused?.status !== 403 || refused.reason === undefined) {
      throw missing(thrown, "organization", organization);
    }
    await checkControlPlane(cli, session, { kind: "project", id: project });
  }
}

/** The error, with the way to the project of that id where the organization in use has one. */
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

/** Of an unknown id some servers say 400, some 403 in plain text. */
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

/** A row of `ctx list`. */
interface Row extends Target {
  readonly displayName: string | undefined;
}

function nameOf({ organization, project }: Target): string {
  return project === undefined ? organization : `${organization}/${project}`;
}

/** In times of a request, for all organizations together. */
const PATIENCE = 4;

async function listTargets(given: CommandContext, session: Session): Promise<Row[]> {
  using whole = boundedSignal(PATIENCE * given.requestTimeout, tooLate, given.interrupted);
  const deps = { ...given, interrupted: whole.signal };
  const organizations = await listOrganizations(deps, session);
  const rows = await mapConcurrent(organizations, async ({ id, displayName }): Promise<Row[]> => {
    return [{ organization: id, displayName }, ...await projectsOf(deps, session, id)];
  });
  return rows.flat();
}

function tooLate(): AppError {
  return new AppError("NETWORK", "Not every organization listed its projects in time.", {
    hint:
      "See one organization's: datumctl projects list --organization ID; or give a longer --request-timeout.",
  });
}

async function projectsOf(cli: CommandContext, session: Session, organization: string): Promise<Row[]> {
  try {
    return (await listProjects(cli, session, checkedScope("organization", organization).id))
      .map(({ id, displayName }) => ({ organization, project: id, displayName }));
  } catch (thrown) {
    // One that does not tell hides no other.
    if (!(thrown instanceof AppError && (thrown.code === "FORBIDDEN" || thrown.code === "NOT_FOUND"))) {
      throw thrown;
    }
    cli.out.warn(thrown.message);
    return [];
  }
}

/** Prints what can be chosen, with a mark at what is acted on. */
export async function runCtxList(
  cli: CommandContext,
  input: { readonly output?: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const chosen = await actingSession(cli);
  const rows = await listTargets(chosen.deps, chosen.session);
  const isActedOn = await actedOn(cli, chosen);
  cli.out.text(
    await formatListing<Row>({
      rows,
      columns: [
        { title: "In use", text: (row) => isActedOn(row) ? "*" : "" },
        { title: "Organization", text: ({ organization }) => organization },
        { title: "Project", text: ({ project }) => project ?? "" },
        { title: "Name", text: ({ displayName }) => displayName ?? "" },
      ],
      name: nameOf,
      object: (row) => ({
        organization: row.organization,
        project: row.project ?? null,
        displayName: row.displayName ?? null,
        inUse: isActedOn(row),
      }),
    }, format),
  );
  if (rows.length === 0 && format === "table") cli.out.info("You are not a member of any organization.");
}

async function actedOn({ env }: CommandContext, chosen: ChosenSession): Promise<(row: Row) => boolean> {
  const { organization, project } = partsOf(await findScope({}, env, chosen), chosen.session.apiHost);
  return (row) =>
    project === undefined
      ? row.project === undefined && row.organization === organization
      : row.project === project && (organization ?? row.organization) === row.organization;
}
