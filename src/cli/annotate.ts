/** `annotate`: sets and removes annotations of objects. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { ContextOf } from "./context.ts";
import { metadataChanger } from "./resources/metadata.ts";

const EXAMPLES = `
Examples:
  datumctl annotate dnszone example-com example.com/owner='the web team'
  datumctl annotate dnszone/example-com example.com/owner=ada --overwrite
  datumctl annotate dnszone example-com example.com/owner-
  datumctl annotate configmaps -l app=web example.com/seen=yes
  datumctl annotate configmap a --list`;

/** `annotate`. */
export function annotateCommand(contextOf: ContextOf): CommandUnknownOpts {
  return metadataChanger(contextOf, "annotate", EXAMPLES);
}
