/** `setup`: prints what an API server needs so that it accepts the sign-ins of an issuer. */

import { valueOption } from "./complete/declare.ts";
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../errors.ts";
import { openHttp } from "../http/open.ts";
import {
  authenticationConfiguration,
  FIRST_STRUCTURED,
  type Grant,
  oidcFlags,
  roleBinding,
  type SeenAs,
  seenAs,
  type TrustedIssuer,
} from "../kube/api-server-setup.ts";
import { discoverIssuer } from "../oauth/discovery.ts";
import { unverifiedClaims } from "../oauth/jwt.ts";
import { issuerUrl } from "../providers/oidc/target.ts";
import { SAME_COMMAND } from "../system/network.ts";
import { printable, shellLine } from "../text.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "./context.ts";
import { repeated } from "./repeated.ts";
import { toYaml, wrongFormat } from "./output/table.ts";
import { actingSession } from "./pick-session.ts";
import { readAuthority } from "./save-flags.ts";

const EXAMPLES = `
Examples:
  datumctl setup --issuer https://login.example.com --client-id kubernetes \\
      --group platform --role cluster-admin
  datumctl setup --profile ada@example.com@login.example.com
  datumctl setup --issuer https://login.example.com --client-id kubernetes \\
      --server-version 1.29
  datumctl setup --issuer https://login.example.com --client-id kubernetes \\
      --group dev --part rbac | kubectl apply -f -

Without --issuer it is for the issuer and client of the session in use, and says which name the API server
will see. Names of users and groups are the issuer's own; the prefix is put before them.`;

/** `setup`. */
export function setupCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("setup")
    .description("Print what an API server needs to accept an issuer's sign-ins")
    .option("--issuer <url>", "issuer URL, exactly as the issuer states it (default: the session's)")
    .addOption(
      valueOption(
        "nothing",
        "--client-id <id>",
        "the client whose ID tokens are for the API server (default: the session's)",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--username-claim <claim>",
        "claim that names a person (default: email, else sub)",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--groups-claim <claim>",
        "claim with a person's groups (default: groups; empty for none)",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--prefix <text>",
        "stands before names and groups (default: oidc:; empty for none)",
      ),
    )
    .option("--certificate-authority <file>", "the issuer's private authority (PEM; default: the session's)")
    .addOption(
      valueOption(
        "nothing",
        "--server-version <version>",
        "Kubernetes version of the API server (default: 1.34)",
      ),
    )
    .addOption(
      valueOption("nothing", "--user <name>", "who gets the role; repeatable (default: the session's person)")
        .argParser(repeated),
    )
    .addOption(
      valueOption("nothing", "--group <name>", "the group that gets the role; repeatable").argParser(
        repeated,
      ),
    )
    .addOption(valueOption("nothing", "--role <name>", "the ClusterRole that they get (default: view)"))
    .addOption(valueOption("nothing", "--namespace <name>", "where they get it (default: everywhere)"))
    .addOption(
      valueOption(
        ["authentication", "rbac"],
        "--part <part>",
        "print only that part: authentication or rbac",
      ),
    )
    .option("--offline", "do not ask the issuer whether it is one")
    .addOption(
      valueOption(
        ["yaml", "json"],
        "-o, --output <format>",
        "yaml or json; the first, with comments, unless given",
      ),
    )
    .addHelpText("after", EXAMPLES);
  command.action((flags) => runSetup(contextOf(command), flags));
  return command;
}

interface SetupInput {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly usernameClaim?: string | undefined;
  readonly groupsClaim?: string | undefined;
  readonly prefix?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly serverVersion?: string | undefined;
  readonly user?: readonly string[] | undefined;
  readonly group?: readonly string[] | undefined;
  readonly role?: string | undefined;
  readonly namespace?: string | undefined;
  readonly part?: string | undefined;
  readonly offline?: true | undefined;
  readonly output?: string | undefined;
}

/**
 * Prints the configuration.
 *
 * @throws {AppError} `USAGE`; `ISSUER_ERROR` where there is no such issuer; `NOT_SIGNED_IN` without one and without a session
 */
export async function runSetup(cli: CommandContext, input: SetupInput): Promise<void> {
  const { output = "yaml", part } = input;
  if (output !== "yaml" && output !== "json") throw wrongFormat(["yaml", "json"]);
  if (part !== undefined && part !== "authentication" && part !== "rbac") {
    throw new AppError("USAGE", "--part takes authentication or rbac.");
  }
  const version = minorOf(input.serverVersion);
  const subject = await subjectOf(cli, input);
  const trusted = await withMetadata(cli, subject.trusted, input);
  const grant = grantOf(input, subject);
  const parts: SetupParts = {
    trusted,
    version,
    binding: grant && roleBinding(grant, trusted.prefix),
  };
  if (part === "rbac" && parts.binding === undefined) {
    throw new AppError("USAGE", "Nobody is named who could get a role.", {
      hint: "Name a group or a user, as the issuer calls them: --group NAME, --user NAME",
    });
  }
  cli.out.text(output === "json" ? asJson(parts, part) : await asYaml(parts, part));
  tellSeen(cli, subject);
  if (part === undefined) tellNext(cli, trusted, subject.session);
}

