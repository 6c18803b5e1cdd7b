/** Opens a control plane of a Datum, or another API server that a kubeconfig names, as a session. */

import {
  type ApiClient,
  type ClientOptions,
  openApiClient,
  type RequestLimits,
} from "../../http/api-client.ts";
import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import { KUBERNETES_REFUSALS, kubernetesRefusals } from "../../kube/refusal.ts";
import {
  flagsFor,
  type Impersonation,
  type ImpersonationFlags,
  impersonationHeaders,
  impersonationLabel,
  impersonationOf,
} from "../../kube/impersonation.ts";
import { baseUrlUnder } from "./base-url.ts";
import { CONTROL_PLANE_APIS, type ControlPlaneApi, hasControlPlanes, learnedApi } from "./facts.ts";
import {
  acceptedBefore,
  askingServer,
  refuseOtherApi,
  refuseOtherServer,
} from "../../sessions/served-servers.ts";
import type { Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import type { FreshToken } from "../../sessions/token.ts";
import { ENV_PREFIX } from "../../sessions/name.ts";
import { labelOf } from "../../sessions/new-name.ts";
import type { Network, NetworkOptions } from "../../system/network.ts";
import { freshTokens, type ProviderContext, requestLimits } from "../context.ts";
import type { ChosenScope } from "./scope.ts";

/** A control plane that a command acts on, or another API server; dispose of it. */
export interface ControlPlane extends Disposable {
  /** The session as it was sealed. */
  readonly session: Session;
  /** The store that it is in. */
  readonly store: SessionStore;
  readonly target: ControlPlaneTarget;
  /** Below it stands a complete Kubernetes API; no slash at its end. */
  readonly baseUrl: string;
  /** PEM of the server's own authority; undefined where the system knows it. */
  readonly certificateAuthority: string | undefined;
  /** Under which group and version a Datum serves organizations and projects; undefined where nobody asked. */
  readonly api: ControlPlaneApi | undefined;
  /** For messages: `the project "web"`. */
  readonly what: string;
  /** What said that it is this one. */
  readonly source: string;
  /** `-n`, else the namespace of the kubeconfig's context when it was followed. */
  readonly namespace: string | undefined;
  readonly client: ApiClient;
  /** Whom the client's requests are made as, where that is not the session's own user. */
  readonly impersonation: Impersonation | undefined;
  /** A fresh token of the session: the one at hand, for which the keyring is not asked again, where that does. */
  freshToken(): Promise<FreshToken>;
  /** What another client of the same server needs. */
  readonly access: ServerAccess;
}

/** What a client of a control plane is made of. */
export interface ServerAccess {
  /** Connections of that client's own; dispose of them. */
  openNetwork(options: NetworkOptions): Network;
  /** A fresh token for the server; with `force` a new one. */
  token(force: boolean): Promise<string>;
}

/** What is opened: what a command's flags chose, or a cluster whose address its cloud gave. */
export type ControlPlaneTarget = ChosenScope | NamedCluster;

/** A cluster that the person named by its id, with what its cloud says of it. */
export interface NamedCluster {
  readonly kind: "cluster";
  readonly id: string;
  readonly address: string;
  /** The cloud gave the address just now; else it is one that the session must be known to serve. */
  readonly fresh: boolean;
  readonly source: string;
}

/**
 * The API server of a kubeconfig's context, with its authority, where the context acts as the session as it was sealed,
 * and leads to a server that the session is for.
 *
 * @throws {AppError} `WRONG_HOST`; `KUBECONFIG` for a way there that is not ours to go; as `findCluster`.
 */
async function clusterOf(
  context: ProviderContext,
  { kubeconfig, context: entryContext }: Extract<ControlPlaneTarget, { kind: "context" }>,
  session: Session,
) {
  const { actsAs, entryNamed } = await import("../../kubeconfig/file.ts");
  if (entryContext.own === undefined || !actsAs(entryContext.own, session)) {
    throw await context.providers.nothingInUse(session);
  }
  const name = entryContext.cluster ?? "";
  const entry = entryNamed(kubeconfig, "clusters", name);
  if (entry !== undefined) {
    await refuseOtherServer(context.store.providers, session, askingServer(entry.fields), { cluster: name });
  }
  const { findCluster, trustClusterLine } = await import("../../kubeconfig/server.ts");
  const cluster = await findCluster(kubeconfig, name);
  if (cluster.unfollowed === undefined) return { ...cluster, trust: trustClusterLine(cluster.name) };
  throw new AppError(
    "KUBECONFIG",
    `The cluster entry "${printable(name, 100)}" has ${cluster.unfollowed}, which datumctl does not follow.`,
    { hint: "Use kubectl for that cluster, or take the field out of the entry." },
  );
}

/**
 * A named cluster, reached as the session's cloud is.
 *
 * @throws {AppError} `WRONG_HOST`
 */
async function namedCluster(
  { store }: ProviderContext,
  { id, address, fresh }: NamedCluster,
  session: Session,
) {
  if (!fresh) await refuseOtherServer(store.providers, session, askingServer({ server: address }));
  const { certificateAuthority } = session;
  return { name: id, address, certificateAuthority, trust: () => store.providers.trustLine(session) };
}

/**
 * Opens one target as a session; its client's requests are made as the user whom the flags, or the context's own user
 * entry, name.
 *
 * @throws {AppError} as {@link openControlPlane}
 */
export async function openTarget(
  context: ProviderContext,
  chosen: Session,
  target: ControlPlaneTarget,
  flags: ImpersonationFlags = {},
): Promise<ControlPlane> {
  const impersonation = impersonationOf(flags, target.kind === "context" ? target.user : undefined);
  const tokens = freshTokens(context, chosen);
  // As it was sealed: an edited file must not say where its tokens go.
  const { session } = await tokens(false);
  refuseOtherApi(session);
  const cluster = target.kind === "context"
    ? await clusterOf(context, target, session)
    : target.kind === "cluster"
    ? await namedCluster(context, target, session)
    : undefined;
  // Only at the first request: what an earlier command learned may be all that is asked for.
  let network: Network | undefined;
  const openNetwork = (options?: NetworkOptions) =>
    context.openNetwork(
      cluster?.certificateAuthority ?? session.certificateAuthority,
      cluster?.trust ?? (() => context.store.providers.trustLine(session)),
      options,
    );
  const open = () => network ??= openNetwork();
  // A server that never took a token of the session would not take a fresh one either.
  const unproved = cluster !== undefined && session.provider.selfConfigured &&
    session.servers !== undefined &&
    !acceptedBefore(session, cluster.address);
  const token = async (force: boolean) => (await tokens(force && !unproved)).token;
  try {
    const what = wordsFor(target, session);
    const nextStep = unproved
      ? `See what it is shown, and what to compare that with: ${await context.store.providers.namesServerLine(
        session,
        {
          cluster: cluster.name,
        },
      )}`
      : await context.store.providers.signInAgain(session);
    const clientOf = (baseUrl: string, asWhom?: Impersonation) =>
      openApiClient({
        ...madeAs(asWhom, requestLimits(context)),
        baseUrl,
        what,
        who: labelOf(session),
        refusals: refusalsOf(target, asWhom),
        nextStep,
        fetch: Object.assign(
          async (input: string | URL, init?: RequestInit) => await open().fetch(input, init),
          { proxyOf: (url: URL) => open().fetch.proxyOf?.(url) },
        ),
        token,
      });
    const { baseUrl, api } = target.kind === "context" || target.kind === "cluster"
      ? { baseUrl: cluster?.address ?? "" }
      // Where a Datum serves what is no question of whom it is asked as.
      : await placeOf(context, session, target, (baseUrl) => clientOf(baseUrl));
    return {
      session,
      store: context.store,
      target,
      baseUrl,
      certificateAuthority: (cluster ?? session).certificateAuthority,
      api,
      what,
      source: target.source,
      namespace: undefined,
      client: clientOf(baseUrl, impersonation),
      impersonation,
      freshToken: () => tokens(false),
      access: { openNetwork, token },
      [Symbol.dispose]: () => network?.[Symbol.dispose](),
    };
  } catch (thrown) {
    network?.[Symbol.dispose]();
    throw thrown;
  }
}

/** Where a target of a Datum stands. */
interface Place {
  readonly baseUrl: string;
  readonly api?: ControlPlaneApi | undefined;
}

async function placeOf(
  context: ProviderContext,
  session: Session,
  target: Exclude<ControlPlaneTarget, { readonly kind: "context" | "cluster" }>,
  clientOf: (baseUrl: string) => ApiClient,
): Promise<Place> {
  if (!hasControlPlanes(session)) {
    throw new AppError(
      "USAGE",
      `The session "${session.name}" belongs to the provider ${session.provider}, which has no organizations or projects.`,
      { hint: "Act as a session of Datum Cloud: --profile NAME; see them: datumctl auth list" },
    );
  }
  const { apiHost, user } = session;
  if (target.kind === "user" && session.name === `${ENV_PREFIX}${user.subject}`) {
    throw new AppError(
      "USAGE",
      `The token of ${user.subject} does not say whose it is, nor where their control plane is.`,
      {
        hint: "Name what to act on: --organization ID, --project ID or --platform-wide",
      },
    );
  }
  if (target.kind === "platform") return { baseUrl: `https://${apiHost}` };
  const baseUrlOf = (api: ControlPlaneApi) => baseUrlUnder(session, target, api);
  const probeOf = (api: ControlPlaneApi) =>
    `${baseUrlOf(api)}${target.kind === "user" ? `/apis/${api}` : "/version"}`.slice(
      `https://${apiHost}`.length,
    );
  const api = learnedApi(session) ??
    await learnApi(context, session, clientOf(`https://${apiHost}`), probeOf);
  const baseUrl = baseUrlOf(api);
  return { baseUrl, api };
}

/**
 * Asks where the target stands under each group, for not everybody may ask the platform; remembers the one that
 * answers. The running service's when none does.
 */
async function learnApi(
  context: ProviderContext,
  session: Session,
  client: ApiClient,
  probeOf: (api: ControlPlaneApi) => string,
): Promise<ControlPlaneApi> {
  for (const api of CONTROL_PLANE_APIS) {
    const { status } = await client.send({ method: "GET", path: probeOf(api) });
    if (status === 404) continue;
    if (status >= 200 && status < 300) {
      await context.store.update(session.name, () => ({ controlPlaneApi: api }));
    }
    return api;
  }
  return CONTROL_PLANE_APIS[0];
}

/** The limits of requests that are made as somebody, with the headers that say so. */
function madeAs(
  impersonation: Impersonation | undefined,
  limits: RequestLimits,
): RequestLimits & Pick<ClientOptions, "actingAs" | "headers"> {
  if (impersonation === undefined) return limits;
  const { log } = limits;
  const label = impersonationLabel(impersonation);
  return {
    ...limits,
    log: log && ((line) => log(`${line} as ${label}`)),
    actingAs: printable(impersonation.user, 200),
    headers: impersonationHeaders(impersonation),
  };
}

/** The next steps name the target, which need not be the one in use when they are typed. */
function refusalsOf(
  target: ControlPlaneTarget,
  impersonation: Impersonation | undefined,
): ReturnType<typeof kubernetesRefusals> {
  const flags = flagsOf(target);
  if (flags === undefined && impersonation === undefined) return KUBERNETES_REFUSALS;
  const where = flags ?? [];
  const all = impersonation === undefined ? where : [...where, ...flagsFor(impersonation)];
  const others = target.kind === "organization" || target.kind === "project"
    ? ". See what you may use: datumctl ctx list"
    : "";
  return kubernetesRefusals({
    FORBIDDEN: `Ask for access, or see what is allowed: ${
      shellLine(["datumctl", "auth", "can-i", "--list", ...all])
    }${others}`,
    NOT_FOUND: `See what is served there: ${shellLine(["datumctl", "api-resources", ...all])}`,
  }, { where, impersonation });
}

/** The flags that choose a target; undefined where none does. */
function flagsOf(target: ControlPlaneTarget): readonly string[] | undefined {
  switch (target.kind) {
    case "platform":
      return ["--platform-wide"];
    case "user":
      return ["--own"];
    case "context":
      return target.named ? ["--context", target.context.name] : undefined;
    default:
      return [`--${target.kind}`, target.id];
  }
}

function wordsFor(target: ControlPlaneTarget, session: Session): string {
  switch (target.kind) {
    case "platform":
      return `the platform ${session.apiHost}`;
    case "user":
      return "the control plane of the signed-in user";
    case "context":
      return target.scope === undefined
        ? `the cluster "${printable(target.context.cluster ?? "", 100)}"`
        : `the ${target.scope.kind} "${target.scope.id}"`;
    default:
      return `the ${target.kind} "${target.id}"`;
  }
}
