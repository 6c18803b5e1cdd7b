/** Owns the writing of YAML, apart from all else because its library is large. */

import { stringify } from "yaml";

/** A value as a YAML document. */
export function writeYaml(value: unknown): string {
  return stringify(value);
}
