/** `tokens describe`: one API token, and its user name inside a cluster. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { kubernetesUser } from "../../providers/cloudfleet/api.ts";
import { checkedId } from "../../providers/cloudfleet/operations.ts";
import { openCloudfleet } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { formatObject, listFormat } from "../output/table.ts";
import { tokenObject } from "./fields.ts";
import { outputOption, valueArgument } from "../complete/declare.ts";

/** `tokens describe`. */
export function tokensDescribeCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("describe")
    .description("Show an API token, and its user name inside a cluster")
    .addArgument(valueArgument("token", "<id>", "the token's id"))
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addOption(operationOption())
    .addHelpText("after", "\nExamples:\n  datumctl tokens describe 2iKo4Asy51EUx2gpJFW76t");
  command.action((id, flags) => runDescribe(contextOf(command), { ...flags, id }));
  return command;
}

interface DescribeInput {
  readonly id: string;
  readonly output?: string | undefined;
  readonly operation: readonly string[];
}

/** Prints one token. */
export async function runDescribe(
  cli: CommandContext,
  input: DescribeInput,
): Promise<void> {
  const format = listFormat(input.output);
  const id = checkedId("a token", input.id);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const token = await cloudfleet.api.token(id);
  const { name, role, date_created, last_used } = token;
  const lines = [
    ["Token ID", token.id],
    ["Name", name ?? ""],
    ["Role", role ?? ""],
    ["Created", date_created ?? ""],
    ["Last used", last_used ?? ""],
    ["Kubernetes user", kubernetesUser(token.id)],
  ] as const;
  cli.out.text(await formatObject(lines, tokenObject(token), token.id, format, cli.style.out));
}
