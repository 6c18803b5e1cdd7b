/** What a service manager is told: systemd, that a service is ready. */

import type { Environment } from "./environment.ts";
import { ProgramError, run } from "./processes.ts";

/**
 * Tells systemd that this service is ready, where it waits for that. `systemd-notify` tells it as a child, so the unit
 * needs `NotifyAccess=all`.
 *
 * @returns why it could not be told, as a sentence
 */
export async function notifyReady(env: Environment): Promise<string | undefined> {
  const socket = env("NOTIFY_SOCKET");
  if (socket === undefined) return undefined;
  const path = env("PATH");
  try {
    const { code } = await run("systemd-notify", ["--ready"], {
      env: { NOTIFY_SOCKET: socket, PATH: path ?? "/usr/bin:/bin" },
      timeout: 5_000,
    });
    return code === 0 ? undefined : `systemd could not be told that this is ready (exit code ${code}).`;
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    return "systemd could not be told that this is ready: systemd-notify cannot be run.";
  }
}
