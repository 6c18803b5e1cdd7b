/** `auth add-profile`: stores an API token or a person of Cloudfleet under a name; a token is tested first. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import {
  type CloudfleetAddress,
  cloudfleetAddress,
  tokenProfile,
  unstoredProfile,
  userProfile,
} from "../../providers/cloudfleet/profile.ts";
import { isApiToken, isProfile } from "../../providers/cloudfleet/facts.ts";
import { isSecret } from "../../providers/cloudfleet/api.ts";
import { freshToken } from "../../sessions/fresh-token.ts";
import type { FreshToken } from "../../sessions/token.ts";
import type { Session } from "../../sessions/session.ts";
import { ENV_PREFIX, isSessionName } from "../../sessions/name.ts";
import { readHiddenLine } from "../prompt/hidden-line.ts";
import { type MachineSession, type SavedSession, saveMachine } from "../../sessions/save.ts";
import { operationOption } from "../operation-flag.ts";
import { type CommandContext, type ContextOf, keyringLimits, tokenLimits } from "../context.ts";
import { holdsOthers } from "../group.ts";
import { keyStoreChoice, readAuthority } from "../save-flags.ts";
import { printKeyLocation } from "../notices.ts";
import { valueArgument, valueOption } from "../complete/declare.ts";

const ISSUER = [
  "--issuer <url>",
  "issuer URL, exactly as the issuer states it, with its path (env: CLOUDFLEET_ISSUER)",
] as const;
const API_URL = [
  "--api-url <url>",
  "address of the API (default: https://api.cloudfleet.ai/v1; env: CLOUDFLEET_API_URL)",
] as const;
const AUTHORITY = [
  "--certificate-authority <file>",
  "PEM file of a private authority to trust; remembered (env: DATUMCTL_CERTIFICATE_AUTHORITY)",
] as const;
const keyringOption = () =>
  valueOption(
    ["auto", "system", "file"],
    "--keyring <store>",
    "where the key is kept: auto, system or file (env: DATUMCTL_KEYRING)",
  );

/** `auth add-profile`, which holds `token` and `user`. */
export function addProfileCommand(contextOf: ContextOf): CommandUnknownOpts {
  const token = new Command("token")
    .description("Store an API token as a profile, after testing it")
    .addArgument(valueArgument("nothing", "<name>", "what the profile is called"))
    .addArgument(valueArgument("nothing", "<organization-id>", "the organization that the token belongs to"))
    .addArgument(valueArgument("nothing", "<token-id>", "the token's id"))
    .addArgument(
      valueArgument(
        "nothing",
        "[token-secret]",
        "its secret; better left out: it is then read from standard input, or asked for without echo",
      ),
    )
    .option(...ISSUER)
    .option(...API_URL)
    .option(...AUTHORITY)
    .addOption(keyringOption())
    .option("--skip-validation", "store it without testing it at the issuer")
    .addOption(operationOption())
    .addHelpText(
      "after",
      `
Examples:
  datumctl auth add-profile token ci ORGANIZATION_ID TOKEN_ID \\
      --issuer https://auth.example.com/realms/acme
  datumctl auth add-profile token ci ORGANIZATION_ID TOKEN_ID < ci.secret

The profile default is what tokens and clusters use where nothing else is chosen. An existing profile
gets the new secret.`,
    );
  token.action((name, organization, tokenId, secret, flags) =>
    runAddTokenProfile(contextOf(token), { ...flags, name, organization, tokenId, secret })
  );
  const user = new Command("user")
    .description("Add a profile for a person, who signs in when it is first used")
    .addArgument(valueArgument("nothing", "<name>", "what the profile is called"))
    .addArgument(valueArgument("nothing", "<organization-id>", "the organization that it is for"))
    .option(...ISSUER)
    .addOption(valueOption("nothing", "--client-id <id>", "OAuth client id at that issuer"))
    .option(...API_URL)
    .option(...AUTHORITY)
    .addOption(keyringOption())
    .addOption(operationOption())
    .addHelpText(
      "after",
      `
Examples:
  datumctl auth add-profile user work ORGANIZATION_ID \\
      --issuer https://auth.example.com --client-id cli
  datumctl login --profile work`,
    );
  user.action((name, organization, flags) =>
    runAddUserProfile(contextOf(user), { ...flags, name, organization })
  );
  const command: CommandUnknownOpts = new Command("add-profile")
    .description("Add a Cloudfleet profile: an API token, or a person")
    .addHelpText("after", "\nExamples:\n  datumctl auth add-profile token ci ORGANIZATION_ID TOKEN_ID")
    .addCommand(token)
    .addCommand(user);
  return holdsOthers(command);
}

