/** The sign-in that kubectl's plugin begins by itself: one for all who wait, the same identity or nothing. */

import { AppError } from "../errors.ts";
import { openHttp } from "../http/open.ts";
import { printable } from "../text.ts";
import { type KeyringLimits, keyringLimits } from "../keyring/store.ts";
import type { SignInTarget } from "../providers/provider.ts";
import type { Providers } from "../providers/registry.ts";
import { RememberedAs } from "../sessions/last-failure.ts";
import { parseJson } from "../encoding.ts";
import { NOBODY, type Session } from "../sessions/session.ts";
import { AMBIENT, labelOf, matchesServer, nameOfPerson } from "../sessions/name.ts";
import { type KeyStore, type SessionPaths, type SessionStore } from "../sessions/store.ts";
import { saveSignIn } from "../sign-in/save.ts";
import { mendedBySignIn } from "../sessions/token.ts";
import { signInPerson } from "../sign-in/person.ts";
import type { SignedIn } from "../sign-in/sign-in.ts";
import { browserObstacle } from "../system/browser.ts";
import { formatSpan } from "../system/clock.ts";
import { type Environment, operatingSystem } from "../system/environment.ts";
import { ensurePrivateFolder, readTextFile, replaceQuickly } from "../system/files.ts";
import type { Host } from "../system/host.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { interruption } from "../system/signals.ts";
import { readKeys } from "../system/terminal.ts";
import type { TerminalUse } from "../system/terminal-use.ts";

const LONGEST_SIGN_IN_MS = 5 * 60_000;
/** How long nobody is asked again after a sign-in that failed or was abandoned, in milliseconds. */
const COOL_DOWN = 60_000;

/** What the sign-in needs of the process. */
export interface PluginSignInContext {
  readonly store: SessionStore;
  readonly providers: Providers;
  readonly env: Environment;
  /** Standard input and standard error are terminals. */
  readonly canAsk: boolean;
  /** Who uses the terminal behind standard error; free unless told. */
  readonly terminalUse?: (() => Promise<TerminalUse>) | undefined;
  readonly writeErr: (text: string) => void;
  readonly log?: ((line: string) => void) | undefined;
  /** The API host, or the issuer's URL, that a session must be of to be of use. */
  readonly activeFor?: string | undefined;
  /** The longest that a person may take, in milliseconds; five minutes unless told. */
  readonly longest?: number | undefined;
}

/** Whom a sign-in must bring, and where. */
interface Renewal {
  readonly name: string;
  readonly target: SignInTarget;
  /** The session as it was; absent when it is gone and only its name is known. */
  readonly renewed: Session | undefined;
  /** Whom the issuer should suggest; of a session that is gone, the e-mail that the person must have. */
  readonly loginHint: string | undefined;
  /** The line that trusts an authority there. */
  readonly trust: () => Promise<string>;
  /** What the person runs to sign in themselves, as a sentence without its end. */
  readonly byHand: string;
}

/**
 * Signs the person of a session in again, or waits for another process that does; then returns the token that
 * `tokenAgain` finds. Throws `failure` where nobody can be asked, and with the command to run while an attempt that
 * failed is recent; else what ended this attempt, or what `tokenAgain` throws.
 */
