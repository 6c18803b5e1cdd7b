/**
 * Checks the stores of keys: whether the keyring answers, and whether each session's key is there and fits.
 */

import { AppError, failureOrThrow } from "../../errors.ts";
import type { SecretStore } from "../../keyring/store.ts";
import type { OpenedSession } from "../../sessions/open.ts";
import type { Session } from "../../sessions/session.ts";
import { kidOf, readKeyText } from "../../sessions/seal.ts";
import { readTextFile } from "../../system/files.ts";
import { operatingSystem } from "../../system/environment.ts";
import type { CommandContext } from "../context.ts";
import { checkNamed, type Finding, saidBy } from "./finding.ts";
import type { SessionFile } from "./stored.ts";

const STORE = checkNamed("keyring.store");
const KEYS = checkNamed("keyring.keys");

/**
 * The account of the test's own item. It has blanks as no session's name has, and stays the same after a
 * kill.
 */
const ACCOUNT = "datumctl doctor";
const SECRET = "written-by-datumctl-doctor-and-removed-again";

/** A keyring that takes longer than this to answer is in trouble, in milliseconds. */
const PATIENCE = 8_000;

/** The longest that the removal of the test's item may take: a store that hangs has hung once already. */
const REMOVAL = 3_000;

/** What was found, and the sessions that could be opened. */
export interface KeyringResult {
  readonly findings: readonly Finding[];
  readonly opened: ReadonlyMap<string, OpenedSession>;
}

/**
 * Checks the keyring and every session's key. Nobody is asked for a password where the system can tell that.
 */
export async function checkKeyring(
  cli: CommandContext,
  sessions: readonly SessionFile[],
): Promise<KeyringResult> {
  const needed = sessions.filter(({ session }) => session.keyStore === "system");
  const keyring = await checkStore(cli, needed.length, sessions.length > needed.length);
  const readable = keyring.verdict === "ok";
  const opened = new Map<string, OpenedSession>();
  const findings: Finding[] = [keyring];
  let silent = false;
  for (const stored of sessions) {
    if (stored.session.keyStore === "system" && (!readable || silent)) continue;
    try {
      const open = await openSession(cli, stored);
      opened.set(keyOf(stored), open);
      findings.push(KEYS.ok({ about: stored.session.name, found: "its key is there and fits" }));
    } catch (thrown) {
      const error = failureOrThrow(thrown);
      findings.push(notOpened(stored, error));
      // Each of the others would take as long.
      silent ||= error.code === "KEYRING_TIMEOUT" || error.code === "KEYRING_LOCKED";
    }
  }
  return { findings, opened };
}

/** Of a project folder's session, which may be anybody's, nothing is shown that its key did not open. */
function notOpened({ session, store: { project } }: SessionFile, error: AppError): Finding {
  if (project === undefined) return KEYS.fault({ about: session.name, ...saidBy(error) });
  return KEYS.note({
    about: project,
    found: "a session of that folder is not used: you hold no key for it",
    meaning: "It may be somebody else's.",
  });
}

/** What an opened session is found by: two folders may have sessions of one name. */
export function keyOf({ file }: SessionFile): string {
  return file;
}

/** Checks the keyring. `needed` sessions have their key there, and with `inFiles` there are others. */
async function checkStore(cli: CommandContext, needed: number, inFiles: boolean): Promise<Finding> {
  const store = cli.store.secretStore("system");
  // Else an answer of its own would be asked for: the person chose files.
  const chosen = cli.env("DATUMCTL_KEYRING") === "file";
  if (chosen && needed === 0) {
    return STORE.skipped({ found: "DATUMCTL_KEYRING says that keys are kept in files" });
  }
  const limits = { timeout: PATIENCE, signal: cli.interrupted };
  try {
    const locked = await store.isLocked?.(limits);
    if (locked === true) return lockedStore(cli, store, needed);
    if (locked === undefined && mayAsk(store) && !cli.terminal.canAsk) {
      return STORE.skipped({ found: "the system could ask for its password, and nobody is here to answer" });
    }
    await roundTrip(store, cli);
    return STORE.ok({ found: `${store.name} is unlocked, and gives back what was put into it` });
  } catch (thrown) {
    return unusable(failureOrThrow(thrown), needed, inFiles);
  }
}

