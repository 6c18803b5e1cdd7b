/**
 * `docker-credential`: answers Docker as its credential helpers do. The messages and exit codes are those that
 * https://github.com/docker/docker-credential-helpers compares.
 */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, failureOrThrow } from "../errors.ts";
import { isObject, parseJson } from "../encoding.ts";
import {
  organizationOf,
  pinnedRegistries,
  type RegistryCredential,
  registryCredential,
  registryOf,
} from "../providers/cloudfleet/registries.ts";
import { boundedSignal } from "../system/clock.ts";
import { printable, shellLine } from "../text.ts";
import { VERSION } from "../version.ts";
import { valueArgument } from "./complete/declare.ts";
import { type CommandContext, type ContextOf, exitWith } from "./context.ts";

const NOT_FOUND = "credentials not found in native keychain";
const NO_SERVER = "no credentials server URL";
const NO_USERNAME = "no credentials username";

/** What Docker sends is short; more is not read. In bytes. */
const LONGEST_INPUT = 64 * 1024;
/** Docker sends it at once and closes the pipe. In milliseconds. */
const INPUT_TIME = 10_000;

const ACTIONS = ["get", "list", "store", "erase", "version"] as const;

/** `docker-credential`. */
export function dockerCredentialCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("docker-credential")
    .description("Answer Docker as a credential helper: what docker-credential-datumctl runs")
    .addArgument(valueArgument(ACTIONS, "<action>", "get, list, store, erase or version"))
    .addHelpText(
      "after",
      `
Examples:
  datumctl docker-credential list

Docker finds it as docker-credential-datumctl, after: datumctl auth configure-docker`,
    );
  command.action((action) => runDockerCredential(contextOf(command), action));
  return command;
}

/**
 * Answers one call of Docker's. A failure is a line on standard output and exit 1, as Docker expects; the secret stands on
 * standard output alone, and only in the answer to `get`.
 */
export async function runDockerCredential(cli: CommandContext, action: string): Promise<void> {
  let answer: string;
  try {
    answer = await answerTo(cli, action);
  } catch (thrown) {
    const { message, hint = "" } = failureOrThrow(thrown);
    cli.out.line(`${message} ${hint}`.trim());
    exitWith(1);
  }
  cli.out.text(answer);
}

async function answerTo(cli: CommandContext, action: string): Promise<string> {
  switch (action) {
    case "get":
      return await get(cli);
    case "list":
      return await list(cli);
    case "store":
      return await store(cli);
    case "erase":
      return await erase(cli);
    case "version":
      return `docker-credential-datumctl (datumctl) ${VERSION}\n`;
    default:
      throw new AppError("USAGE", `docker-credential-datumctl: unknown action: ${printable(action, 40)}`);
  }
}

async function get(cli: CommandContext): Promise<string> {
  const server = await readServer(cli);
  const found = await credentialFor(cli, server);
  if (found === undefined) throw notFound(cli, server);
  const { username, secret } = found;
  return `${JSON.stringify({ ServerURL: server, Username: username, Secret: secret })}\n`;
}

async function credentialFor(cli: CommandContext, server: string): Promise<RegistryCredential | undefined> {
  const registry = registryOf(server);
  return registry === undefined ? undefined : await registryCredential(cli, registry);
}

/** Docker goes on as nobody after this, so that standard error says what is missing. */
function notFound({ out }: CommandContext, server: string): AppError {
  const organization = organizationOf(registryOf(server) ?? "");
  if (organization !== undefined) {
    const add = ["datumctl", "auth", "add-profile", "token", "NAME", organization, "TOKEN_ID"];
    out.info(
      `datumctl: no profile is for the organization ${organization}. Add its API token: ${shellLine(add)}`,
    );
  }
  return new AppError("NOT_FOUND", NOT_FOUND);
}

/** The registries that a profile was chosen for, and the ids of their tokens: nothing is opened. */
async function list({ store }: CommandContext): Promise<string> {
  const found: Record<string, string> = {};
  for (const [registry, profile] of await pinnedRegistries(store)) {
    const session = await store.read(profile);
    if (session !== undefined && registryOf(registry) === registry) found[registry] = session.clientId;
  }
  return `${JSON.stringify(found)}\n`;
}

/**
 * `docker login` stores what it has just signed in with, also when that came from here. There is nothing to store then;
 * anything else must not look stored, since the next `get` would hand out another credential.
 */
async function store(cli: CommandContext): Promise<string> {
  const given = parseJson(await readInput(cli));
  const { ServerURL: server = "", Username: username = "", Secret: secret = "" } = isObject(given)
    ? given
    : {};
  if (typeof server !== "string" || server === "") throw new AppError("USAGE", NO_SERVER);
  if (typeof username !== "string" || username === "") throw new AppError("USAGE", NO_USERNAME);
  const own = await credentialFor(cli, server);
  if (own !== undefined && own.username === username && own.secret === secret) return "";
  const host = registryOf(server);
  const remove = shellLine([
    ...["datumctl", "auth", "configure-docker", "--remove", "--registry", host ?? "HOST"],
  ]);
  throw own === undefined
    ? new AppError("USAGE", "datumctl stores no credentials for docker.", {
      hint:
        `It hands out API tokens of its profiles: datumctl auth add-profile. To let docker store them: ${remove}`,
    })
    : new AppError(
      "USAGE",
      `docker gets the credentials for ${host} from the profile "${own.profile}" of datumctl; others are not stored.`,
      {
        hint:
          `To use another API token: datumctl auth configure-docker --profile NAME. To let docker store it: ${remove}`,
      },
    );
}

/** `docker logout` must not end a session that kubectl uses, too: it is told what would. */
async function erase(cli: CommandContext): Promise<string> {
  const server = await readServer(cli);
  const registry = registryOf(server);
  const profile = registry === undefined ? undefined : (await pinnedRegistries(cli.store)).get(registry);
  if (registry !== undefined && profile !== undefined) {
    const remove = shellLine([
      ...["datumctl", "auth", "configure-docker", "--remove", "--registry", registry],
    ]);
    const logout = shellLine(["datumctl", "auth", "remove-profile", profile]);
    cli.out.info(
      `datumctl: the profile "${
        printable(profile, 80)
      }" stays, and docker goes on to use it for ${registry}. ` +
        `To end that: ${remove}. To remove the profile: ${logout}`,
    );
  }
  return "";
}

/** The server that Docker asks about, as it wrote it. */
async function readServer(cli: CommandContext): Promise<string> {
  const server = (await readInput(cli)).trim();
  if (server !== "") return server;
  throw new AppError("USAGE", NO_SERVER);
}

async function readInput({ terminal, interrupted }: CommandContext): Promise<string> {
  using bound = boundedSignal(
    INPUT_TIME,
    () => new AppError("TIMEOUT", "Nothing came on standard input: docker sends the server's address there."),
    interrupted,
  );
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  bound.signal.addEventListener("abort", () => reject(bound.signal.reason), { once: true });
  // A read cannot be cancelled: it stays pending in a process that is about to end.
  const text = await Promise.race([terminal.readIn(LONGEST_INPUT), stopped]);
  if (text.length <= LONGEST_INPUT) return text;
  throw new AppError("USAGE", "What came on standard input is too long for a credential helper.");
}
