/** A machine's `login`: which way is meant, that its credential works, what is kept of it, what is said. */

import { AppError, fail } from "../../errors.ts";
import { printable } from "../../text.ts";
import type { HttpContext } from "../../http/bounded.ts";
import { type IssuedToken, requestToken } from "../../sessions/token-source.ts";
import type { Session } from "../../sessions/session.ts";
import { labelOf } from "../../sessions/new-name.ts";
import { type SavedSession, saveMachine } from "../../sessions/save.ts";
import type { MachineFlag, MachineLogins, ProviderCode } from "../../providers/provider.ts";
import type { SessionProvider } from "../../sessions/provider.ts";
import { readClientSecret, readHiddenLine } from "../prompt/hidden-line.ts";
import { PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT, WORKLOAD } from "../../providers/kinds.ts";
import { parseTimeout } from "../../system/clock.ts";
import { type CommandContext, keyringLimits } from "../context.ts";
import { keyStoreChoice, readAuthority, wantedSessionName } from "../save-flags.ts";
import { printKeyLocation, warnOfPrecedence, warnOfProjectFolder } from "../notices.ts";
import { tellName, tellNext } from "./announce.ts";
import { openSignIn } from "./open-sign-in.ts";
import type { LoginInput } from "../../providers/flags.ts";
import { credentialsOf, type Machine, type MachineLogin, wrong } from "../../sign-in/machine/machine.ts";
import { personalAccessToken } from "../../sign-in/machine/personal-access-token.ts";
import { serviceAccount } from "../../sign-in/machine/service-account.ts";
import { workload } from "../../sign-in/machine/workload.ts";
import { refuseLostKey } from "./lost-key.ts";

/** A way to sign a machine in. */
interface Way {
  readonly flag: string;
  readonly kind: Session["kind"];
  /** The flags that go with it, beside those that go with every way. */
  readonly flags: readonly string[];
  readonly read: (login: MachineLogin) => Promise<Machine>;
}

const WAYS = {
  credentials: {
    flag: "--credentials",
    kind: SERVICE_ACCOUNT,
    flags: ["tokenParam", "resource"],
    read: serviceAccount,
  },
  withToken: { flag: "--with-token", kind: PERSONAL_ACCESS_TOKEN, flags: [], read: personalAccessToken },
  workload: {
    flag: "--workload",
    kind: WORKLOAD,
    flags: ["issuer", "audience", "exchange"],
    read: workload,
  },
} as const satisfies Record<MachineFlag, Way>;

/** The flags that go with every way. */
const EVERYWHERE: readonly string[] = [
  "hostname",
  "apiHostname",
  "provider",
  "certificateAuthority",
  "keyring",
  "timeout",
];

/** What goes with `--exchange` alone: whom the issuer is to see there. */
const EXCHANGE_FLAGS: readonly string[] = [
  ...["clientId", "clientSecretFile", "scopes", "tokenParam", "resource"] as const,
];

/** How `--no-browser` and its like come. */
const NO_BROWSER = ["device", "browser", "open"];

/** Signs a machine in without asking anybody anything: proves its credential, keeps it, makes it active, says so. */
export async function signInAMachine(cli: CommandContext, input: LoginInput): Promise<void> {
  const name = (Object.keys(WAYS) as MachineFlag[]).find((name) => input[name] !== undefined) ?? "workload";
  const way: Way = WAYS[name];
  checkFlags(way, input);
  const clouds = await cloudsFor(cli, name);
  if (input.provider !== undefined && !clouds.some(({ provider }) => String(provider) === input.provider)) {
    throw notFor(`--provider ${printable(input.provider, 60)}`, way.flag);
  }
  const { store } = cli;
  const wantedName = wantedSessionName(cli);
  const timeout = parseTimeout(input.timeout ?? "5m", "--timeout");
  // Before anything is asked for nothing.
  await store.active();
  await store.checkRoom();
  const before = wantedName === undefined ? undefined : await sessionToReplace(cli, wantedName, way, input);
  if (before?.sealed === false) await refuseLostKey(cli, before.session, input);
  const known = before?.sealed ? before.session : undefined;
  const certificateAuthority = input.certificateAuthority === undefined
    ? known?.certificateAuthority
    : await readAuthority(input.certificateAuthority);
  const stores = await keyStoreChoice(cli, input.keyring);

  using http = openSignIn(cli, timeout, certificateAuthority, "machine");
  const machine = await way.read({
    warn: cli.out.warn,
    readIn: cli.terminal.readIn,
    readHiddenLine: (what) => readHiddenLine(cli, what),
    readClientSecret: (path) => readClientSecret(cli, path),
    input,
    known,
    http,
    address: () => cloudOf(clouds, cli, input, known).machines.address(input, known),
    clientIdAt: async (authHost) =>
      (await cloudsFor(cli)).map(({ machines }) => machines.clientId?.(authHost)).find((id) =>
        id !== undefined
      ),
  });
  const { proved, untried } = await prove(cli, http, machine, certificateAuthority);
  const user = await machine.userOf(proved?.token);
  const credentials = credentialsOf(machine, user.subject, certificateAuthority);
  // A CI system's token is of this job alone.
  const kept = machine.kind.tokens === "of a job" ? undefined : proved;
  const saved = await saveMachine(
    store,
    {
      session: {
        provider: machine.address.provider,
        kind: machine.kind,
        user,
        scopes: [...machine.scopes],
      },
      credentials: kept === undefined ? credentials : { ...credentials, ...tokenOf(kept) },
      label: machine.labelOf(user),
    },
    {
      wantedName,
      ...stores,
      activate: true,
    },
    keyringLimits(cli),
  );
  await announce(cli, machine, saved, { proved, untried }, http.fetch);
}

