/** Owns the sign-in that kubectl's plugin begins by itself: one for all who wait, the same identity or nothing. */

import { AppError, printable } from "../errors.ts";
import { datumTarget } from "../providers/datum.ts";
import { labelOf, parseJson, type Session } from "../sessions/session.ts";
import {
  type KeyStore,
  pathsOf,
  readSession,
  type SessionPaths,
  type SessionPlace,
} from "../sessions/store.ts";
import { keepSignIn } from "../sign-in/keep.ts";
import { signInPerson } from "../sign-in/person.ts";
import type { SignedIn, SignInTarget } from "../sign-in/sign-in.ts";
import { browserObstacle } from "../system/browser.ts";
import { boundedSignal, formatSpan } from "../system/clock.ts";
import { type Environment, operatingSystem } from "../system/environment.ts";
import { ensurePrivateFolder, readTextFile, replaceQuickly } from "../system/files.ts";
import { acquireLock, type FileLock } from "../system/locks.ts";
import { openNetwork } from "../system/network.ts";
import { interruption } from "../system/signals.ts";

/** The longest that a person may take, in milliseconds. */
const LONGEST = 5 * 60_000;
/** How long nobody is asked again after a sign-in that failed or was abandoned, in milliseconds. */
const COOL_DOWN = 60_000;
const KEYRING_LONGEST = 60_000;

/** What the sign-in needs of the process. */
export interface PluginSurroundings {
  readonly place: SessionPlace;
  readonly env: Environment;
  /** Standard input and standard error are terminals. */
  readonly canAsk: boolean;
  readonly writeErr: (text: string) => void;
  readonly log?: ((line: string) => void) | undefined;
}

/** Whom a sign-in must bring, and where. */
interface Renewal {
  readonly name: string;
  readonly target: SignInTarget;
  /** The session as it was; absent when it is gone and only its name is known. */
  readonly renewed: Session | undefined;
  /** The e-mail that the person must have. */
  readonly email: string | undefined;
}

/**
 * Signs the person of a session in again, or waits for another process that does. Returns when the session was
 * renewed by whomever; throws `failure` where nobody can be asked, and with the command to run while an attempt
 * that failed is recent; else what ended this attempt.
 */
export async function signInFromPlugin(
  name: string,
  failure: AppError,
  around: PluginSurroundings,
): Promise<void> {
  const { place } = around;
  const before = await readSession(place, name);
  const renewal = renewalOf(name, before);
  if (renewal === undefined || !await canSignIn(around)) throw failure;
  const paths = await pathsOf(place.folders, name);
  await ensurePrivateFolder(place.folders.sessions);
  using interrupted = interruption();
  const lock = await lockSignIn(paths, around, interrupted.signal);
  try {
    if ((await readSession(place, name))?.credentials !== before?.credentials) return;
    await refuseWhileCooling(paths, place, name, failure);
    // Written before the attempt: one that is killed counts as abandoned.
    await noteAttempt(paths, place);
    try {
      await signIn(renewal, around, interrupted.signal);
    } catch (thrown) {
      await noteAttempt(paths, place);
      throw thrown;
    }
  } finally {
    lock.release();
  }
}

/** Who must come back, as far as that is known; undefined when a name alone does not tell. */
function renewalOf(name: string, session: Session | undefined): Renewal | undefined {
  if (session !== undefined) {
    if (session.kind !== "user" || session.provider !== "datum") return undefined;
    const { authHost, apiHost, clientId, user: { email } } = session;
    const target = datumTarget({ hostname: authHost, apiHostname: apiHost, clientId });
    return { name, target, renewed: session, email };
  }
  const [, email, host] = /^([^@]+@[^@]+)@(api\.[^@]+)$/.exec(name) ?? [];
  if (email === undefined || host === undefined) return undefined;
  try {
    const target = datumTarget({ hostname: `auth.${host.slice("api.".length)}` });
    return target.apiHost === host ? { name, target, renewed: undefined, email } : undefined;
  } catch (thrown) {
    // A host whose client nobody knows: only the person can say.
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

/** Without a terminal somebody can still answer in a browser, where one comes up. */
async function canSignIn({ canAsk, env }: PluginSurroundings): Promise<boolean> {
  if (canAsk || env("BROWSER") !== undefined) return true;
  if (await browserObstacle() !== undefined) return false;
  return operatingSystem !== "linux" ||
    ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => env(name) !== undefined);
}

async function lockSignIn(
  paths: SessionPaths,
  { writeErr }: PluginSurroundings,
  signal: AbortSignal,
): Promise<FileLock> {
  const wait = { guards: "a sign-in", signal };
  try {
    return await acquireLock(`${paths.signIn}.lock`, { ...wait, timeout: 0 });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "BUSY") throw thrown;
  }
  writeErr("Waiting for the sign-in that another command has begun …\n");
  return await acquireLock(`${paths.signIn}.lock`, { ...wait, timeout: LONGEST });
}

