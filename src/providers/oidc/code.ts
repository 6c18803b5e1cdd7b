/** What an OpenID Connect issuer of somebody's own has otherwise than other clouds. */

import type { Session } from "../../sessions/session.ts";
import { clientFlags, hostOfName, loginLine, machineLoginLine, sessionLines } from "../lines.ts";
import type { MachineAddress, ProviderCode } from "../provider.ts";
import { AppError } from "../../errors.ts";
import type { LoginInput } from "../flags.ts";
import { OIDC } from "./facts.ts";
import { issuerUrl, oidcTarget } from "./target.ts";

/** The code of such an issuer. */
export const OIDC_CODE: ProviderCode = {
  ...sessionLines({ hostFlags, clientSecrets: true }),
  flags: [
    ...["clientId", "listenPort", "prompt", "authParam", "tokenParam", "resource", "trustAudience"] as const,
    ...["issuer", "redirectUri", "clientSecretFile", "deviceAuthorizationEndpoint"] as const,
    ...["credentials", "withToken", "workload", "audience", "exchange"] as const,
  ],
  meant: ({ issuer }) => issuer === undefined ? undefined : "certainly",
  signInOfName(name, { activeFor, clientId }) {
    if (activeFor?.includes("://")) {
      const line = issuerLine(name, activeFor, clientId ?? "ID");
      return clientId === undefined
        ? `${line} (ID is the client at that issuer, as its administrator or the API server's --oidc-client-id has it)`
        : line;
    }
    // The name alone does not tell a Datum from an issuer; the API hosts of a Datum mostly do.
    const host = activeFor ?? hostOfName(name);
    return activeFor !== undefined || host === undefined || host.startsWith("api.")
      ? undefined
      : `or, where that is an OpenID issuer's: ${issuerLine(name, "ISSUER", "ID")}`;
  },
  async signInTarget(input, known, readClientSecret) {
    const issuer = input.issuer ?? known?.session.issuer;
    const clientId = input.clientId ?? known?.session.clientId;
    const file = input.clientSecretFile;
    if (file !== undefined) {
      return oidcTarget({ issuer, clientId, clientSecret: await readClientSecret(file) });
    }
    // A secret is for the client that it was given for.
    const clientSecret = clientId === known?.session.clientId ? known?.clientSecret : undefined;
    return oidcTarget({ issuer, clientId, clientSecret });
  },
  machines: { flags: ["workload"], address: machineAddress },
  nothingInUse: ({ name }) => ({
    message: `The session "${name}" has no API server in use.`,
    hint:
      "Write an entry for its API server: datumctl auth update-kubeconfig --server URL; or name a context of the " +
      "kubeconfig for this command only: --context NAME",
  }),
  nextCommand: "datumctl auth update-kubeconfig --server https://API_SERVER",
  lostKeyLine: (session) =>
    session.kind.person
      ? loginLine(session.name, [...clientFlags(hostFlags(session), session), ...choiceFlags(session)])
      : machineLoginLine(session, hostFlags(session)),
};

function hostFlags({ issuer }: Pick<Session, "issuer">): string[] {
  return ["--issuer", issuer];
}

function issuerLine(name: string, issuer: string, clientId: string): string {
  return loginLine(name, ["--issuer", issuer, "--client-id", clientId]);
}

/** The flags with which an issuer of one's own was signed in to. */
function choiceFlags({ signIn = {}, confidential }: Session): string[] {
  const { redirectUri, deviceEndpoint, scopes, prompt, resources = [], trustedAudiences = [] } = signIn;
  const pairs = (parameters: Readonly<Record<string, string>> = {}) =>
    Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const flags = [
    ["--redirect-uri", redirectUri],
    ["--device-authorization-endpoint", deviceEndpoint],
    ["--scopes", scopes?.join(",")],
    ["--prompt", prompt],
    ...pairs(signIn.authParams).map((pair) => ["--auth-param", pair] as const),
    ...pairs(signIn.tokenParams).map((pair) => ["--token-param", pair] as const),
    ...resources.map((resource) => ["--resource", resource] as const),
    ...trustedAudiences.map((audience) => ["--trust-audience", audience] as const),
    ["--client-secret-file", confidential ? "FILE" : undefined],
  ] as const;
  return flags.flatMap(([flag, value]) => value === undefined ? [] : [flag, value]);
}

/** The issuer whose API servers a machine's token is for. */
function machineAddress(
  { issuer: named, hostname, apiHostname }: LoginInput,
  known: Session | undefined,
): MachineAddress {
  const wrong = (message: string, hint: string) => new AppError("USAGE", message, { hint });
  const issuer = named ??
    (known?.provider === OIDC && hostname === undefined ? known.issuer : undefined);
  if (issuer === undefined) {
    throw wrong("The provider oidc needs --issuer.", "Name whose API servers the token is for: --issuer URL");
  }
  const other = hostname !== undefined
    ? "--hostname"
    : apiHostname !== undefined
    ? "--api-hostname"
    : undefined;
  if (other !== undefined) throw wrong(`--issuer and ${other} cannot be combined.`, "Name one place only.");
  const { host } = issuerUrl(issuer);
  return { provider: OIDC, issuer, authHost: host, apiHost: host };
}
