/** Owns what to do when a session no longer gives tokens, or is not there: the lines that sign in. */

import { shellLine } from "../text.ts";
import type { Session } from "./session.ts";
import {
  AMBIENT,
  DATUM_API_HOST,
  DATUM_AUTH_HOST,
  hostInName,
  OF_CREDENTIALS_FILE,
  WORKLOAD_SUBJECT,
} from "./name.ts";

/** What is known of a session that is not stored. */
type Unstored = Omit<Session, "credentials" | "keyStore" | "schemaVersion">;

const WHAT_RENEWS: Readonly<Record<Session["kind"], string>> = {
  "user": "Sign in again",
  "api-token": "Store the token's current secret",
  "service-account": "Sign in with a current key",
  "pat": "Sign in with a current token",
  "workload": "Set it up again",
  "studio": "Sign in again",
};

/** What to do when a session no longer gives tokens, as a sentence. */
export function signInAgain(session: Session): string {
  const { name, kind } = session;
  if (name === OF_CREDENTIALS_FILE) return "Name a current key: --credentials-file FILE";
  if (name.startsWith(AMBIENT)) return `Set ${name.slice(AMBIENT.length)} to a valid value.`;
  return `${WHAT_RENEWS[kind]}: ${renewalLine(session)}`;
}

/** What makes a session trust an authority: the line that renews it, or a variable for one that variables give. */
export function trustLine(session: Session): string {
  return session.name.startsWith(AMBIENT)
    ? "DATUMCTL_CERTIFICATE_AUTHORITY=FILE"
    : `${renewalLine(session)} --certificate-authority FILE`;
}

/** The line that renews a stored session by hand. */
function renewalLine(session: Session): string {
  const { name, kind, clientId, organization, apiHost, issuer, local } = session;
  const login = ["datumctl", "login", "--profile", name];
  switch (kind) {
    case "user":
      return shellLine(login);
    case "api-token":
      return addTokenLine(name, clientId, organization);
    case "service-account":
    case "pat":
    case "workload":
      return machineLoginLine(session);
    case "studio": {
      const host = issuer === `https://${apiHost}` ? apiHost : issuer;
      const where = ["--provider", "studio", "--hostname", host, ...(local ? ["--local"] : [])];
      return shellLine([...login, ...where, "--force"]);
    }
  }
}

/** The line that stores an API token as a profile. */
export function addTokenLine(name: string, tokenId: string, organization = "ORGANIZATION_ID"): string {
  return shellLine(["datumctl", "auth", "add-profile", "token", name, organization, tokenId]);
}

/** The line that signs a machine in as before, as far as a session's public fields tell it. */
export function machineLoginLine(session: Unstored): string {
  const { name, kind } = session;
  const way = kind === "service-account"
    ? ["--credentials", "FILE"]
    : kind === "pat"
    ? ["--with-token"]
    : workloadFlags(session);
  return shellLine(["datumctl", "login", "--profile", name, ...way, ...hostFlags(session)]);
}

/** The flags that name a session's issuer or its hosts; none for Datum's own. */
function hostFlags({ provider, issuer, authHost, apiHost }: Unstored): string[] {
  if (provider === "oidc") return ["--issuer", issuer];
  const usual = authHost === DATUM_AUTH_HOST && apiHost === DATUM_API_HOST;
  return usual ? [] : ["--hostname", authHost, "--api-hostname", apiHost];
}

/**
 * The line that signs in under another name to the place of a session: what is stored nowhere says nothing of where.
 * FILE stands for what is in a file.
 */
export function newLoginLine(name: string, session: Unstored): string {
  const { kind, provider, confidential, certificateAuthority } = session;
  const machine = kind === "service-account" || kind === "pat" || kind === "workload";
  const secret = provider === "oidc" && confidential ? ["--client-secret-file", "FILE"] : [];
  const line = machine
    ? machineLoginLine({ ...session, name })
    : shellLine(["datumctl", "login", "--profile", name, ...placeFlags(session), ...secret]);
  return certificateAuthority === undefined ? line : `${line} --certificate-authority FILE`;
}

/** The flags that name where a person signed in, and as which client; none for Datum's own, and for a vendor's profile. */
export function placeFlags(session: Unstored): string[] {
  const { provider, clientId } = session;
  const where = provider === "datum" || provider === "oidc" ? hostFlags(session) : [];
  return where.length === 0 ? [] : [...where, "--client-id", clientId];
}

