/** `tokens create`: a new API token, whose secret goes to the screen, a file or a profile and nowhere else. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { kubernetesUser, type NewToken } from "../../providers/cloudfleet/api.ts";
import { isApiToken } from "../../providers/cloudfleet/facts.ts";
import { tokenProfile } from "../../providers/cloudfleet/profile.ts";
import { isSessionName } from "../../sessions/name.ts";
import { saveMachine } from "../../sessions/save.ts";
import { checkpoint } from "../../system/checkpoint.ts";
import { type Cloudfleet, openCloudfleet, steadyContext } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import { keyStoreChoice } from "../save-flags.ts";
import { type FieldInput, tokenFields } from "./fields.ts";
import { formatNewSecret, newSecretFormat, newSecretOutput, printNewSecret } from "./new-secret.ts";
import { saveSecret, type SecretDestination, secretFile } from "./secret-destination.ts";
import { valueArgument, valueOption } from "../complete/declare.ts";

/** `tokens create`. */
export function tokensCreateCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("create")
    .description("Create an API token; its secret is shown once, or goes straight to a file or a profile")
    .addArgument(
      valueArgument([".name:", ".role:"], "[fields...]", "the fields in shorthand: .name: NAME, .role: ROLE"),
    )
    .addOption(valueOption("nothing", "--name <name>", "display name of the token"))
    .addOption(valueOption(["Administrator", "User"], "--role <role>", "Administrator or User"))
    .option("-f, --filename <file>", "JSON or YAML file with the fields, - for standard input")
    .addOption(
      valueOption(
        "file",
        "--secret-file <path>",
        "put the secret into this file (0600) instead of on the screen",
      ),
    )
    .option("--force", "overwrite an existing --secret-file")
    .addOption(
      valueOption(
        "nothing",
        "--save-profile <name>",
        "store the token as a profile instead of showing its secret",
      ),
    )
    .addOption(
      valueOption(
        ["auto", "system", "file"],
        "--keyring <store>",
        "--save-profile: where the key is kept: auto, system or file (env: DATUMCTL_KEYRING)",
      ),
    )
    .addOption(newSecretOutput())
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
  command.action((words, flags) => runCreate(contextOf(command), { ...flags, words }));
  return command;
}

/** The flags of `tokens create`, as they were typed. */
export interface CreateInput extends FieldInput {
  readonly secretFile?: string | undefined;
  readonly force?: true | undefined;
  readonly saveProfile?: string | undefined;
  readonly keyring?: string | undefined;
  readonly output?: string | undefined;
  readonly operation: readonly string[];
}

/** Creates a token. What can fail on this machine fails before the token exists. */
export async function runCreate(cli: CommandContext, input: CreateInput): Promise<void> {
  const format = newSecretFormat(input.output);
  const fields = await tokenFields(cli, input);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const destinations: SecretDestination[] = [];
  try {
    if (input.saveProfile !== undefined) {
      destinations.push(await newProfile(cli, input.saveProfile, cloudfleet, input.keyring));
    }
    if (input.secretFile !== undefined) {
      destinations.push(await secretFile(input.secretFile, input.force ?? false));
    }
    const token = await createToken(cloudfleet, fields);
    checkpoint("secret answered");
    const lost = {
      done: `The token ${token.id} was created`,
      remedy: `Give it another secret with datumctl tokens regenerate ${token.id}, ` +
        `or delete it: datumctl tokens delete ${token.id}`,
    };
    await saveSecret(destinations, token, lost);
    const wheres = destinations.map(({ where }) => where);
    printNewSecret(cli, await formatNewSecret(token, linesOf(token), wheres, format, cli.style.out), lost);
    if (wheres.length === 0) cli.out.info("The secret is not shown again.");
  } finally {
    for (const destination of destinations) await destination.discard();
  }
  cli.interrupted.throwIfAborted();
}

/** Gets the access token first: a failure to get it must not look like a lost answer. */
async function createToken(
  cloudfleet: Cloudfleet,
  fields: Parameters<Cloudfleet["api"]["createToken"]>[0],
): Promise<NewToken> {
  await cloudfleet.prepare();
  try {
    return await cloudfleet.steady.createToken(fields);
  } catch (thrown) {
    // The request was refused for its access token, so nothing was created: a fresh one may be accepted.
    if (!(thrown instanceof AppError) || thrown.code !== "SESSION_REJECTED") throw thrown;
    await cloudfleet.prepare(true);
    return await cloudfleet.steady.createToken(fields);
  }
}

function linesOf({ id, name, role }: NewToken): (readonly [string, string])[] {
  return [["Token ID", id], ["Name", name], ["Role", role], ["Kubernetes user", kubernetesUser(id)]];
}

/**
 * A new profile that takes the secret.
 *
 * @throws {AppError} `USAGE`; `CONFLICT` when a session has that name; `STORAGE`; the keyring's errors
 */
async function newProfile(
  cli: CommandContext,
  name: string,
  { session, kept }: Cloudfleet,
  keyring: string | undefined,
): Promise<SecretDestination> {
  if (!isSessionName(name) || name.startsWith("env:")) {
    throw new AppError("USAGE", `--save-profile: "${printable(name, 80)}" cannot be a profile's name.`, {
      hint: "Use letters, digits and . _ @ + : -, at most 128 of them.",
    });
  }
  if (await cli.store.read(name) !== undefined) {
    throw new AppError("CONFLICT", `--save-profile: a session named "${name}" already exists.`, {
      hint: `Choose another name, or remove it first: datumctl auth remove-profile ${name}`,
    });
  }
  await cli.store.checkRoom();
  const { keyStores } = await keyStoreChoice(cli, keyring);
  // Tokens are clients of the organization's own issuer, which may not be the one where people sign in.
  const issuer = isApiToken(session) ? session.issuer : cli.env("CLOUDFLEET_ISSUER") ?? session.issuer;
  return {
    where: `the profile "${name}"`,
    async save({ id, secret }) {
      const { apiHost, certificateAuthority, organization = "" } = session;
      const profile = tokenProfile({ organization, tokenId: id, secret }, {
        issuer,
        apiHost,
        api: kept,
        certificateAuthority,
      });
      const steady = steadyContext(cli);
      const choice = { wantedName: name, keyStores, moveKey: false, activate: false };
      await saveMachine(steady.store, profile, choice, keyringLimits(steady));
    },
    discard: () => Promise.resolve(),
  };
}