/** For whom the configuration is. */
interface Subject {
  readonly trusted: TrustedIssuer;
  /** The session that it is of; undefined where an issuer is named. */
  readonly session: string | undefined;
  /** The person of the session, as the issuer calls them in the claim. */
  readonly person: string | undefined;
  readonly seen: SeenAs | undefined;
}

async function subjectOf(cli: CommandContext, input: SetupInput): Promise<Subject> {
  const authority = input.certificateAuthority === undefined
    ? undefined
    : await readAuthority(input.certificateAuthority);
  return input.issuer === undefined
    ? await ofSession(cli, input, authority)
    : ofIssuer({ ...input, issuer: input.issuer }, authority);
}

function ofIssuer(
  input: SetupInput & { readonly issuer: string },
  certificateAuthority: string | undefined,
): Subject {
  const { issuer, clientId } = input;
  if (clientId === undefined) {
    throw new AppError("USAGE", "--issuer needs --client-id: whose ID tokens are for the API server.");
  }
  const trusted = {
    ...mappingOf(input, "email"),
    issuer: checkedIssuer(issuer),
    clientId,
    certificateAuthority,
  };
  return { trusted, session: undefined, person: undefined, seen: undefined };
}

async function ofSession(
  given: CommandContext,
  input: SetupInput,
  authority: string | undefined,
): Promise<Subject> {
  const { context: cli, store, session: chosen } = await actingSession(given);
  const { session, credentials } = await store.open(chosen, keyringLimits(cli));
  const token = credentials.tokenSource === undefined ? credentials.idToken : undefined;
  const claims = token === undefined ? undefined : unverifiedClaims(token);
  if (claims === undefined) {
    throw new AppError(
      "USAGE",
      `The session "${session.name}" has no ID token that an API server could read.`,
      {
        hint: "Name the issuer and the client: --issuer URL --client-id ID",
      },
    );
  }
  const mapping = mappingOf(input, typeof claims["email"] === "string" ? "email" : "sub");
  const seen = seenAs(claims, mapping);
  refuseUnseen(seen, claims, mapping.usernameClaim);
  const trusted = {
    ...mapping,
    issuer: checkedIssuer(session.issuer),
    clientId: input.clientId ?? session.clientId,
    certificateAuthority: authority ?? session.certificateAuthority,
  };
  return { trusted, session: session.name, person: seen.username?.slice(mapping.prefix.length), seen };
}

/** @throws {AppError} `USAGE` for a person whom the server would refuse */
function refuseUnseen(
  { username, unverified }: SeenAs,
  claims: Readonly<Record<string, unknown>>,
  claim: string,
): void {
  if (username === undefined) {
    const texts = Object.keys(claims).filter((name) => typeof claims[name] === "string");
    throw new AppError("USAGE", `The session's ID token has no claim "${printable(claim, 60)}".`, {
      hint: `It has: ${
        texts.map((name) => printable(name, 60)).join(", ")
      }. Choose one: --username-claim sub`,
    });
  }
  if (unverified) {
    throw new AppError(
      "USAGE",
      "The issuer says that the session's e-mail address is not verified: the API server would refuse it.",
      { hint: "Have it verified at the issuer, or name people by another claim: --username-claim sub" },
    );
  }
}

/** An API server takes issuers of https alone. */
function checkedIssuer(issuer: string): string {
  if (issuerUrl(issuer).protocol === "https:") return issuer;
  throw new AppError("USAGE", `The issuer ${printable(issuer)} is not https: no API server takes it.`);
}

function mappingOf({ groupsClaim = "groups", ...input }: SetupInput, usual: string) {
  return {
    usernameClaim: input.usernameClaim ?? usual,
    groupsClaim: groupsClaim === "" ? undefined : groupsClaim,
    prefix: input.prefix ?? "oidc:",
  };
}

/** Asks the issuer; where it cannot be reached, the configuration is printed all the same. */
async function withMetadata(
  cli: CommandContext,
  trusted: TrustedIssuer,
  { offline }: SetupInput,
): Promise<TrustedIssuer> {
  if (offline) return trusted;
  using http = openHttp(cli, {
    certificateAuthority: trusted.certificateAuthority,
    trust: SAME_COMMAND,
    timeout: cli.requestTimeout,
    onTimeout: new URL(trusted.issuer).host,
    interrupted: cli.interrupted,
    requestTimeout: cli.requestTimeout,
    log: cli.out.debug,
  });
  try {
    const metadata = await discoverIssuer(http, trusted.issuer);
    return { ...trusted, algorithms: metadata.id_token_signing_alg_values_supported };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "NETWORK") throw thrown;
    cli.out.warn(`The issuer was not asked whether it is one: ${thrown.message}`);
    return trusted;
  }
}