export async function signInFromPlugin<Token>(
  name: string,
  failure: AppError,
  given: PluginSignInContext,
  tokenAgain: () => Promise<Token>,
): Promise<Token> {
  const { store } = given;
  const renewal = await renewalOf(given, name, keyringLimits(given.canAsk));
  if (renewal === undefined) throw failure;
  const { raw, elsewhere } = await given.terminalUse?.() ?? { raw: false, elsewhere: false };
  // Another program's screen: nothing is written across it, and nobody can be asked on it.
  const unseen = raw || elsewhere ? failure : undefined;
  const context = unseen === undefined
    ? given
    : { ...given, canAsk: false, writeErr: () => {}, log: undefined };
  if (!await canSignIn(context, renewal)) throw failure;
  const paths = await store.paths(name);
  await ensurePrivateFolder(store.folders.sessions);
  using interrupted = interruption();
  const { lock, waited } = await lockSignIn(paths, context, interrupted.signal);
  try {
    // Somebody may have signed in since this call failed, before it came to the lock or while it waited there.
    try {
      return await tokenAgain();
    } catch (thrown) {
      if (!mendedBySignIn(thrown)) throw thrown;
    }
    await refuseWhileCooling(paths, store.host, renewal.byHand, failure, waited);
    // Written before the attempt: one that is killed counts as abandoned.
    await noteAttempt(paths, { at: store.host.now(), ended: false });
    try {
      await signIn(renewal, context, unseen, interrupted.signal);
    } catch (thrown) {
      await noteAttempt(paths, { at: store.host.now(), ended: true });
      throw withLine(thrown, renewal.byHand);
    }
  } finally {
    lock.release();
  }
  return await tokenAgain();
}

/**
 * Who must come back, as far as that is known; undefined when a name alone does not tell. Of a session that is there
 * it is what was sealed: an edited file must not say where to sign in, or as whom.
 */
async function renewalOf(
  { store, providers, activeFor }: PluginSignInContext,
  name: string,
  limits: KeyringLimits,
): Promise<Renewal | undefined> {
  // What a variable gives, nobody signs in to.
  if (name.startsWith(AMBIENT)) return undefined;
  const found = await store.read(name);
  if (found !== undefined) {
    const { session, credentials } = await store.open(found, limits);
    const target = (await providers.of(session).load()).renewalTarget?.(session, credentials);
    const { email, username } = session.user;
    return target === undefined ? undefined : {
      name,
      target,
      renewed: session,
      loginHint: email ?? username,
      trust: () => providers.trustLine(session),
      // A session that is there remembers its host.
      byHand: `Sign in by hand: datumctl login --profile ${name}`,
    };
  }
  const named = await providers.targetOfName(name);
  if (named === undefined || !matchesServer(named.target, activeFor ?? named.target.apiHost)) {
    return undefined;
  }
  return {
    name,
    target: named.target,
    renewed: undefined,
    loginHint: named.email,
    trust: () => Promise.resolve(`${named.line} --certificate-authority FILE`),
    byHand: `Sign in by hand: ${await providers.signInOfName(name)}`,
  };
}

/** Without a terminal somebody can still answer in a browser, where one comes up. */
async function canSignIn({ canAsk, env }: PluginSignInContext, { renewed }: Renewal): Promise<boolean> {
  const chosen = renewed?.signIn?.browserCommand ?? env("BROWSER");
  if (canAsk || chosen !== undefined) return true;
  if (await browserObstacle() !== undefined) return false;
  return operatingSystem !== "linux" ||
    ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => env(name) !== undefined);
}

async function lockSignIn(
  paths: SessionPaths,
  { writeErr, longest = LONGEST_SIGN_IN_MS }: PluginSignInContext,
  signal: AbortSignal,
): Promise<{ readonly lock: FileLock; readonly waited: boolean }> {
  const wait = { guards: "a sign-in", signal };
  try {
    return { lock: await acquireLock(`${paths.signIn}.lock`, { ...wait, timeout: 0 }), waited: false };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "BUSY") throw thrown;
  }
  writeErr("Waiting for the sign-in that another command has begun …\n");
  return { lock: await acquireLock(`${paths.signIn}.lock`, { ...wait, timeout: longest }), waited: true };
}

/** The last attempt. */
interface Attempt {
  /** When it began, or ended; in milliseconds since 1970. */
  readonly at: number;
  /** False while it goes on, and for ever when it was killed. */
  readonly ended: boolean;
}

async function refuseWhileCooling(
  paths: SessionPaths,
  { now }: Host,
  byHand: string,
  failure: AppError,
  waited: boolean,
): Promise<void> {
  const attempt = await lastAttempt(paths);
  if (attempt === undefined) return;
  let ago = now() - attempt.at;
  // Who waited saw it end just now, however long ago it began.
  if (waited && !attempt.ended) {
    await noteAttempt(paths, { at: now(), ended: true });
    ago = 0;
  }
  if (ago < 0 || ago >= COOL_DOWN) return;
  throw new AppError(
    failure.code,
    `${failure.message} A sign-in failed or was abandoned ${
      formatSpan(ago)
    } ago, so datumctl does not ask again yet.`,
    { hint: byHand, cause: new RememberedAs(failure) },
  );
}