async function refuseWhileCooling(
  paths: SessionPaths,
  { now }: SessionPlace,
  name: string,
  failure: AppError,
): Promise<void> {
  const value = parseJson(await readTextFile(paths.signIn) ?? "");
  const at = typeof value === "object" && value !== null && "at" in value ? value.at : undefined;
  const ago = typeof at === "number" ? now() - at : Infinity;
  if (ago < 0 || ago >= COOL_DOWN) return;
  throw new AppError(
    failure.code,
    `${failure.message} A sign-in failed or was given up ${
      formatSpan(ago)
    } ago, so nobody is asked again yet.`,
    { hint: `Sign in by hand: datumctl login --profile ${name}` },
  );
}

async function noteAttempt({ signIn }: SessionPaths, { now }: SessionPlace): Promise<void> {
  await replaceQuickly(signIn, JSON.stringify({ at: now() }) + "\n");
}

async function signIn(renewal: Renewal, around: PluginSurroundings, interrupted: AbortSignal): Promise<void> {
  const { place, env, canAsk, writeErr } = around;
  const { name, target, renewed, email } = renewal;
  const certificateAuthority = renewed?.certificateAuthority;
  const browserCommand = renewed?.browserCommand;
  using network = openNetwork(certificateAuthority);
  using bounded = boundedSignal(LONGEST, () => nobodyCame(name), interrupted);
  const exchange = {
    fetch: network.fetch,
    now: place.now,
    signal: bounded.signal,
    deadline: place.now() + LONGEST,
    ...(around.log === undefined ? {} : { log: around.log }),
  };
  const say = (text: string) => writeErr(`${text}\n`);
  say(
    renewed === undefined
      ? `Nobody is signed in as ${name}.`
      : `The session of ${labelOf(renewed)} has expired.`,
  );
  await signInPerson({ target, loginHint: email, choices: renewed?.signIn }, {
    exchange,
    env,
    device: false,
    browserCommand,
    port: 0,
    terminal: canAsk,
    act: say,
    note: say,
    async complete(signedIn) {
      if (renewed === undefined) refuseOtherEmail(name, email, signedIn);
      const keyStores = keyStoresOf(renewed, env("DATUMCTL_KEYRING"));
      const choice = {
        wantedName: name,
        renewed,
        keyStores,
        browserCommand,
        certificateAuthority,
        activate: false,
      };
      const bound = { timeout: canAsk ? KEYRING_LONGEST : 15_000, signal: interrupted };
      const { session } = await keepSignIn(place, exchange, signedIn, choice, bound);
      return { who: labelOf(session), where: target.apiHost };
    },
  });
}

function keyStoresOf(renewed: Session | undefined, choice: string | undefined): readonly KeyStore[] {
  if (renewed !== undefined) return [renewed.keyStore];
  return choice === "file" || choice === "system" ? [choice] : ["system", "file"];
}

/** A session of which only the name is left must come back as the person in its name. */
function refuseOtherEmail(name: string, email: string | undefined, { user }: SignedIn): void {
  if (email !== undefined && user.email?.toLowerCase() === email.toLowerCase()) return;
  const came = printable(user.email ?? user.subject);
  throw new AppError(
    "IDENTITY_MISMATCH",
    `The session "${name}" is of ${printable(email ?? name)}; ${came} signed in.`,
    {
      hint: "Nothing was stored. Sign in as the person that the kubeconfig entry was made for.",
    },
  );
}

function nobodyCame(name: string): AppError {
  return new AppError("TIMEOUT", `Nobody finished the sign-in within ${formatSpan(LONGEST)}.`, {
    hint: `Sign in by hand: datumctl login --profile ${name}`,
  });
}
