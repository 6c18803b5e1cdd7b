/** The sign-in that kubectl's plugin starts by itself: one for all who wait, and only as the same person. */

import { AppError } from "../errors.ts";
import type { HttpContext } from "../http/bounded.ts";
import { openHttp } from "../http/open.ts";
import { printable } from "../text.ts";
import { isObject, parseJson } from "../encoding.ts";
import { type KeyringLimits, keyringLimits } from "../keyring/store.ts";
import type { SignInTarget } from "../providers/provider.ts";
import type { Providers } from "../providers/registry.ts";
import { RememberedAs } from "../sessions/last-failure.ts";
import { ENV_PREFIX, matchesServer, nameOfPerson } from "../sessions/name.ts";
import { labelOf } from "../sessions/new-name.ts";
import { NOBODY, type Session } from "../sessions/session.ts";
import type { KeyStore, SessionPaths, SessionStore } from "../sessions/store.ts";
import { mendedBySignIn } from "../sessions/token.ts";
import { signInPerson } from "../sign-in/person.ts";
import { saveSignIn } from "../sign-in/save.ts";
import type { SignedIn } from "../sign-in/sign-in.ts";
import { browserObstacle } from "../system/browser.ts";
import { type Clock, formatSpan } from "../system/clock.ts";
import { type Environment, operatingSystem } from "../system/environment.ts";
import { ensurePrivateFolder, readTextFile, replaceQuickly } from "../system/files.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { interruption } from "../system/signals.ts";
import { readKeys } from "../system/terminal.ts";
import type { TerminalUse } from "../system/terminal-use.ts";

const LONGEST_SIGN_IN_MS = 5 * 60_000;
/** How long nobody is asked again after a sign-in that failed or was abandoned, in milliseconds. */
const COOL_DOWN_MS = 60_000;

/** What the sign-in needs of the process. */
export interface PluginSignInContext {
  readonly store: SessionStore;
  readonly providers: Providers;
  readonly env: Environment;
  /** Standard input and standard error are terminals. */
  readonly canAsk: boolean;
  /** Who uses the terminal behind standard error; free by default. */
  readonly terminalUse?: (() => Promise<TerminalUse>) | undefined;
  readonly writeErr: (text: string) => void;
  readonly log?: ((line: string) => void) | undefined;
  /** The API host, or the issuer's URL, that the session must belong to. */
  readonly activeFor?: string | undefined;
  /** The longest that a person may take, in milliseconds; five minutes by default. */
  readonly longest?: number | undefined;
}

/** Who must sign in, and where. */
interface Renewal {
  readonly name: string;
  readonly target: SignInTarget;
  /** The session as it was sealed; undefined when it is gone and only its name is known. */
  readonly renewed: Session | undefined;
  /** The person that the issuer should suggest; for a session that is gone, the e-mail that they must have. */
  readonly loginHint: string | undefined;
  /** The line that trusts an authority there. */
  readonly trust: () => Promise<string>;
  /** What the person runs to sign in themselves, as a sentence without its end. */
  readonly byHand: string;
}

/**
 * Signs the person of a session in again, or waits for another process that does. Returns the token that `tokenAgain`
 * finds then.
 *
 * @throws {AppError} `failure` when nobody can be asked; `failure` with the command to run when an attempt failed a moment
 * ago; else what ended this attempt, or what `tokenAgain` throws.
 */
export async function signInFromPlugin<Token>(
  name: string,
  failure: AppError,
  given: PluginSignInContext,
  tokenAgain: () => Promise<Token>,
): Promise<Token> {
  const { store } = given;
  const renewal = await renewalOf(name, given);
  if (renewal === undefined) throw failure;
  // Another program's screen is neither written across nor asked on.
  const unseen = await terminalIsTaken(given) ? failure : undefined;
  const context = unseen === undefined
    ? given
    : { ...given, canAsk: false, writeErr: () => {}, log: undefined };
  if (!await canSignIn(context, renewal)) throw failure;
  const paths = await store.paths(name);
  await ensurePrivateFolder(store.folders.sessions);
  using interrupted = interruption();
  const { lock, waited } = await lockSignIn(paths, context, interrupted.signal);
  try {
    // Another process may have signed in since this call failed, before the lock was free or during the wait for it.
    try {
      return await tokenAgain();
    } catch (thrown) {
      if (!mendedBySignIn(thrown)) throw thrown;
    }
    await refuseWhileCooling(paths, store.host.now, { line: renewal.byHand, failure, waited });
    // Written before the attempt: one that is killed counts as abandoned.
    await writeAttempt(paths, { at: store.host.now(), ended: false });
    try {
      await signIn(renewal, context, unseen, interrupted.signal);
    } catch (thrown) {
      await writeAttempt(paths, { at: store.host.now(), ended: true });
      throw withLine(thrown, renewal.byHand);
    }
  } finally {
    lock.release();
  }
  return await tokenAgain();
}

