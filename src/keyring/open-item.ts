/**
 * Reads a key from the open keyring of Linux, for get-token's shortest way. It has a chunk of its own in the binary, which
 * shares nothing with the rest: see scripts/merge-alone.ts.
 */

import { readOpenItem } from "./secret-service.ts";
import { SERVICE, systemAccount } from "./store.ts";

/**
 * The secret of an account of ours; undefined where no item is open, or no bus is understood.
 *
 * @param bus the value of `DBUS_SESSION_BUS_ADDRESS`
 * @param timeout milliseconds
 * @throws {AppError} `KEYRING_TIMEOUT` when the time is over.
 */
export async function readOpenKey(
  bus: string | undefined,
  name: string,
  timeout: number,
): Promise<string | undefined> {
  const { account } = await systemAccount(name);
  return await readOpenItem(bus, { service: SERVICE, account }, { timeout });
}
