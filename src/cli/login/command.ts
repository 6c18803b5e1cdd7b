/** `login`: its flags, and which kind of sign-in they mean. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { chosenProvider } from "../../providers/choose.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Providers } from "../../providers/registry.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { repeated } from "../repeated.ts";
import type { LoginInput, OwnFlag } from "../../providers/flags.ts";
import { valueOption } from "../complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl login
  datumctl login --no-browser
  datumctl login --profile work
  datumctl login --hostname auth.example.com --client-id 1234 \\
      --certificate-authority ca.pem
  datumctl login --issuer https://login.example.com --client-id kubernetes
  datumctl login --issuer https://login.example.com --client-id kubernetes \\
      --redirect-uri http://localhost:8000/callback \\
      --client-secret-file secret.txt
  datumctl login --issuer https://example.eu.auth0.com/ --client-id ID \\
      --auth-param audience=https://api.example.com
  datumctl login --credentials key.json
  datumctl login --with-token < FILE
  datumctl login --issuer https://login.example.com --workload github \\
      --audience https://k8s.example.com
  datumctl login --provider studio
  datumctl login --provider studio --team data-team --expires-in 30 --local

After a person's sign-in at Datum, a terminal asks which organization and project to use, unless there is but
one, or one is in use already; Escape leaves that for later. See datumctl ctx use --help.

With -v, a person's sign-in prints the claims of the ID token as well.

--auth-param and --token-param are not for secrets: they are remembered in the session's file as they are.
An empty value (--auth-param "") takes back what was remembered.`;

/** `login`, also `auth login`. */
export async function loginCommandLine(
  { all }: Providers,
  contextOf: ContextOf,
): Promise<CommandUnknownOpts> {
  const shared = new Command("login")
    .description("Sign in, through the browser or with a device code")
    .optionsGroup("For every sign-in")
    .option("-H, --hostname <host>", "host to sign in to (default: auth.datum.net)")
    .option("--no-browser", "sign in with a code on another device")
    .addOption(new Option("--no-open", "the same as --no-browser").hideHelp())
    .option(
      "--browser-command <command>",
      "program that opens the address; %s stands for the address, else it is added at the end",
    )
    .addOption(
      valueOption(
        all.map(({ facts }) => String(facts)),
        "--provider <provider>",
        `kind of cloud: ${
          all.map(({ facts }) => facts).join(", ")
        } (default: implied by the other flags, else datum; ` +
          "env: DATUMCTL_PROVIDER)",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "-s, --scopes <list>",
        "scopes to request instead of the default ones, separated by commas",
      ),
    )
    .addOption(
      valueOption(
        ["auto", "system", "file"],
        "--keyring <store>",
        "where the session's key is kept: auto, system or file (env: DATUMCTL_KEYRING)",
      ),
    )
    .option("--certificate-authority <file>", "PEM file of a private authority to trust; remembered")
    .option("--timeout <duration>", "time limit for the whole sign-in (default: 5m)")
    .option("--no-input", "ask nothing on the terminal, not even which organization and project to use")
    .option("--listen-port <port>", "loopback port for the browser's answer (default: a free one)")
    .option("--api-hostname <host>", "API host, if it cannot be derived from the auth host")
    .optionsGroup("For any OIDC issuer")
    .option("--issuer <url>", "issuer URL, exactly as the issuer states it, with its path")
    .addOption(
      valueOption(
        "nothing",
        "--client-id <id>",
        "OAuth client id; a self-hosted Datum needs one, too",
      ),
    )
    .option("--client-secret-file <file>", "file with the client's secret, - for standard input")
    .option("--redirect-uri <uri>", "loopback address for the browser to return to, sent byte for byte")
    .option("--device-authorization-endpoint <url>", "endpoint that issues device codes")
    .addOption(
      valueOption(
        ["login", "consent", "select_account", "none"],
        "--prompt <prompt>",
        "prompt parameter for the issuer, such as login; empty to send none",
      ),
    )
    .option(
      "--auth-param <name=value>",
      "parameter of the issuer's own for the sign-in page or the device code; no secret; repeatable, remembered",
      repeated,
    )
    .option(
      "--token-param <name=value>",
      "parameter of the issuer's own for every token, refreshes included; no secret; repeatable, remembered",
      repeated,
    )
    .option("--resource <uri>", "whom the tokens are for (RFC 8707); repeatable, remembered", repeated)
    .option(
      "--trust-audience <audience>",
      "who else the ID token may be for, where it does not say whom it was issued to; repeatable, remembered",
      repeated,
    );
  const codes = await Promise.all(
    all.map(async (provider) => ({ facts: provider.facts, code: await provider.load() })),
  );
  for (const { facts: { title }, code: { ownFlags = [] } } of codes) {
    shared.optionsGroup(`For ${title}`);
    for (const flag of ownFlags) shared.addOption(optionOf(flag));
  }
  const command = shared
    .optionsGroup("For machines")
    .option("--credentials <file>", "a service account's key file, - for standard input")
    .option("--with-token", "a personal access token, read from standard input")
    .addOption(
      valueOption(
        ["github", "gitlab", "gitlab:", "file:"],
        "--workload <kind>",
        "the CI system's own token: github, gitlab[:VARIABLE] or file:PATH",
      ),
    )
    .option("--audience <audience>", "whom the CI system's token is for")
    .option("--exchange", "exchange the CI system's token at the issuer")
    .addHelpText("after", EXAMPLES);
  command.action(({ input, ...flags }) =>
    runLogin(
      input ? contextOf(command) : withoutAsking(contextOf(command)),
      { ...flags, device: !flags.browser || !flags.open },
    )
  );
  return command;
}

