/** Compares the server that asks for a token with those that the session's tokens are for, and refuses others. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { SessionProviders } from "./providers.ts";
import { originOf } from "./server-origin.ts";
import type { ServedServer, Session } from "./session.ts";

/** An API server and the way to it, as a kubeconfig's cluster entry has it, and as client-go repeats it to its plugin. */
export interface AskingServer {
  /** `server` as written. */
  readonly address: string;
  /** `proxy-url` without its user and password. */
  readonly proxy: string | undefined;
  readonly tlsServerName: string | undefined;
  /** `insecure-skip-tls-verify`. */
  readonly unverified: boolean;
}

/** The server that a cluster's fields name, in kubectl's spelling; its address is empty where they name none. */
export function askingServer(fields: Readonly<Record<string, unknown>>): AskingServer {
  const set = (name: string) => {
    const value = fields[name];
    return value === undefined || value === null || value === "" || value === false ? undefined : value;
  };
  const { server } = fields;
  const [proxy, name] = [set("proxy-url"), set("tls-server-name")];
  return {
    address: typeof server === "string" ? server : "",
    proxy: proxy === undefined ? undefined : withoutUser(String(proxy)),
    tlsServerName: name === undefined ? undefined : String(name).toLowerCase(),
    unverified: set("insecure-skip-tls-verify") !== undefined,
  };
}

function withoutUser(proxy: string): string {
  const url = URL.parse(proxy);
  return url === null ? proxy : `${url.protocol}//${url.host}`;
}

/** An https address up to its path, as it is written; undefined for one whose way or host is not plain. */
export function plainServer(asking: AskingServer): string | undefined {
  const { address, proxy, tlsServerName, unverified } = asking;
  if (proxy !== undefined || tlsServerName !== undefined || unverified) return undefined;
  return originOf(address) === undefined ? undefined : /^https:\/\/[^/?#]+(?=\/|$)/.exec(address)?.[0];
}

/** What is stored of a server that the user named; undefined without an https address: it gets no token. */
export function servedServer(asking: AskingServer, accepted: boolean): ServedServer | undefined {
  const origin = originOf(asking.address);
  if (origin === undefined || !origin.startsWith("https:")) return undefined;
  const { proxy, tlsServerName, unverified } = asking;
  return {
    origin,
    accepted: accepted || undefined,
    proxy,
    tlsServerName: tlsServerName === nameIn(origin) ? undefined : tlsServerName,
    unverified: unverified || undefined,
  };
}

/** True when the server of that address is known to have accepted a token of the session. */
export function acceptedBefore({ servers = [] }: Pick<Session, "servers">, address: string): boolean {
  const origin = originOf(address);
  return servers.some((server) => server.origin === origin && server.accepted === true);
}

type Serving = Pick<Session, "name" | "provider" | "apiHost" | "servers">;

/**
 * The servers that a session's tokens are for; undefined where nobody ever said, which is so of sessions without a server
 * of their own for which no kubeconfig entry was written since they are kept.
 */
function servedBy({ provider, apiHost, servers }: Serving): readonly ServedServer[] | undefined {
  return provider.kubernetes === "own" ? [{ origin: `https://${apiHost}` }, ...servers ?? []] : servers;
}

/** True for a cloud whose tokens some Kubernetes API takes. */
export function servesKubernetes({ kubernetes }: Session["provider"]): boolean {
  return kubernetes !== "none";
}

/**
 * Keeps the tokens of a cloud that has no Kubernetes API from every Kubernetes API.
 *
 * @throws {AppError} `USAGE` for a session of such a cloud, judged by what was sealed.
 */
export function refuseOtherApi({ name, provider }: Pick<Session, "name" | "provider">): void {
  if (servesKubernetes(provider)) return;
  throw new AppError(
    "USAGE",
    `The session "${name}" belongs to ${provider.title}; its token cannot be used with a Kubernetes API.`,
    { hint: "Use another session: --profile NAME" },
  );
}

/** How the session was chosen. */
export interface Asked {
  /** Neither the session nor its server was named: another session may be active at any time. */
  readonly unnamed?: boolean | undefined;
  /** The name of the cluster entry, if known. */
  readonly cluster?: string | undefined;
}

/**
 * Refuses a server that a session, as it was sealed, is not for; or another way to it than when the user named it: with a
 * proxy or an authority of its own, any host may be a stranger. As with kubectl, no token goes over plain http.
 *
 * @throws {AppError} `WRONG_HOST`, naming both and the line that names the server.
 */
export async function refuseOtherServer(
  providers: SessionProviders,
  session: Serving,
  asking: AskingServer,
  asked: Asked = {},
): Promise<void> {
  const how = strangeWay(session, asking, asked);
  if (how === undefined) return;
  const { otherServer } = await import("./other-server.ts");
  throw await otherServer(providers, session, {
    address: asking.address,
    served: servedBy(session) ?? [],
    how,
    cluster: asked.cluster,
  });
}

/** True for a server that a session is for, on a way that {@link refuseOtherServer} does not refuse. */
export function serves(session: Serving, asking: AskingServer, asked: Asked = {}): boolean {
  return strangeWay(session, asking, asked) === undefined;
}

/** What is strange about the way to a server, as the end of a sentence; empty for a strange server; undefined for nothing. */
function strangeWay(session: Serving, asking: AskingServer, asked: Asked): string | undefined {
  const { address, proxy, tlsServerName, unverified } = asking;
  const origin = originOf(address);
  const served = servedBy(session) ?? (asked.unnamed ? [] : undefined);
  if (/^http:/i.test(address)) {
    return " over plain http, where everybody on the way could read a token";
  }
  if (served === undefined) return undefined;
  const there = served.filter((server) => server.origin === origin);
  if (origin === undefined || there.length === 0) return "";
  const sameWay = (server: ServedServer) =>
    (proxy === undefined || proxy === server.proxy) &&
    (tlsServerName === undefined || tlsServerName === (server.tlsServerName ?? nameIn(origin))) &&
    (!unverified || server.unverified === true);
  if (there.some(sameWay)) return undefined;
  return unverified
    ? " without looking at its certificate (insecure-skip-tls-verify)"
    : proxy !== undefined
    ? ` through the proxy ${printable(proxy)} (proxy-url)`
    : ` as ${printable(tlsServerName ?? "")} (tls-server-name)`;
}

function nameIn(origin: string): string {
  return new URL(origin).hostname.replace(/^\[(.*)\]$/, "$1");
}
