/** Whether anybody listens at an address: a connection that is closed at once. */

import { pause } from "./clock.ts";

/**
 * True when a TCP connection to an address can be made within so many milliseconds. Nothing is sent.
 *
 * @param hostname a name or an address, IPv6 in brackets or without
 */
export async function canConnect(
  hostname: string,
  port: number,
  timeout: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const limit = new AbortController();
  const stop = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  const connecting = Deno.connect({ hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port }).then(
    (connection) => {
      connection.close();
      return true;
    },
    () => false,
  );
  try {
    return await Promise.race([connecting, pause(timeout, stop).then(() => false, () => false)]);
  } finally {
    limit.abort();
  }
}
