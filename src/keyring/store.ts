/** What a secret store is: small strings under (service, account), in bounded calls. */

import { sha256, toBase32 } from "../encoding.ts";
import { AppError } from "../errors.ts";
import { capital } from "../text.ts";

/** The service under which every item of ours is found. */
export const SERVICE = "datumctl";

/** How long a call may take, and what gives it up. */
export interface KeyringLimits {
  /** Milliseconds for the whole call. */
  readonly timeout: number;
  /** Gives the call up; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How long a keyring may take: longer where a person may be unlocking it. */
export function keyringLimits(canAsk: boolean, signal?: AbortSignal): KeyringLimits {
  return { timeout: canAsk ? 60_000 : 15_000, signal };
}

/**
 * Keeps secrets by account.
 *
 * Every call throws `KEYRING_TIMEOUT` when its bound is over and `KEYRING_LOCKED` when the store is locked or
 * cannot be reached. {@link SecretStore.set}, which only ever begins a session, throws `KEYRING_UNAVAILABLE`
 * instead where there is no keyring at all, so that its caller may choose another store.
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
}

/** The account in a system's own store that an account of ours is kept under. */
export interface SystemAccount {
  readonly account: string;
  /** What a person finds it by, where that is not the account. */
  readonly label?: string | undefined;
}

/**
 * Where a system's own store keeps an account. One that begins with a session's name beyond ASCII is kept under a digest
 * of it, because not every system's tool takes every letter: `security` of macOS reads plain names alone.
 */
export async function systemAccount(account: string): Promise<SystemAccount> {
  // What is behind a blank is a folder's path.
  const [name = ""] = account.split(" ");
  if (!/[\u0080-\uffff]/.test(name)) return { account };
  return { account: toBase32(await sha256(account)).slice(0, 16), label: account };
}

/**
 * Refuses what not every store keeps as it is: `security` prints bytes that are not printable in hex, a Windows
 * credential holds 2,560 bytes, `secret-tool` cuts without a word. Keys are base64url (RFC 4648 §5) and short.
 */
export function assertStorable(secret: string): void {
  if (!/^[A-Za-z0-9_-]{1,1024}$/.test(secret)) {
    throw new TypeError("A secret for the keyring must be at most 1,024 characters of base64url");
  }
}

/** The error of a call that was given up because its time was over. */
export function keyringTimeout(store: string, limits: KeyringLimits, cause?: unknown): AppError {
  return new AppError("KEYRING_TIMEOUT", `${capital(store)} did not answer within ${seconds(limits)}.`, {
    hint: "If a window asks for the keyring's password, answer it, then run the same command again.",
    cause,
  });
}

/** The exit code of a child that SIGINT ended. */
export const INTERRUPTED_CODE = 130;

/** The error of a call whose child was ended by a Ctrl-C that reached us both, and the child first. */
export function keyringInterrupted(): AppError {
  return new AppError("INTERRUPTED", "Interrupted.");
}

function seconds({ timeout }: KeyringLimits): string {
  return timeout < 1000 ? `${timeout} ms` : `${Math.round(timeout / 100) / 10} s`;
}
