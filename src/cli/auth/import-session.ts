/** The session that `auth import` makes of another program's sign-in: one that is there, one taken over, or a new one. */

import { AppError } from "../../errors.ts";
import { choicesOf, signInAs, targetOf } from "../login/person.ts";
import { openSignIn } from "../login/open-sign-in.ts";
import { chosenProvider } from "../../providers/choose.ts";
import type { Provider, SignInTarget } from "../../providers/provider.ts";
import { labelOf } from "../../sessions/new-name.ts";
import type { Session } from "../../sessions/session.ts";
import { saveSignIn } from "../../sign-in/save.ts";
import { takeOver } from "../../sign-in/import/take-over.ts";
import type { OtherAuthority, OtherSignIn, OtherTokens } from "../../sign-in/import/found.ts";
import { isOver } from "../../sessions/session.ts";
import { parseTimeout } from "../../system/clock.ts";
import { certificatesOf } from "../../system/network.ts";
import { holdSignals } from "../../system/signals.ts";
import { printable } from "../../text.ts";
import { type CommandContext, keyringLimits } from "../context.ts";
import { printKeyLocation } from "../notices.ts";
import { agrees } from "../prompt/confirm.ts";
import { keyStoreChoice, readAuthority, wantedSessionName } from "../save-flags.ts";

/** How a session is made. */
export interface SessionInput {
  /** Undefined asks on a terminal, and means no elsewhere. */
  readonly takeOver?: boolean | undefined;
  readonly keyring?: string | undefined;
  readonly timeout?: string | undefined;
  /** `--certificate-authority`: trusted in place of those that the other program names. */
  readonly certificateAuthority?: string | undefined;
  /** `--browser-command`. */
  readonly browserCommand?: string | undefined;
  /** `--no-browser`. */
  readonly device: boolean;
}

/** A sign-in that several findings share. */
export interface SharedSignIn {
  readonly tool: string;
  readonly signIn: OtherSignIn;
  readonly tokens: OtherTokens | undefined;
}

/**
 * The session that is signed in to the same issuer as the same client already, with the same scopes at least: the one of
 * `--profile`, the active one, or the only one.
 *
 * @throws {AppError} `USAGE` where there are several, and none of these
 */
export async function existingSession(
  cli: CommandContext,
  { signIn }: SharedSignIn,
): Promise<Session | undefined> {
  const { store } = cli;
  const target = await targetFor(cli, signIn);
  const wanted = wantedSessionName(cli);
  const scopes = signIn.login.scopes?.split(",") ?? [];
  const fitting = (await store.list()).sessions.filter((session) =>
    session.kind.person && session.issuer === target.issuer && session.clientId === target.client.id &&
    session.apiHost === target.apiHost && !isOver(session, cli.now()) &&
    scopes.every((scope) => session.scopes.includes(scope)) &&
    (signIn.email === undefined || isSame(session.user.email, signIn.email)) &&
    (wanted === undefined || session.name === wanted)
  );
  const active = await store.active();
  const found = fitting.find(({ name }) => name === active) ?? fitting[0];
  if (found === undefined || fitting.length === 1 || found.name === active) return found;
  throw new AppError(
    "USAGE",
    `Several sessions are signed in at ${printable(target.issuer)}: ${
      fitting.map(({ name }) => name).join(", ")
    }.`,
    { hint: "Name the one that is meant: --profile NAME" },
  );
}

/** The session, got in the way that the person agrees to. */
export async function sessionFor(
  cli: CommandContext,
  shared: SharedSignIn,
  input: SessionInput,
): Promise<Session> {
  const existing = await existingSession(cli, shared);
  if (existing !== undefined) {
    // As it was sealed: an edited file must not say that it is of this issuer and client.
    const { session } = await cli.store.open(existing, keyringLimits(cli));
    const { issuer, client } = await targetFor(cli, shared.signIn);
    if (session.issuer === issuer && session.clientId === client.id) {
      cli.out.info(`Using the session "${session.name}", which is signed in there already.`);
      return session;
    }
  }
  const session = await takenOver(cli, shared, input) ?? await signedIn(cli, shared, input);
  refuseOtherPerson(shared, session);
  return session;
}

async function signedIn(
  cli: CommandContext,
  { signIn }: SharedSignIn,
  { device, ...input }: SessionInput,
): Promise<Session> {
  const { keyring, timeout, browserCommand, certificateAuthority } = input;
  const provider = await providerFor(cli, signIn);
  const login = { ...signIn.login, device: signIn.login.device || device, keyring, timeout, browserCommand };
  const session = await signInAs(cli, login, provider, {
    clientSecret: signIn.clientSecret,
    certificateAuthority: await authorityOf(signIn.authority, certificateAuthority),
    loginHint: signIn.email,
    activate: await isFirst(cli),
  });
  if (session === undefined) throw new AppError("INTERNAL", "The sign-in ended without a session.");
  return session;
}

