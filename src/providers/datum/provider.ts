/** How Datum Cloud is loaded. */

import { PERSON, PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT, WORKLOAD } from "../kinds.ts";
import type { Provider, SessionVariable } from "../provider.ts";
import { DATUM } from "./facts.ts";

/** The cloud. */
export const DATUM_PROVIDER: Provider = {
  facts: DATUM,
  kinds: [PERSON, SERVICE_ACCOUNT, PERSONAL_ACCESS_TOKEN, WORKLOAD],
  variables: [
    {
      name: "DATUMCTL_TOKEN",
      everywhere: true,
      read: async (env, now) => (await import("./environment.ts")).sessionOfToken(env, now),
    },
    keyFileOf("DATUMCTL_CREDENTIALS_FILE"),
    keyFileOf("DATUM_CREDENTIALS_FILE"),
  ],
  async readKeyFile(env, path) {
    const { sessionOfCredentialsFile } = await import("./environment.ts");
    return await sessionOfCredentialsFile(env, { word: "--credentials-file", path });
  },
  load: async () => (await import("./code.ts")).DATUM_CODE,
};

function keyFileOf(name: string): SessionVariable {
  return {
    name,
    everywhere: true,
    async read(env) {
      const { sessionOfCredentialsFile } = await import("./environment.ts");
      return await sessionOfCredentialsFile(env, { word: name, path: env(name) ?? "" });
    },
  };
}
