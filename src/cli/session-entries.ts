/** Removes a session's entries from a kubeconfig, for the commands that remove the session. */

import { kubeconfigPaths, removalOfSession, updateKubeconfig } from "../kubeconfig/file.ts";
import type { Session } from "../sessions/session.ts";
import { printable } from "../text.ts";
import type { CommandContext } from "./context.ts";

/** Removes a session's entries from the kubeconfig, and says so. */
export async function removeSessionEntries(
  cli: CommandContext,
  session: Session,
  path: string,
): Promise<void> {
  let contexts: readonly string[] = [];
  const changes = await updateKubeconfig(
    kubeconfigPaths(path, cli.env),
    (kubeconfig) => {
      const remove = removalOfSession(kubeconfig, session);
      contexts = remove.contexts ?? [];
      return { remove };
    },
    { absent: "leave" },
  );
  if (changes.length === 0) return;
  const names = contexts.map((name) => printable(name, 100)).join(", ");
  const gone = names === "" ? "" : `, with the context${contexts.length > 1 ? "s" : ""} ${names}`;
  cli.out.success(`Removed its entries from ${changes.map((change) => change.path).join(", ")}${gone}.`);
}
