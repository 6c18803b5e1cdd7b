/** A person's `login`: through the browser or with a device code, keeping the session, saying what comes next. */

import { AppError } from "../../errors.ts";
import { printable, printableValue } from "../../text.ts";
import { endpointUrl } from "../../http/address.ts";
import type { HttpContext } from "../../http/bounded.ts";
import { loopbackRedirect } from "../../oauth/redirect-uri.ts";
import { isSameClient } from "../../sessions/identity.ts";
import type { Session, SignInChoices } from "../../sessions/session.ts";
import { nameOfPerson } from "../../sessions/name.ts";
import { labelOf, refuseNameOfOtherHost } from "../../sessions/new-name.ts";
import type { SavedSession } from "../../sessions/save.ts";
import { saveSignIn } from "../../sign-in/save.ts";
import { signInPerson } from "../../sign-in/person.ts";
import type { SignedIn } from "../../sign-in/sign-in.ts";
import type { KnownSession, Provider, SignInTarget } from "../../providers/provider.ts";
import { parseTimeout } from "../../system/clock.ts";
import { readClientSecret } from "../prompt/hidden-line.ts";
import { keyStoreChoice, readAuthority, wantedSessionName } from "../save-flags.ts";
import { type CommandContext, keyringLimits } from "../context.ts";
import { printKeyLocation, warnOfPrecedence, warnOfProjectFolder } from "../notices.ts";
import type { LoginInput } from "../../providers/flags.ts";
import { openSignIn } from "./open-sign-in.ts";
import { chosenParameters } from "../../sign-in/parameters.ts";
import { nextStep, tellName, tellNext } from "./announce.ts";
import { asksForTarget, chooseTarget } from "./choose-target.ts";
import { refuseLostKey } from "./lost-key.ts";

/** What a command decides that signs in as part of its own work. */
export interface OwnSignIn {
  /** The secret of the client, which no flag names. */
  readonly clientSecret?: string | undefined;
  /** PEM. */
  readonly certificateAuthority?: string | undefined;
  /** Whom the issuer should suggest. */
  readonly loginHint?: string | undefined;
  /** Makes it the active session. */
  readonly activate: boolean;
}

/** Signs in, stores the session, makes it active and says so. */
export async function signInAPerson(
  cli: CommandContext,
  input: LoginInput,
  provider: Provider,
): Promise<void> {
  const session = await signInAs(cli, input, provider);
  if (session === undefined) return;
  const inUse = await chooseTarget(cli, session);
  await tellNext(cli, { ...session, inUse });
}

/** As {@link signInAPerson}, without a word on what comes next; the session that was stored. */
export async function signInAs(
  cli: CommandContext,
  input: LoginInput,
  provider: Provider,
  own: OwnSignIn = { activate: true },
): Promise<Session | undefined> {
  const { out, store } = cli;
  const wantedName = wantedSessionName(cli);
  // Before anybody signs in for nothing.
  await store.active();
  await store.checkRoom();
  const before = wantedName === undefined ? undefined : await sessionToRenew(cli, wantedName, input.keyring);
  const renewed = before?.session;
  const stores = await keyStoreChoice(cli, input.keyring);
  // What was not sealed, or cannot be opened, says nothing of where to sign in.
  const trusted = before?.sealed ? before : undefined;
  if (before !== undefined && trusted === undefined) await refuseLostKey(cli, before.session, input);
  const certificateAuthority = input.certificateAuthority === undefined
    ? own.certificateAuthority ?? trusted?.session.certificateAuthority
    : await readAuthority(input.certificateAuthority);
  // What is known of a session holds for the place that it is of.
  const elsewhere = renewed?.provider !== provider.facts || input.hostname !== undefined ||
    (input.issuer !== undefined && input.issuer !== renewed.issuer);
  const known = elsewhere ? undefined : trusted;
  const target = await targetOf(cli, provider, input, known, own.clientSecret);
  if (wantedName !== undefined && before === undefined) refuseNameOfOtherHost(wantedName, target.apiHost);
  const choices = choicesOf(input, known?.session.signIn);
  const port = portOf(input.listenPort, choices.redirectUri);
  const timeout = parseTimeout(input.timeout ?? "5m", "--timeout");

  using http = openSignIn(cli, timeout, certificateAuthority);
  let stored: (SavedSession & { readonly signedIn: SignedIn }) | undefined;
  const loginHint = renewed?.user.email ?? renewed?.user.username ?? own.loginHint;
  await signInPerson({ target, choices, loginHint }, {
    http,
    env: cli.env,
    device: input.device,
    port,
    terminal: cli.terminal.canAsk,
    keys: cli.terminal.canAsk ? cli.terminal.keys : undefined,
    important: out.important,
    info: out.info,
    async complete(signedIn) {
      const choice = { wantedName, renewed, ...stores, certificateAuthority, activate: own.activate };
      const saved = await saveSignIn(store, http, signedIn, choice, keyringLimits(cli));
      stored = { ...saved, signedIn };
      return {
        who: labelOf(saved.session),
        where: target.apiHost,
        // Where the terminal is about to ask, what comes next is not known yet.
        next: asksForTarget(cli, saved.session) ? undefined : (await nextStep(cli, saved.session)).command,
      };
    },
  });
  if (stored === undefined) return undefined;
  await announce(cli, stored, http.fetch);
  return stored.session;
}