/** A cloud that machines sign in to. */
interface MachineCloud {
  readonly provider: SessionProvider;
  readonly machines: MachineLogins;
  readonly code: ProviderCode;
}

/** The clouds that machines sign in to, with that flag where one is named. */
async function cloudsFor({ providers }: CommandContext, flag?: MachineFlag): Promise<MachineCloud[]> {
  const clouds = await Promise.all(
    providers.all.map(async ({ facts, load }) => ({ provider: facts, code: await load() })),
  );
  return clouds.flatMap(({ provider, code }) => {
    const { machines } = code;
    return machines !== undefined && (flag === undefined || machines.flags.includes(flag))
      ? [{ provider, machines, code }]
      : [];
  });
}

/** The cloud that is meant: the named one, one that the flags certainly mean, that of the session, the first. */
function cloudOf(
  clouds: readonly MachineCloud[],
  { env }: CommandContext,
  input: LoginInput,
  known: Session | undefined,
): MachineCloud {
  const { provider: named, hostname } = input;
  return clouds.find(({ provider }) => String(provider) === named) ??
    clouds.find(({ code }) => code.meant?.(input, env) === "certainly") ??
    clouds.find(({ provider }) => provider === known?.provider && hostname === undefined) ??
    clouds[0] ?? fail(wrong("Machines do not sign in to any cloud."));
}

/**
 * Refuses what the way does not know.
 *
 * @throws {AppError} `USAGE`, naming the flag
 */
function checkFlags({ flag, flags }: Way, input: LoginInput): void {
  const exchanged = input.exchange ? EXCHANGE_FLAGS : [];
  const known: readonly string[] = [...Object.keys(WAYS), ...EVERYWHERE, ...flags, ...exchanged];
  if (input.device) throw notFor("--no-browser", flag);
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined || NO_BROWSER.includes(name)) continue;
    if (known.includes(name)) continue;
    throw notFor(
      wordOf(name),
      flags.includes("exchange") && EXCHANGE_FLAGS.some((other) => other === name)
        ? `${flag} without --exchange`
        : flag,
    );
  }
}

function notFor(word: string, way: string): AppError {
  return wrong(`${word} is not for ${way}.`, "Leave it out; see datumctl login --help.");
}

/** A flag as it is typed: `clientId` is `--client-id`. */
function wordOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A session that is replaced. */
interface ReplacedSession {
  readonly session: Session;
  /** Its fields are as they were sealed; else its key is lost, and they are a file's word. */
  readonly sealed: boolean;
}

/**
 * The session of a name that is to be replaced; undefined when there is none.
 *
 * @throws {AppError} `USAGE` for one of another kind
 */
async function sessionToReplace(
  cli: CommandContext,
  name: string,
  { flag, kind }: Way,
  { keyring }: LoginInput,
): Promise<ReplacedSession | undefined> {
  const stored = await cli.store.read(name);
  if (stored === undefined) return undefined;
  const opened = await cli.store.openUnlessLost(stored, keyringLimits(cli), keyring);
  const session = opened?.session ?? stored;
  if (session.kind !== kind) {
    throw wrong(
      `The session "${name}" is of kind ${session.kind}, but ${flag} makes one of kind ${kind}.`,
      `Choose another name with --profile, or remove that one first: datumctl logout ${name}`,
    );
  }
  return { session, sealed: opened !== undefined };
}

/** The first token, or why nobody can say here whether there will be one. */
interface Proof {
  readonly proved?: IssuedToken | undefined;
  readonly untried?: AppError | undefined;
}

/** Gets a token once. Outside of any job a CI system's token source is kept untried; in a job that lacks something it is not. */
async function prove(
  cli: CommandContext,
  http: HttpContext,
  machine: Machine,
  certificateAuthority: string | undefined,
): Promise<Proof> {
  try {
    const credentials = credentialsOf(machine, "", certificateAuthority);
    return { proved: await requestToken(http, cli, credentials, machine.tokenSource) };
  } catch (thrown) {
    const outside = thrown instanceof AppError && thrown.code === "NO_WORKLOAD_TOKEN" &&
      cli.env("GITHUB_ACTIONS") === undefined && cli.env("GITLAB_CI") === undefined;
    if (outside) return { untried: thrown };
    throw thrown;
  }
}

/** What is sealed of a token, and of what was learned on the way to it. */
function tokenOf({ source, token: { accessToken, receivedAt, expiresAt } }: IssuedToken) {
  return {
    tokenSource: source,
    accessToken,
    received: receivedAt,
    accessTokenExpires: expiresAt,
  };
}

async function announce(
  cli: CommandContext,
  machine: Machine,
  saved: SavedSession,
  { proved, untried }: Proof,
  fetch: HttpContext["fetch"],
): Promise<void> {
  const { out } = cli;
  const { session } = saved;
  if (untried === undefined) out.success(`Signed in as ${labelOf(session)} at ${session.apiHost}.`);
  else {
    out.success(`Set up ${labelOf(session)} at ${session.apiHost}.`);
    out.info(`Not tested yet: ${untried.message}`);
  }
  if (machine.keepsSecrets) printKeyLocation(cli, saved);
  out.info(machine.remark);
  tellName(cli, session, machine.labelOf(session.user));
  warnOfPrecedence(cli, session.name);
  await warnOfProjectFolder(cli);
  if (proved !== undefined) {
    const { afterSignIn } = await cli.providers.of(session).load();
    await afterSignIn?.(cli, session, proved.token.accessToken, fetch);
  }
  await tellNext(cli, session);
}
