/** `auth get-token`: its help, and its call for a line that program.ts does not understand. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { EXEC_API_VERSIONS } from "../../plugin/exec-credential.ts";
import { runGetToken } from "../../plugin/get-token.ts";
import { exitWith, type GlobalFlags, type ProcessContext } from "../context.ts";
import { getTokenContext } from "../get-token-context.ts";
import { valueOption } from "../complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl auth get-token
  curl -H "Authorization: Bearer $(datumctl auth get-token)" \\
      https://api.datum.net/apis
  datumctl auth get-token --claims
  datumctl auth get-token --write /run/datum/token --watch
  datumctl auth get-token --output=client.authentication.k8s.io/v1 \\
      --session=ada@example.com@api.datum.net

Outputs: token, ${EXEC_API_VERSIONS.join(", ")}.
Under kubectl, the version that KUBERNETES_EXEC_INFO names is printed, whatever -o says, except -o token.`;

/** `auth get-token`: a fresh token on stdout. */
export function getTokenCommand(context: ProcessContext): CommandUnknownOpts {
  const command = new Command("get-token")
    .description("Print a fresh token, for kubectl or by hand")
    .addOption(
      valueOption(
        ["token", "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"],
        "-o, --output <format>",
        "token (the default) or an exec credential version",
      ),
    )
    .addOption(valueOption(["access", "id"], "--token <kind>", "access (the default) or id"))
    .option("--min-ttl <duration>", "refresh unless the token lasts at least this long")
    .option("--force-refresh", "refresh even when the stored token is fresh")
    .option("--claims", "print the token's claims instead of the token")
    .option("--write <file>", "write the token into a file instead of printing it")
    .option("--watch", "with --write: renew it in the file until a signal, or the session's end")
    .addOption(
      valueOption(
        ["0600", "0640"],
        "--mode <mode>",
        "with --write: permissions of the file, such as 0640 (default: 0600)",
      ),
    )
    .option("--keep", "with --watch: leave the file when a signal ends it")
    .addOption(
      new Option(
        "--active-for <host>",
        "refuse a session of another API host (or issuer, as URL); use the active one unless --profile names one",
      ),
    )
    .addOption(
      valueOption(
        "nothing",
        "--client-id <id>",
        "client at that issuer; kubeconfig entries carry it for the line that signs in where the session is missing",
      ),
    )
    .addOption(new Option("--hand-off <handle>", "of the launcher: where it looks next").hideHelp())
    .addOption(new Option("--handed-out", "of the launcher: the parent got the token before").hideHelp())
    .addHelpText("after", EXAMPLES);
  command.action(async (own) => {
    const everywhere = command.optsWithGlobals() as GlobalFlags;
    const flags = { ...own, ...everywhere, minimumLife: own.minTtl };
    exitWith(await runGetToken(flags, getTokenContext(context)));
  });
  return command;
}
