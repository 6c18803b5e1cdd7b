/** The keychain of macOS, through the system's own `security`. */

import { AppError, interruptedError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import type { Run, RunResult } from "../system/processes.ts";
import {
  assertStorable,
  type KeyringLimits,
  MACOS_STORE,
  type SecretStore,
  SERVICE,
  systemAccount,
} from "./store.ts";
import { INTERRUPTED_CODE, runTool } from "./tool.ts";

/** The full path, because the keychain trusts that program to read what it wrote. */
export const SECURITY = "/usr/bin/security";

/** The variables that `security` needs to find the person's keychain. */
export const SECURITY_VARIABLES = ["HOME", "USER", "LOGNAME", "TMPDIR"] as const;

/** `security` reads lines of so many bytes; the rest of a longer line would run as the next command. */
const LONGEST_LINE = 4095;

/** The exit codes of `security`: the low bytes of the OSStatus values in SecBase.h. */
const STATUS = {
  itemNotFound: 44, // -25300
  duplicateItem: 45, // -25299
  interactionNotAllowed: 36, // -25308
  noDefaultKeychain: 37, // -25307
  authFailed: 51, // -25293
  userCanceled: 128, // -128
} as const;

/**
 * The store behind `security`. The secret travels over stdin and stdout only.
 *
 * @param env the variables of {@link SECURITY_VARIABLES} that are set
 */
export function macosStore(run: Run, env: Readonly<Record<string, string>>): SecretStore {
  const tool = { store: MACOS_STORE, program: SECURITY, run, env: { ...env, LC_ALL: "C" } };

  async function call(args: readonly string[], limits: KeyringLimits, stdin?: string): Promise<RunResult> {
    return await runTool(tool, args, {
      limits,
      stdin,
      unreachable: (error) => unreachable(error.message, stdin !== undefined, error),
    });
  }

  return {
    kind: "system",
    name: MACOS_STORE,

    async get(name, limits) {
      // `security` has no way to ask for an item of a locked keychain without a window that asks the person.
      if (limits.quiet) throw failure("read", name, STATUS.interactionNotAllowed, "");
      const { account } = await systemAccount(name);
      const found = await call(
        ["find-generic-password", "-s", SERVICE, "-a", encodeAccount(account), "-w"],
        limits,
      );
      if (found.code === STATUS.itemNotFound) return undefined;
      if (found.code !== 0) throw failure("read", name, found.code, found.stderr);
      return found.stdout.replace(/\n$/, "");
    },

    async set(name, secret, limits) {
      assertStorable(secret);
      const { account, label } = await systemAccount(name);
      const line = addCommand(account, secret, label);
      let stored = await interactive(line, limits);
      // Another process added the item after `security` had looked for it: now there is one to update.
      if (stored.code === STATUS.duplicateItem) {
        stored = await interactive(line, { ...limits, timeout: limits.timeout - stored.elapsed });
      }
      if (stored.code !== 0) throw failure("store", name, stored.code, stored.stderr);
    },

    async delete(name, limits) {
      const { account } = await systemAccount(name);
      const removed = await call(
        ["delete-generic-password", "-s", SERVICE, "-a", encodeAccount(account)],
        limits,
      );
      if (removed.code === STATUS.itemNotFound) return false;
      if (removed.code !== 0) throw failure("remove", name, removed.code, removed.stderr);
      return true;
    },
  };

  /** Runs one command line over stdin. Its status is the one that `security -i` reports, if it reports any. */
  async function interactive(line: string, limits: KeyringLimits): Promise<RunResult> {
    const result = await call(["-i"], limits, line);
    const returned = /\breturned (-?\d+)/.exec(result.stderr)?.[1];
    return returned === undefined ? result : { ...result, code: Number(returned) & 0xff };
  }
}

/**
 * The line for `security -i` that adds or replaces an item. The label keeps its letters, because nothing is looked
 * up by it.
 *
 * @throws {AppError} `KEYRING_UNAVAILABLE` when the account is too long.
 */
export function addCommand(account: string, secret: string, label?: string): string {
  const name = encodeAccount(account);
  const shown = label === undefined ? name : encoded(label, /[\p{L}\p{M}\p{Nd}._@+:\/ -]/u);
  const line =
    `add-generic-password -U -s ${SERVICE} -a "${name}" -l "${SERVICE}: ${shown}" -w "${secret}"\n`;
  if (new TextEncoder().encode(line).length > LONGEST_LINE) {
    throw new AppError("KEYRING_UNAVAILABLE", "The keychain cannot hold an item with so long a name.", {
      hint: HINTS.KEYRING_UNAVAILABLE.keyFile,
    });
  }
  return line;
}

/**
 * An account in characters that have no meaning inside double quotes on the command line of `security -i`; others
 * are percent-encoded. Session names stay as they are.
 */
export function encodeAccount(account: string): string {
  return encoded(account, /[A-Za-z0-9._@+:\/ -]/);
}

function encoded(text: string, kept: RegExp): string {
  const encoder = new TextEncoder();
  return Array.from(text, (character) =>
    kept.test(character) ? character : Array.from(
      encoder.encode(character),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join("")).join("");
}

const VERBS = { read: "read the key of", store: "store the key of", remove: "remove the key of" };

function failure(doing: keyof typeof VERBS, account: string, code: number, stderr: string): AppError {
  if (code === INTERRUPTED_CODE) return interruptedError(); // by the Ctrl-C that ends us, too
  const failed = `Cannot ${VERBS[doing]} "${printable(account)}"`;
  if (code === STATUS.interactionNotAllowed || code === STATUS.authFailed) {
    return new AppError(
      "KEYRING_LOCKED",
      `${failed}: the keychain is locked, and nobody can be asked here.`,
      {
        hint: "Unlock it, then run the same command again: security unlock-keychain",
      },
    );
  }
  if (code === STATUS.userCanceled) {
    return new AppError("KEYRING_LOCKED", `${failed}: the keychain's question was declined.`, {
      hint: "Run the same command again and allow the access.",
    });
  }
  if (code === STATUS.noDefaultKeychain) {
    return unreachable("there is no default keychain", doing === "store");
  }
  // The whole of stderr is never shown: after a usage error, `security -i` may repeat the line it was given.
  const said = /^security: (Sec[A-Za-z]+: .+)$/m.exec(stderr)?.[1];
  return unreachable(
    `security failed (${said ? printable(said, 200) : `exit code ${code}`})`,
    doing === "store",
  );
}

function unreachable(what: string, storing: boolean, cause?: unknown): AppError {
  const code = storing ? "KEYRING_UNAVAILABLE" : "KEYRING_LOCKED";
  return new AppError(code, `The keychain cannot be reached: ${what}.`, {
    hint: "Look at it by hand: security show-keychain-info",
    cause,
  });
}
