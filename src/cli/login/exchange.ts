/** Owns the exchange of a whole sign-in: its network, and the bound that `--timeout` sets to it. */

import { AppError } from "../../errors.ts";
import type { Exchange } from "../../oauth/http.ts";
import { boundedSignal, formatSpan } from "../../system/clock.ts";
import { SAME_COMMAND } from "../../system/network.ts";
import type { CommandContext } from "../context.ts";

/** An exchange that is open until it is disposed of. */
export interface OpenSignIn extends Disposable {
  readonly exchange: Exchange;
}

/** Opens the network for a sign-in that may take so many milliseconds, the person's part included where there is one. */
export function openSignIn(
  cli: CommandContext,
  timeout: number,
  certificateAuthority: string | undefined,
  who: "person" | "machine" = "person",
): OpenSignIn {
  const network = cli.openNetwork(certificateAuthority, SAME_COMMAND);
  const late = () => who === "person" ? nobodyCame(timeout) : notAnswered(timeout);
  const bounded = boundedSignal(timeout, late, cli.interrupted);
  return {
    exchange: {
      fetch: network.fetch,
      now: cli.now,
      signal: bounded.signal,
      deadline: cli.now() + timeout,
      requestTimeout: cli.requestTimeout,
      log: cli.out.debug,
    },
    [Symbol.dispose]() {
      bounded[Symbol.dispose]();
      network[Symbol.dispose]();
    },
  };
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
