/** Owns `auth update-kubeconfig`: the kubeconfig entry through which kubectl gets fresh tokens. */

import { Command } from "@commander-js/extra-typings";
import { AppError, printable } from "../../errors.ts";
import { entryEdit, type EntryIdentity, entryName, userName } from "../../kube/datum-entry.ts";
import { type Candidate, firstAccepted } from "../../kube/identity-check.ts";
import {
  contextOf,
  entryOf,
  type Kubeconfig,
  kubeconfigPaths,
  previewKubeconfig,
  removalOfSession,
  updateKubeconfig,
} from "../../kube/kubeconfig.ts";
import type { ExecEntry, KubeconfigEdit } from "../../kube/kubeconfig-text.ts";
import {
  checkedScope,
  CONTROL_PLANE_APIS,
  type ControlPlaneApi,
  controlPlaneUrl,
  type Scope,
} from "../../providers/datum.ts";
import { parseHost } from "../../providers/host.ts";
import { freshToken, preferredKind } from "../../sessions/fresh-token.ts";
import { labelOf, type Session } from "../../sessions/session.ts";
import { chooseSession, openSession, updateSession } from "../../sessions/store.ts";
import type { TokenKind } from "../../sessions/token-life.ts";
import { type CommandDeps, type Deps, keyringBound, tokenBound } from "../context.ts";
import { checkedCommand, ownCommand } from "../own-command.ts";

const EXAMPLES = `
Examples:
  datumctl auth update-kubeconfig --organization my-org-id
  datumctl auth update-kubeconfig --project my-project-id --kubeconfig ~/.kube/datum-config
  datumctl auth update-kubeconfig --project my-project-id --exec-interactive-mode Never
  datumctl auth update-kubeconfig --project my-project-id --dry-run

Exactly one of --organization and --project is needed. The entry stays with the session that
it was made with; with --follow-active it follows datumctl auth switch.`;

/** `auth update-kubeconfig`. */
export function updateKubeconfigCommand(deps: CommandDeps): Command {
  const command = new Command("update-kubeconfig")
    .description("Write the kubeconfig entry through which kubectl uses a session")
    .option("--organization <id>", "control plane of an organization")
    .option("--project <id>", "control plane of a project")
    .option("--kubeconfig <path>", "file to write (default: $KUBECONFIG, else ~/.kube/config)")
    .option("--hostname <host>", "API server's host or https address, where the session's is not meant")
    .option("--exec-interactive-mode <mode>", "Never, IfAvailable or Always (default: IfAvailable)")
    .option("--context <name>", "name of the context (default: datum-project-<id>)")
    .option("--no-switch", "leave the current context, and the project in use, as they are")
    .option("--follow-active", "act as whoever is active at that API host")
    .option("--token <kind>", "access or id: the token to hand out, instead of asking the server")
    .option("--skip-validation", "write the entry without asking the server")
    .option("--exec-command <name>", "program that kubectl runs (default: this one)")
    .option("--dry-run", "print what would change, as a unified diff")
    .addHelpText("after", EXAMPLES);
  command.action((flags) => runUpdateKubeconfig(deps(command), flags));
  return command as unknown as Command;
}

/** The flags of `auth update-kubeconfig`, as they were typed. */
export interface UpdateKubeconfigInput {
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly hostname?: string | undefined;
  readonly execInteractiveMode?: string | undefined;
  readonly context?: string | undefined;
  readonly switch: boolean;
  readonly followActive?: true | undefined;
  readonly token?: string | undefined;
  readonly skipValidation?: true | undefined;
  readonly execCommand?: string | undefined;
  readonly dryRun?: true | undefined;
}

/** What the server told: which token it takes, and under which group control planes are. */
interface Learned {
  readonly api: ControlPlaneApi;
  readonly kind?: TokenKind;
  readonly username?: string;
}

