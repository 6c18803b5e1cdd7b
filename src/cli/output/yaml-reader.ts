/** Owns the reading of YAML, which JSON is too, apart from all else because its library is large. */

import { parse } from "yaml";

/** The value of a document; undefined when it is none. */
export function readYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 10, logLevel: "error" });
  } catch {
    return undefined;
  }
}
