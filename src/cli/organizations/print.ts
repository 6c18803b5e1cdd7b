/** Prints the organizations of the signed-in user, for `organizations list` and `get organizations`. */

import type { CommandContext } from "../context.ts";
import { actingSession } from "../pick-session.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { listOrganizations, type Organization } from "../../providers/datum/organizations.ts";

/** Prints the user's organizations. */
export async function printOrganizations(
  cli: CommandContext,
  input: { readonly output?: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const acting = await actingSession(cli);
  const rows = await listOrganizations(acting.context, acting.session);
  cli.out.text(
    await formatListing<Organization>(
      {
        rows,
        columns: [
          { title: "Name", text: ({ displayName, id }) => displayName ?? id },
          { title: "ID", text: ({ id }) => id },
          { title: "Type", wide: true, text: ({ type }) => type ?? "" },
        ],
        name: ({ id }) => id,
        object: ({ id, displayName, type }) => ({ id, displayName: displayName ?? null, type: type ?? null }),
      },
      format,
      cli.style.out,
    ),
  );
  if (rows.length === 0 && format === "table") cli.out.info("You are not a member of any organization.");
}
