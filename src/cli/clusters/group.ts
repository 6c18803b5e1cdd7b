/** `clusters`, which holds `list` and `kubeconfig`. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { operationsHelp } from "../operation-flag.ts";
import type { ContextOf } from "../context.ts";
import { holdsOthers } from "../group.ts";
import { clustersKubeconfigCommand } from "./kubeconfig.ts";
import { clustersListCommand } from "./list.ts";

/** `clusters`. */
export function clustersCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("clusters")
    .description("Cloudfleet's clusters")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl clusters list\n  datumctl clusters kubeconfig CLUSTER_ID" +
        operationsHelp((operation) => operation.startsWith("cluster")),
    )
    .addCommand(clustersListCommand(contextOf))
    .addCommand(clustersKubeconfigCommand(contextOf));
  return holdsOthers(command);
}
