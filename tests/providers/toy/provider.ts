/** How the toy harbour is loaded. */

import type { Provider } from "../../../src/providers/provider.ts";
import { BERTH, TOY } from "./facts.ts";

/** The cloud. */
export const TOY_PROVIDER: Provider = {
  facts: TOY,
  kinds: [BERTH],
  variables: [],
  load: async () => (await import("./code.ts")).TOY_CODE,
};
