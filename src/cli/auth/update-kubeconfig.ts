/** `auth update-kubeconfig`: writes the kubeconfig entry through which kubectl gets fresh tokens. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import {
  checkKubeconfigs,
  contextNamed,
  entryNamed,
  type Kubeconfig,
  kubeconfigPaths,
  loadKubeconfig,
  previewKubeconfig,
  updateKubeconfig,
} from "../../kubeconfig/file.ts";
import { tooLargeToTell } from "../../kubeconfig/cluster.ts";
import type { ExecEntry, KubeconfigEdit } from "../../kubeconfig/edit.ts";
import {
  checkClusterHost,
  checkUserEntry,
  contextsChangedAlong,
  entryEdit,
  type EntryOptions,
} from "../../kubeconfig/entries.ts";
import { type EntryIdentity, identityOf, userName } from "../../kubeconfig/identity.ts";
import type { NamedServer } from "../../kubeconfig/named-server.ts";
import type { EntryTarget } from "../../kubeconfig/target.ts";
import type { LearnedServer } from "../../kube/accepted-token.ts";
import { removeHandOffs } from "../../sessions/hand-off.ts";
import { preferredKind } from "../../sessions/fresh-token.ts";
import { askingServer, refuseOtherApi, refuseOtherServer } from "../../sessions/served-servers.ts";
import type { Session } from "../../sessions/session.ts";
import { ENV_PREFIX } from "../../sessions/name.ts";
import { labelOf } from "../../sessions/new-name.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import type { TokenKind } from "../../sessions/token.ts";
import { readAuthority } from "../save-flags.ts";
import type { SessionChoice } from "../../sessions/choose.ts";
import { chosenCommand, ownCommand } from "../../kubeconfig/exec-command.ts";
import { styledDiff } from "../output/style.ts";
import { formatFacts } from "../output/table.ts";
import { printPluginPolicy } from "../plugin-policy.ts";
import { absolutePath } from "../../system/environment.ts";
import { isFromEnvironment } from "../session-life.ts";
import { scopeInUse } from "../../providers/datum/scope.ts";
import { rememberNamed, warnOfServers } from "../session-servers.ts";
import { actingSession, refuseCredentialsFile } from "../pick-session.ts";
import { askServer } from "./ask-server.ts";
import {
  type FastLane,
  findFastLane,
  leaveFastLane,
  mendLauncher,
  openFastLane,
  refuseUntold,
  tellFastLane,
} from "./fast-lane.ts";
import { checkTargetFlags, entryTarget, type TargetFlags } from "./target-flags.ts";
import { valueOption } from "../complete/declare.ts";

const EXAMPLES = `
Examples:
  datumctl auth update-kubeconfig --organization my-org-id
  datumctl auth update-kubeconfig --project my-project-id \\
      --kubeconfig ~/.kube/datum-config
  datumctl auth update-kubeconfig --project my-project-id \\
      --exec-interactive-mode Never
  datumctl auth update-kubeconfig --project my-project-id --dry-run
  datumctl auth update-kubeconfig --server https://k8s.example.com:6443
  datumctl auth update-kubeconfig --server https://k8s.example.com:6443 \\
      --certificate-authority ca.pem
  datumctl auth update-kubeconfig --server https://k8s.example.com:6443 \\
      --token access
  datumctl auth update-kubeconfig --cluster my-cluster --context my-cluster
  datumctl auth update-kubeconfig --project my-project-id \\
      --token-file /run/datum/token
  datumctl auth update-kubeconfig --project my-project-id --fast

Exactly one of --organization, --project, --cluster and --server is needed. The entry stays with the
session that it was made with; with --follow-active it follows datumctl auth switch.`;

/** `auth update-kubeconfig`. */
export function updateKubeconfigCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("update-kubeconfig")
    .description("Write the kubeconfig entry through which kubectl uses a session")
    .addOption(valueOption("organization", "--organization <id>", "control plane of an organization"))
    .addOption(valueOption("project", "--project <id>", "control plane of a project"))
    .addOption(
      valueOption(
        "cluster entry",
        "--cluster <name>",
        "existing cluster entry in the kubeconfig; it is not changed",
      ),
    )
    .option("--server <url>", "base URL of an API server that accepts the issuer's tokens")
    .addOption(
      valueOption("file", "--kubeconfig <path>", "file to write (default: $KUBECONFIG, else ~/.kube/config)"),
    )
    .option("--hostname <host>", "API server's host or https address, if not the session's")
    .option(
      "--certificate-authority <file>",
      "the API server's authority (PEM), if not the session's or the system's",
    )
    .addOption(
      valueOption(
        ["Never", "IfAvailable", "Always"],
        "--exec-interactive-mode <mode>",
        "Never, IfAvailable or Always (default: IfAvailable)",
      ),
    )
    .addOption(
      valueOption(
        "context",
        "--context <name>",
        "name of the context (default: datum-project-<id>, datum-server-<host>, …)",
      ),
    )
    .option("--no-switch", "leave the current context, and the project in use, as they are")
    .option("--follow-active", "act as whoever is active at that API host")
    .addOption(
      valueOption(
        ["access", "id"],
        "--token <kind>",
        "access or id: the token to show the server and to hand out, and no other",
      ),
    )
    .option("--skip-validation", "write the entry without asking the server")
    .addOption(
      valueOption("program", "--exec-command <name>", "program that kubectl runs (default: this one)"),
    )
    .option("--token-file <file>", "let kubectl read the token from this file, and run no plugin")
    .option("--fast", "let kubectl run a launcher, which leaves the token readable to your programs")
    .option("--dry-run", "print what would change, as a unified diff")
    .addHelpText("after", EXAMPLES);
  command.action((flags) => runUpdateKubeconfig(contextOf(command), flags));
  return command;
}

