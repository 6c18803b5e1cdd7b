/** Whether anybody listens at an address: a connection that is closed at once. */

import { alarm } from "./clock.ts";

/**
 * True when a TCP connection to an address can be made within so many milliseconds. Nothing is sent.
 *
 * @param hostname a name or an address, IPv6 in brackets or without
 */
export async function canConnect(
  hostname: string,
  port: number,
  timeout: number,
  interrupted?: AbortSignal,
): Promise<boolean> {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const bound = alarm(timeout, stop);
  interrupted?.addEventListener("abort", stop, { once: true });
  try {
    interrupted?.throwIfAborted();
    const name = hostname.replace(/^\[(.*)\]$/, "$1");
    const connection = await Deno.connect({ hostname: name, port, signal: limit.signal });
    connection.close();
    return true;
  } catch {
    return false;
  } finally {
    bound.disarm();
    interrupted?.removeEventListener("abort", stop);
  }
}
