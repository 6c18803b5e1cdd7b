/** `tokens regenerate`: a new secret for an API token, stored in the profiles that use it in the same step. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { isApiToken } from "../../providers/cloudfleet/facts.ts";
import { addTokenLine, profilesUsing } from "../../providers/cloudfleet/profile.ts";
import { checkedId } from "../../providers/cloudfleet/operations.ts";
import type { Session } from "../../sessions/session.ts";
import { ENV_PREFIX } from "../../sessions/name.ts";
import { checkpoint } from "../../system/checkpoint.ts";
import { removeFile } from "../../system/files.ts";
import type { FileLock } from "../../system/locks.ts";
import { type Cloudfleet, openCloudfleet } from "../../providers/cloudfleet/open.ts";
import { operationOption } from "../operation-flag.ts";
import { confirm } from "../prompt/confirm.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import { formatNewSecret, newSecretFormat, newSecretOutput, printNewSecret } from "./new-secret.ts";
import { type LostSecret, saveSecret, type SecretDestination, secretFile } from "./secret-destination.ts";
import { valueArgument, valueOption } from "../complete/declare.ts";

/** `tokens regenerate`. */
export function tokensRegenerateCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("regenerate")
    .description("Give an API token a new secret; the old one is refused at once")
    .addArgument(valueArgument("token", "<id>", "the token's id"))
    .option(
      "--update-profile",
      "also store the new secret in the profiles here that use the token",
    )
    .addOption(
      valueOption(
        "file",
        "--secret-file <path>",
        "put the secret into this file (0600) instead of on the screen",
      ),
    )
    .option("--force", "overwrite an existing --secret-file")
    .option("-y, --yes", "do not ask for confirmation")
    .addOption(newSecretOutput())
    .addOption(operationOption())
    .addHelpText(
      "after",
      `
Examples:
  datumctl tokens regenerate 2iKo4Asy51EUx2gpJFW76t --update-profile
  datumctl tokens regenerate 2iKo4Asy51EUx2gpJFW76t --yes \\
      --secret-file ci.secret`,
    );
  command.action((id, flags) => runRegenerate(contextOf(command), { ...flags, id }));
  return command;
}

/** The flags of `tokens regenerate`, as they were typed. */
export interface RegenerateInput {
  readonly id: string;
  readonly updateProfile?: true | undefined;
  readonly secretFile?: string | undefined;
  readonly force?: true | undefined;
  readonly yes?: true | undefined;
  readonly output?: string | undefined;
  readonly operation: readonly string[];
}

/** Gives a token a new secret, after a confirmation. */
export async function runRegenerate(cli: CommandContext, input: RegenerateInput): Promise<void> {
  const format = newSecretFormat(input.output);
  const id = checkedId("a token", input.id);
  using cloudfleet = await openCloudfleet(cli, input.operation);
  const { session } = cloudfleet;
  const profiles = await profilesUsing(cli.store, id, session.apiHost);
  const names = profiles.map((name) => printable(name)).join(", ");
  if (input.updateProfile && profiles.length === 0) {
    throw new AppError("NOT_FOUND", `No profile here uses the token ${id}; nothing was done.`, {
      hint: "Leave out --update-profile, or list the profiles: datumctl auth list-profiles",
    });
  }
  if (!input.yes) {
    const users = names === ""
      ? ""
      : input.updateProfile
      ? ` ${names} will get the new one.`
      : ` Profiles here that use it: ${names}; --update-profile would give them the new one.`;
    await confirm(
      cli,
      `Give the token ${id} a new secret? Whoever uses the old one is locked out.${users}`,
    );
  }
  const own = isApiToken(session) && session.clientId === id;
  await prepare(cloudfleet, own);
  const lost = { done: `The token ${id} has a new secret`, remedy: remedyOf(cloudfleet, id, own) };
  const print = async (secret: string, savedIn: readonly string[]) => {
    printNewSecret(
      cli,
      await formatNewSecret({ id, secret }, [["Token ID", id]], savedIn, format, cli.style.out),
      lost,
    );
  };
  try {
    await rotate(cli, cloudfleet, input, profiles, lost, print);
  } catch (thrown) {
    // The request was refused for its access token, so nothing was done: a fresh one may be accepted. No lock is held here.
    if (own || !(thrown instanceof AppError) || thrown.code !== "SESSION_REJECTED") throw thrown;
    await cloudfleet.prepare(true);
    await rotate(cli, cloudfleet, input, profiles, lost, print);
  }
  if (!input.updateProfile) {
    for (const name of profiles) {
      cli.out.important(
        `warning: The profile "${name}" still has the old secret. Store the new one: ${
          addTokenLine(name, id, session.organization)
        }`,
      );
    }
  }
  if (own && session.name.startsWith(ENV_PREFIX)) {
    cli.out.important(
      "warning: CLOUDFLEET_ACCESS_TOKEN_SECRET holds the old secret, which is refused from now on.",
    );
  }
  cli.interrupted.throwIfAborted();
}

