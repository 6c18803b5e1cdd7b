/** The variables of a program that acts where a command does: the person's, without credentials, and the vendor's. */

import type { ControlPlaneTarget } from "../providers/datum/control-plane.ts";
import { hasControlPlanes } from "../providers/datum/facts.ts";
import { ENV_PREFIX, OF_CREDENTIALS_FILE } from "../sessions/name.ts";
import type { Session } from "../sessions/session.ts";
import { absolutePath } from "../system/environment.ts";
import type { CommandContext } from "./context.ts";
import { scopeParts } from "./scope-lines.ts";

/** Credentials, and what kubectl tells a plugin: neither is for a program that is given a session. */
const WITHHELD =
  /^(?:DATUMCTL_TOKEN|DATUMCTL_CREDENTIALS_FILE|CLOUDFLEET_ACCESS_TOKEN_.*|KUBERNETES_EXEC_INFO)$/i;

/** Ours, which would win over the vendor's, and the vendor's: they may name another session, host or target. */
const REPLACED = /^(?:DATUMCTL_PROFILE|DATUM_ORGANIZATION|DATUM_ORG|DATUM_PROJECT|DATUM_API_HOST)$/i;

/** The variable that names a key file, as the vendor's programs know it. */
const KEY_FILE = "DATUM_CREDENTIALS_FILE";

/** The sessions of a key file that no variable of the child would name. */
const OF_KEY_FILE: readonly string[] = [OF_CREDENTIALS_FILE, `${ENV_PREFIX}DATUMCTL_CREDENTIALS_FILE`];

/** What a child acts as, and on. */
export interface Acting {
  readonly session: Session;
  readonly target: ControlPlaneTarget | undefined;
  /** The key file that a flag or our variable names. It counts where the session is what it gives. */
  readonly keyFile?: string | undefined;
}

/** The key file that a command's flag names, else our variable. */
export function keyFileOf({ choice, env }: Pick<CommandContext, "choice" | "env">): string | undefined {
  return choice.credentialsFile ?? env("DATUMCTL_CREDENTIALS_FILE");
}

/**
 * The variables of a child that acts as a session. A session of a key file is handed on as that file's path: the helper
 * reads it again.
 *
 * @param all the person's whole environment
 * @param acting undefined where nobody is signed in
 * @param helper the program that prints a token of the session: this one
 */
export function childVariables(
  all: Readonly<Record<string, string>>,
  acting: Acting | undefined,
  helper: string,
): Record<string, string> {
  const kept = Object.entries(all).filter(([name]) =>
    !WITHHELD.test(name) && (acting === undefined || !REPLACED.test(name))
  );
  const ofSession = acting === undefined ? {} : sessionVariables(acting);
  const vendors = {
    ...ofSession,
    DATUM_PLUGIN_API_VERSION: "1",
    DATUM_CREDENTIALS_HELPER: helper,
  };
  const given = Object.entries(vendors).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]]
  );
  return Object.fromEntries([...kept, ...given]);
}

function sessionVariables({ session, target, keyFile }: Acting) {
  const { organization, project } = target?.kind === "cluster" ? {} : scopeParts(target, session.apiHost);
  const handedOn = OF_KEY_FILE.includes(session.name) ? keyFile : undefined;
  return {
    DATUM_ORG: organization,
    DATUM_PROJECT: project,
    DATUM_API_HOST: hasControlPlanes(session) ? session.apiHost : undefined,
    DATUM_SESSION: handedOn === undefined ? session.name : `${ENV_PREFIX}${KEY_FILE}`,
    [KEY_FILE]: handedOn && absolutePath(handedOn),
  };
}