async function lastAttempt({ signIn }: SessionPaths): Promise<Attempt | undefined> {
  const value = parseJson(await readTextFile(signIn) ?? "");
  if (typeof value !== "object" || value === null) return undefined;
  const { at, ended } = value as Record<string, unknown>;
  return typeof at === "number" ? { at, ended: ended === true } : undefined;
}

async function noteAttempt({ signIn }: SessionPaths, attempt: Attempt): Promise<void> {
  await replaceQuickly(signIn, JSON.stringify(attempt) + "\n");
}

async function signIn(
  renewal: Renewal,
  context: PluginSignInContext,
  unseen: AppError | undefined,
  interrupted: AbortSignal,
): Promise<void> {
  const { store, env, canAsk, writeErr, longest = LONGEST_SIGN_IN_MS } = context;
  const { name, target, renewed, loginHint } = renewal;
  const certificateAuthority = renewed?.certificateAuthority;
  using http = openHttp(store.host, {
    certificateAuthority,
    trust: renewal.trust,
    timeout: longest,
    late: () => nobodyCame(renewal.byHand, longest),
    interrupted,
    log: context.log,
  });
  const say = (text: string) => writeErr(`${text}\n`);
  say(
    renewed === undefined || renewed.user.subject === NOBODY
      ? `Nobody is signed in as ${name}.`
      : `The session of ${labelOf(renewed)} has expired.`,
  );
  await signInPerson({ target, loginHint, choices: renewed?.signIn }, {
    http,
    env,
    device: false,
    port: 0,
    terminal: canAsk,
    keys: canAsk ? readKeys : undefined,
    important: say,
    info: say,
    unseen,
    async complete(signedIn) {
      if (renewed === undefined) refuseOtherEmail(name, loginHint, signedIn);
      const keyStores = keyStoresOf(env("DATUMCTL_KEYRING"));
      const choice = {
        wantedName: name,
        renewed,
        keyStores,
        moveKey: false,
        certificateAuthority,
        activate: false,
      };
      const limits = keyringLimits(canAsk, interrupted);
      const { session } = await saveSignIn(store, http, signedIn, choice, limits);
      return { who: labelOf(session), where: target.apiHost };
    },
  });
}

/** What an issuer refused, with the line to which its hint's flags belong: nobody typed one here. */
function withLine(thrown: unknown, line: string): unknown {
  if (!(thrown instanceof AppError) || !["ISSUER_ERROR", "INVALID_TOKEN"].includes(thrown.code)) {
    return thrown;
  }
  const { code, message, hint = "" } = thrown;
  return hint.includes("datumctl login")
    ? thrown
    : new AppError(code, message, { hint: `${hint} ${line}`.trim(), cause: thrown });
}

function keyStoresOf(choice: string | undefined): readonly KeyStore[] {
  return choice === "file" || choice === "system" ? [choice] : ["system", "file"];
}

/** A session of which only the name is left must come back as the person in its name. */
function refuseOtherEmail(name: string, email: string | undefined, { user }: SignedIn): void {
  if (email !== undefined && user.email?.toLowerCase() === email.toLowerCase()) return;
  const came = printable(nameOfPerson(user));
  throw new AppError(
    "IDENTITY_MISMATCH",
    `The session "${name}" belongs to ${printable(email ?? name)}, but ${came} signed in.`,
    {
      hint: "Nothing was stored. Sign in as the person that the kubeconfig entry was made for.",
    },
  );
}

function nobodyCame(byHand: string, longest: number): AppError {
  return new AppError("TIMEOUT", `Nobody finished the sign-in within ${formatSpan(longest)}.`, {
    hint: byHand,
  });
}
