/** What is said where a sign-in gave a session another client: whose tokens its kubeconfig entries get from then on. */

import { failureOrThrow } from "../../errors.ts";
import { printable } from "../../text.ts";
import {
  actsAs,
  contextsUsing,
  defaultKubeconfigs,
  loadKubeconfig,
  ownUsers,
} from "../../kubeconfig/file.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext } from "../context.ts";

/** Names the client that was replaced, and the entries that act as the session. */
export async function tellReplacedClient(
  cli: CommandContext,
  session: Session,
  former: string,
): Promise<void> {
  const clients = `${printable(session.clientId, 100)} instead of ${printable(former, 100)}`;
  const entries = await entriesOf(cli, session);
  const touched = entries.length === 0
    ? ""
    : ` Its kubeconfig entries now hand out that client's tokens: ${entries.join(", ")}.`;
  cli.out.warn(`The session "${session.name}" is of the client ${clients} from now on.${touched}`);
}

/** The entries of the kubeconfigs in force that act as a session, in words. */
async function entriesOf({ env, out }: CommandContext, session: Session): Promise<string[]> {
  try {
    const kubeconfig = await loadKubeconfig(defaultKubeconfigs(env));
    return ownUsers(kubeconfig).filter((user) => actsAs(user, session)).map(({ name }) => {
      const contexts = contextsUsing(kubeconfig, name);
      const used = contexts.map((context) => printable(context, 100)).join(", ");
      return used === "" ? printable(name, 200) : `${printable(name, 200)} (context ${used})`;
    });
  } catch (thrown) {
    out.warn(`Which kubeconfig entries act as the session cannot be told: ${failureOrThrow(thrown).message}`);
    return [];
  }
}