/** Where the flags say to sign in; `secret` stands for the content of the client's secret file. */
export async function targetOf(
  cli: CommandContext,
  provider: Provider,
  input: LoginInput,
  known: KnownSession | undefined,
  secret?: string,
): Promise<SignInTarget> {
  const { signInTarget } = await provider.load();
  if (signInTarget !== undefined) {
    return await signInTarget(
      secret === undefined ? input : { ...input, clientSecretFile: "-" },
      known,
      (path) => secret === undefined ? readClientSecret(cli, path) : Promise.resolve(secret),
    );
  }
  throw new AppError("USAGE", `People do not sign in to ${provider.facts.title}.`);
}

/**
 * What is chosen by flags, else as at the sign-in before.
 *
 * @throws {AppError} `USAGE` for what cannot be used
 */
export function choicesOf(input: LoginInput, before: SignInChoices | undefined): SignInChoices {
  const { redirectUri, deviceAuthorizationEndpoint: deviceEndpoint, prompt, browserCommand } = input;
  if (redirectUri !== undefined) loopbackRedirect(redirectUri);
  const url = deviceEndpoint === undefined ? undefined : endpointUrl(deviceEndpoint);
  if (typeof url === "string") {
    throw new AppError("USAGE", `--device-authorization-endpoint ${printable(deviceEndpoint ?? "")} ${url}.`);
  }
  const scopes = input.scopes?.split(/[,\s]+/).filter((scope) => scope !== "");
  const chosen = { scopes, prompt, redirectUri, deviceEndpoint, browserCommand, ...chosenParameters(input) };
  return {
    ...before,
    ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)),
  };
}

/**
 * The session of a name as it was sealed, where its key is at hand: an edited file must not say where to sign in, or
 * as whom.
 */
async function sessionToRenew(
  cli: CommandContext,
  name: string,
  keyring: string | undefined,
): Promise<KnownSession | undefined> {
  const session = await cli.store.read(name);
  if (session === undefined) return undefined;
  await refuseMachine(cli, session);
  const known = await openKnown(cli, session, keyring);
  await refuseMachine(cli, known.session);
  return known;
}

async function refuseMachine({ providers }: CommandContext, session: Session): Promise<void> {
  const { name, kind } = session;
  if (kind.person) return;
  throw new AppError("USAGE", `The session "${name}" is not a person's: it is of kind ${kind}.`, {
    hint: await providers.signInAgain(session),
  });
}

async function openKnown(
  cli: CommandContext,
  session: Session,
  keyring: string | undefined,
): Promise<KnownSession> {
  const opened = await cli.store.openUnlessLost(session, keyringLimits(cli), keyring);
  if (opened === undefined) return { session, sealed: false };
  const { clientSecret, api } = opened.credentials;
  return { session: opened.session, sealed: true, clientSecret, api };
}

function portOf(text: string | undefined, redirectUri: string | undefined): number {
  if (text === undefined) return 0;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port >= 1 && port <= 65_535)) {
    throw new AppError("USAGE", "--listen-port takes a port from 1 to 65535.");
  }
  const fixed = redirectUri === undefined ? undefined : loopbackRedirect(redirectUri).port;
  if (fixed === undefined || fixed === port) return port;
  throw new AppError("USAGE", `--listen-port ${port} contradicts the port ${fixed} of the redirect URI.`);
}

/** The client that a session was of before this sign-in gave it another one. */
function formerClient({ session, replaced }: SavedSession): string | undefined {
  if (replaced === undefined) return undefined;
  // As it was sealed, where that is known.
  const clientId = replaced.credentials?.clientId ?? replaced.session.clientId;
  return isSameClient({ ...replaced.session, clientId }, session) ? undefined : clientId;
}

async function announce(
  cli: CommandContext,
  saved: SavedSession & { readonly signedIn: SignedIn },
  fetch: HttpContext["fetch"],
): Promise<void> {
  const { out } = cli;
  const { session, signedIn: { tokens } } = saved;
  out.success(`Signed in as ${labelOf(session)} at ${session.apiHost}.`);
  if (cli.verbose) out.line(JSON.stringify(printableValue(tokens.claims), undefined, 2));
  printKeyLocation(cli, saved);
  const former = formerClient(saved);
  if (former !== undefined) {
    const { tellReplacedClient } = await import("./replaced-client.ts");
    await tellReplacedClient(cli, session, former);
  }
  if (session.expires !== undefined) {
    out.info(`The issuer gave no refresh token: this session lasts until ${session.expires}.`);
  }
  tellName(cli, session, nameOfPerson(session.user));
  warnOfPrecedence(cli, session.name);
  await warnOfProjectFolder(cli);
  const { afterSignIn } = await cli.providers.of(session).load();
  await afterSignIn?.(cli, session, tokens.accessToken, fetch);
}
