/** Owns what an entry of `update-kubeconfig` leads to: a Datum control plane, an API server, a cluster entry. */

import { AppError } from "../../errors.ts";
import { findCluster, serverAddress, serverName, trustClusterLine } from "../../kubeconfig/server.ts";
import type { ServerKind } from "../../kube/identity-check.ts";
import { loadKubeconfig } from "../../kubeconfig/file.ts";
import {
  checkedScope,
  CONTROL_PLANE_APIS,
  type ControlPlaneApi,
  controlPlaneName,
  controlPlaneUrl,
  type Scope,
} from "../../providers/datum/hosts.ts";
import { parseHost } from "../../providers/host.ts";
import { trustLine } from "../../sessions/login-line.ts";
import type { Session } from "../../sessions/session.ts";
import { SAME_COMMAND } from "../../system/network.ts";

/** The flags that say what an entry leads to, as they were typed. */
export interface TargetFlags {
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  readonly cluster?: string | undefined;
  readonly server?: string | undefined;
  readonly hostname?: string | undefined;
  /** The server is asked nothing. */
  readonly skipValidation?: true | undefined;
  /** The file of the server's authority. */
  readonly certificateAuthority?: string | undefined;
  /** The one file that is read and written. */
  readonly kubeconfig?: string | undefined;
}

/** An address under which the target may be served. */
export interface ServerAddress {
  readonly url: string;
  /** The name under which a Datum serves control planes there. */
  readonly api?: ControlPlaneApi | undefined;
}

/** What an entry leads to. */
export interface EntryTarget {
  /** For messages: `the project "web"`. */
  readonly what: string;
  readonly kind: ServerKind;
  /** The organization or project that comes into use. */
  readonly scope?: Scope | undefined;
  /** The name of the cluster entry. */
  readonly cluster: string;
  /** The cluster entry is ours to write; else it is there and stays as it is. */
  readonly written: boolean;
  /** The name of the context, unless one is given. */
  readonly context: string;
  /** The host whose sessions an entry that follows the active one may act as. */
  readonly apiHost: string;
  /** In the order in which they are asked; the first is taken where nobody is asked. */
  readonly places: readonly [ServerAddress, ...ServerAddress[]];
  /** PEM to trust beside the system's authorities, tried in this order; undefined is none. */
  readonly authorities: readonly (string | undefined)[];
  /** What makes this command trust an authority at the server: a command line, or a variable. */
  readonly trust: string;
  /** Why the server cannot be asked, as a sentence. */
  readonly unaskable?: string | undefined;
}

const NAMES = ["organization", "project", "cluster", "server"] as const;

/** Refuses flags that do not name exactly one target, before anything else is done. Throws `USAGE`. */
export function checkTargetFlags(flags: TargetFlags): void {
  const given = NAMES.filter((name) => flags[name] !== undefined).map((name) => `--${name}`);
  const all = NAMES.map((name) => `--${name}`).join(", ").replace(/, (?=[^,]*$)/, " and ");
  if (given.length !== 1) {
    const what = given.length === 0 ? "No target is given" : `${given.join(" and ")} are given together`;
    throw new AppError("USAGE", `${what}; exactly one of ${all} is needed.`, {
      hint: "For example: datumctl auth update-kubeconfig --project my-project-id",
    });
  }
  if (flags.hostname !== undefined && (flags.cluster !== undefined || flags.server !== undefined)) {
    throw new AppError("USAGE", `--hostname goes with --organization and --project, not with ${given[0]}.`);
  }
  if (flags.certificateAuthority !== undefined && flags.cluster !== undefined) {
    throw new AppError(
      "USAGE",
      "--certificate-authority cannot be combined with --cluster, whose entry stays as it is.",
      {
        hint: `Put it there first: ${
          trustClusterLine(flags.cluster, {
            file: flags.certificateAuthority,
            kubeconfig: flags.kubeconfig,
          })
        }`,
      },
    );
  }
  // Their form, too: nobody should unlock a keyring for a typing mistake.
  if (flags.organization !== undefined) checkedScope("organization", flags.organization);
  if (flags.project !== undefined) checkedScope("project", flags.project);
  if (flags.hostname !== undefined) parseHost(flags.hostname, "--hostname");
  if (flags.server !== undefined) serverAddress(flags.server);
}

