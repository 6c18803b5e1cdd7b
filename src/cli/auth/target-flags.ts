/** The flags of `auth update-kubeconfig` that say what an entry leads to. */

import { AppError } from "../../errors.ts";
import { serverAddress, trustClusterLine } from "../../kubeconfig/server.ts";
import { apiServerTarget, clusterTarget, type EntryTarget } from "../../kubeconfig/target.ts";
import { controlPlaneTarget } from "../../providers/datum/entry-target.ts";
import { checkedScope } from "../../providers/datum/control-plane-address.ts";
import { parseHost } from "../../providers/host.ts";
import type { SessionProviders } from "../../sessions/providers.ts";
import type { Session } from "../../sessions/session.ts";

/** The flags, as they were typed. */
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

const NAMES = ["organization", "project", "cluster", "server"] as const;

/**
 * Refuses flags that do not name exactly one target, before anything else is done.
 *
 * @throws {AppError} `USAGE`
 */
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
  // Their form, too: a typing mistake should show before a keyring must be unlocked.
  if (flags.organization !== undefined) checkedScope("organization", flags.organization);
  if (flags.project !== undefined) checkedScope("project", flags.project);
  if (flags.hostname !== undefined) parseHost(flags.hostname, "--hostname");
  if (flags.server !== undefined) serverAddress(flags.server);
}

/**
 * What the flags lead to, for a session as it was sealed. `authority` is the server's own, as PEM, when a flag names one.
 *
 * @throws {AppError} `USAGE` for a Datum target with a session of another provider; what {@link clusterTarget} throws
 */
export async function entryTarget(
  providers: SessionProviders,
  flags: TargetFlags,
  session: Session,
  kubeconfigs: readonly string[],
  authority?: string,
): Promise<EntryTarget> {
  const { organization, project, cluster, server, hostname } = flags;
  const trusting = (target: EntryTarget): EntryTarget =>
    authority === undefined ? target : { ...target, authorities: [authority] };
  if (organization !== undefined) {
    return trusting(
      controlPlaneTarget(providers, checkedScope("organization", organization), session, hostname),
    );
  }
  if (project !== undefined) {
    return trusting(controlPlaneTarget(providers, checkedScope("project", project), session, hostname));
  }
  if (server !== undefined) return trusting(apiServerTarget(serverAddress(server), session));
  return await clusterTarget(cluster ?? "", session, kubeconfigs, flags);
}
