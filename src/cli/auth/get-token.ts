/** Owns the help of `auth get-token`, and its call where the short way of main.ts did not know a word. */

import { Command, Option } from "@commander-js/extra-typings";
import { getTokenRequest, oneSession } from "../../credential/arguments.ts";
import { EXEC_API_VERSIONS } from "../../credential/exec-credential.ts";
import { runGetToken } from "../../credential/get-token.ts";
import { parentProcess } from "../../system/environment.ts";
import { type CommandDeps, type GlobalFlags, leave } from "../context.ts";

const EXAMPLES = `
Examples:
  datumctl auth get-token
  curl -H "Authorization: Bearer $(datumctl auth get-token)" https://api.datum.net/apis
  datumctl auth get-token --claims
  datumctl auth get-token --output=client.authentication.k8s.io/v1 --session=ada@example.com@api.datum.net

Outputs: token, ${EXEC_API_VERSIONS.join(", ")}.
Under kubectl, the version that KUBERNETES_EXEC_INFO names is printed, whatever -o says.`;

/** `auth get-token`: a fresh token on stdout. */
export function getTokenCommand(deps: CommandDeps): Command {
  const command = new Command("get-token")
    .description("Print a fresh token, for kubectl or by hand")
    .option("-o, --output <format>", "token (the default) or an exec credential version")
    .option("--token <kind>", "access (the default) or id")
    .option("--min-ttl <duration>", "refresh unless the token lasts at least this long")
    .option("--force-refresh", "refresh even when the stored token is fresh")
    .option("--claims", "print what the token says of itself, not the token")
    .addOption(new Option("--active-for <host>", "the active session, if it is of this API host"))
    .addHelpText("after", EXAMPLES);
  command.action(async (flags) => {
    const { place, env, terminal, errorFormat } = deps(command);
    const { profile, session, requestTimeout, verbose } = command.optsWithGlobals() as GlobalFlags;
    const request = getTokenRequest({
      ...flags,
      session: oneSession(profile, session),
      minimumLife: flags.minTtl,
      requestTimeout,
      verbose: (verbose ?? 0) > 0,
    });
    leave(
      await runGetToken(request, {
        place,
        env,
        parent: parentProcess,
        errorFormat,
        started: performance.now(),
        canAsk: () => terminal.canAsk,
        writeOut: terminal.writeOut,
        writeErr: terminal.writeErr,
      }),
    );
  });
  return command as unknown as Command;
}
