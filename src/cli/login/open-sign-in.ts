/** Opens the network for a whole sign-in, which `--timeout` limits. */

import { AppError } from "../../errors.ts";
import { type OpenHttp, openHttp } from "../../http/open.ts";
import { formatSpan } from "../../system/clock.ts";
import { SAME_COMMAND } from "../../system/network.ts";
import type { CommandContext } from "../context.ts";

/** Opens it for a sign-in that may take so many milliseconds, the person's part included where there is one. */
export function openSignIn(
  cli: CommandContext,
  timeout: number,
  certificateAuthority: string | undefined,
  who: "person" | "machine" = "person",
): OpenHttp {
  return openHttp(cli, {
    certificateAuthority,
    trust: SAME_COMMAND,
    timeout,
    onTimeout: () => who === "person" ? nobodyCame(timeout) : notAnswered(timeout),
    interrupted: cli.interrupted,
    requestTimeout: cli.requestTimeout,
    log: cli.out.debug,
  });
}

function nobodyCame(timeout: number): AppError {
  return new AppError("TIMEOUT", `Nobody finished the sign-in within ${formatSpan(timeout)}.`, {
    hint: "Run the same command again; --timeout 15m waits longer.",
  });
}

function notAnswered(timeout: number): AppError {
  return new AppError("NETWORK", `The sign-in was not answered within ${formatSpan(timeout)}.`, {
    hint: "Check the network, VPN or proxy and run the same command again; --timeout 15m waits longer.",
  });
}
