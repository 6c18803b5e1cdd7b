/** Says why a session's token does not go to a server, and what to do about it. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import { ENV_PREFIX } from "./name.ts";
import type { SessionProviders } from "./providers.ts";
import { originOf } from "./server-origin.ts";
import type { ServedServer, Session } from "./session.ts";

/** How many servers a message names; the others are counted. */
const SHOWN = 3;

type Refusing = Pick<Session, "name" | "provider" | "apiHost">;

/** A server that gets no token. */
export interface RefusedServer {
  readonly address: string;
  /** The servers that the session's tokens are for. */
  readonly served: readonly ServedServer[];
  /** What is strange about the way there, as the end of a sentence; empty for a strange server. */
  readonly how: string;
  /** The name of the cluster entry, if known. */
  readonly cluster: string | undefined;
}

/** The error for a server that a session is not for: with both, and the line that names the server. */
export async function otherServer(
  providers: SessionProviders,
  session: Refusing,
  server: RefusedServer,
): Promise<AppError> {
  const { name, apiHost } = session;
  const { address, served, how } = server;
  const hosts = [...new Set(served.map(({ origin }) => origin.replace(/^https:\/\//, "")))];
  const more = hosts.length > SHOWN ? ` and ${hosts.length - SHOWN} more` : "";
  const own = hosts.length === 0 ? `no server yet (it is of ${apiHost})` : hosts.slice(0, SHOWN).join(", ");
  const host = shown(address);
  const whose = name.startsWith(ENV_PREFIX)
    ? `The session from ${name.slice(ENV_PREFIX.length)}`
    : `The session "${name}"`;
  return new AppError(
    "WRONG_HOST",
    `${whose} serves ${own}${more}, but this kubeconfig leads to ${host}${how}. No token goes there.`,
    { hint: await wayOn(providers, session, server) },
  );
}

/** A host for a message: the origin, or the address without what may be a password in it. */
function shown(address: string): string {
  const origin = originOf(address)?.replace(/^https:\/\//, "");
  const plain = printable(address.replace(/^([^/]*\/*)[^/]*@/, "$1…@").replace(/[?#][^]*$/, ""), 200);
  return origin ?? (plain === "" ? "no server" : plain);
}

async function wayOn(
  { namesServerLine }: SessionProviders,
  session: Refusing,
  { address, how, cluster }: RefusedServer,
): Promise<string> {
  const origin = originOf(address);
  if (origin === undefined || /^http:/i.test(address)) {
    const line = await namesServerLine(session, { address: "URL" });
    return `Name the server by its https address, if it is one of yours: ${line}`;
  }
  if (session.name.startsWith(ENV_PREFIX)) {
    return how === ""
      ? `Set DATUMCTL_API_HOSTNAME=${new URL(origin).host} if that is where it belongs.`
      : "Take that field out of the cluster entry; what a variable gives is for its own host alone.";
  }
  const line = await namesServerLine(
    session,
    cluster !== undefined
      ? { cluster }
      : how === ""
      ? { address: /^https:/i.test(address) ? address : `https://${address}` }
      : { cluster: "CLUSTER" },
  );
  return `If you trust that server with this session, say so: ${line}`;
}