async function terminalIsTaken({ terminalUse }: PluginSignInContext): Promise<boolean> {
  const use = await terminalUse?.();
  return use !== undefined && (use.raw || use.elsewhere);
}

/**
 * Who must sign in, as far as that is known; undefined when a name alone does not tell. For a session that is there, it
 * is what was sealed: an edited file must not say where to sign in, or as whom.
 */
async function renewalOf(
  name: string,
  { store, providers, activeFor, canAsk }: PluginSignInContext,
): Promise<Renewal | undefined> {
  // Nobody signs in to what a variable gives.
  if (name.startsWith(ENV_PREFIX)) return undefined;
  const found = await store.read(name);
  if (found === undefined) return await renewalOfName(name, providers, activeFor);
  const { session, credentials } = await store.open(found, keyringLimits(canAsk));
  const target = await providers.renewalTarget(session, credentials);
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

/** What the name of a session that is gone tells, when it is one that its cloud's sessions get by themselves. */
async function renewalOfName(
  name: string,
  providers: Providers,
  activeFor: string | undefined,
): Promise<Renewal | undefined> {
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

/** Without a terminal, a person can still answer in a browser, if one comes up. */
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

/** The last sign-in that was started here. */
interface Attempt {
  /** When it started, or ended; in milliseconds since 1970. */
  readonly at: number;
  /** False while it goes on, and for ever when it was killed. */
  readonly ended: boolean;
}

/** Throws the failure again, with the line to run by hand, when the last attempt failed a moment ago. */
async function refuseWhileCooling(
  paths: SessionPaths,
  now: Clock,
  { line, failure, waited }: { readonly line: string; readonly failure: AppError; readonly waited: boolean },
): Promise<void> {
  const attempt = await readAttempt(paths);
  if (attempt === undefined) return;
  let ago = now() - attempt.at;
  // A process that waited for the attempt saw it end just now, however long ago it started.
  if (waited && !attempt.ended) {
    await writeAttempt(paths, { at: now(), ended: true });
    ago = 0;
  }
  if (ago < 0 || ago >= COOL_DOWN_MS) return;
  throw new AppError(
    failure.code,
    `${failure.message} A sign-in failed or was abandoned ${
      formatSpan(ago)
    } ago, so datumctl does not ask again yet.`,
    { hint: line, cause: new RememberedAs(failure) },
  );
}

async function readAttempt({ signIn }: SessionPaths): Promise<Attempt | undefined> {
  const value = parseJson(await readTextFile(signIn) ?? "");
  if (!isObject(value)) return undefined;
  const { at, ended } = value;
  return typeof at === "number" ? { at, ended: ended === true } : undefined;
}

async function writeAttempt({ signIn }: SessionPaths, attempt: Attempt): Promise<void> {
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
  using http = openHttp(store.host, {
    certificateAuthority: renewed?.certificateAuthority,
    trust: renewal.trust,
    timeout: longest,
    onTimeout: () => nobodyCame(renewal.byHand, longest),
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
      const limits = keyringLimits(canAsk, interrupted);
      const session = await saveRenewal(renewal, { store, env, http, limits }, signedIn);
      return { who: labelOf(session), where: target.apiHost };
    },
  });
}

async function saveRenewal(
  { name, renewed, loginHint }: Renewal,
  { store, env, http, limits }: Pick<PluginSignInContext, "store" | "env"> & {
    readonly http: HttpContext;
    readonly limits: KeyringLimits;
  },
  signedIn: SignedIn,
): Promise<Session> {
  if (renewed === undefined) refuseOtherEmail(name, loginHint, signedIn);
  const choice = {
    wantedName: name,
    renewed,
    keyStores: keyStoresOf(env("DATUMCTL_KEYRING")),
    moveKey: false,
    certificateAuthority: renewed?.certificateAuthority,
    activate: false,
  };
  return (await saveSignIn(store, http, signedIn, choice, limits)).session;
}

/** Completes an issuer's refusal: its hint names flags, and nobody typed a line that they could be added to. */
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

/** Refuses another person than the one in the name of a session that is gone. */
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

function nobodyCame(line: string, longest: number): AppError {
  return new AppError("TIMEOUT", `Nobody finished the sign-in within ${formatSpan(longest)}.`, {
    hint: line,
  });
}
