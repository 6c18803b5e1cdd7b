/** How Cloudfleet is loaded. */

import { PERSON } from "../kinds.ts";
import type { Provider } from "../provider.ts";
import { API_TOKEN, CLOUDFLEET } from "./facts.ts";

/** The cloud. */
export const CLOUDFLEET_PROVIDER: Provider = {
  facts: CLOUDFLEET,
  kinds: [PERSON, API_TOKEN],
  variables: [{
    name: "CLOUDFLEET_ACCESS_TOKEN_ID",
    everywhere: false,
    read: async (env) => (await import("./profile.ts")).sessionOfVariables(env),
  }],
  load: async () => (await import("./code.ts")).CLOUDFLEET_CODE,
};
