/**
 * Checks where our contexts lead: whether the server is one of the session's, its authority, and whether it
 * answers.
 */

import { type AppError, failureOrThrow } from "../../errors.ts";
import { hostOf } from "../../http/address.ts";
import { mapConcurrent } from "../../http/map-concurrent.ts";
import { openHttp } from "../../http/open.ts";
import { contextNamed, entryNamed, type Kubeconfig, type OwnUser } from "../../kubeconfig/file.ts";
import { type Cluster, findCluster, trustClusterLine } from "../../kubeconfig/server.ts";
import { issuerFetch } from "../../oauth/issuer-request.ts";
import { askingServer, refuseOtherServer, serves } from "../../sessions/served-servers.ts";
import { printable, shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding } from "./finding.ts";
import { PATIENCE, unreachable } from "./issuer.ts";
import { execOf, type KnownSessions, rewriteLine, sessionOf } from "./own-entry.ts";

const SERVER = checkNamed("kubeconfig.server");
const SERVED = checkNamed("kubeconfig.served");
const AUTHORITY = checkNamed("kubeconfig.authority");
const REACHABLE = checkNamed("kubeconfig.reachable");

/** A context that goes through a user entry of ours. */
export interface ServerToCheck {
  readonly user: OwnUser;
  readonly context: string;
}

/** A context whose cluster entry could be read. */
interface Readable extends ServerToCheck {
  readonly cluster: Cluster;
}

/** Checks the servers of contexts; each is asked once, all at once. */
export async function checkServers(
  cli: CommandContext,
  kubeconfig: Kubeconfig,
  contexts: readonly ServerToCheck[],
  known: KnownSessions,
  offline: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const readable: Readable[] = [];
  for (const one of contexts) {
    const name = contextNamed(kubeconfig, one.context)?.cluster;
    // A context without its cluster is told of elsewhere.
    if (name === undefined || entryNamed(kubeconfig, "clusters", name) === undefined) continue;
    findings.push(...await servedFinding(cli, kubeconfig, one, name, known));
    try {
      const cluster = await findCluster(kubeconfig, name);
      readable.push({ ...one, cluster });
      findings.push(...await authorityFindings(cli, cluster, again(kubeconfig, one, known)));
    } catch (thrown) {
      findings.push(clusterFault(name, failureOrThrow(thrown), again(kubeconfig, one, known)));
    }
  }
  return [...findings, ...await reach(cli, readable, offline)];
}

/** The line that writes a context's entries again. */
function again(
  kubeconfig: Kubeconfig,
  { user, context }: ServerToCheck,
  known: KnownSessions,
): string | undefined {
  const exec = execOf(kubeconfig, user);
  return rewriteLine({ kubeconfig, user, context, exec, known });
}

function clusterFault(name: string, error: AppError, line: string | undefined): Finding {
  const ofCluster = line?.includes("--cluster") ?? true;
  return SERVER.fault({
    about: printable(name, 200),
    found: error.message,
    meaning: error.hint ?? "kubectl cannot use this cluster entry.",
    line: error.code === "USAGE" && error.message.startsWith("The API server")
      ? shellLine(["kubectl", "config", "set-cluster", name, "--server", "URL"])
      : ofCluster
      ? trustClusterLine(name)
      : line,
  });
}

/** Whether the session's tokens are for that server: else get-token refuses. */
async function servedFinding(
  { providers }: CommandContext,
  kubeconfig: Kubeconfig,
  { user, context }: ServerToCheck,
  cluster: string,
  known: KnownSessions,
): Promise<Finding[]> {
  const session = sessionOf(user, known);
  if (session === undefined) return [];
  const asking = askingServer(entryNamed(kubeconfig, "clusters", cluster)?.fields ?? {});
  if (serves(session, asking)) {
    return [SERVED.ok({ about: context, found: "its server is one of the session's" })];
  }
  try {
    await refuseOtherServer(providers, session, asking, { cluster });
    return [];
  } catch (thrown) {
    const { message, hint = "" } = failureOrThrow(thrown);
    const [, meaning = hint, line] = /^([^:]*): (datumctl .*)$/.exec(hint) ?? [];
    return [SERVED.fault({
      about: printable(context, 200),
      found: message,
      meaning: `${meaning}. If not, somebody changed the entry.`.replace("..", "."),
      line,
    })];
  }
}

