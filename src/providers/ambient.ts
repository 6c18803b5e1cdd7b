/** Owns which variables give a session that is stored nowhere, and which of them counts first. */

import type { Session } from "../sessions/session-file.ts";
import { AMBIENT } from "../sessions/session-name.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";

/** The variables, the first that is set counting. */
const FOR_ALL = ["DATUMCTL_TOKEN", "DATUMCTL_CREDENTIALS_FILE"] as const;

/** What counts only where it is asked for by name: `--session env:NAME`. */
const BY_NAME = [...FOR_ALL, "CLOUDFLEET_ACCESS_TOKEN_ID"] as const;

/** The variable that gives the session of every command; undefined where none does. */
export function variableInForce(env: Environment): string | undefined {
  return FOR_ALL.find((variable) => env(variable) !== undefined);
}

/** Reads one of the variables. */
type Read = (env: Environment, now: Clock) => Promise<Session>;

// Loaded when the variable is set: most calls have none.
const READERS: Readonly<Record<typeof BY_NAME[number], () => Promise<Read>>> = {
  DATUMCTL_TOKEN: async () => (await import("./environment-credentials.ts")).sessionOfToken,
  DATUMCTL_CREDENTIALS_FILE: async () =>
    (await import("./environment-credentials.ts")).sessionOfCredentialsFile,
  CLOUDFLEET_ACCESS_TOKEN_ID: async () => (await import("./cloudfleet.ts")).sessionOfVariables,
};

/**
 * The sessions that the variables give: of that name (`env:` and the variable), or whichever counts for every command
 * without one. Undefined where none is set; throws `USAGE` for one that cannot be used.
 *
 * Each is read once: what is made of it serves the whole process.
 */
export function ambientSessions(
  env: Environment,
  now: Clock,
): (name?: string) => Promise<Session | undefined> {
  const sessions = new Map<string, Promise<Session>>();
  const read = async (variable: typeof BY_NAME[number]) => await (await READERS[variable]())(env, now);
  return async (name) => {
    const meant = name === undefined
      ? FOR_ALL
      : BY_NAME.filter((variable) => name === `${AMBIENT}${variable}`);
    const variable = meant.find((variable) => env(variable) !== undefined);
    if (variable === undefined) return undefined;
    const session = sessions.get(variable) ?? read(variable);
    sessions.set(variable, session);
    return await session;
  };
}