/**
 * What the flags lead to, for a session as it was sealed; `authority` is the server's own, as PEM, where one was named. Throws `USAGE` for a Datum target with a session of another
 * provider, and what {@link findCluster} throws.
 */
export async function entryTarget(
  flags: TargetFlags,
  session: Session,
  kubeconfigs: readonly string[],
  authority?: string,
): Promise<EntryTarget> {
  const { organization, project, cluster, server } = flags;
  const trusting = (target: EntryTarget): EntryTarget =>
    authority === undefined ? target : { ...target, authorities: [authority] };
  if (organization !== undefined) {
    return trusting(controlPlane(checkedScope("organization", organization), flags, session));
  }
  if (project !== undefined) {
    return trusting(controlPlane(checkedScope("project", project), flags, session));
  }
  if (server !== undefined) return trusting(apiServer(serverAddress(server), session));
  return await clusterEntry(cluster ?? "", session, kubeconfigs, flags);
}

function controlPlane(scope: Scope, { hostname }: TargetFlags, session: Session): EntryTarget {
  if (session.provider !== "datum") {
    throw new AppError(
      "USAGE",
      `--${scope.kind} is for the provider datum, but the session "${session.name}" belongs to the provider ${session.provider}.`,
      { hint: "Use an API server (--server URL) or a cluster in the kubeconfig (--cluster NAME)." },
    );
  }
  const apiHost = hostname === undefined ? session.apiHost : parseHost(hostname, "--hostname");
  const name = controlPlaneName(apiHost, scope);
  const place = (api: ControlPlaneApi) => ({ url: controlPlaneUrl(apiHost, scope, api), api });
  const known = session.controlPlaneApi ?? CONTROL_PLANE_APIS[0];
  const others = CONTROL_PLANE_APIS.filter((api) => api !== known);
  return {
    what: `the ${scope.kind} "${scope.id}"`,
    kind: "control-plane",
    scope,
    cluster: name,
    written: true,
    context: name,
    apiHost,
    places: [place(known), ...others.map(place)],
    authorities: [session.certificateAuthority],
    trust: apiHost === session.apiHost ? trustLine(session) : SAME_COMMAND,
  };
}

function apiServer(address: string, { apiHost, certificateAuthority }: Session): EntryTarget {
  const name = serverName(address);
  return {
    what: "the API server",
    kind: "api-server",
    cluster: name,
    written: true,
    context: name,
    apiHost,
    places: [{ url: address }],
    ...unaskable(address, undefined),
    // The issuer's private authority need not be the server's: kubectl would trust that one alone.
    authorities: certificateAuthority === undefined ? [undefined] : [undefined, certificateAuthority],
    trust: SAME_COMMAND,
  };
}

async function clusterEntry(
  name: string,
  { apiHost }: Session,
  kubeconfigs: readonly string[],
  { skipValidation, kubeconfig }: TargetFlags,
): Promise<EntryTarget> {
  const files = await loadKubeconfig(kubeconfigs);
  const cluster = await findCluster(files, name, { authority: skipValidation === undefined });
  return {
    what: "the API server",
    kind: "api-server",
    cluster: cluster.name,
    written: false,
    context: `datum-cluster-${cluster.name}`,
    apiHost,
    places: [{ url: cluster.address }],
    authorities: [cluster.certificateAuthority],
    ...unaskable(cluster.address, cluster.unfollowed),
    trust: trustClusterLine(cluster.name, { kubeconfig }),
  };
}

/** Why a server is not asked with a token: kubectl sends none over http, and goes ways that are not ours to go. */
function unaskable(address: string, field: string | undefined): Pick<EntryTarget, "unaskable"> {
  if (address.startsWith("http:")) return { unaskable: "no token goes over http" };
  return field === undefined
    ? {}
    : { unaskable: `its cluster entry has ${field}, which datumctl does not follow` };
}
