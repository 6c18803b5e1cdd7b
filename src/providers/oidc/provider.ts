/** How an OpenID Connect issuer of somebody's own is loaded. */

import { PERSON, WORKLOAD } from "../kinds.ts";
import type { Provider } from "../provider.ts";
import { OIDC } from "./facts.ts";

/** The cloud. */
export const OIDC_PROVIDER: Provider = {
  facts: OIDC,
  kinds: [PERSON, WORKLOAD],
  variables: [],
  load: async () => (await import("./code.ts")).OIDC_CODE,
};
