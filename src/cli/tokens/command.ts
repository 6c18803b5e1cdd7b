/** Owns `tokens` and its words: flags in, one run each. */

import { Command } from "@commander-js/extra-typings";
import { printable } from "../../text.ts";
import { type ApiToken, kubernetesUser } from "../../providers/cloudfleet/api.ts";
import { checkedId } from "../../providers/cloudfleet/operations.ts";
import { openCloudfleet, operationOption, operationsHelp } from "../cloudfleet.ts";
import { confirm } from "../prompt/confirm.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { formatListing, formatObject, listFormat } from "../output/table.ts";
import { runCreate } from "./create.ts";
import { profilesUsing } from "./profiles-using.ts";
import { runRegenerate } from "./regenerate.ts";

const NEW_SECRET_OUTPUT = ["-o, --output <format>", "table, json or yaml"] as const;

/** `tokens`, which holds the words for Cloudfleet's API tokens. */
export function tokensCommand(deps: ContextOf): Command {
  const commands = [create(deps), list(deps), describe(deps), regenerate(deps), remove(deps)];
  const tokens = new Command("tokens")
    .description("Cloudfleet's API tokens, which machines sign in with")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl tokens list\n  datumctl tokens create --name ci --role User" +
        operationsHelp((operation) => !operation.startsWith("cluster")),
    );
  for (const command of commands) tokens.addCommand(command);
  return tokens as unknown as Command;
}

function create(deps: ContextOf): Command {
  const command = new Command("create")
    .description("Create an API token; its secret is shown once, or goes straight to a file or a profile")
    .argument("[fields...]", "the fields in shorthand: .name: NAME, .role: ROLE")
    .option("--name <name>", "display name of the token")
    .option("--role <role>", "Administrator or User")
    .option("-f, --filename <file>", "JSON or YAML file with the fields, - for standard input")
    .option("--secret-file <path>", "put the secret into this file (0600) instead of on the screen")
    .option("--force", "overwrite an existing --secret-file")
    .option("--save-profile <name>", "store the token as a profile instead of showing its secret")
    .option(
      "--keyring <store>",
      "--save-profile: where the key is kept: auto, system or file (env: DATUMCTL_KEYRING)",
    )
    .option(...NEW_SECRET_OUTPUT)
    .addOption(operationOption())
    .addHelpText(
      "after",
      `
Examples:
  datumctl tokens create --name ci --role User
  datumctl tokens create .name: ci, .role: User
  datumctl tokens create --name ci --role User --secret-file ci.secret
  datumctl tokens create -f token.yaml --save-profile ci`,
    );
  command.action((words, flags) => runCreate(deps(command), { ...flags, words }));
  return command as unknown as Command;
}

function list(deps: ContextOf): Command {
  const command = new Command("list").alias("ls")
    .description("List the organization's API tokens")
    .option("-o, --output <format>", "table, wide, json, yaml or name")
    .addOption(operationOption())
    .addHelpText("after", "\nExamples:\n  datumctl tokens list\n  datumctl tokens list --profile ci -o json");
  command.action((flags) => runList(deps(command), flags));
  return command as unknown as Command;
}

function describe(deps: ContextOf): Command {
  const command = new Command("describe")
    .description("Show an API token, and its user name inside a cluster")
    .argument("<id>", "the token's id")
    .option("-o, --output <format>", "table, json, yaml or name")
    .addOption(operationOption())
    .addHelpText("after", "\nExamples:\n  datumctl tokens describe 2iKo4Asy51EUx2gpJFW76t");
  command.action((id, flags) => runDescribe(deps(command), { ...flags, id }));
  return command as unknown as Command;
}

function regenerate(deps: ContextOf): Command {
  const command = new Command("regenerate")
    .description("Give an API token a new secret; the old one is refused at once")
    .argument("<id>", "the token's id")
    .option(
      "--update-profile",
      "also store the new secret in the profiles here that use the token",
    )
    .option("--secret-file <path>", "put the secret into this file (0600) instead of on the screen")
    .option("--force", "overwrite an existing --secret-file")
    .option("-y, --yes", "do not ask for confirmation")
    .option(...NEW_SECRET_OUTPUT)
    .addOption(operationOption())
    .addHelpText(
      "after",
      `
Examples:
  datumctl tokens regenerate 2iKo4Asy51EUx2gpJFW76t --update-profile
  datumctl tokens regenerate 2iKo4Asy51EUx2gpJFW76t --yes --secret-file ci.secret`,
    );
  command.action((id, flags) => runRegenerate(deps(command), { ...flags, id }));
  return command as unknown as Command;
}

function remove(deps: ContextOf): Command {
  const command = new Command("delete")
    .description("Delete an API token permanently")
    .argument("<id>", "the token's id")
    .option("-y, --yes", "do not ask for confirmation")
    .addOption(operationOption())
    .addHelpText("after", "\nExamples:\n  datumctl tokens delete 2iKo4Asy51EUx2gpJFW76t --yes");
  command.action((id, flags) => runDelete(deps(command), { ...flags, id }));
  return command as unknown as Command;
}

interface ListInput {
  readonly output?: string | undefined;
  readonly operation: readonly string[];
}

/** Prints the organization's tokens; never a secret. */
export async function runList(cli: CommandContext, input: ListInput): Promise<void> {
  const format = listFormat(input.output);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const rows = await cloudfleet.api.tokens();
  cli.out.text(
    await formatListing<ApiToken>({
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
      object: objectOf,
    }, format),
  );
  if (rows.length === 0 && format === "table") cli.out.info("The organization has no API tokens.");
}

function objectOf({ id, name, role, date_created, last_used }: ApiToken) {
  return {
    id,
    name: name ?? null,
    role: role ?? null,
    created: date_created ?? null,
    lastUsed: last_used ?? null,
    kubernetesUser: kubernetesUser(id),
  };
}

/** Prints one token. */
export async function runDescribe(
  cli: CommandContext,
  input: ListInput & { readonly id: string },
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
  cli.out.text(await formatObject(lines, objectOf(token), token.id, format));
}

interface DeleteInput {
  readonly id: string;
  readonly yes?: true | undefined;
  readonly operation: readonly string[];
}

/** Deletes a token, once that was confirmed. */
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
  cli.out.line(`Deleted the token ${id}.`);
  for (const name of profiles) {
    cli.out.info(
      `The profile "${name}" no longer signs in. Remove it: datumctl auth remove-profile ${name}`,
    );
  }
}
