/** `tokens list`: the API tokens of a Cloudfleet organization. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { type ApiToken, kubernetesUser } from "../../providers/cloudfleet/api.ts";
import { openCloudfleet } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { formatListing, listFormat } from "../output/table.ts";
import { tokenObject } from "./fields.ts";
import { outputOption } from "../complete/declare.ts";

/** `tokens list`. */
export function tokensListCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("list").alias("ls")
    .description("List the organization's API tokens")
    .addOption(outputOption(["table", "wide", "json", "yaml", "name"]))
    .addOption(operationOption())
    .addHelpText("after", "\nExamples:\n  datumctl tokens list\n  datumctl tokens list --profile ci -o json");
  command.action((flags) => runList(contextOf(command), flags));
  return command;
}

interface ListInput {
  readonly output?: string | undefined;
  readonly operation: readonly string[];
}

/** Prints the organization's tokens, never their secrets. */
export async function runList(cli: CommandContext, input: ListInput): Promise<void> {
  const format = listFormat(input.output);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const rows = await cloudfleet.api.tokens();
  cli.out.text(
    await formatListing<ApiToken>(
      {
        rows,
        columns: [
          { title: "ID", text: ({ id }) => id },
          { title: "Name", text: ({ name }) => name ?? "" },
          { title: "Role", text: ({ role }) => role ?? "" },
          { title: "Created", text: ({ date_created }) => date_created ?? "" },
          { title: "Last used", text: ({ last_used }) => last_used ?? "" },
          { title: "Kubernetes user", wide: true, text: ({ id }) => kubernetesUser(id) },
        ],
        name: ({ id }) => id,
        object: tokenObject,
      },
      format,
      cli.style.out,
    ),
  );
  if (rows.length === 0 && format === "table") cli.out.info("The organization has no API tokens.");
}
