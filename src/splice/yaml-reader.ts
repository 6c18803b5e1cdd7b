/** Reads YAML, and so JSON. A module of its own because the library is large. */

import { parse } from "yaml";

/** The value of a document; undefined when it is not YAML. */
export function readYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 10, logLevel: "error" });
  } catch {
    return undefined;
  }
}
