/** `label`: sets and removes labels of objects. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "./context.ts";
import { metadataChanger } from "./resources/metadata.ts";

const EXAMPLES = `
Examples:
  datumctl label dnszone example-com team=shop
  datumctl label dnszone/example-com team=web --overwrite
  datumctl label dnszone example-com team-
  datumctl label configmaps --all checked=yes --dry-run=server
  datumctl label configmap a --list`;

/** `label`. */
export function labelCommand(contextOf: ContextOf): CommandUnknownOpts {
  return metadataChanger(contextOf, "label", EXAMPLES);
}