function grantOf(
  { user, group = [], role = "view", namespace }: SetupInput,
  { person }: Subject,
): Grant | undefined {
  const users = user ?? (person === undefined || group.length > 0 ? [] : [person]);
  return users.length + group.length === 0 ? undefined : { users, groups: group, role, namespace };
}

/** @throws {AppError} `USAGE` */
function minorOf(text = "1.34"): number {
  const minor = /^v?1\.(\d{1,3})(?:\.|$|\+|-)/.exec(text)?.[1];
  if (minor !== undefined) return Number(minor);
  throw new AppError("USAGE", `--server-version "${printable(text, 40)}" is no version of Kubernetes.`, {
    hint: "Give it as kubectl version does: --server-version 1.33",
  });
}

/** What is printed. */
interface SetupParts {
  readonly trusted: TrustedIssuer;
  readonly version: number;
  /** Undefined where nobody is named. */
  readonly binding: object | undefined;
}

const CONFIGURATION = "/etc/kubernetes/authentication.yaml";
const AUTHORITY = "/etc/kubernetes/oidc-ca.pem";

function asJson({ trusted, version, binding }: SetupParts, part: string | undefined): string {
  const structured = version >= FIRST_STRUCTURED;
  const authentication = structured
    ? authenticationConfiguration(trusted, version)
    : { flags: oidcFlags(trusted, AUTHORITY) };
  const whole = {
    authentication,
    flags: structured ? [`--authentication-config=${CONFIGURATION}`] : oidcFlags(trusted, AUTHORITY),
    rbac: binding,
  };
  const shown = part === undefined ? whole : part === "rbac" ? binding : authentication;
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

async function asYaml({ trusted, version, binding }: SetupParts, part: string | undefined): Promise<string> {
  const authentication = version >= FIRST_STRUCTURED
    ? comment(STRUCTURED) + await toYaml(authenticationConfiguration(trusted, version))
    : comment(flagLines(trusted, version));
  const rbac = binding === undefined ? comment(NOBODY) : comment(BINDING) + await toYaml(binding);
  if (part === "authentication") return authentication;
  return part === "rbac" ? rbac : `${authentication}---\n${rbac}`;
}

function comment(lines: readonly string[]): string {
  return lines.map((line) => `# ${line}`.trimEnd() + "\n").join("");
}

const STRUCTURED = [
  "Whom the API server believes. Save this on every control plane node, where kube-apiserver can read it,",
  `for example as ${CONFIGURATION}, and start kube-apiserver with`,
  `    --authentication-config=${CONFIGURATION}`,
  "in place of all --oidc-... flags. With kubeadm: apiServer.extraArgs and apiServer.extraVolumes.",
  "A server that runs reads changes of the file by itself.",
];

function flagLines(trusted: TrustedIssuer, version: number): string[] {
  return [
    `Whom the API server believes. Kubernetes 1.${version} is told by flags of kube-apiserver, for one issuer:`,
    ...oidcFlags(trusted, AUTHORITY).map((flag) => `    ${flag}`),
    ...trusted.certificateAuthority === undefined
      ? []
      : [`Save the issuer's authority on every control plane node as ${AUTHORITY}.`],
  ];
}

const BINDING = [
  "What they may do there. Apply it as an administrator: kubectl apply -f FILE",
  "(kubectl does not take the document above; --part rbac prints this one alone).",
];

const NOBODY = ["What they may do there: name a group or a user with --group or --user for a role binding."];

/** Says whom the server will see. */
function tellSeen({ out }: CommandContext, { session, seen }: Subject): void {
  if (session === undefined || seen?.username === undefined) return;
  const groups = seen.groups.length === 0
    ? "no group"
    : seen.groups.map((one) => printable(one, 80)).join(", ");
  out.info(`The API server will see the session "${session}" as ${printable(seen.username)}, in ${groups}.`);
}

function tellNext(
  { out }: CommandContext,
  { issuer, clientId }: TrustedIssuer,
  session: string | undefined,
): void {
  if (session === undefined) {
    out.info(`To sign in: ${shellLine(["datumctl", "login", "--issuer", issuer, "--client-id", clientId])}`);
  }
  const profile = session === undefined ? [] : ["--profile", session];
  const line = ["datumctl", "auth", "update-kubeconfig", "--server", "https://API_SERVER", ...profile];
  out.info(`Once the server runs with it: ${shellLine(line)}`);
}
