/** Owns what to do when a session no longer gives tokens. */

import { shellLine } from "../shell-word.ts";
import type { Session } from "./session-file.ts";
import { AMBIENT, DATUM_API_HOST, DATUM_AUTH_HOST, WORKLOAD_SUBJECT } from "./session-name.ts";

/** What to do when a session no longer gives tokens, as a sentence. */
export function signInAgain(session: Session): string {
  const { name, kind, clientId, organization, apiHost, issuer, local } = session;
  if (name.startsWith(AMBIENT)) return `Set ${name.slice(AMBIENT.length)} to a valid value.`;
  const login = ["datumctl", "login", "--profile", name];
  switch (kind) {
    case "user":
      return `Sign in again: ${shellLine(login)}`;
    case "api-token":
      return `Store the token's current secret: ${
        shellLine([
          "datumctl",
          "auth",
          "add-profile",
          "token",
          name,
          organization ?? "ORGANIZATION_ID",
          clientId,
        ])
      }`;
    case "service-account":
      return `Sign in with a current key: ${machineLoginLine(session)}`;
    case "pat":
      return `Sign in with a current token: ${machineLoginLine(session)}`;
    case "workload":
      return `Set it up again: ${machineLoginLine(session)}`;
    case "studio": {
      const host = issuer.startsWith("https:") ? apiHost : issuer;
      const where = ["--provider", "studio", "--hostname", host, ...(local ? ["--local"] : [])];
      return `Sign in again: ${shellLine([...login, ...where, "--force"])}`;
    }
  }
}

/** The line that signs a machine in as before, as far as a session's public fields tell it. */
export function machineLoginLine(session: Session): string {
  const { name, provider, kind, issuer, authHost, apiHost } = session;
  const way = kind === "service-account"
    ? ["--credentials", "FILE"]
    : kind === "pat"
    ? ["--with-token"]
    : workloadFlags(session);
  const usual = authHost === DATUM_AUTH_HOST && apiHost === DATUM_API_HOST;
  const where = provider === "oidc"
    ? ["--issuer", issuer]
    : usual
    ? []
    : ["--hostname", authHost, "--api-hostname", apiHost];
  return shellLine(["datumctl", "login", "--profile", name, ...way, ...where]);
}

function workloadFlags({ user: { subject }, clientId, confidential, scopes }: Session): string[] {
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
