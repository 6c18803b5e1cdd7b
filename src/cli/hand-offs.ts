/** Which sessions the launcher hands out, what that leaves readable, and whether the launcher is still there. */

import { failureOrThrow } from "../errors.ts";
import { actsAs, defaultKubeconfigs, loadKubeconfig, type OwnUser, ownUsers } from "../kubeconfig/file.ts";
import type { StoredSession } from "../sessions/acting.ts";
import { storedHandOffs } from "../sessions/hand-off.ts";
import { launcherPath, readLauncher } from "../sessions/launcher.ts";
import type { Folders } from "../system/environment.ts";
import { isProgram } from "../system/processes.ts";
import { printable } from "../text.ts";
import type { CommandContext } from "./context.ts";

/** How a session is handed out beside get-token. */
export interface SessionHandOff {
  readonly by: "launcher" | "missing launcher";
  /** In two words or three. */
  readonly short: string;
  /** With what is readable, where, and until when. */
  readonly text: string;
}

/**
 * Looks in the kubeconfigs in force for entries that run a launcher. Returns what tells of a session; it also tells of what
 * lies there for an entry elsewhere, and warns of a launcher that is gone.
 */
export async function handOffsHere(
  cli: CommandContext,
): Promise<(stored: StoredSession) => Promise<SessionHandOff | undefined>> {
  const users = (await usersInForce(cli)).filter(({ launcher }) => launcher !== undefined);
  return async ({ session, store }) => {
    if (store.project !== undefined) return undefined;
    const own = users.filter((user) => user.session !== undefined && actsAs(user, session));
    const readable = await storedHandOffs(store.folders, session.name, cli.env);
    for (const { name, launcher = "" } of own) {
      const gone = await whatIsGone(launcher, store.folders);
      if (gone === undefined) continue;
      cli.out.warn(
        `kubectl cannot use ${printable(name, 200)}: ${gone.sentence}. ` +
          "The next datumctl auth update-kubeconfig writes its launcher again.",
      );
      return { by: "missing launcher", short: "launcher, gone", text: gone.text };
    }
    if (own.length === 0 && readable.length === 0) return undefined;
    const places = readable.filter(({ until }) => until > cli.now()).map(({ path, until }) =>
      `readable in ${printable(path)} until ${new Date(until).toISOString()}`
    );
    return { by: "launcher", short: "launcher", text: ["the launcher", ...places].join("; ") };
  };
}

/** What keeps a launcher from its work, as a sentence and in some words; undefined for nothing that can be seen. */
async function whatIsGone(
  launcher: string,
  folders: Folders,
): Promise<{ readonly sentence: string; readonly text: string } | undefined> {
  if (!isProgram(launcher)) {
    return { sentence: `its launcher ${printable(launcher)} is gone`, text: "a launcher, which is gone" };
  }
  const there = await readLauncher(folders);
  if (there === undefined || launcher !== launcherPath(folders) || isProgram(there.program)) return undefined;
  return {
    sentence: `its launcher leads to ${printable(there.program)}, which is gone`,
    text: "a launcher, whose program is gone",
  };
}

/** {@link handOffsHere} for several sessions: those that are handed out. */
export async function handOffsOf(
  cli: CommandContext,
  sessions: readonly StoredSession[],
): Promise<ReadonlyMap<StoredSession, SessionHandOff>> {
  const handOffOf = await handOffsHere(cli);
  const found = new Map<StoredSession, SessionHandOff>();
  for (const stored of sessions) {
    const handOff = await handOffOf(stored);
    if (handOff !== undefined) found.set(stored, handOff);
  }
  return found;
}

/** None where a kubeconfig cannot be read: kubectl cannot use it either. */
async function usersInForce({ env }: CommandContext): Promise<readonly OwnUser[]> {
  try {
    return ownUsers(await loadKubeconfig(defaultKubeconfigs(env)));
  } catch (thrown) {
    failureOrThrow(thrown);
    return [];
  }
}
