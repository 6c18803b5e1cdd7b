/** Rewrites a user entry of another program: it runs this one, as a session, and nothing else of the file changes. */

import { AppError } from "../../errors.ts";
import { type ExecEntry, isOurExec } from "../../kubeconfig/edit.ts";
import { execEntry } from "../../kubeconfig/entries.ts";
import { type EntryIdentity, identityOf } from "../../kubeconfig/identity.ts";
import { ownCommand } from "../../kubeconfig/exec-command.ts";
import {
  entryNamed,
  type Kubeconfig,
  loadKubeconfig,
  previewKubeconfig,
  updateKubeconfig,
} from "../../kubeconfig/file.ts";
import type { NamedServer } from "../../kubeconfig/named-server.ts";
import { clusterTarget } from "../../kubeconfig/target.ts";
import { tooLargeToTell } from "../../kubeconfig/cluster.ts";
import type { LearnedServer } from "../../kube/accepted-token.ts";
import { isObject } from "../../encoding.ts";
import { preferredKind } from "../../sessions/fresh-token.ts";
import { labelOf } from "../../sessions/new-name.ts";
import type { SignInTarget } from "../../providers/provider.ts";
import type { Session } from "../../sessions/session.ts";
import { refuseOtherApi } from "../../sessions/served-servers.ts";
import type { FoundEntry } from "../../sign-in/import/found.ts";
import { sameData } from "../../splice/same-data.ts";
import { PROXY_VARIABLE_NAMES } from "../../system/proxy.ts";
import { printable } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { formatFacts } from "../output/table.ts";
import { printPluginPolicy } from "../plugin-policy.ts";
import { rememberNamed, warnOfServers } from "../session-servers.ts";
import { askServer } from "./ask-server.ts";

/** What is rewritten. */
export interface Rewriting {
  readonly entry: FoundEntry;
  /** The token that its servers are shown, where it is not the usual one. */
  readonly token: "access" | undefined;
  /** The kubeconfig's files. */
  readonly paths: readonly string[];
  /** `--kubeconfig`. */
  readonly kubeconfig: string | undefined;
  readonly skipValidation: true | undefined;
}

/**
 * Shows the entry's servers a token of the session, and rewrites the entry once they took it.
 *
 * @throws {AppError} `SESSION_REJECTED` and others of asking a server, `KUBECONFIG` for an entry that changed meanwhile;
 * then the kubeconfig is as it was
 */
export async function rewriteEntry(
  cli: CommandContext,
  session: Session,
  rewriting: Rewriting,
): Promise<void> {
  const { entry, paths } = rewriting;
  refuseOtherApi(session);
  const own = await ownCommand(cli.env, cli.store.folders);
  const learned = await askServers(cli, session, rewriting);
  const edit = editOf(rewriting, identityOf(session), own.command);
  const before = await loadKubeconfig(paths);
  // An entry that would be refused must not be remembered either.
  await edit(before);
  if (own.warning !== undefined) cli.out.warn(own.warning);
  let serving = session;
  for (const named of serversNamed(rewriting, learned)) {
    serving = await rememberNamed(cli, serving, before, named);
  }
  const changes = await updateKubeconfig(paths, edit);
  for (const named of serversNamed(rewriting, learned)) {
    await warnOfServers(cli, serving, before, named, await tooLarge(before, entry));
  }
  await rememberKind(cli, session, rewriting, learned);
  await printRewritten(cli, session, rewriting, learned, changes.map(({ path }) => path));
  await printPluginPolicy(cli, own.command);
}

/** Prints what the rewriting would change; `session` is undefined where nobody is signed in yet. */
export async function previewRewriting(
  cli: CommandContext,
  session: Session | undefined,
  { provider, issuer, client }: SignInTarget,
  rewriting: Rewriting,
): Promise<void> {
  const { command } = await ownCommand(cli.env, cli.store.folders);
  const unknown = provider.kubernetes === "own"
    ? { session: UNKNOWN }
    : { session: UNKNOWN, activeFor: issuer, clientId: client.id };
  const identity = session === undefined ? unknown : identityOf(session);
  cli.out.text(await previewKubeconfig(rewriting.paths, editOf(rewriting, identity, command)));
  if (session === undefined) {
    cli.out.info(`${UNKNOWN} stands for the name that the session gets at the sign-in.`);
  }
}

/** In place of a session's name that is not known yet. */
const UNKNOWN = "SESSION";

