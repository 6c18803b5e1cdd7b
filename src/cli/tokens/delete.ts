/** `tokens delete`: deletes an API token, after a confirmation. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { printable } from "../../text.ts";
import { checkedId } from "../../providers/cloudfleet/operations.ts";
import { profilesUsing } from "../../providers/cloudfleet/profile.ts";
import { openCloudfleet } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import { confirm } from "../prompt/confirm.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { valueArgument } from "../complete/declare.ts";

/** `tokens delete`. */
export function tokensDeleteCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("delete")
    .description("Delete an API token permanently")
    .addArgument(valueArgument("token", "<id>", "the token's id"))
    .option("-y, --yes", "do not ask for confirmation")
    .addOption(operationOption())
    .addHelpText("after", "\nExamples:\n  datumctl tokens delete 2iKo4Asy51EUx2gpJFW76t --yes");
  command.action((id, flags) => runDelete(contextOf(command), { ...flags, id }));
  return command;
}

interface DeleteInput {
  readonly id: string;
  readonly yes?: true | undefined;
  readonly operation: readonly string[];
}

/** Deletes a token, after a confirmation. */
export async function runDelete(cli: CommandContext, input: DeleteInput): Promise<void> {
  const id = checkedId("a token", input.id);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const profiles = await profilesUsing(cli.store, id, cloudfleet.session.apiHost);
  const names = profiles.map((name) => printable(name)).join(", ");
  const users = names === "" ? "" : ` Profiles here that use it: ${names}.`;
  if (!input.yes) {
    await confirm(cli, `Delete the token ${id} for good? Whoever uses it is locked out.${users}`);
  }
  await cloudfleet.prepare();
  await cloudfleet.api.deleteToken(id);
  cli.out.success(`Deleted the token ${id}.`);
  for (const name of profiles) {
    cli.out.info(
      `The profile "${name}" no longer signs in. Remove it: datumctl auth remove-profile ${name}`,
    );
  }
}
