/** Finds what a command acts on; it looks into the kubeconfig last. */

import { mayHoldOurs } from "../../kubeconfig/default-files.ts";
import { type ChosenSession, isNearer } from "../../sessions/choose.ts";
import type { FolderFile } from "../../sessions/folder-file.ts";
import type { Environment } from "../../system/environment.ts";
import { type ChosenScope, chosenScope, type ScopeFlags } from "./scope.ts";

/**
 * {@link chosenScope}, else the context of the kubeconfig that a flag or the folder's file names, else its current one.
 * With `quickly`, a kubeconfig that no entry of ours can be in is not parsed, and nothing is said of its faults.
 *
 * @throws {AppError} as all three and `KUBECONFIG`
 */
export async function findScope(
  flags: ScopeFlags,
  env: Environment,
  chosen: ChosenSession,
  { quickly = false }: { readonly quickly?: boolean } = {},
): Promise<ChosenScope | undefined> {
  const file = await followedFile(chosen);
  const scope = chosenScope(flags, { env, inUse: chosen.session.inUse, file });
  if (scope !== undefined) return scope;
  if (quickly && file?.context === undefined && !await mayHoldOurs(env)) return undefined;
  // Loaded lazily: most calls never need the YAML reader.
  const { currentScope, namedScope } = await import("./kubeconfig-context.ts");
  const { context } = flags;
  if (context !== undefined) return await namedScope(env, chosen, context);
  if (file?.context === undefined) return await currentScope(env, chosen);
  return await namedScope(env, chosen, file.context, file.path);
}

/**
 * The folder's file, where what it says of organization and project is for the session that acts: not where it names
 * another one, and not where a nearer project folder has the session.
 *
 * @throws {AppError} `STORAGE`
 */
export async function followedFile(
  { session, store, folderFile }: ChosenSession,
): Promise<FolderFile | undefined> {
  const file = await folderFile?.();
  if (file === undefined || isNearer(store.project, file)) return undefined;
  return file.session === undefined || file.session === session.name ? file : undefined;
}
