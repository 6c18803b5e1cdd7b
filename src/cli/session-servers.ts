/** Remembers the server that a kubeconfig entry leads to, and warns of the others that its session is not for. */

import { failureOrThrow } from "../errors.ts";
import { printable } from "../text.ts";
import { LARGEST_AUTHORITY } from "../kubeconfig/cluster.ts";
import type { Kubeconfig } from "../kubeconfig/file.ts";
import { type NamedServer, othersServed, wayToServer } from "../kubeconfig/named-server.ts";
import { rememberServer } from "../sessions/remember-servers.ts";
import { refuseOtherServer, servedServer, serves } from "../sessions/served-servers.ts";
import type { ServedServer, Session } from "../sessions/session.ts";
import { ENV_PREFIX } from "../sessions/name.ts";
import { type CommandContext, keyringLimits } from "./context.ts";

/**
 * Remembers with a session, as it was sealed, that it is for a server; before the server's entry is written. Returns the
 * session with its list of servers.
 *
 * @throws {AppError} `WRONG_HOST` for a session from a variable, which is for its own host only; as `rememberServer`
 */
export async function rememberNamed(
  cli: CommandContext,
  session: Session,
  kubeconfig: Kubeconfig,
  named: NamedServer,
): Promise<Session> {
  const asking = wayToServer(kubeconfig, named);
  const server = servedServer(asking, named.accepted);
  if (session.name.startsWith(ENV_PREFIX)) {
    await refuseOtherServer(cli.providers, session, asking, { cluster: named.cluster });
  }
  if (server === undefined) return session;
  const adopted = othersServed(kubeconfig, named).flatMap(({ asking }) => servedServer(asking, false) ?? []);
  const limits = keyringLimits(cli);
  const { servers, dropped } = await rememberServer(
    cli.store,
    session.name,
    { named: server, adopted },
    limits,
  )
    .catch((thrown) => notRemembered(cli, session, server, thrown));
  for (const { origin } of dropped) {
    cli.out.warn(
      `${origin} is no longer among the servers that the session "${session.name}" is for: there are too many. ` +
        `Name it again when you need it: ${await cli.providers.namesServerLine(session, {
          address: origin,
        })}`,
    );
  }
  return servers === undefined ? session : { ...session, servers };
}

/** Entries are written even when the session cannot be, as on a read-only disk. Warns of what is not remembered. */
function notRemembered({ out }: CommandContext, session: Session, { origin }: ServedServer, thrown: unknown) {
  const failure = failureOrThrow(thrown);
  if (failure.code !== "STORAGE") throw thrown;
  if (session.provider.kubernetes !== "own" || origin !== `https://${session.apiHost}`) {
    out.warn(`${failure.message} So it is not kept that the session "${session.name}" is for ${origin}.`);
  }
  return { servers: undefined, dropped: [] };
}

/**
 * Warns of an entry that cannot tell which server asks; else of the contexts that share its user entry and lead to
 * servers that the session is not for.
 */
export async function warnOfServers(
  { out, providers }: CommandContext,
  session: Session,
  kubeconfig: Kubeconfig,
  named: NamedServer,
  tooLarge: string | undefined,
): Promise<void> {
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
  // Outside Datum, a first list includes the servers that the kubeconfig already names.
  if (servers === undefined && session.provider.kubernetes !== "own") return;
  for (const { name, asking } of othersServed(kubeconfig, named)) {
    if (serves(session, asking)) continue;
    out.warn(
      `The cluster ${printable(name, 100)} shares the user entry ${named.user} and leads to ${
        printable(asking.address, 200)
      }, ` +
        `which the session is not known to be for: kubectl gets no token there. If it is: ${await providers
          .namesServerLine(session, { cluster: name })}`,
    );
  }
}
