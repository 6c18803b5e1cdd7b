/** Datum's hosts, clients, and the addresses and names of its control planes. */

import { pathSegment } from "../../http/address.ts";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { oauthClient } from "../../oauth/client.ts";
import { parseHost } from "../host.ts";
import type { SignInTarget } from "../provider.ts";
import { CONTROL_PLANE_APIS, type ControlPlaneApi, DATUM } from "./facts.ts";

/** Datum's auth host unless another is named. */
export const DATUM_AUTH_HOST = "auth.datum.net";

/** Its API host, whose kubeconfig entries carry no host in their names. */
export const DATUM_API_HOST = "api.datum.net";

/** Where the browser is sent back to, on a loopback address. */
export const DATUM_REDIRECT_PATH = "/datumctl/auth/callback";

// Public client ids, as the vendor's own program carries them.
const CLIENT_IDS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\.)staging\.env\.datum\.net$/, "325848904128073754"],
  [/(?:^|\.)datum\.net$/, "328728232771788043"],
];

/** What may be named by flags, or is known from a session that is being renewed. */
export interface DatumChoice {
  readonly hostname?: string | undefined;
  readonly apiHostname?: string | undefined;
  readonly clientId?: string | undefined;
}

/** The hosts of one Datum. */
export interface DatumHosts {
  readonly authHost: string;
  readonly apiHost: string;
}

/** What says which hosts are meant, for messages: flags, or variables. */
export interface HostWords {
  readonly auth: string;
  readonly api: string;
}

const FLAGS: HostWords = { auth: "--hostname", api: "--api-hostname" };

/**
 * The hosts: a leading `auth.` becomes `api.`; any other host needs its API host named.
 *
 * @throws {AppError} `USAGE` in the words of what names them
 */
export function datumHosts(choice: Omit<DatumChoice, "clientId">, words: HostWords = FLAGS): DatumHosts {
  const { authHost, apiHost } = knownHosts(choice, words);
  if (apiHost !== undefined) return { authHost, apiHost };
  throw new AppError("USAGE", `The API host for ${authHost} cannot be derived from its name.`, {
    hint: `Name it, too, with ${words.api}.`,
  });
}

/** The public client of Datum's own program there; undefined for a host that is not Datum's own. */
export function datumClientId(authHost: string): string | undefined {
  const [hostname = ""] = authHost.split(":");
  return CLIENT_IDS.find(([pattern]) => pattern.test(hostname))?.[1];
}

function knownHosts({ hostname, apiHostname }: Omit<DatumChoice, "clientId">, words = FLAGS) {
  const authHost = parseHost(hostname ?? DATUM_AUTH_HOST, words.auth);
  const derived = authHost.startsWith("auth.") ? `api.${authHost.slice("auth.".length)}` : undefined;
  const apiHost = apiHostname === undefined ? derived : parseHost(apiHostname, words.api);
  return { authHost, apiHost, derived };
}

/**
 * Where to sign in. A leading `auth.` becomes `api.`; any other host needs `--api-hostname`, and a host that is not
 * Datum's own needs `--client-id`.
 *
 * @throws {AppError} `USAGE` with the full line to run
 */
export function datumTarget(choice: DatumChoice): SignInTarget {
  const { authHost, apiHost, derived } = knownHosts(choice);
  const clientId = choice.clientId ?? datumClientId(authHost);
  if (apiHost === undefined || clientId === undefined) {
    const missing = [
      ...(apiHost === undefined ? ["API host"] : []),
      ...(clientId === undefined ? ["client id"] : []),
    ].join(" and ");
    const line = [
      `datumctl login --hostname ${authHost}`,
      ...(derived !== undefined && choice.apiHostname === undefined
        ? []
        : [`--api-hostname ${apiHost ?? "HOST"}`]),
      `--client-id ${clientId === undefined ? "ID" : printable(clientId)}`,
    ].join(" ");
    throw new AppError("USAGE", `The ${missing} for ${authHost} cannot be derived from its name.`, {
      hint: `Run: ${line}`,
    });
  }
  return {
    provider: DATUM,
    issuer: `https://${authHost}`,
    authHost,
    apiHost,
    client: oauthClient(clientId),
    redirectPath: DATUM_REDIRECT_PATH,
    promptFor: () => "select_account",
    deviceEndpoint: `https://${authHost}/oauth/v2/device_authorization`,
    revokesAlone: true,
  };
}

/** An organization or a project, by its id. */
export interface Scope {
  readonly kind: "organization" | "project";
  readonly id: string;
}

/** True for what can be the id of an organization or project: a Kubernetes name (RFC 1123 labels and subdomains). */
export function isScopeId(id: string): boolean {
  return id.length <= 253 &&
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(id);
}

/**
 * Checks an id as {@link isScopeId} does.
 *
 * @throws {AppError} `USAGE`
 */
export function checkedScope(kind: Scope["kind"], id: string): Scope {
  if (!isScopeId(id)) {
    throw new AppError(
      "USAGE",
      `"${printable(id, 80)}" cannot be the id of ${kind === "project" ? "a project" : "an organization"}.`,
      {
        hint: "Ids are lower-case letters, digits, '-' and '.', and begin and end with a letter or digit.",
      },
    );
  }
  return { kind, id };
}

/**
 * The name of a control plane's cluster and context: `datum-project-<id>`, with `-<host[:port]>` behind it for any
 * host but the default.
 *
 * @example
 * ```ts
 * import { controlPlaneName } from "./hosts.ts";
 * console.assert(controlPlaneName("api.datum.net", { kind: "project", id: "web" }) === "datum-project-web");
 * console.assert(controlPlaneName("[::1]:8443", { kind: "project", id: "web" }) === "datum-project-web-[::1]:8443");
 * ```
 */
export function controlPlaneName(apiHost: string, { kind, id }: Scope): string {
  return apiHost === DATUM_API_HOST ? `datum-${kind}-${id}` : `datum-${kind}-${id}-${apiHost}`;
}

/** The base URL of a control plane: below it stands a complete Kubernetes API. */
export function controlPlaneUrl(apiHost: string, { kind, id }: Scope, api: ControlPlaneApi): string {
  return `https://${apiHost}/apis/${api}/${kind}s/${pathSegment(id)}/control-plane`;
}

/**
 * The base URL of a user's own control plane, where their memberships are; `subject` is the issuer's `sub`. Throws
 * `INVALID` for one that leads elsewhere.
 */
export function userControlPlaneUrl(apiHost: string, subject: string): string {
  return `https://${apiHost}/apis/iam.miloapis.com/v1alpha1/users/${pathSegment(subject)}/control-plane`;
}

/** The organization or project whose control plane stands at an address; undefined for any other address. */
export function scopeOfServer(server: string): Scope | undefined {
  for (const api of CONTROL_PLANE_APIS) {
    const [, kind, id = ""] =
      new RegExp(`/apis/${api}/(organization|project)s/([^/]+)/control-plane/?$`).exec(server) ??
        [];
    if (kind !== undefined && isScopeId(id)) return { kind: kind as Scope["kind"], id };
  }
  return undefined;
}
