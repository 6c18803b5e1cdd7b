/** What the commands that write kubeconfig entries keep and tell of the servers that a session is for. */

import { failureOrThrow } from "../errors.ts";
import { printable } from "../text.ts";
import { clustersServed, LARGEST_AUTHORITY } from "../kubeconfig/cluster.ts";
import { entryOf, type Kubeconfig } from "../kubeconfig/file.ts";
import { namesServerLine } from "../sessions/login-line.ts";
import { rememberServer } from "../sessions/remember-servers.ts";
import {
  type AskingServer,
  askingServer,
  refuseOtherServer,
  servedServer,
} from "../sessions/served-servers.ts";
import type { ServedServer, Session } from "../sessions/session.ts";
import { AMBIENT } from "../sessions/name.ts";
import { type CommandContext, keyringLimits } from "./context.ts";

/** The server that an entry is about to lead to. */
export interface NamedServer {
  /** The name of the cluster entry. */
  readonly cluster: string;
  /** Its address; else the entry is there and stays as it is. */
  readonly server?: string | undefined;
  /** A token of the session was accepted there. */
  readonly accepted: boolean;
  /** The user entry through which it is served. */
  readonly user: string;
}

/**
 * Keeps, with a session as it was sealed, that it is for a server that the person named; before its entry is written.
 * Returns the session with its list.
 *
 * @throws {AppError} `WRONG_HOST` for what a variable gives, which is for its own host alone; as `rememberServer`.
 */
export async function rememberNamed(
  cli: CommandContext,
  session: Session,
  kubeconfig: Kubeconfig,
  named: NamedServer,
): Promise<Session> {
  const asking = wayTo(kubeconfig, named);
  const server = servedServer(asking, named.accepted);
  if (session.name.startsWith(AMBIENT)) refuseOtherServer(session, asking, { cluster: named.cluster });
  if (server === undefined) return session;
  const adopted = othersServed(kubeconfig, named).flatMap(({ asking }) => servedServer(asking, false) ?? []);
  const limits = keyringLimits(cli);
  const { servers, dropped } = await rememberServer(
    cli.store,
    session.name,
    { named: server, adopted },
    limits,
  )
    .catch((thrown) => nothingKept(cli, session, server, thrown));
  for (const { origin } of dropped) {
    cli.out.warn(
      `${origin} is no longer among the servers that the session "${session.name}" is for: there are too many. ` +
        `Name it again when you need it: ${namesServerLine(session, { address: origin })}`,
    );
  }
  return servers === undefined ? session : { ...session, servers };
}

/** Sessions on a read-only disk write entries all the same; what is not kept may be missed later. */
function nothingKept({ out }: CommandContext, session: Session, { origin }: ServedServer, thrown: unknown) {
  const failure = failureOrThrow(thrown);
  if (failure.code !== "STORAGE") throw thrown;
  if (session.provider !== "datum" || origin !== `https://${session.apiHost}`) {
    out.warn(`${failure.message} So it is not kept that the session "${session.name}" is for ${origin}.`);
  }
  return { servers: undefined, dropped: [] };
}

/**
 * The way to the server as the person named it: all of a cluster entry that was named; of one that is written for an
 * address the proxy alone stays, through which the certificate is looked at all the same.
 */
function wayTo(kubeconfig: Kubeconfig, { cluster, server }: NamedServer): AskingServer {
  const way = askingServer(entryOf(kubeconfig, "clusters", cluster)?.fields ?? {});
  return server === undefined
    ? way
    : { ...way, address: server, tlsServerName: undefined, unverified: false };
}

/** The servers of the other contexts that go through the same user entry. */
function othersServed(kubeconfig: Kubeconfig, { user, cluster }: NamedServer) {
  return clustersServed(kubeconfig, user).filter(({ name }) => name !== cluster)
    .map(({ name, fields }) => ({ name, asking: askingServer(fields) }));
}

/**
 * Says what comes of an entry that tells which server asks, or of one that cannot: the contexts that share it and lead to
 * servers which the session is not for, and the ways to a server that datumctl does not go itself.
 */
export function warnOfServers(
  { out }: CommandContext,
  session: Session,
  kubeconfig: Kubeconfig,
  named: NamedServer,
  tooLarge: string | undefined,
): void {
  if (tooLarge !== undefined) {
    out.warn(
      `The authority of the cluster ${printable(tooLarge, 100)} is larger than ${
        LARGEST_AUTHORITY / 1024
      } KiB, ` +
        "more than kubectl can tell its plugin. So the entry has provideClusterInfo: false, and datumctl does not " +
        "see which server its tokens are for.",
    );
    return;
  }
  const { servers } = session;
  // Outside Datum the first list takes in what is there.
  if (servers === undefined && session.provider !== "datum") return;
  for (const { name, asking } of othersServed(kubeconfig, named)) {
    if (serves(session, asking)) continue;
    out.warn(
      `The cluster ${printable(name, 100)} shares the user entry ${named.user} and leads to ${
        printable(asking.address, 200)
      }, ` +
        `which the session is not known to be for: kubectl gets no token there. If it is: ${
          namesServerLine(session, { cluster: name })
        }`,
    );
  }
}

function serves(session: Session, asking: AskingServer): boolean {
  try {
    refuseOtherServer(session, asking);
    return true;
  } catch {
    return false;
  }
}
