/** A context of the kubeconfig, the current one or a named one, as what commands act on. */

import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import {
  actsAs,
  contextNamed,
  defaultKubeconfigs,
  entriesByName,
  entryNamed,
  type Kubeconfig,
  type KubeconfigContext,
  loadKubeconfig,
} from "../../kubeconfig/file.ts";
import { hasControlPlanes } from "./facts.ts";
import { scopeOfServer } from "./control-plane-address.ts";
import type { ChosenSession } from "../../sessions/choose.ts";
import { FOLDER_FILE } from "../../sessions/folders-above.ts";
import { askingServer, refuseOtherApi, refuseOtherServer } from "../../sessions/served-servers.ts";
import type { Environment } from "../../system/environment.ts";
import type { SessionProviders } from "../../sessions/providers.ts";
import type { Session } from "../../sessions/session.ts";
import type { ChosenScope } from "./scope.ts";

/**
 * {@link scopeOfContext} of the kubeconfig in force.
 *
 * @throws {AppError} `KUBECONFIG`; `STORAGE`
 */
export async function currentScope(
  env: Environment,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  return await scopeOfContext(
    await loadKubeconfig(defaultKubeconfigs(env)),
    chosen,
    chosen.store.providers,
  );
}

/**
 * What the kubeconfig's current context leads to, when its user entry is pinned to the chosen session, or follows the
 * active session and that is the chosen one.
 */
export async function scopeOfContext(
  kubeconfig: Kubeconfig,
  { session, source }: Pick<ChosenSession, "session" | "source">,
  providers: SessionProviders,
): Promise<ChosenScope | undefined> {
  const context = contextNamed(kubeconfig);
  const own = context?.own;
  if (context?.server === undefined || own === undefined) return undefined;
  const named = ["--profile", "DATUMCTL_PROFILE", "DATUM_SESSION"].includes(source) ||
    source.endsWith(FOLDER_FILE);
  if (!actsAs(own, session) || (own.session === undefined && named)) return undefined;
  return {
    ...await ledTo(kubeconfig, context, session, providers),
    named: false,
    source: `the kubeconfig's context ${printable(context.name, 100)}`,
  };
}

/**
 * What a named context of the kubeconfig in force leads to. `source` is the flag or the folder's file that names it.
 *
 * @throws {AppError} `NOT_FOUND` when there is no such context; `USAGE` when its user entry is not ours or is for another
 * session; `KUBECONFIG`; `STORAGE`
 */
export async function namedScope(
  env: Environment,
  chosen: ChosenSession,
  name: string,
  source = "--context",
): Promise<ChosenScope> {
  const { session, store } = chosen;
  refuseOtherApi(session);
  const kubeconfig = await loadKubeconfig(defaultKubeconfigs(env));
  const context = contextNamed(kubeconfig, name);
  if (context === undefined) throw noContext(kubeconfig, name, source);
  if (context.server === undefined || context.own === undefined || !actsAs(context.own, session)) {
    const { message, hint } = await notFollowed(context, chosen);
    throw new AppError("USAGE", `The context ${message}.${namedBy(source)}`, { hint });
  }
  return {
    ...await ledTo(kubeconfig, context, session, store.providers),
    named: true,
    source,
  };
}

/** Why the current context of the kubeconfig in force is not followed; undefined where there is none. */
export async function currentNotFollowed(
  env: Environment,
  chosen: ChosenSession,
): Promise<Reason | undefined> {
  const context = contextNamed(await loadKubeconfig(defaultKubeconfigs(env)));
  return context && await notFollowed(context, chosen);
}

/** Why a context is not followed. */
interface Reason {
  /** The end of a sentence that begins with `The context`. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
}

async function notFollowed(context: KubeconfigContext, { session, store }: ChosenSession): Promise<Reason> {
  const { own, server, cluster = "CLUSTER" } = context;
  const name = `"${printable(context.name, 100)}"`;
  if (server === undefined) {
    return {
      message: `${name} has no cluster entry that names a server`,
      hint: "See what it names: kubectl config view",
    };
  }
  const line = await store.providers.namesServerLine(session, { cluster });
  const write = `To go there as the session "${session.name}": ${line}`;
  if (own === undefined) return { message: `${name} has a user entry that is not datumctl's`, hint: write };
  const whose = own.session === undefined
    ? `the active session of ${printable(own.activeFor ?? "", 200)}`
    : `the session "${printable(own.session, 200)}"`;
  if (own.session === undefined && actsAs(own, session)) {
    return { message: `${name} is for ${whose}`, hint: `Name it: ${shellLine(["--context", context.name])}` };
  }
  const { sessions } = await store.list();
  const fitting = sessions.filter((one) => actsAs(own, one)).map((one) => one.name);
  // A project folder does not tell of the user's own sessions.
  if (fitting.length === 0 && store.project === undefined) {
    return { message: `${name} is for ${whose}, which is not here`, hint: write };
  }
  return {
    message: `${name} is for ${whose}`,
    hint: own.session === undefined
      ? `Make one active: datumctl auth switch ${fitting.join(", or ") || "NAME"}`
      : `Act as it: --profile ${printable(own.session, 200)}`,
  };
}

/** What names a context, where that is not the line itself. */
function namedBy(source: string): string {
  return source.endsWith(FOLDER_FILE) ? ` It is named in ${source}.` : "";
}

function noContext(kubeconfig: Kubeconfig, name: string, source: string): AppError {
  const names = [...entriesByName(kubeconfig, "contexts").keys()].map((one) => printable(one, 80));
  const files = kubeconfig.files.map(({ path }) => printable(path)).join(", ");
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  const message = `There is no context "${printable(name, 100)}" in ${files}.${namedBy(source)}`;
  return new AppError("NOT_FOUND", message, {
    hint: names.length === 0
      ? "Write an entry first: datumctl auth update-kubeconfig --help"
      : `Available: ${names.slice(0, SHOWN).join(", ")}${more}.`,
  });
}

/** How many contexts an error names; the others are counted. */
const SHOWN = 12;

/** What a context leads to as a session. */
async function ledTo(
  kubeconfig: Kubeconfig,
  context: KubeconfigContext,
  session: Session,
  providers: SessionProviders,
) {
  const refused = await whyRefused(kubeconfig, context.cluster, session, providers);
  return {
    kind: "context",
    context,
    kubeconfig,
    user: context.user === undefined ? undefined : entryNamed(kubeconfig, "users", context.user),
    // Only a path at a Datum's own host says which project it is.
    scope: hasControlPlanes(session) && refused === undefined
      ? scopeOfServer(context.server ?? "")
      : undefined,
    refused,
  } as const;
}

/** Why a request would get no token there, as far as the session's public fields say. */
async function whyRefused(
  kubeconfig: Kubeconfig,
  cluster: string | undefined,
  session: Session,
  providers: SessionProviders,
): Promise<AppError | undefined> {
  const fields = cluster === undefined ? undefined : entryNamed(kubeconfig, "clusters", cluster)?.fields;
  try {
    if (fields !== undefined) await refuseOtherServer(providers, session, askingServer(fields), { cluster });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}
