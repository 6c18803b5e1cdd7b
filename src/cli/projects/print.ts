/** Prints the projects of an organization, for `projects list` and `get projects`. */

import { printable } from "../../text.ts";
import { checkedScope } from "../../providers/datum/control-plane-address.ts";
import type { CommandContext } from "../context.ts";
import { followedFile } from "../../providers/datum/find-scope.ts";
import { organizationVariable } from "../../providers/datum/scope.ts";
import { type ActingSession, actingSession } from "../pick-session.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { listOrganizations, listProjects, type Project } from "../../providers/datum/organizations.ts";

/** Prints the projects of the organization that is named or in use; else of the only one, or of one that is picked. */
export async function printProjects(
  cli: CommandContext,
  input: { readonly organization?: string | undefined; readonly output?: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const acting = await actingSession(cli);
  const organization = await organizationOf(acting, input.organization);
  if (organization === undefined) return cli.out.info("You are not a member of any organization.");
  const rows = await listProjects(acting.context, acting.session, organization);
  cli.out.text(
    await formatListing<Project>(
      {
        rows,
        columns: [
          { title: "Name", text: ({ displayName, id }) => displayName ?? id },
          { title: "ID", text: ({ id }) => id },
          { title: "Organization", wide: true, text: ({ organization }) => organization },
        ],
        name: ({ id }) => id,
        object: ({ id, displayName, organization }) => ({
          id,
          displayName: displayName ?? null,
          organization,
        }),
      },
      format,
      cli.style.out,
    ),
  );
  if (rows.length === 0 && format === "table") {
    cli.out.info(`The organization "${organization}" has no projects that you may see.`);
  }
}

async function organizationOf(
  acting: ActingSession,
  flag: string | undefined,
): Promise<string | undefined> {
  const { context: cli, session } = acting;
  const named = flag ?? organizationVariable(cli.env)?.id ??
    (await followedFile(acting))?.organization ?? session.inUse?.organization;
  if (named !== undefined) return checkedScope("organization", named).id;
  const { currentScope } = await import("../../providers/datum/kubeconfig-context.ts");
  const context = await currentScope(cli.env, acting);
  if (context?.kind === "context" && context.scope?.kind === "organization") return context.scope.id;
  const organizations = await listOrganizations(cli, session);
  if (organizations.length < 2) return organizations[0]?.id;
  const ids = organizations.map(({ id }) => printable(id, 100)).join(", ");
  const { pick } = await import("../prompt/picker.ts");
  const at = await pick(
    cli.terminal,
    cli.interrupted,
    "Projects of which organization?",
    organizations.map(({ id, displayName }) => [id, displayName ?? ""] as const),
    `Name it: datumctl projects list --organization ID. Available: ${ids}.`,
  );
  return organizations[at]?.id;
}
