/** `clusters list`: the clusters of a Cloudfleet organization. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Cluster, clusterAddress } from "../../providers/cloudfleet/api.ts";
import { openCloudfleet } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { outputOption } from "../complete/declare.ts";

/** `clusters list`. */
export function clustersListCommand(contextOf: ContextOf): CommandUnknownOpts {
  const list = new Command("list").alias("ls")
    .description("List the organization's clusters")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addOption(operationOption())
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl clusters list\n  datumctl clusters list -o wide --profile ci",
    );
  list.action((flags) => runClustersList(contextOf(list), flags));
  return list;
}

interface ListInput {
  readonly output?: string | undefined;
  readonly operation: readonly string[];
}

/** Prints the organization's clusters. */
export async function runClustersList(cli: CommandContext, input: ListInput): Promise<void> {
  const format = listFormat(input.output);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const rows = await cloudfleet.api.clusters();
  cli.out.text(
    await formatListing<Cluster>(
      {
        rows,
        columns: [
          { title: "ID", text: ({ id }) => id },
          { title: "Name", text: ({ name }) => name ?? "" },
          { title: "Region", text: ({ region }) => region ?? "" },
          { title: "Status", text: ({ status }) => status ?? "" },
          { title: "API server", wide: true, text: (cluster) => clusterAddress(cluster) ?? "" },
        ],
        name: ({ id }) => id,
        object: (cluster) => ({
          id: cluster.id,
          name: cluster.name ?? null,
          region: cluster.region ?? null,
          status: cluster.status ?? null,
          endpoint: clusterAddress(cluster) ?? null,
        }),
      },
      format,
      cli.style.out,
    ),
  );
  if (rows.length === 0 && format === "table") cli.out.info("The organization has no clusters.");
}
