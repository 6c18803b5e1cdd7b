/** How DataChain Studio is loaded. */

import type { Provider } from "../provider.ts";
import { STUDIO, STUDIO_TOKEN } from "./facts.ts";

/** The cloud. */
export const STUDIO_PROVIDER: Provider = {
  facts: STUDIO,
  kinds: [STUDIO_TOKEN],
  variables: [],
  load: async () => (await import("./code.ts")).STUDIO_CODE,
};
