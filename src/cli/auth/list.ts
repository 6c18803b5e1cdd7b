/** Owns `auth list`: who is signed in on this machine. */

import { Command } from "@commander-js/extra-typings";
import type { Session } from "../../sessions/session.ts";
import { readConfig } from "../../sessions/store.ts";
import type { CommandDeps, Deps } from "../context.ts";
import { readableSessions, storedIn } from "../session-words.ts";
import { formatListing, listFormat } from "../table.ts";

/** `auth list`: a table of the sessions; never a token. */
export function listCommand(deps: CommandDeps): Command {
  const command = new Command("list").alias("ls")
    .description("List who is signed in on this machine")
    .option("-o, --output <format>", "table, wide, json, yaml or name")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth list\n  datumctl auth list -o wide\n  datumctl auth ls -o json",
    );
  command.action((flags) => runList(deps(command), { output: flags.output }));
  return command as unknown as Command;
}

interface ListInput {
  readonly output: string | undefined;
}

/** Prints the sessions that are stored here. */
export async function runList(deps: Deps, input: ListInput): Promise<void> {
  const format = listFormat(input.output);
  const sessions = await readableSessions(deps);
  const active = (await readConfig(deps.place)).activeSession;
  deps.out.text(
    await formatListing<Session>({
      rows: sessions,
      columns: [
        { title: "Name", text: ({ user, name }) => user.name ?? user.email ?? name },
        { title: "Email", text: ({ user }) => user.email ?? "" },
        { title: "Status", text: ({ name }) => name === active ? "Active" : "" },
        { title: "Session", wide: true, text: ({ name }) => name },
        { title: "Kind", wide: true, text: ({ kind }) => kind },
        { title: "Host", wide: true, text: ({ apiHost }) => apiHost },
        { title: "Stored in", wide: true, text: storedIn },
        { title: "Expires", wide: true, text: ({ expires }) => expires ?? "renews itself" },
      ],
      name: ({ name }) => name,
      object: ({ name, user, provider, kind, issuer, apiHost, keyStore, expires }) => ({
        name,
        email: user.email ?? null,
        subject: user.subject,
        provider,
        kind,
        issuer,
        apiHost,
        active: name === active,
        storage: keyStore === "system" ? "keyring" : "file",
        expires: expires ?? null,
      }),
    }, format),
  );
  if (sessions.length === 0 && format === "table") {
    deps.out.note("Nobody is signed in. Sign in: datumctl login");
  }
}