/**
 * Gets an access token to ask with. A profile that renews its own secret gets a fresh one, which outlives the old secret:
 * if the rest is interrupted, the same command can be run again with it.
 */
async function prepare(cloudfleet: Cloudfleet, own: boolean): Promise<void> {
  try {
    await cloudfleet.prepare(own);
  } catch (thrown) {
    // The command is being run again: the secret is no longer valid, the access token still is.
    if (!own || !(thrown instanceof AppError) || thrown.code !== "SESSION_REJECTED") throw thrown;
    await cloudfleet.prepare();
  }
}

function remedyOf({ session }: Cloudfleet, id: string, own: boolean): string {
  const again = "Run the same command again, which makes another secret";
  if (!own) return `${again}.`;
  const elsewhere = "make a secret as another profile or in Cloudfleet's console";
  if (session.name.startsWith(ENV_PREFIX)) {
    return `The variables no longer sign in: ${elsewhere}, and set it there.`;
  }
  return `${again}; this works for some minutes, while the profile's last access token does. After that, ${elsewhere}, ` +
    `and store it here: ${addTokenLine(session.name, id, session.organization)}`;
}

async function rotate(
  cli: CommandContext,
  { steady, session: acting }: Cloudfleet,
  { id, updateProfile, secretFile: path, force }: RegenerateInput,
  profiles: readonly string[],
  lost: LostSecret,
  print: (secret: string, savedIn: readonly string[]) => Promise<void>,
): Promise<void> {
  const destinations: SecretDestination[] = [];
  const locks: FileLock[] = [];
  try {
    for (const name of updateProfile ? profiles : []) {
      locks.push(await cli.store.lock(name));
      destinations.push(await profileUpdate(cli, name, id, acting));
    }
    if (path !== undefined) destinations.push(await secretFile(path, force ?? false));
    const secret = await steady.regenerateToken(id);
    checkpoint("secret answered");
    await saveSecret(destinations, { id, secret }, lost);
    await print(secret, destinations.map(({ where }) => where));
  } finally {
    for (const destination of destinations) await destination.discard();
    for (const lock of locks) lock.release();
  }
}

/**
 * A profile's next file, with room for it on the disk. The caller holds the profile's lock. Profiles are found by their
 * public fields; only one that is sealed for the issuer of the secret gets it.
 */
async function profileUpdate(
  cli: CommandContext,
  name: string,
  id: string,
  acting: Session,
): Promise<SecretDestination> {
  const stored = await cli.store.read(name);
  const opened = stored && await cli.store.open(stored, keyringLimits(cli));
  const credentials = opened?.credentials;
  if (
    opened?.key === undefined || credentials?.tokenSource === undefined || !isApiToken(opened.session) ||
    opened.session.clientId !== id
  ) {
    throw new AppError(
      "NOT_FOUND",
      `The profile "${name}" was removed or changed in the meantime; nothing was done.`,
      {
        hint: "Run the same command again.",
      },
    );
  }
  checkSealedFor(opened.session, acting);
  const { session } = opened;
  const replacement = await cli.store.prepare(name, stored, opened.key);
  return {
    where: `the profile "${name}"`,
    async save({ secret }) {
      // The access token that was made with the old secret is removed as well.
      const without = { accessToken: undefined, accessTokenExpires: undefined, received: undefined };
      await replacement.commit(
        { ...session, tokenExpires: undefined },
        { ...credentials, ...without, clientSecret: secret },
      );
      await removeFile((await cli.store.paths(name)).failure);
    },
    discard: () => replacement.discard(),
  };
}

/** Compares issuers only for tokens: a person's issuer is another one than that of the tokens. */
function checkSealedFor({ name, apiHost, issuer }: Session, acting: Session): void {
  const tokens = isApiToken(acting);
  if (apiHost === acting.apiHost && (!tokens || issuer === acting.issuer)) return;
  const [sealed, here] = apiHost === acting.apiHost ? [issuer, acting.issuer] : [apiHost, acting.apiHost];
  throw new AppError(
    "IDENTITY_MISMATCH",
    `The profile "${name}" is sealed for ${printable(sealed)}, not for ${printable(here)}; nothing was done.`,
    { hint: `Leave out --update-profile, or remove it first: datumctl auth remove-profile ${name}` },
  );
}
