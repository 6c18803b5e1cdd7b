/** Which variables give a session that is stored nowhere, and which of them counts first. */

import type { FindAmbient } from "../sessions/store.ts";
import type { Session } from "../sessions/session.ts";
import { AMBIENT } from "../sessions/name.ts";
import type { Clock } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import type { Host } from "../system/host.ts";

/** The variables, the first that is set counting: ours before the vendor's. */
const FOR_ALL = ["DATUMCTL_TOKEN", "DATUMCTL_CREDENTIALS_FILE", "DATUM_CREDENTIALS_FILE"] as const;

/** What counts only where it is asked for by name: `--session env:NAME`. */
const BY_NAME = [...FOR_ALL, "CLOUDFLEET_ACCESS_TOKEN_ID"] as const;

/** The variable that gives the session of every command; undefined where none does. */
export function variableInForce(env: Environment): string | undefined {
  return FOR_ALL.find((variable) => env(variable) !== undefined);
}

/** The variables that name a service account's key file. */
type CredentialsFileVariable = Extract<typeof FOR_ALL[number], `${string}_CREDENTIALS_FILE`>;

/** Reads one of the variables. */
type Read = (env: Environment, now: Clock) => Promise<Session>;

// Loaded when the variable is set: most calls have none.
const READERS: Readonly<Record<typeof BY_NAME[number], () => Promise<Read>>> = {
  DATUMCTL_TOKEN: async () => (await import("./environment-credentials.ts")).sessionOfToken,
  DATUMCTL_CREDENTIALS_FILE: () => fileOf("DATUMCTL_CREDENTIALS_FILE"),
  DATUM_CREDENTIALS_FILE: () => fileOf("DATUM_CREDENTIALS_FILE"),
  CLOUDFLEET_ACCESS_TOKEN_ID: async () => (await import("./cloudfleet/profile.ts")).sessionOfVariables,
};

async function fileOf(variable: CredentialsFileVariable): Promise<Read> {
  const { sessionOfCredentialsFile } = await import("./environment-credentials.ts");
  return (env) => sessionOfCredentialsFile(env, { word: variable, path: env(variable) ?? "" });
}

/**
 * The sessions that the variables give: of that name (`env:` and the variable), or whichever counts for every command
 * without one; or the one of the key file that is named. Undefined where none is set; throws `USAGE` for one that
 * cannot be used.
 *
 * Each is read once: what is made of it serves the whole process.
 */
export function ambientSessions({ env, now }: Pick<Host, "env" | "now">): FindAmbient {
  const sessions = new Map<string, Promise<Session>>();
  const once = async (key: string, read: () => Promise<Session>) => {
    const session = sessions.get(key) ?? read();
    sessions.set(key, session);
    return await session;
  };
  return async (meant) => {
    if (typeof meant === "object") {
      return await once(`--credentials-file ${meant.credentialsFile}`, async () => {
        const { sessionOfCredentialsFile } = await import("./environment-credentials.ts");
        return await sessionOfCredentialsFile(env, {
          word: "--credentials-file",
          path: meant.credentialsFile,
        });
      });
    }
    const variables = meant === undefined
      ? FOR_ALL
      : BY_NAME.filter((variable) => meant === `${AMBIENT}${variable}`);
    const variable = variables.find((variable) => env(variable) !== undefined);
    if (variable === undefined) return undefined;
    return await once(variable, async () => await (await READERS[variable]())(env, now));
  };
}