async function askServers(
  cli: CommandContext,
  session: Session,
  { entry, token, paths, kubeconfig, skipValidation }: Rewriting,
): Promise<ReadonlyMap<string, LearnedServer>> {
  const learned = new Map<string, LearnedServer>();
  for (const { name } of entry.clusters) {
    const target = await clusterTarget(name, session, paths, { skipValidation, kubeconfig });
    const [address] = target.addresses;
    if (target.notAsked !== undefined && !skipValidation) {
      cli.out.warn(
        `The server of the cluster ${
          printable(name, 100)
        } was not asked which token it accepts: ${target.notAsked}.`,
      );
    }
    const asked = !skipValidation && target.notAsked === undefined;
    learned.set(name, asked ? await askServer(cli, session, target, token) : { address });
  }
  return learned;
}

/** The edit of the user entry alone, once more compared with what was read. */
function editOf({ entry, token }: Rewriting, identity: EntryIdentity, command: string) {
  return async (kubeconfig: Kubeconfig) => {
    const now = entryNamed(kubeconfig, "users", entry.user);
    if (!sameData(now?.fields, entry.fields)) {
      throw new AppError(
        "KUBECONFIG",
        `The user entry ${printable(entry.user, 100)} changed in the meantime. It was left as it is.`,
        { hint: "Run the same command again." },
      );
    }
    const before = entry.fields["exec"];
    const exec = {
      ...execEntry({
        command,
        identity,
        token,
        interactiveMode: interactiveModeOf(before),
        provideClusterInfo: await tooLarge(kubeconfig, entry) === undefined,
      }),
      env: keptVariables(before),
    };
    return { users: [{ name: entry.user, exec }] };
  };
}

/** The cluster whose authority is too large for kubectl to tell its plugin. */
async function tooLarge(
  kubeconfig: Kubeconfig,
  { user, clusters: [first] }: FoundEntry,
): Promise<string | undefined> {
  return first === undefined ? undefined : await tooLargeToTell(kubeconfig, user, { cluster: first.name });
}

function interactiveModeOf(exec: unknown): ExecEntry["interactiveMode"] {
  const mode = isObject(exec) ? exec.interactiveMode : undefined;
  return mode === "Never" || mode === "Always" ? mode : "IfAvailable";
}

/** The variables that name a proxy: without them a plugin may not reach its issuer. Others are the other program's own. */
function keptVariables(exec: unknown): ExecEntry["env"] {
  const listed: readonly unknown[] = isObject(exec) && Array.isArray(exec.env) ? exec.env : [];
  const names = new Set([...PROXY_VARIABLE_NAMES, "NO_PROXY", "no_proxy"]);
  const kept = listed.flatMap((one) => {
    const { name, value }: Readonly<Record<string, unknown>> = isObject(one) ? one : {};
    return typeof name === "string" && typeof value === "string" && names.has(name) ? [{ name, value }] : [];
  });
  return kept.length === 0 || isOurExec(isObject(exec) ? exec.args : undefined) ? null : kept;
}

function serversNamed(
  { entry }: Rewriting,
  learned: ReadonlyMap<string, LearnedServer>,
): readonly NamedServer[] {
  return entry.clusters.map(({ name }) => ({
    cluster: name,
    accepted: learned.get(name)?.kind !== undefined,
    user: entry.user,
  }));
}

/** Remembers which token the servers took, where it is not the usual one and the entry does not name it. */
async function rememberKind(
  { store, out }: CommandContext,
  session: Session,
  { token }: Rewriting,
  learned: ReadonlyMap<string, LearnedServer>,
): Promise<void> {
  const kinds = new Set([...learned.values()].flatMap(({ kind }) => kind ?? []));
  const [kind] = kinds;
  if (kind === undefined || token !== undefined || kind === preferredKind(session)) return;
  if (kinds.size > 1) out.warn(`Some of its servers take the ID token and some the access token.`);
  await store.update(session.name, () => ({ kubectlToken: kind }));
}

async function printRewritten(
  { out, style }: CommandContext,
  session: Session,
  { entry }: Rewriting,
  learned: ReadonlyMap<string, LearnedServer>,
  files: readonly string[],
): Promise<void> {
  const who = [...learned.values()].find(({ username }) => username !== undefined)?.username;
  const servers = [...learned.values()].map(({ address: { url } }) => printable(url, 200));
  const facts = [
    ["Kubeconfig", files.join(", ")],
    ["User entry", printable(entry.user, 100)],
    ["Contexts", entry.contexts.map((name) => printable(name, 100)).join(", ")],
    ["User", printable(who ?? labelOf(session))],
    ["API server", [...new Set(servers)].join(", ")],
  ] as const;
  out.text(await formatFacts(facts, style.out));
}