interface ProfileInput {
  readonly name: string;
  readonly organization: string;
  readonly issuer?: string | undefined;
  readonly apiUrl?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly keyring?: string | undefined;
  readonly operation: readonly string[];
}

interface TokenInput extends ProfileInput {
  readonly tokenId: string;
  readonly secret?: string | undefined;
  readonly skipValidation?: true | undefined;
}

/**
 * Tests an API token and stores it.
 *
 * @throws {AppError} `SESSION_REJECTED` when it is refused; then nothing is changed
 */
export async function runAddTokenProfile(cli: CommandContext, input: TokenInput): Promise<void> {
  const { out } = cli;
  const { tokenId, organization } = input;
  if (input.secret !== undefined) {
    out.important(
      "warning: The secret was on the command line, so the shell's history and the process list may hold it. " +
        "Leave it out to be asked for it, or send it on standard input.",
    );
  }
  const address = await profileAddress(
    cli,
    input,
    (before) => isApiToken(before) && before.clientId === tokenId,
  );
  // A wrong id should show before a secret is asked for.
  tokenProfile({ organization, tokenId, secret: "" }, address);
  const secret = input.secret ?? await readHiddenLine(cli, `the secret of the token ${tokenId}`);
  if (!isSecret(secret)) {
    throw new AppError("USAGE", "That is not a token's secret: it must be one line of plain characters.", {
      hint: "Give it on standard input, or type it when it is asked for.",
    });
  }
  let profile = tokenProfile({ organization, tokenId, secret }, address);
  if (!input.skipValidation) {
    const proof = await testProfile(cli, input.name, profile);
    const { token: accessToken, issued: received, expires: accessTokenExpires } = proof;
    profile = {
      ...profile,
      credentials: { ...profile.credentials, accessToken, received, accessTokenExpires },
    };
  }
  const saved = await saveProfile(cli, input, profile);
  out.success(
    `Stored the profile "${input.name}": the token ${tokenId} of the organization ${organization}` +
      `${input.skipValidation ? ", not tested" : ""}.`,
  );
  await printNextStep(cli, saved, "datumctl clusters list");
}

/**
 * An access token of the profile, which shows that the profile works.
 *
 * @throws {AppError} what getting it throws, with a sentence that nothing was stored
 */
async function testProfile(cli: CommandContext, name: string, profile: MachineSession): Promise<FreshToken> {
  try {
    return await freshToken(cli.store, unstoredProfile(profile, name), { force: true }, tokenLimits(cli));
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const { code, message, hint, cause = thrown, retryable } = thrown;
    const skip = code === "NETWORK" ? "To store it without testing it: --skip-validation" : undefined;
    const hints = [hint, skip].filter((text) => text !== undefined).join(" ");
    throw new AppError(code, `${message} Nothing was stored.`, {
      hint: hints || undefined,
      cause,
      retryable,
    });
  }
}