/** Asks the server, writes the entry, remembers what was learned. */
export async function runUpdateKubeconfig(deps: Deps, input: UpdateKubeconfigInput): Promise<void> {
  const { out, place } = deps;
  const scope = scopeOf(input);
  const interactiveMode = modeOf(input.execInteractiveMode);
  const wantedKind = kindOf(input.token);
  const context = input.context === undefined ? undefined : contextName(input.context);
  const host = input.hostname === undefined ? undefined : parseHost(input.hostname, "--hostname");
  const paths = kubeconfigPaths(input.kubeconfig, deps.env);
  const chosen = await chooseSession(place, deps.choice);
  // As it was sealed: an edited file must not say where its tokens go.
  const { session } = await openSession(place, chosen.session, keyringBound(deps));
  const apiHost = host ?? session.apiHost;
  const own = input.execCommand === undefined
    ? await ownCommand(deps.env, place.folders.config)
    : { command: checkedCommand(input.execCommand) };
  if (own.warning !== undefined) out.warn(own.warning);
  const learned = input.skipValidation
    ? { api: session.controlPlaneApi ?? CONTROL_PLANE_APIS[0] }
    : await askServer(deps, session, scope, apiHost, wantedKind);

  const identity: EntryIdentity = input.followActive ? { activeFor: apiHost } : { session: session.name };
  const name = entryName(scope, apiHost);
  const server = controlPlaneUrl(apiHost, scope, learned.api);
  let moved: string | undefined;
  const edit = (kubeconfig: Kubeconfig): KubeconfigEdit => {
    moved = formerUser(kubeconfig, context ?? name, userName(identity));
    return entryEdit({
      name,
      server,
      command: own.command,
      identity,
      interactiveMode,
      switchTo: input.switch,
      ...(context === undefined ? {} : { context }),
      ...(wantedKind === undefined ? {} : { token: wantedKind }),
      ...(session.certificateAuthority === undefined
        ? {}
        : { certificateAuthority: session.certificateAuthority }),
    });
  };
  if (input.dryRun) {
    const diff = await previewKubeconfig(paths, edit);
    if (diff === "") out.note("Nothing would change.");
    return out.text(diff);
  }
  const changes = await updateKubeconfig(paths, edit);
  await remember(deps, session, scope, learned, input);
  if (moved !== undefined) {
    out.note(
      `The context ${context ?? name} acted as ${printable(moved)} before; now it acts as ${
        userName(identity)
      }.`,
    );
  }
  const written = changes.length === 0
    ? `${paths[0]} (nothing to change)`
    : changes.map(({ path }) => path).join(", ");
  const who = learned.username ?? labelOf(session);
  out.line(`Kubeconfig:  ${written}`);
  out.line(`Context:     ${context ?? name}${input.switch ? " (now current)" : ""}`);
  out.line(`User:        ${printable(who)}${input.followActive ? " (follows datumctl auth switch)" : ""}`);
  out.line(`API server:  ${server}`);
  out.note(`Next: kubectl ${input.switch ? "" : `--context ${context ?? name} `}get namespaces`);
}

function scopeOf({ organization, project }: UpdateKubeconfigInput): Scope {
  if (organization !== undefined && project === undefined) return checkedScope("organization", organization);
  if (project !== undefined && organization === undefined) return checkedScope("project", project);
  const what = organization === undefined
    ? "Neither --organization nor --project is given"
    : "Both --organization and --project are given";
  throw new AppError("USAGE", `${what}; exactly one of them is needed.`, {
    hint: "For example: datumctl auth update-kubeconfig --project my-project-id",
  });
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

function contextName(text: string): string {
  if (text.trim() !== "" && printable(text, 253) === text) return text;
  throw new AppError("USAGE", "--context takes a name of at most 253 printable characters.");
}

async function askServer(
  deps: Deps,
  session: Session,
  scope: Scope,
  apiHost: string,
  wantedKind: TokenKind | undefined,
): Promise<Learned> {
  const tokens: { readonly kind: TokenKind; readonly token: string }[] = [];
  for (const kind of wantedKind === undefined ? ["id", "access"] as const : [wantedKind]) {
    try {
      tokens.push(await freshToken(deps.place, session, { kind }, tokenBound(deps)));
    } catch (thrown) {
      // An issuer without ID tokens on refresh still has the other one.
      if (!(thrown instanceof AppError && thrown.code === "NO_ID_TOKEN" && wantedKind === undefined)) {
        throw thrown;
      }
    }
  }
  const candidates: Candidate<Learned>[] = CONTROL_PLANE_APIS.flatMap((api) =>
    tokens.map(({ kind, token }) => ({
      url: controlPlaneUrl(apiHost, scope, api),
      token,
      choice: { api, kind },
    }))
  );
  using network = deps.openNetwork(session.certificateAuthority);
  const bounds = { timeout: deps.requestTimeout, signal: deps.interrupted, log: deps.out.log };
  const what = `the ${scope.kind} "${scope.id}"`;
  const { choice, username } = await firstAccepted(network.fetch, candidates, what, bounds);
  return { ...choice, username };
}

/** The user that a context of ours named before, when it was another one. */
function formerUser(kubeconfig: Kubeconfig, context: string, user: string): string | undefined {
  const before = entryOf(kubeconfig, "contexts", context) === undefined
    ? undefined
    : contextOf(kubeconfig, context);
  return before?.user === undefined || before.user === user ? undefined : before.user;
}

async function remember(
  { place }: Deps,
  session: Session,
  scope: Scope,
  { api, kind }: Learned,
  input: UpdateKubeconfigInput,
): Promise<void> {
  const learned = kind !== undefined && input.token === undefined && kind !== preferredKind(session);
  const moved = input.switch && session.inUse?.[scope.kind] !== scope.id;
  const named = input.skipValidation === undefined && input.hostname === undefined &&
    api !== session.controlPlaneApi;
  if (!learned && !moved && !named) return;
  await updateSession(place, session.name, (now) => ({
    ...now,
    ...(learned ? { kubectlToken: kind } : {}),
    ...(named ? { controlPlaneApi: api } : {}),
    ...(moved ? { inUse: { [scope.kind]: scope.id } } : {}),
  }));
}

/** Takes a session's entries out of the kubeconfig, and says so. */
export async function removeSessionEntries(deps: Deps, session: Session, path: string): Promise<void> {
  const changes = await updateKubeconfig(
    kubeconfigPaths(path, deps.env),
    (kubeconfig) => ({ remove: removalOfSession(kubeconfig, session.name) }),
  );
  if (changes.length > 0) {
    deps.out.line(`Removed its entries from ${changes.map((change) => change.path).join(", ")}.`);
  }
}
