/** Writes YAML. A module of its own because the library is large. */

import { stringify } from "yaml";

/** A value as a YAML document. */
export function writeYaml(value: unknown): string {
  return stringify(value);
}