/** `--no-input`: as where there is no terminal to ask on. */
function withoutAsking(cli: CommandContext): CommandContext {
  return { ...cli, terminal: { ...cli.terminal, canAsk: false } };
}

function optionOf({ usage, description, repeatable }: OwnFlag): Option {
  const option = valueOption("nothing", usage, description);
  return repeatable ? option.argParser(repeated) : option;
}

/**
 * Signs in, stores the session, makes it active and says so.
 *
 * @throws {AppError} `USAGE` for flags that contradict each other
 */
export async function runLogin(cli: CommandContext, given: LoginInput): Promise<void> {
  const { credentialsFile } = cli.choice;
  if (given.credentials !== undefined && credentialsFile !== undefined) {
    throw new AppError("USAGE", "--credentials and --credentials-file name two keys.", {
      hint: "Sign in with one of them.",
    });
  }
  const input = credentialsFile === undefined ? given : { ...given, credentials: credentialsFile };
  const ways = [
    ["--credentials", input.credentials],
    ["--with-token", input.withToken],
    ["--workload", input.workload],
  ].flatMap(([flag, value]) => value === undefined ? [] : [flag]);
  if (ways.length > 1) throw new AppError("USAGE", `${ways.join(" and ")} cannot be combined.`);
  if (ways.length === 1) {
    const { signInAMachine } = await import("./machine.ts");
    return await signInAMachine(cli, input);
  }
  const lost = (["audience", "exchange"] as const).find((name) => input[name] !== undefined);
  if (lost !== undefined) throw new AppError("USAGE", `--${lost} can only be used with --workload.`);
  const provider = await providerOf(cli, input);
  const code = await provider.load();
  if (code.signIn !== undefined) {
    const { loginCommandOf } = await import("./login-command.ts");
    return await code.signIn(cli, loginCommandOf(cli), input);
  }
  const { signInAPerson } = await import("./person.ts");
  return await signInAPerson(cli, input, provider);
}

/**
 * The provider that the flags, the session to renew and the variables mean.
 *
 * @throws {AppError} `USAGE`
 */
async function providerOf(
  { choice, env, store, providers }: CommandContext,
  input: LoginInput,
): Promise<Provider> {
  const name = choice.flag ?? choice.variable?.session;
  const where = input.local ? await store.forWorkingFolder() : store;
  return await chosenProvider(providers, {
    flag: input.provider,
    flags: input,
    renewed: name === undefined ? undefined : await where.read(name),
    env,
  });
}