/** Undefined where there is nothing to take over, where the person does not want it, and where it is too late. */
async function takenOver(
  cli: CommandContext,
  shared: SharedSignIn,
  input: SessionInput,
): Promise<Session | undefined> {
  const { tool, tokens } = shared;
  if (tokens === undefined || !await mayTakeOver(cli, tool, tokens, input)) return undefined;
  try {
    return await takeTokens(cli, shared, tokens, input);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    if (SPENT.has(thrown.code)) {
      cli.out.warn(`The refresh token was used: ${tool} may have to sign in again.`);
    }
    if (thrown.code !== "SESSION_EXPIRED") throw thrown;
    cli.out.info(`${thrown.message} So you sign in.`);
    return undefined;
  }
}

/** What goes wrong after the issuer answered, which may have spent the token. */
const SPENT: ReadonlySet<string> = new Set(["INVALID_TOKEN", "NO_ID_TOKEN", "CLOCK_SKEW", "STORAGE"]);

async function mayTakeOver(
  cli: CommandContext,
  tool: string,
  { where }: OtherTokens,
  { takeOver }: SessionInput,
): Promise<boolean> {
  if (takeOver !== undefined) return takeOver;
  if (!cli.terminal.canAsk) return false;
  cli.out.important(
    `${tool} keeps a refresh token in ${where}. With it you need not sign in. Many issuers replace such a token ` +
      `when it is used: then ${tool} has to sign in again, and some end both sessions when it tries the old one.`,
  );
  return await agrees(cli, "Take it over?");
}

async function takeTokens(
  cli: CommandContext,
  { tool, signIn }: SharedSignIn,
  tokens: OtherTokens,
  { keyring, timeout = "1m", ...input }: SessionInput,
): Promise<Session> {
  const { store, out } = cli;
  const wantedName = wantedSessionName(cli);
  await store.checkRoom();
  const stores = await keyStoreChoice(cli, keyring);
  const target = await targetFor(cli, signIn);
  const certificateAuthority = await authorityOf(signIn.authority, input.certificateAuthority);
  const activate = await isFirst(cli);
  using http = openSignIn(cli, parseTimeout(timeout, "--timeout"), certificateAuthority, "machine");
  // From here on the token may be spent: no signal may end the process before what comes instead is stored.
  const signals = holdSignals();
  try {
    const request = { target, choices: choicesOf(signIn.login, undefined) };
    const taken = await takeOver(http, request, tokens, cli);
    const choice = { wantedName, ...stores, certificateAuthority, activate, revokeLost: taken.rotated };
    const saved = await saveSignIn(store, http, taken.signedIn, choice, keyringLimits(cli));
    const { session } = saved;
    out.success(`Took over the sign-in of ${labelOf(session)} at ${session.apiHost}.`);
    printKeyLocation(cli, saved);
    out.info(
      taken.rotated
        ? `The issuer replaced the refresh token: ${tool} has to sign in again when it is used next.`
        : `The issuer did not replace the refresh token: ${tool} can go on to use it. A logout here ends it for both.`,
    );
    return session;
  } finally {
    await signals.release();
  }
}

/** Somebody else's session is stored, but no entry is rewritten for it. */
function refuseOtherPerson({ tool, signIn: { email } }: SharedSignIn, session: Session): void {
  if (email === undefined || session.user.email === undefined || isSame(session.user.email, email)) return;
  throw new AppError(
    "IDENTITY_MISMATCH",
    `${tool} was signed in as ${printable(email, 100)}, but ${labelOf(session)} signed in now. ` +
      "The kubeconfig was left as it is.",
    { hint: `Run the same command again and sign in as ${printable(email, 100)}.` },
  );
}

function isSame(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

/** Whether no session is active yet: importing changes nobody's choice. */
async function isFirst({ store }: CommandContext): Promise<boolean> {
  return await store.active() === undefined;
}

async function providerFor({ providers, env }: CommandContext, { login }: OtherSignIn): Promise<Provider> {
  return await chosenProvider(providers, {
    flag: login.issuer === undefined ? "datum" : "oidc",
    flags: login,
    renewed: undefined,
    env,
  });
}

/** Where the other program signs in. */
export async function targetFor(cli: CommandContext, signIn: OtherSignIn): Promise<SignInTarget> {
  return await targetOf(cli, await providerFor(cli, signIn), signIn.login, undefined, signIn.clientSecret);
}

/** The certificates as one PEM; undefined where none are named. */
async function authorityOf(
  { files, data }: OtherAuthority,
  named: string | undefined,
): Promise<string | undefined> {
  if (named !== undefined) return await readAuthority(named);
  const parts: string[] = [];
  for (const file of files) parts.push(await readAuthority(file));
  for (const text of data) parts.push(`${certificatesOf(decoded(text)).join("\n")}\n`);
  return parts.length === 0 ? undefined : parts.join("");
}

function decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    throw new AppError("KUBECONFIG", "The certificate-authority-data of the entry's issuer is not base64.");
  }
}
