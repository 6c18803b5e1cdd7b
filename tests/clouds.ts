/** The program's clouds, for tests. */

import { providersOf } from "../src/providers/registry.ts";

/** The registry of all of them. */
export const CLOUDS = providersOf();
