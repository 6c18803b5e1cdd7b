/** Datum's hosts and clients. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { oauthClient } from "../../oauth/client.ts";
import { parseHost } from "../host.ts";
import type { SignInTarget } from "../provider.ts";
import { DATUM } from "./facts.ts";

/** Datum's auth host unless another is named. */
export const DATUM_AUTH_HOST = "auth.datum.net";

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
