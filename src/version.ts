/** The program's version, as deno.json has it. */

import configuration from "../deno.json" with { type: "json" };

/** The version of this program (semantic versioning). */
export const VERSION: string = configuration.version;
