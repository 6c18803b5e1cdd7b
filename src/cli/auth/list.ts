/** `auth list`: who is signed in on this machine. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { isSameClient } from "../../sessions/identity.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { isOver, type Session } from "../../sessions/session.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { warnOfExpiry, warnOfPrecedence } from "../notices.ts";
import type { StoredSession } from "../../sessions/acting.ts";
import type { SessionHandOff } from "../hand-offs.ts";
import { sessionEnds, storageOf, storedIn } from "../session-labels.ts";
import { sessionsHere } from "../pick-session.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { outputOption } from "../complete/declare.ts";

/** `auth list`, which never prints a token. */
export function listCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("list").alias("ls")
    .description("List who is signed in on this machine")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth list\n  datumctl auth list -o wide\n  datumctl auth ls -o json",
    );
  command.action((flags) => runList(contextOf(command), { output: flags.output }));
  return command;
}

interface ListInput {
  readonly output: string | undefined;
}

/** Whether a session is active here, or only outside the project folder. */
type Standing = "Active" | "Active elsewhere" | "";

/** The standing, with a mark for a session that is known to be over. */
function statusOf(standing: Standing, session: Session, now: number): string {
  if (!isOver(session, now)) return standing;
  return standing === "" ? "Expired" : `Expired (${standing.toLowerCase()})`;
}

/** The columns that are needed because sessions would look the same: realms of one host, clients of one issuer. */
interface Distinctions {
  readonly issuer: boolean;
  readonly client: boolean;
}

function distinctionsOf(sessions: readonly Session[]): Distinctions {
  const anyTwo = (differ: (one: Session, other: Session) => boolean) =>
    sessions.some((one) => sessions.some((other) => differ(one, other)));
  return {
    issuer: anyTwo((one, other) => one.apiHost === other.apiHost && one.issuer !== other.issuer),
    client: anyTwo((one, other) =>
      one.kind.person && other.kind.person && one.issuer === other.issuer && !isSameClient(one, other)
    ),
  };
}

/** Prints the sessions that are stored here, and in the project folder. */
export async function runList(cli: CommandContext, input: ListInput): Promise<void> {
  const format = listFormat(input.output);
  const sessions = await sessionsHere(cli);
  const standing = await standings(cli, sessions);
  const apart = distinctionsOf(sessions.map(({ session }) => session));
  const handOffs = await handOffsShown(cli, sessions, format);
  const inFolders = sessions.some(({ store }) => store.project !== undefined);
  cli.out.text(
    await formatListing<StoredSession>(
      {
        rows: sessions,
        columns: [
          {
            title: "Name",
            text: ({ session: { user, name } }) => user.name ?? user.email ?? user.username ?? name,
          },
          { title: "Email", text: ({ session: { user } }) => user.email ?? "" },
          { title: "Status", text: (stored) => statusOf(standing(stored), stored.session, cli.now()) },
          ...apart.issuer ? [{ title: "Issuer", text: ({ session }: StoredSession) => session.issuer }] : [],
          ...apart.client
            ? [{ title: "Client", text: ({ session }: StoredSession) => session.clientId }]
            : [],
          ...inFolders ? [{ title: "Folder", text: ({ store }: StoredSession) => store.project ?? "" }] : [],
          { title: "Session", wide: true, text: ({ session }) => session.name },
          { title: "Kind", wide: true, text: ({ session }) => String(session.kind) },
          { title: "Host", wide: true, text: ({ session }) => session.apiHost },
          { title: "Stored in", wide: true, text: ({ session }) => storedIn(session) },
          ...handOffs.size === 0 ? [] : [{
            title: "Handed out by",
            wide: true as const,
            text: (stored: StoredSession) => handOffs.get(stored)?.short ?? "",
          }],
          { title: "Expires", wide: true, text: ({ session }) => sessionEnds(session, cli.now()) },
        ],
        name: ({ session }) => session.name,
        isActive: (stored) => standing(stored) === "Active",
        object: (stored) => {
          const { name, user, provider, kind, issuer, apiHost, expires } = stored.session;
          const { project } = stored.store;
          return {
            name,
            email: user.email ?? null,
            subject: user.subject,
            provider: String(provider),
            kind: String(kind),
            issuer,
            apiHost,
            active: standing(stored) === "Active",
            storage: storageOf(stored.session),
            handedOutBy: handOffs.get(stored)?.by,
            expires: expires ?? null,
            folder: project,
          };
        },
      },
      format,
      cli.style.out,
    ),
  );
  if (sessions.length === 0 && format === "table") {
    cli.out.info("Nobody is signed in. Sign in: datumctl login");
  }
  warnOfPrecedence(cli, sessions.find((stored) => standing(stored) === "Active")?.session.name ?? "");
  for (const { session, store } of sessions) await warnOfExpiry(cli, store, session);
}

/** Which of the sessions the launcher hands out, where the format tells it: the kubeconfig is read for that. */
async function handOffsShown(
  cli: CommandContext,
  sessions: readonly StoredSession[],
  format: string,
): Promise<ReadonlyMap<StoredSession, SessionHandOff>> {
  if (format === "table" || format === "name") return new Map();
  const { handOffsOf } = await import("../hand-offs.ts");
  return await handOffsOf(cli, sessions);
}

/** The standing of each session: a project folder's active one takes precedence over the user's. */
async function standings(
  { store }: CommandContext,
  sessions: readonly StoredSession[],
): Promise<(stored: StoredSession) => Standing> {
  const active = new Map<SessionStore, string | undefined>();
  for (const { store } of sessions) active.set(store, await store.active());
  const isActive = ({ session, store }: StoredSession) => session.name === active.get(store);
  const shadowed = sessions.some((stored) => stored.store !== store && isActive(stored));
  return (stored) => {
    if (!isActive(stored)) return "";
    return shadowed && stored.store === store ? "Active elsewhere" : "Active";
  };
}
