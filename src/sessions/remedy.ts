/** Owns what to do when a session no longer gives tokens, or is not there: the lines that sign in. */

import { shellLine } from "../shell-word.ts";
import type { Session } from "./session-file.ts";
import {
  AMBIENT,
  DATUM_API_HOST,
  DATUM_AUTH_HOST,
  hostInName,
  OF_CREDENTIALS_FILE,
  WORKLOAD_SUBJECT,
} from "./session-name.ts";

/** What is known of a session that is not stored. */
type Unstored = Omit<Session, "credentials" | "keyStore" | "schemaVersion">;

/** What to do when a session no longer gives tokens, as a sentence. */
export function signInAgain(session: Session): string {
  const { name, kind, clientId, organization, apiHost, issuer, local } = session;
  if (name === OF_CREDENTIALS_FILE) return "Name a current key: --credentials-file FILE";
  if (name.startsWith(AMBIENT)) return `Set ${name.slice(AMBIENT.length)} to a valid value.`;
  const login = ["datumctl", "login", "--profile", name];
  switch (kind) {
    case "user":
      return `Sign in again: ${shellLine(login)}`;
    case "api-token":
      return `Store the token's current secret: ${addTokenLine(name, clientId, organization)}`;
    case "service-account":
      return `Sign in with a current key: ${machineLoginLine(session)}`;
    case "pat":
      return `Sign in with a current token: ${machineLoginLine(session)}`;
    case "workload":
      return `Set it up again: ${machineLoginLine(session)}`;
    case "studio": {
      const host = issuer === `https://${apiHost}` ? apiHost : issuer;
      const where = ["--provider", "studio", "--hostname", host, ...(local ? ["--local"] : [])];
      return `Sign in again: ${shellLine([...login, ...where, "--force"])}`;
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

/**
 * The line that signs in to a session of which its name alone is known: the host in that name is named, since no file
 * tells it. What the name does not tell either is in capitals.
 */
export function loginLineOfName(name: string): string {
  const login = ["datumctl", "login", "--profile", name];
  const host = hostInName(name)?.replace(/-\d+$/, "").replace(/-(?=[a-f]*\d)[0-9a-f]{6}$/, "");
  if (host === undefined || host === DATUM_API_HOST) return shellLine(login);
  // Datum's own hosts have clients that are known.
  const client = host.endsWith(".datum.net") ? [] : ["--client-id", "ID"];
  const where = host.startsWith("api.")
    ? ["--hostname", `auth.${host.slice("api.".length)}`]
    : ["--hostname", "AUTH_HOST", "--api-hostname", host];
  return shellLine([...login, ...where, ...client]);
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
