/** What Datum Cloud does otherwise than other clouds. */

import { AppError } from "../../errors.ts";
import type { UnstoredSession } from "../../sessions/providers.ts";
import { PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT } from "../kinds.ts";
import { clientFlags, hostOfName, loginLine, machineLoginLine, sessionLines } from "../lines.ts";
import type { LoginInput } from "../flags.ts";
import type { Session } from "../../sessions/session.ts";
import { DATUM, hasControlPlanes } from "./facts.ts";
import type { MachineAddress, NamedTarget, ProviderCode } from "../provider.ts";
import { printable } from "../../text.ts";
import { DATUM_API_HOST, scopeOfServer } from "./control-plane-address.ts";
import { DATUM_AUTH_HOST, datumClientId, datumHosts, datumTarget } from "./hosts.ts";

/** Datum's code. */
export const DATUM_CODE: ProviderCode = {
  ...sessionLines({ hostFlags, serverFlags }),
  flags: [
    ...["hostname", "apiHostname", "clientId", "listenPort", "prompt"] as const,
    ...["authParam", "tokenParam", "resource", "trustAudience"] as const,
    ...["credentials", "withToken", "workload", "audience", "exchange"] as const,
  ],
  signInOfName(name, { activeFor }) {
    if (activeFor?.includes("://")) return undefined;
    return lineOfName(name, activeFor ?? hostOfName(name));
  },
  targetOfName,
  signInTarget: ({ hostname, apiHostname, clientId }, known) =>
    Promise.resolve(datumTarget({
      hostname: hostname ?? known?.session.authHost,
      apiHostname: apiHostname ?? known?.session.apiHost,
      clientId: clientId ?? known?.session.clientId,
    })),
  machines: {
    flags: ["credentials", "withToken", "workload"],
    address: machineAddress,
    clientId: datumClientId,
  },
  async afterSignIn(...given) {
    const { learnControlPlanes } = await import("./learn.ts");
    await learnControlPlanes(...given);
  },
  nothingInUse: () => ({
    message: "No organization or project is in use.",
    hint: "Choose one: datumctl ctx use ORG[/PROJECT], or datumctl auth update-kubeconfig --project ID; " +
      "for this command only: --organization, --project, --own, --platform-wide or --context NAME",
  }),
  nextCommand: "datumctl auth update-kubeconfig --project PROJECT_ID",
  nextHelp: "To see the projects and their IDs: datumctl projects list",
  staysValid({ kind, clientId, authHost, apiHost }) {
    if (kind === PERSONAL_ACCESS_TOKEN) {
      return `The personal access token itself stays valid at ${apiHost} until it is revoked there.`;
    }
    return kind === SERVICE_ACCOUNT
      ? `The key of ${printable(clientId)} itself stays valid at ${authHost} until it is removed there.`
      : undefined;
  },
  lostKeyLine(session, { apiHostname }) {
    const { authHost, apiHost } = session;
    const usual = datumHosts({ apiHostname });
    const asUsual = authHost === usual.authHost && (apiHost === usual.apiHost || apiHostname !== undefined);
    if (asUsual) return undefined;
    return session.kind.person
      ? loginLine(session.name, clientFlags(hostFlags(session), session))
      : machineLoginLine(session, hostFlags(session));
  },
};

/** The flags that name a session's hosts; none for Datum's own. */
function hostFlags({ authHost, apiHost }: UnstoredSession): string[] {
  const usual = authHost === DATUM_AUTH_HOST && apiHost === DATUM_API_HOST;
  return usual ? [] : ["--hostname", authHost, "--api-hostname", apiHost];
}

function serverFlags(address: string): string[] | undefined {
  const scope = scopeOfServer(address);
  if (scope === undefined) return undefined;
  return [
    `--${scope.kind}`,
    scope.id,
    "--hostname",
    address.replace(/^https:\/\//i, "").split("/", 1)[0] ?? "",
  ];
}

/** The line that signs in at the Datum of an API host, at the usual one without any. */
function lineOfName(name: string, host: string | undefined): string {
  if (host === undefined || host === DATUM_API_HOST) return loginLine(name);
  // Datum's own hosts have clients that are known.
  const client = host.endsWith(".datum.net") ? [] : ["--client-id", "ID"];
  const where = host.startsWith("api.")
    ? ["--hostname", `auth.${host.slice("api.".length)}`]
    : ["--hostname", "AUTH_HOST", "--api-hostname", host];
  return loginLine(name, [...where, ...client]);
}

/** A name that a session gets by itself tells its person and its hosts. */
function targetOfName(name: string): NamedTarget | undefined {
  const [, email, host] = /^([^@]+@[^@]+)@(api\.[^@]+)$/.exec(name) ?? [];
  if (email === undefined || host === undefined) return undefined;
  try {
    const target = datumTarget({ hostname: `auth.${host.slice("api.".length)}` });
    return target.apiHost === host ? { target, email, line: lineOfName(name, hostOfName(name)) } : undefined;
  } catch (thrown) {
    // A host whose client nobody knows: only the person can say.
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

/** The Datum that the flags name, else the one of the session that is replaced. */
function machineAddress(input: LoginInput, known: Session | undefined): MachineAddress {
  const named = input.hostname !== undefined;
  if (input.issuer !== undefined || (known !== undefined && !hasControlPlanes(known) && !named)) {
    throw new AppError("USAGE", "--issuer and --provider datum cannot be combined.", {
      hint: "Name one place only.",
    });
  }
  const { authHost, apiHost } = datumHosts({
    hostname: input.hostname ?? known?.authHost,
    apiHostname: input.apiHostname ?? (named ? undefined : known?.apiHost),
  });
  return { provider: DATUM, issuer: `https://${authHost}`, authHost, apiHost };
}
