/** What `login` does for the sign-ins that clouds have of their own. */

import type { LoginCommand } from "../../providers/provider.ts";
import { obstacleFor, showCode, startBrowser } from "../../sign-in/person.ts";
import type { CommandContext } from "../context.ts";
import { printKeyLocation, warnOfPrecedence, warnOfProjectFolder } from "../notices.ts";
import { keyStoreChoice, readAuthority, wantedSessionName } from "../save-flags.ts";
import { tellName } from "./announce.ts";
import { openSignIn } from "./open-sign-in.ts";

/** The command with a context. */
export function loginCommandOf(cli: CommandContext): LoginCommand {
  const { out } = cli;
  return {
    wantedName: () => wantedSessionName(cli),
    keyStores: (keyring) => keyStoreChoice(cli, keyring),
    readAuthority,
    open: (timeout, certificateAuthority) => openSignIn(cli, timeout, certificateAuthority),
    async showCode(http, code, { byCode, browserCommand }) {
      showCode({ ...out, terminal: cli.terminal.canAsk, http }, code);
      const obstacle = await obstacleFor({ device: byCode, env: cli.env }, browserCommand);
      if (obstacle !== undefined) return out.info(`No browser is opened here, because ${obstacle}.`);
      if (byCode) return;
      const failure = await startBrowser(code.verificationUriComplete, browserCommand, out.info);
      if (failure !== undefined) {
        out.info(`No browser came up: ${failure}. Open one of the addresses yourself.`);
      }
    },
    printKeyLocation: (saved) => printKeyLocation(cli, saved),
    printName: (session, label) => tellName(cli, session, label),
    async warnOfPrecedence({ inProject }) {
      warnOfPrecedence(cli);
      if (!inProject) await warnOfProjectFolder(cli);
    },
  };
}