/**
 * True for a system whose keyring can be locked: where nothing tells that, its first use may ask for the
 * password.
 */
function mayAsk({ isLocked }: SecretStore): boolean {
  return isLocked !== undefined && operatingSystem !== "windows";
}

function lockedStore({ env }: CommandContext, { name }: SecretStore, needed: number): Finding {
  const said = {
    found: `${name} is locked`,
    meaning: needed === 0
      ? "The next sign-in cannot keep its key there."
      : `${counted(needed)} cannot be used until it is unlocked.`,
    line: unlockLine(env),
  };
  return needed === 0 ? STORE.warning(said) : STORE.fault(said);
}

/** On a desktop, the keyring's own window asks; elsewhere its password is typed, and ended with Ctrl-D. */
function unlockLine(env: CommandContext["env"]): string {
  if (operatingSystem !== "linux") return "security unlock-keychain";
  const desktop = env("DISPLAY") ?? env("WAYLAND_DISPLAY");
  return desktop === undefined
    ? "gnome-keyring-daemon --replace --unlock --components=secrets --daemonize"
    : "secret-tool search --all --unlock service datumctl >/dev/null";
}

function unusable(error: AppError, needed: number, inFiles: boolean): Finding {
  if (needed > 0) return STORE.fault(saidBy(error));
  // Where sessions keep their keys in files already, nobody waits for a keyring.
  if (inFiles) return STORE.ok({ found: `keys are kept in files. ${error.message}` });
  return STORE.note({
    found: error.message,
    meaning: `${error.hint ?? ""} `.replace(/\.? $/, ". ").trimStart() +
      "Without it, new sessions keep their keys in files.",
  });
}

function counted(count: number): string {
  return count === 1 ? "One session" : `${count} sessions`;
}

/** Stores an item of our own, reads it back and removes it. */
async function roundTrip(store: SecretStore, { interrupted }: CommandContext): Promise<void> {
  const limits = { timeout: PATIENCE, signal: interrupted };
  for (let attempt = 1;; attempt++) {
    try {
      await store.set(ACCOUNT, SECRET, limits);
      const found = await store.get(ACCOUNT, limits);
      if (found === SECRET) return;
      // Another doctor may just have removed it.
      if (found === undefined && attempt < 3) continue;
      throw new AppError(
        "KEYRING_UNAVAILABLE",
        `${store.name} did not give back what was put into it.`,
        { hint: "Keep keys in files instead: datumctl login --keyring file" },
      );
    } finally {
      // Also after Ctrl-C.
      await store.delete(ACCOUNT, { timeout: REMOVAL }).catch(failureOrThrow);
    }
  }
}

/** Opens a session without touching its files: what other commands repair on the way is reported here. */
async function openSession(cli: CommandContext, { session, store }: SessionFile): Promise<OpenedSession> {
  const text = session.keyStore === "file"
    ? (await readTextFile(await keyFile(store, session.name)))?.trim()
    : await store.secretStore("system").get(store.account(session.name), {
      timeout: PATIENCE,
      signal: cli.interrupted,
    });
  const key = text === undefined ? undefined : await readKeyText(text);
  if (key !== undefined && key.kid === kidOf(session.credentials)) return await store.openWith(session, key);
  throw new AppError(
    "KEYRING_ITEM_MISSING",
    `its key is ${text === undefined ? "not" : "another one"} in ${store.secretStore(session.keyStore).name}`,
    { hint: await mendingLine(cli, session) },
  );
}

/**
 * Without its key, a session's file is not trusted to say where to sign in: then the line names the place.
 */
async function mendingLine({ providers }: CommandContext, session: Session): Promise<string> {
  const code = await providers.of(session).load();
  const line = code.lostKeyLine(session, { device: false });
  if (line === undefined) return code.signInAgain(session);
  const authority = session.certificateAuthority === undefined ? "" : " --certificate-authority FILE";
  return `If this is the right place, sign in again: ${line.replace(", and: ", " && ")}${authority}`;
}

async function keyFile(store: SessionFile["store"], name: string): Promise<string> {
  return (await store.paths(name)).key;
}
