/** The interface of a secret store: small strings under a service and an account, in calls of limited time. */

import { sha256, toBase32 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { capital } from "../text.ts";

/** The service of every item of ours. */
export const SERVICE = "datumctl";

/** What the systems' own stores are called in messages. */
export const LINUX_STORE = "the keyring (secret-tool)";
export const MACOS_STORE = "the keychain (security)";
export const WINDOWS_STORE = "the Windows Credential Manager";

/** How long a call may take, and what ends it early. */
export interface KeyringLimits {
  /** Milliseconds for the whole call. */
  readonly timeout: number;
  /** Ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Reads only what can be read without asking a person to unlock anything; for {@link SecretStore.get}. */
  readonly quiet?: boolean | undefined;
}

/** How long a keyring may take: longer when a person may be unlocking it. */
export function keyringLimits(canAsk: boolean, signal?: AbortSignal): KeyringLimits {
  return { timeout: canAsk ? 60_000 : 15_000, signal };
}

/**
 * Keeps secrets by account.
 *
 * {@link SecretStore.set} only ever starts a session. Without any keyring it throws `KEYRING_UNAVAILABLE`, so that
 * its caller can choose another store.
 *
 * @throws {AppError} `KEYRING_TIMEOUT` when the time is over, `KEYRING_LOCKED` when the store is locked or cannot
 * be reached.
 */
export interface SecretStore {
  readonly kind: "system" | "file";
  /** What the store is called in messages, e.g. `the keyring (secret-tool)` or `a key file in /home/ada/…`. */
  readonly name: string;
  /** The secret of that account; undefined when the store answers that it has none. */
  get(account: string, limits: KeyringLimits): Promise<string | undefined>;
  /** Stores or replaces the secret of that account. The caller reads it back before it relies on it. */
  set(account: string, secret: string, limits: KeyringLimits): Promise<void>;
  /** Removes the account's item. False when there was none. */
  delete(account: string, limits: KeyringLimits): Promise<boolean>;
  /**
   * Whether somebody would have to unlock it; asks nobody. Undefined where the system does not tell. Absent for a store
   * that is never locked, or whose system never tells.
   */
  isLocked?(limits: KeyringLimits): Promise<boolean | undefined>;
}

/** Under which account a system's own store keeps an account of ours. */
export interface SystemAccount {
  readonly account: string;
  /** The name that a person finds it by, if that is not the account. */
  readonly label?: string | undefined;
}

/**
 * The account in a system's own store. A session name beyond ASCII becomes a hash, because not every system's tool
 * takes every letter: `security` of macOS reads only plain names.
 */
export async function systemAccount(account: string): Promise<SystemAccount> {
  // A blank separates a session's name from a folder's path.
  const [name = ""] = account.split(" ");
  if (!/[\u0080-\uffff]/.test(name)) return { account };
  return { account: toBase32(await sha256(account)).slice(0, 16), label: account };
}

/**
 * Refuses a secret that not every store keeps unchanged: `security` prints unprintable bytes in hex, a Windows
 * credential holds 2,560 bytes, `secret-tool` cuts without a word. Keys are short base64url (RFC 4648 §5).
 */
export function assertStorable(secret: string): void {
  if (!/^[A-Za-z0-9_-]{1,1024}$/.test(secret)) {
    throw new TypeError("A secret for the keyring must be at most 1,024 characters of base64url");
  }
}

/** The error when a store did not answer in time. */
export function keyringTimeout(store: string, timeout: number, cause?: unknown): AppError {
  return new AppError("KEYRING_TIMEOUT", `${capital(store)} did not answer within ${seconds(timeout)}.`, {
    hint: "If a window asks for the keyring's password, answer it, then run the same command again.",
    cause,
  });
}

function seconds(timeout: number): string {
  return timeout < 1000 ? `${Math.round(timeout)} ms` : `${Math.round(timeout / 100) / 10} s`;
}
