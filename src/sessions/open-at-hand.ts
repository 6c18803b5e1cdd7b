/** Opens a session at hand with a key that nobody has to be asked for. It leaves every other to the store. */

import { operatingSystem } from "../system/environment.ts";
import { readPrivateFile } from "../system/files.ts";
import type { SessionAtHand } from "./at-hand.ts";
import { type OpenedSession, sessionAsSealed } from "./open.ts";
import type { ProviderNames } from "./provider.ts";
import { readBareKey, unsealWith } from "./seal.ts";

/** How a keyring is reached, and for how long. */
export interface KeyringAtHand {
  /** The value of `DBUS_SESSION_BUS_ADDRESS`. */
  readonly bus: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Opens a session with the key in its file, or in an open keyring of Linux. Undefined where the key, or what it seals, needs
 * a closer look.
 *
 * @throws {AppError} `KEYRING_TIMEOUT`.
 */
export async function openAtHand(
  { session, paths }: SessionAtHand,
  providers: ProviderNames,
  keyring: KeyringAtHand,
): Promise<OpenedSession | undefined> {
  const text = session.keyStore === "file"
    ? readPrivateFile(paths.key)?.trim()
    : await keyInKeyring(session.name, keyring);
  const key = text === undefined ? undefined : await readBareKey(text);
  const opened = key === undefined ? undefined : await unsealWith(session.credentials, key);
  return opened === undefined ? undefined : sessionAsSealed(session, opened, providers);
}

async function keyInKeyring(name: string, { bus, timeout }: KeyringAtHand): Promise<string | undefined> {
  if (bus === undefined || operatingSystem !== "linux") return undefined;
  const { readOpenKey } = await import("../keyring/open-item.ts");
  return await readOpenKey(bus, name, { timeout });
}