/** Stores a profile that its person signs in to later. */
export async function runAddUserProfile(
  cli: CommandContext,
  input: ProfileInput & { readonly clientId?: string | undefined },
): Promise<void> {
  const { clientId } = input;
  if (clientId === undefined || clientId === "" || printable(clientId) !== clientId) {
    throw new AppError("USAGE", "A person's profile needs --client-id.", {
      hint: "Cloudfleet's own client id is not known: register one at the issuer and name it.",
    });
  }
  const address = await profileAddress(cli, input, (before) => before.kind.person);
  const before = await cli.store.read(input.name);
  if (before !== undefined && before.user.subject !== "") {
    throw new AppError("CONFLICT", `Somebody is already signed in to the profile "${input.name}".`, {
      hint: `Sign out first, which removes it: datumctl logout --profile ${input.name}`,
    });
  }
  const saved = await saveProfile(
    cli,
    input,
    userProfile({ organization: input.organization, clientId }, address),
  );
  cli.out.success(
    `Stored the profile "${input.name}" for the organization ${input.organization}; nobody has signed in yet.`,
  );
  await printNextStep(cli, saved, `datumctl login --profile ${input.name}`);
}

/**
 * The issuer and API of the profile; a profile that exists keeps its own.
 *
 * @throws {AppError} `USAGE`; `IDENTITY_MISMATCH`
 */
async function profileAddress(
  cli: CommandContext,
  input: ProfileInput,
  same: (before: Session) => boolean,
): Promise<CloudfleetAddress> {
  const { name } = input;
  if (!isSessionName(name) || name.startsWith(ENV_PREFIX)) {
    throw new AppError("USAGE", `"${printable(name, 80)}" cannot be a profile's name.`, {
      hint: "Use letters, digits and . _ @ + : -, at most 128 of them.",
    });
  }
  const certificateAuthority = input.certificateAuthority === undefined
    ? undefined
    : await readAuthority(input.certificateAuthority);
  const stored = await cli.store.read(name);
  const before = stored === undefined ? undefined : await knownAddress(cli, stored, same);
  const address = await cloudfleetAddress({ ...input, certificateAuthority }, cli.env, before);
  if (stored !== undefined && address.issuer !== stored.issuer) throw belongsToAnother(name);
  return address;
}

/** The issuer and API of a profile that is renewed, as it was sealed; undefined when its key is lost. */
async function knownAddress(
  cli: CommandContext,
  stored: Session,
  same: (before: Session) => boolean,
): Promise<CloudfleetAddress | undefined> {
  if (!isProfile(stored) || !same(stored)) throw belongsToAnother(stored.name);
  const opened = await cli.store.openUnlessLost(stored, keyringLimits(cli));
  // A new secret replaces a lost key, but where the secret is sent must not come from an unsealed file.
  if (opened === undefined) return undefined;
  const { session, credentials } = opened;
  if (!same(session)) throw belongsToAnother(stored.name);
  const { issuer, apiHost, certificateAuthority } = session;
  return { issuer, apiHost, certificateAuthority, api: credentials.api ?? {} };
}

function belongsToAnother(name: string): AppError {
  return new AppError(
    "IDENTITY_MISMATCH",
    `A session named "${name}" already belongs to someone else or to another issuer.`,
    {
      hint: `Choose another name, or remove it first: datumctl auth remove-profile ${name}`,
    },
  );
}

/** Stores a profile. It becomes the active session only when there is none. */
async function saveProfile(
  cli: CommandContext,
  { name, keyring }: ProfileInput,
  profile: MachineSession,
): Promise<SavedSession> {
  const { store } = cli;
  await store.checkRoom();
  return await saveMachine(store, profile, {
    wantedName: name,
    ...await keyStoreChoice(cli, keyring),
    activate: await store.active() === undefined,
  }, keyringLimits(cli));
}

async function printNextStep(cli: CommandContext, saved: SavedSession, next: string): Promise<void> {
  printKeyLocation(cli, saved);
  const { name } = saved.session;
  const active = await cli.store.active();
  if (active !== name && name !== "default") {
    cli.out.info(
      `The active session stays ${active}. Use this one with --profile ${name}, or: datumctl auth switch ${name}`,
    );
  }
  const profile = active === name || next.includes("--profile") ? "" : ` --profile ${name}`;
  cli.out.info(`Next: ${next}${profile}`);
}