async function authorityFindings(
  { now }: CommandContext,
  { name, certificateAuthority }: Cluster,
  line: string | undefined,
): Promise<Finding[]> {
  if (certificateAuthority === undefined) return [];
  const { lifeOf } = await import("./certificates.ts");
  const about = printable(name, 200);
  const life = lifeOf(certificateAuthority);
  const mend = line?.includes("--cluster") ?? true ? trustClusterLine(name) : line;
  if (life === undefined) {
    return [
      AUTHORITY.fault({ about, found: "its authority is no certificate that can be read", line: mend }),
    ];
  }
  const day = new Date(life.ends).toISOString().slice(0, 10);
  if (life.ends <= now()) {
    return [AUTHORITY.fault({
      about,
      found: `its certificate authority ended on ${day}`,
      meaning: "kubectl trusts no certificate of that server any more.",
      line: mend,
    })];
  }
  if (life.begins > now()) {
    return [AUTHORITY.fault({
      about,
      found: `its certificate authority begins on ${new Date(life.begins).toISOString().slice(0, 10)}`,
      meaning: "kubectl trusts no certificate of that server yet, or this machine's clock is wrong.",
      line: mend,
    })];
  }
  if (life.ends - now() < SOON) {
    return [AUTHORITY.warning({
      about,
      found: `its certificate authority ends on ${day}`,
      meaning: "Get the next one from whoever runs the server.",
      line: mend,
    })];
  }
  return [AUTHORITY.ok({ about, found: `its certificate authority is good until ${day}` })];
}

/** Two weeks, in milliseconds. */
const SOON = 14 * 24 * 60 * 60_000;

/** Asks each server once, as a stranger; whatever it answers, it is there. */
async function reach(
  cli: CommandContext,
  contexts: readonly Readable[],
  offline: boolean,
): Promise<Finding[]> {
  const byServer = Map.groupBy(
    contexts,
    ({ cluster: { address, certificateAuthority } }) => `${new URL(address).origin}\n${certificateAuthority}`,
  );
  return await mapConcurrent([...byServer.values()], async (same) => {
    const [{ cluster } = fail()] = same;
    const about = hostOf(cluster.address);
    if (cluster.address.startsWith("http:")) {
      return REACHABLE.fault({
        about,
        found: "kubectl sends no token over http",
        meaning: "The server sees an anonymous request. Name it by its https address.",
        line: shellLine(["kubectl", "config", "set-cluster", cluster.name, "--server", "https://HOST:PORT"]),
      });
    }
    if (cluster.unfollowed !== undefined) {
      return REACHABLE.skipped({
        about,
        found: `its cluster entry has ${cluster.unfollowed}, which datumctl does not follow`,
      });
    }
    return offline ? REACHABLE.skipped({ about, found: "--offline" }) : await reachOne(cli, cluster, about);
  });
}

function fail(): never {
  throw new Error("a group has a first member");
}

async function reachOne(cli: CommandContext, cluster: Cluster, about: string): Promise<Finding> {
  using http = openHttp(cli, {
    certificateAuthority: cluster.certificateAuthority,
    trust: trustClusterLine(cluster.name),
    timeout: PATIENCE,
    onTimeout: about,
    interrupted: cli.interrupted,
    requestTimeout: Math.min(PATIENCE, cli.requestTimeout),
    log: cli.out.debug,
  });
  try {
    await issuerFetch(http, "Cannot ask the API server")(`${cluster.address}/version`);
    return REACHABLE.ok({ about, found: "it answers" });
  } catch (thrown) {
    return await unreachable(cli, failureOrThrow(thrown), REACHABLE.fault, about);
  }
}
