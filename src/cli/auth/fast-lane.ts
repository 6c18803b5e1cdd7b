/** What `auth update-kubeconfig --fast` needs: a runtime folder, and a launcher there that can be run. */

import { AppError } from "../../errors.ts";
import { type Kubeconfig, ownUsers } from "../../kubeconfig/file.ts";
import { handleOf, handOffFolder, removeHandOffs } from "../../sessions/hand-off.ts";
import { installLauncher, type Launcher, launcherPath, readLauncher } from "../../sessions/launcher.ts";
import type { Session } from "../../sessions/session.ts";
import type { TokenKind } from "../../sessions/token.ts";
import { childEnvironment, isProgram, ProgramError, run } from "../../system/processes.ts";
import { runtimeFolder } from "../../system/runtime-folder.ts";
import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { isFromEnvironment } from "../session-life.ts";

/** The launcher that an entry runs. */
export interface FastLane {
  /** The launcher's path. */
  readonly command: string;
  /** Its first argument. */
  readonly handle: string;
  readonly launcher: Launcher;
  /** Its runtime folder lies on a disk. */
  readonly onDisk: boolean;
}

/**
 * The launcher for the entries of a session.
 *
 * @throws {AppError} `USAGE` for a session that it cannot serve, and where there is no runtime folder for it.
 */
export async function findFastLane(
  { env, store }: CommandContext,
  session: Session,
  program: string,
  kind: TokenKind | undefined,
): Promise<FastLane> {
  const unfit = whyUnfit(session, store.project);
  if (unfit !== undefined) throw refusal(`it is for a session of your own, and ${unfit}`);
  if (!program.startsWith("/")) throw refusal(`${printable(program)} is not the full path of a program`);
  const { folders } = store;
  const runtime = await runtimeFolder(env);
  if (runtime.path === undefined) throw refusal(runtime.refusal);
  return {
    command: launcherPath(folders),
    handle: await handleOf(folders, session.name, kind),
    launcher: { program, folder: handOffFolder(runtime.path) },
    onDisk: runtime.onDisk,
  };
}

/** Why the launcher cannot serve a session: it knows neither variables nor folders nor jobs. */
function whyUnfit(session: Session, project: string | undefined): string | undefined {
  if (isFromEnvironment(session)) return "this one comes from a variable";
  if (project !== undefined) return "this one belongs to a project folder";
  return session.kind.tokens === "of a job" ? "this one gets a token for each CI job" : undefined;
}

function refusal(why: string): AppError {
  return new AppError("USAGE", `--fast cannot be used here: ${why}.`, {
    hint: "Without --fast everything works; kubectl then runs datumctl itself each time.",
  });
}

/** @throws {AppError} `USAGE` for an entry that must have `provideClusterInfo: false`. */
export function refuseUntold(tooLarge: string): never {
  throw refusal(
    `the authority of the cluster ${
      printable(tooLarge, 100)
    } is too large for kubectl to tell which server asks`,
  );
}

/**
 * Writes the launcher and runs it once: where programs cannot be run, as in homes that are mounted noexec, no entry may name
 * it.
 *
 * @throws {AppError} `STORAGE` when it cannot be written, `USAGE` when it cannot be run.
 */
export async function openFastLane(cli: CommandContext, { command, launcher }: FastLane): Promise<void> {
  await placeLauncher(cli, launcher);
  // Without a handle it becomes the program, whatever is stored.
  const env = childEnvironment(["HOME", "PATH", "TMPDIR", "XDG_CACHE_HOME", "DENO_DIR"]);
  try {
    const { code } = await run(command, ["", "version"], { env, timeout: 30_000, signal: cli.interrupted });
    if (code === 0) return;
    throw refusal(`the launcher ${printable(command)} ended with the exit code ${code}`);
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    throw refusal(
      `the launcher ${printable(command)} cannot be run; its file system may be mounted noexec`,
    );
  }
}

/**
 * Writes the launcher. Where there was none, or one that looks elsewhere, what lies there goes first: neither a renewal nor
 * a logout would find it, and it may be a token of before.
 */
async function placeLauncher({ env, store }: CommandContext, launcher: Launcher): Promise<void> {
  const before = await readLauncher(store.folders);
  if (before?.folder !== launcher.folder) {
    const { sessions } = await store.list();
    for (const { name } of sessions) await removeHandOffs(store.folders, name, env);
  }
  await installLauncher(store.folders, launcher);
}

/** Says what the launcher leaves readable, where, and for how long. */
export function tellFastLane({ out }: CommandContext, { handle, launcher, onDisk }: FastLane): void {
  out.info(
    `kubectl runs the launcher, which leaves a token of this session readable to your own programs: ` +
      `${printable(launcher.folder)}/${handle}, until it is renewed or you log out.`,
  );
  if (onDisk) {
    out.info("That folder is on a disk: the file can outlive a restart, but not the time it is used for.");
  }
}

/** Where an entry no longer runs the launcher with its handle, what was stored for that goes. */
export async function leaveFastLane(
  { env, store }: Pick<CommandContext, "env" | "store">,
  { name }: Session,
  before: Kubeconfig,
  now: { readonly user: string; readonly handle?: string | undefined },
): Promise<void> {
  const ran = ownUsers(before).find((own) => own.name === now.user)?.handle;
  if (ran !== undefined && ran !== now.handle) await removeHandOffs(store.folders, name, env);
}

/** Writes the launcher again where other entries run it and it is gone, or leads to a program that is gone. */
export async function mendLauncher(
  cli: CommandContext,
  kubeconfig: Kubeconfig,
  written: { readonly user: string; readonly program: string },
): Promise<void> {
  const { env, store: { folders }, out } = cli;
  const path = folders.missing === undefined ? launcherPath(folders) : undefined;
  const users = ownUsers(kubeconfig).filter(({ name, launcher }) =>
    launcher !== undefined && launcher === path && name !== written.user
  );
  if (path === undefined || users.length === 0) return;
  const there = await readLauncher(folders);
  if (there !== undefined && isProgram(path) && isProgram(there.program)) return;
  const runtime = await runtimeFolder(env);
  const names = users.map(({ name }) => printable(name, 200)).join(", ");
  if (runtime.path === undefined || !written.program.startsWith("/")) {
    out.warn(`The launcher of ${names} is gone: write those entries again, without --fast.`);
    return;
  }
  await placeLauncher(cli, { program: written.program, folder: handOffFolder(runtime.path) });
  out.info(`The launcher of ${names} was gone; it is there again.`);
}