/** The flags of `auth update-kubeconfig`, as they were typed. */
export interface UpdateKubeconfigInput extends TargetFlags {
  readonly execInteractiveMode?: string | undefined;
  readonly context?: string | undefined;
  readonly switch: boolean;
  readonly followActive?: true | undefined;
  readonly token?: string | undefined;
  readonly execCommand?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly fast?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** Asks the server, writes the entry, remembers what was learned. */
export async function runUpdateKubeconfig(
  given: CommandContext,
  input: UpdateKubeconfigInput,
): Promise<void> {
  checkTargetFlags(input);
  const interactiveMode = modeOf(input.execInteractiveMode);
  const wantedKind = kindOf(input.token);
  if (input.fast && input.tokenFile !== undefined) {
    throw new AppError("USAGE", "--fast and --token-file cannot be combined.", {
      hint: "Where kubectl reads a file, it runs no program that a launcher could stand for.",
    });
  }
  if (input.tokenFile !== undefined) checkTokenFile(input);
  if (input.fast && input.followActive) {
    throw new AppError("USAGE", "--fast and --follow-active cannot be combined.", {
      hint: "The launcher hands out the token of one session.",
    });
  }
  if (input.context !== undefined) checkContext(input.context);
  const authority = input.certificateAuthority === undefined
    ? undefined
    : await readAuthority(input.certificateAuthority);
  const paths = kubeconfigPaths(input.kubeconfig, given.env);
  // A file that cannot be written should show before anything is asked.
  await checkKubeconfigs(paths);
  const { cli, session } = await openActing(given, input);
  const target = await entryTarget(cli.providers, input, session, paths, authority);
  if (input.followActive) checkFollowed(target, session);
  // A session from a variable cannot remember servers: it is for its own host only.
  if (isFromEnvironment(session)) {
    await refuseOtherServer(cli.providers, session, askingServer({ server: target.addresses[0].url }));
  }
  const own = input.execCommand === undefined
    ? await ownCommand(cli.env, given.store.folders)
    : await chosenCommand(input.execCommand, cli.env);
  if (own.warning !== undefined && input.tokenFile === undefined) cli.out.warn(own.warning);
  const fastLane = input.fast ? await findFastLane(cli, session, own.command, wantedKind) : undefined;
  const learned = input.skipValidation || target.notAsked !== undefined
    ? { address: target.addresses[0], certificateAuthority: target.authorities.at(-1) }
    : await askServer(cli, session, target, wantedKind);
  warnOf(cli, target, learned, session, input);
  const entry: EntryOptions = {
    cluster: target.cluster,
    context: input.context ?? target.context,
    server: target.written ? learned.address.url : undefined,
    command: fastLane?.command ?? own.command,
    handle: fastLane?.handle,
    identity: identityIn(input, target, session),
    interactiveMode,
    switchTo: input.switch,
    token: wantedKind,
    certificateAuthority: learned.certificateAuthority,
  };
  const plan: EntryPlan = { session, target, learned, entry, paths, program: own.command, fastLane };
  await (input.dryRun ? previewEntry(cli, plan) : writeEntry(cli, plan, input));
}

/** Who the entry acts as, by a plugin or by a file. */
function identityIn(
  { followActive, tokenFile }: UpdateKubeconfigInput,
  { apiHost }: EntryTarget,
  session: Session,
): EntryIdentity {
  if (followActive) return { activeFor: apiHost };
  const identity = identityOf(session);
  if (tokenFile === undefined || identity.session === undefined) return identity;
  return { ...identity, tokenFile: absolutePath(tokenFile) };
}

/** What is about to be written, and what it was made of. */
interface EntryPlan {
  readonly session: Session;
  readonly target: EntryTarget;
  readonly learned: LearnedServer;
  readonly entry: EntryOptions;
  /** The kubeconfig's files. */
  readonly paths: readonly string[];
  /** What the entry runs, or its launcher. */
  readonly program: string;
  readonly fastLane: FastLane | undefined;
}

/** The session that the entry is made with, as it was sealed: an edited file must not say where its tokens go. */
async function openActing(
  given: CommandContext,
  { followActive }: UpdateKubeconfigInput,
): Promise<{ readonly cli: CommandContext; readonly session: Session }> {
  const choice: SessionChoice = { ...given.choice, ignoreProjectFolder: followActive };
  const { context: cli, store, session: chosen } = await actingSession({ ...given, choice });
  refuseCredentialsFile(chosen);
  const { session } = await store.open(chosen, keyringLimits(cli));
  refuseOtherApi(session);
  return { cli, session };
}

/** Prints the entry as a diff. */
async function previewEntry(cli: CommandContext, { target, entry, paths }: EntryPlan): Promise<void> {
  const editing = editingOf(target, entry);
  const diff = await previewKubeconfig(paths, editing.edit);
  noteShared(cli, editing.found(), entry);
  if (diff === "") cli.out.info("Nothing would change.");
  cli.out.text(styledDiff(diff, cli.style.out));
  if (entry.identity.tokenFile === undefined) await printPluginPolicy(cli, entry.command);
}

/** Writes the entry, remembers what was learned, and says so. */
async function writeEntry(
  cli: CommandContext,
  plan: EntryPlan,
  input: UpdateKubeconfigInput,
): Promise<void> {
  const { session, target, learned, entry, paths, program, fastLane } = plan;
  const editing = editingOf(target, entry);
  const named: NamedServer = {
    cluster: entry.cluster,
    server: entry.server,
    accepted: learned.kind !== undefined,
    user: userName(entry.identity),
  };
  const before = await loadKubeconfig(paths);
  // An entry that would be refused must not be remembered either.
  await editing.edit(before);
  if (fastLane !== undefined) await openFastLane(cli, fastLane);
  const serving = await rememberNamed(cli, session, before, named);
  const changes = await updateKubeconfig(paths, editing.edit);
  const found = editing.found();
  await warnOfServers(cli, serving, before, named, found.tooLarge);
  await remember(cli, session, target, learned, input);
  await leaveFastLane(cli, session, before, { user: named.user, handle: entry.handle });
  await mendLauncher(cli, before, { user: named.user, program });
  const files = changes.length === 0
    ? `${found.holder ?? paths[0]} (nothing to change)`
    : changes.map(({ path }) => path).join(", ");
  await printEntry(cli, plan, input, { found, files });
}

/** The edit of the kubeconfig, and what the last call of it found there. */
function editingOf(target: EntryTarget, entry: EntryOptions): {
  readonly edit: (kubeconfig: Kubeconfig) => Promise<KubeconfigEdit>;
  readonly found: () => Found;
} {
  let found: Found = { changedAlong: [] };
  const user = userName(entry.identity);
  return {
    found: () => found,
    async edit(kubeconfig) {
      if (entry.server !== undefined) checkClusterHost(kubeconfig, target.cluster, entry.server);
      checkUserEntry(kubeconfig, entry.identity);
      const tooLarge = entry.identity.tokenFile === undefined
        ? await tooLargeToTell(kubeconfig, user, entry)
        : undefined;
      if (tooLarge !== undefined && entry.handle !== undefined) refuseUntold(tooLarge);
      found = {
        tooLarge,
        moved: formerUser(kubeconfig, entry.context, user),
        changedAlong: contextsChangedAlong(kubeconfig, entry),
        holder: entryNamed(kubeconfig, "contexts", entry.context)?.file.path,
      };
      return entryEdit({ ...entry, provideClusterInfo: tooLarge === undefined });
    },
  };
}

/** Says what was written, who acts there, and what to run next. */
async function printEntry(
  cli: CommandContext,
  { session, learned, fastLane, entry: { context, ...entry } }: EntryPlan,
  input: UpdateKubeconfigInput,
  { found, files }: { readonly found: Found; readonly files: string },
): Promise<void> {
  const { out } = cli;
  const user = userName(entry.identity);
  if (found.moved !== undefined) {
    out.info(`The context ${context} acted as ${printable(found.moved)} before; now it acts as ${user}.`);
  }
  noteShared(cli, found, entry);
  const who = learned.username ?? labelOf(session);
  const facts = [
    ["Kubeconfig", files],
    ["Context", `${context}${input.switch ? " (now current)" : ""}`],
    ["User", `${printable(who)}${input.followActive ? " (follows datumctl auth switch)" : ""}`],
    ["API server", learned.address.url],
  ] as const;
  out.text(await formatFacts(facts, cli.style.out));
  if (isFromEnvironment(session) && input.tokenFile === undefined) {
    const variable = session.name.slice(ENV_PREFIX.length);
    out.info(
      `kubectl can use this entry only where ${variable}, and the variables that go with it, are set.`,
    );
  }
  if (fastLane !== undefined) tellFastLane(cli, fastLane);
  if (input.tokenFile === undefined) await printPluginPolicy(cli, entry.command);
  else out.info(`Keep its token fresh: ${writerLine(input.tokenFile, session, learned)}`);
  const next = [
    "kubectl",
    ...(input.kubeconfig === undefined ? [] : ["--kubeconfig", input.kubeconfig]),
    ...(input.switch ? [] : ["--context", context]),
  ];
  out.info(`Next: ${shellLine([...next, "get", "namespaces"])}`);
}

/** The line that puts the session's token into the file, and renews it there. */
function writerLine(
  path: string,
  session: Session,
  { kind = preferredKind(session) }: LearnedServer,
): string {
  return shellLine([
    ...["datumctl", "auth", "get-token", "--session", session.name, "--token", kind],
    ...["--write", path, "--watch"],
  ]);
}

/** What the files contain of the entry before it is written. */
interface Found {
  /** The user that the context named, when it was another one. */
  readonly moved?: string | undefined;
  /** Other contexts that use the user entry that changes. */
  readonly changedAlong: readonly string[];
  /** The file that holds the context. */
  readonly holder?: string | undefined;
  /** The cluster whose authority is too large for kubectl to pass on. */
  readonly tooLarge?: string | undefined;
}

function noteShared(
  { out }: CommandContext,
  { changedAlong }: Found,
  { identity, command }: Pick<EntryOptions, "identity" | "command">,
): void {
  if (changedAlong.length === 0) return;
  const names = changedAlong.map((name) => printable(name, 100)).join(", ");
  const does = identity.tokenFile !== undefined
    ? `reads the token from ${printable(identity.tokenFile)}`
    : `runs ${command} with the same arguments and interactive mode`;
  out.info(`One user entry, ${userName(identity)}, serves ${names} too: there, kubectl ${does} from now on.`);
}

/**
 * Refuses an entry that would follow the sessions of another host, for it would get no token.
 *
 * @throws {AppError} `USAGE`
 */
function checkFollowed({ apiHost }: EntryTarget, session: Session): void {
  if (apiHost === session.apiHost) return;
  throw new AppError(
    "USAGE",
    `--follow-active cannot be combined with --hostname ${apiHost}: the session "${session.name}" belongs to ${session.apiHost}, ` +
      "and such an entry would get no token.",
    { hint: `Leave out one of the two flags, or name a session of ${apiHost} with --profile.` },
  );
}

/** Warns of what may not work with an entry that is written all the same. */
function warnOf(
  { out }: CommandContext,
  target: EntryTarget,
  { address, kind }: LearnedServer,
  session: Session,
  input: UpdateKubeconfigInput,
): void {
  if (target.notAsked !== undefined && !input.skipValidation) {
    out.warn(`The server was not asked which token it accepts: ${target.notAsked}.`);
  }
  if (address.url.startsWith("http:")) {
    out.warn(`kubectl sends no credentials over http: ${address.url} will see an anonymous request.`);
  }
  const before = session.kubectlToken;
  if (kind !== undefined && before !== undefined && kind !== before && input.token === undefined) {
    out.warn(
      `kubectl now gets this session's ${kind} token everywhere, but another server accepted the ${before} token.`,
    );
  }
}

function modeOf(text: string | undefined): ExecEntry["interactiveMode"] {
  if (text === undefined) return "IfAvailable";
  if (text === "Never" || text === "IfAvailable" || text === "Always") return text;
  throw new AppError("USAGE", "--exec-interactive-mode takes Never, IfAvailable or Always.");
}

function kindOf(text: string | undefined): TokenKind | undefined {
  if (text === undefined || text === "access" || text === "id") return text;
  throw new AppError("USAGE", "--token takes access or id.");
}

/** @throws {AppError} `USAGE` for flags that are about a plugin, and for a path that kubectl could not read. */
function checkTokenFile({ tokenFile = "", ...input }: UpdateKubeconfigInput): void {
  const wrong = input.followActive
    ? "--follow-active"
    : input.execCommand !== undefined
    ? "--exec-command"
    : input.execInteractiveMode !== undefined
    ? "--exec-interactive-mode"
    : undefined;
  if (wrong !== undefined) {
    throw new AppError("USAGE", `--token-file and ${wrong} cannot be combined: kubectl runs no plugin then.`);
  }
  if (tokenFile.trim() === "" || printable(tokenFile, 4096) !== tokenFile) {
    throw new AppError("USAGE", "--token-file takes the path of a file.");
  }
}

function checkContext(text: string): void {
  if (text.trim() !== "" && printable(text, 253) === text) return;
  throw new AppError("USAGE", "--context takes a name of at most 253 printable characters.");
}

/** The user that the context names so far, when it is another one. */
function formerUser(kubeconfig: Kubeconfig, context: string, user: string): string | undefined {
  const before = entryNamed(kubeconfig, "contexts", context) === undefined
    ? undefined
    : contextNamed(kubeconfig, context);
  return before?.user === undefined || before.user === user ? undefined : before.user;
}

async function remember(
  { store }: CommandContext,
  session: Session,
  { scope }: EntryTarget,
  { address: { api }, kind }: LearnedServer,
  input: UpdateKubeconfigInput,
): Promise<void> {
  const learned = kind !== undefined && input.token === undefined && kind !== preferredKind(session);
  const before = scopeInUse(session.inUse);
  const moved = scope !== undefined && input.switch &&
    (before?.kind !== scope.kind || before.id !== scope.id);
  const named = api !== undefined && input.skipValidation === undefined && input.hostname === undefined &&
    api !== session.controlPlaneApi;
  if (!learned && !moved && !named) return;
  await store.update(session.name, (now) => ({
    kubectlToken: learned ? kind : now.kubectlToken,
    controlPlaneApi: named ? api : now.controlPlaneApi,
    inUse: moved ? { [scope.kind]: scope.id } : now.inUse,
    inUseBefore: moved ? now.inUse : now.inUseBefore,
  }));
  // The launcher would go on handing out the other token.
  if (learned) await removeHandOffs(store.folders, session.name);
}
