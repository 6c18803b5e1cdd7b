/** `auth list-profiles`: the Cloudfleet profiles on this machine, with their secrets masked. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { isApiToken, isProfile } from "../../providers/cloudfleet/facts.ts";
import { sessionOfVariables, variablesSet } from "../../providers/cloudfleet/profile.ts";
import { NOBODY, type Session } from "../../sessions/session.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { readableSessions } from "../pick-session.ts";
import { storageOf, storedIn } from "../session-labels.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { outputOption } from "../complete/declare.ts";

/** `auth list-profiles`. */
export function listProfilesCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("list-profiles")
    .description("List the Cloudfleet profiles on this machine, secrets masked")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth list-profiles\n  datumctl auth list-profiles -o json",
    );
  command.action((flags) => runListProfiles(contextOf(command), { output: flags.output }));
  return command;
}

const MASKED = "********";

/** Prints the profiles that are stored here, and the one of the variables. */
export async function runListProfiles(
  cli: CommandContext,
  input: { readonly output: string | undefined },
): Promise<void> {
  const format = listFormat(input.output);
  const stored = (await readableSessions(cli)).filter(isProfile);
  const rows = [...await profileOfVariables(cli), ...stored];
  const active = await cli.store.active();
  cli.out.text(
    await formatListing<Session>(
      {
        rows,
        columns: [
          { title: "Name", text: ({ name }) => name },
          { title: "Kind", text: ({ kind }) => String(kind) },
          { title: "Organization", text: ({ organization }) => organization ?? "" },
          { title: "Token ID", text: (row) => tokenIdOf(row) ?? "" },
          { title: "Secret", text: (row) => tokenIdOf(row) === undefined ? "" : MASKED },
          { title: "Status", text: (row) => row.name === active ? "Active" : whoOf(row) },
          { title: "Issuer", wide: true, text: ({ issuer }) => issuer },
          { title: "API host", wide: true, text: ({ apiHost }) => apiHost },
          { title: "Stored in", wide: true, text: storedIn },
        ],
        name: ({ name }) => name,
        isActive: ({ name }) => name === active,
        object: (row) => ({
          name: row.name,
          kind: String(row.kind),
          organization: row.organization ?? null,
          tokenId: tokenIdOf(row) ?? null,
          secret: tokenIdOf(row) === undefined ? null : MASKED,
          email: row.user.email ?? null,
          issuer: row.issuer,
          apiHost: row.apiHost,
          active: row.name === active,
          storage: storageOf(row),
        }),
      },
      format,
      cli.style.out,
    ),
  );
  if (rows.length === 0 && format === "table") {
    cli.out.info(
      "There are no profiles. Add one: datumctl auth add-profile token NAME ORGANIZATION_ID TOKEN_ID",
    );
  }
}

/** The profile of the variables, if any. Warns of variables that cannot be used. */
async function profileOfVariables({ env, out }: CommandContext): Promise<Session[]> {
  if (!variablesSet(env)) return [];
  try {
    return [await sessionOfVariables(env)];
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    out.warn(`${thrown.message} ${thrown.hint ?? ""}`.trim());
    return [];
  }
}

function tokenIdOf(session: Session): string | undefined {
  return isApiToken(session) ? session.clientId : undefined;
}

function whoOf({ kind, user }: Session): string {
  if (!kind.person) return "";
  return user.subject === NOBODY ? "Not signed in" : user.email ?? user.username ?? "";
}