/** What a kubeconfig entry tells of its session beside the name, which is all that is left of one that is not here. */
export interface EntryWords {
  /** `--active-for`: a Datum's API host, or an issuer's URL. */
  readonly activeFor?: string | undefined;
  /** `--client-id`: the client at that issuer. */
  readonly clientId?: string | undefined;
}

/**
 * How to sign in to a session of which no more is known than its name and what an entry tells, as a sentence without its
 * end. What neither of them tells is in capitals.
 */
export function signInOfName(name: string, { activeFor, clientId }: EntryWords = {}): string {
  if (activeFor?.includes("://")) {
    const line = issuerLoginLine(name, activeFor, clientId ?? "ID");
    // Entries of Cloudfleet's profiles look as those of an issuer's did before they told the client.
    return clientId === undefined
      ? `${line} (ID is the client at that issuer, as its administrator or the API server's --oidc-client-id has it); ` +
        `for a Cloudfleet profile: ${addTokenLine(name, "TOKEN_ID")}`
      : line;
  }
  const host = activeFor ?? nameTellsHost(name);
  const line = loginLineOfName(name, host);
  // The name alone does not tell a Datum from an issuer; the API hosts of a Datum mostly do.
  return activeFor !== undefined || host === undefined || host.startsWith("api.")
    ? line
    : `${line}; or, where that is an OpenID issuer's: ${issuerLoginLine(name, "ISSUER", "ID")}`;
}

function issuerLoginLine(name: string, issuer: string, clientId: string): string {
  return shellLine(["datumctl", "login", "--profile", name, "--issuer", issuer, "--client-id", clientId]);
}

function nameTellsHost(name: string): string | undefined {
  return hostInName(name)?.replace(/-\d+$/, "").replace(/-(?=[a-f]*\d)[0-9a-f]{6}$/, "");
}

/** The line that signs in at the Datum of an API host, the one in the name unless given; at the usual one without any. */
export function loginLineOfName(name: string, host = nameTellsHost(name)): string {
  const login = ["datumctl", "login", "--profile", name];
  if (host === undefined || host === DATUM_API_HOST) return shellLine(login);
  // Datum's own hosts have clients that are known.
  const client = host.endsWith(".datum.net") ? [] : ["--client-id", "ID"];
  const where = host.startsWith("api.")
    ? ["--hostname", `auth.${host.slice("api.".length)}`]
    : ["--hostname", "AUTH_HOST", "--api-hostname", host];
  return shellLine([...login, ...where, ...client]);
}

/** Where a Datum's control planes stand, below any host. */
const CONTROL_PLANE =
  /\/apis\/resourcemanager\.(?:miloapis\.com\/v1alpha1|datumapis\.com\/v1alpha)\/(organization|project)s\/([a-z0-9.-]+)\/control-plane\/?$/;

/**
 * The line that names an API server as one that a session is for, by its cluster entry where there is one, and writes its
 * kubeconfig entry.
 */
export function namesServerLine(
  { name, provider }: Pick<Session, "name" | "provider">,
  server: { readonly address: string } | { readonly cluster: string },
): string {
  const target = "cluster" in server
    ? ["--cluster", server.cluster, "--no-switch"]
    : addressFlags(server.address, provider);
  return shellLine(["datumctl", "auth", "update-kubeconfig", ...target, "--profile", name]);
}

function addressFlags(address: string, provider: Session["provider"]): string[] {
  const [, kind, id = ""] = provider === "datum" ? CONTROL_PLANE.exec(address) ?? [] : [];
  if (kind === undefined) return ["--server", address];
  return [`--${kind}`, id, "--hostname", address.replace(/^https:\/\//i, "").split("/", 1)[0] ?? ""];
}

function workloadFlags({ user: { subject }, clientId, confidential, scopes }: Unstored): string[] {
  const [, kind = "KIND", audience = "AUDIENCE"] = WORKLOAD_SUBJECT.exec(subject) ?? [];
  return [
    "--workload",
    kind,
    "--audience",
    audience,
    ...(clientId === "" ? [] : ["--exchange", "--client-id", clientId]),
    ...(clientId === "" || scopes.length === 0 ? [] : ["--scopes", scopes.join(",")]),
    ...(confidential ? ["--client-secret-file", "FILE"] : []),
  ];
}
