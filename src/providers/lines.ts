/** The lines and sentences for people that clouds have in common, made of what is particular to each. */

import { speaksOfSecret } from "../oauth/refusals.ts";
import { ENV_PREFIX, OF_CREDENTIALS_FILE, WORKLOAD_SUBJECT } from "../sessions/name.ts";
import { hostInName } from "../sessions/new-name.ts";
import type { SessionKind } from "../sessions/provider.ts";
import type { UnstoredSession } from "../sessions/providers.ts";
import type { Session } from "../sessions/session.ts";
import { shellLine } from "../text.ts";
import { PERSON, PERSONAL_ACCESS_TOKEN, SERVICE_ACCOUNT, WORKLOAD } from "./kinds.ts";
import type { SessionLines } from "./provider.ts";

/** What is particular to a cloud. */
export interface OwnLines {
  /** The flags that name where a session belongs; none for the cloud's usual place. */
  readonly hostFlags?: ((session: UnstoredSession) => readonly string[]) | undefined;
  /** The line that renews a session of a kind that is the cloud's own, and how the sentence before it begins. */
  readonly ownKind?:
    | { readonly what: string; readonly line: (session: UnstoredSession) => string }
    | undefined;
  /** The flags that name a server's address for a kubeconfig entry, where it is more than an address to the cloud. */
  readonly serverFlags?: ((address: string) => readonly string[] | undefined) | undefined;
  /** Clients of a person's own can have a secret. */
  readonly clientSecrets?: boolean | undefined;
}

const WHAT_RENEWS: ReadonlyMap<SessionKind, string> = new Map([
  [PERSON, "Sign in again"],
  [SERVICE_ACCOUNT, "Sign in with a current key"],
  [PERSONAL_ACCESS_TOKEN, "Sign in with a current token"],
  [WORKLOAD, "Set it up again"],
]);

/** The lines of a cloud. */
export function sessionLines(own: OwnLines): SessionLines {
  const { hostFlags = () => [], ownKind, serverFlags = () => undefined, clientSecrets = false } = own;

  /** The line that renews a stored session by hand. */
  function renewalLine(session: UnstoredSession): string {
    if (isMachine(session)) return machineLoginLine(session, hostFlags(session));
    if (session.kind.person || ownKind === undefined) return loginLine(session.name);
    return ownKind.line(session);
  }

  function signInAgain(session: Session): string {
    const { name, kind } = session;
    if (name === OF_CREDENTIALS_FILE) return "Name a current key: --credentials-file FILE";
    if (name.startsWith(ENV_PREFIX)) return `Set ${name.slice(ENV_PREFIX.length)} to a valid value.`;
    return `${WHAT_RENEWS.get(kind) ?? ownKind?.what ?? "Sign in again"}: ${renewalLine(session)}`;
  }

  return {
    signInAgain,
    trustLine: (session) =>
      session.name.startsWith(ENV_PREFIX)
        ? "DATUMCTL_CERTIFICATE_AUTHORITY=FILE"
        : `${renewalLine(session)} --certificate-authority FILE`,
    newLoginLine(name, session) {
      const secret = clientSecrets && session.confidential ? ["--client-secret-file", "FILE"] : [];
      const flags = hostFlags(session);
      const line = isMachine(session)
        ? machineLoginLine({ ...session, name }, flags)
        : loginLine(name, [...clientFlags(flags, session), ...secret]);
      return session.certificateAuthority === undefined ? line : `${line} --certificate-authority FILE`;
    },
    namesServerLine({ name }, server) {
      const target = "cluster" in server
        ? ["--cluster", server.cluster, "--no-switch"]
        : serverFlags(server.address) ?? ["--server", server.address];
      return shellLine(["datumctl", "auth", "update-kubeconfig", ...target, "--profile", name]);
    },
    afterRefusal(session, refusal) {
      const { name, confidential } = session;
      switch (refusal.meaning) {
        case "client":
          if (clientSecrets && (confidential || speaksOfSecret(refusal))) {
            return `The client's secret may have changed or be missing here, or the client be disabled: ${
              loginLine(name, ["--client-secret-file", "FILE"])
            }`;
          }
          return DISABLED;
        case "disabled":
          return DISABLED;
        default:
          return "Check the client id and scopes with whoever runs the issuer. " +
            `If nothing is wrong with them, sign in again: ${signInAgain(session).replace(/^[^:]*: /, "")}`;
      }
    },
  };
}

const DISABLED = "The client, or its realm, may be disabled at the issuer: ask whoever runs it.";

/** The line that signs in under a name. */
export function loginLine(name: string, flags: readonly string[] = []): string {
  return shellLine(["datumctl", "login", "--profile", name, ...flags]);
}

/** The flags that name where a person signed in, with the client; none for the cloud's usual place. */
export function clientFlags(hostFlags: readonly string[], { clientId }: UnstoredSession): readonly string[] {
  return hostFlags.length === 0 ? [] : [...hostFlags, "--client-id", clientId];
}

/** The API host in the name of a session, without what is added where a name is taken. */
export function hostOfName(name: string): string | undefined {
  return hostInName(name)?.replace(/-\d+$/, "").replace(/-(?=[a-f]*\d)[0-9a-f]{6}$/, "");
}

/** True for a machine that signs in by a flag of every cloud that takes machines. */
function isMachine({ kind }: UnstoredSession): boolean {
  return kind === SERVICE_ACCOUNT || kind === PERSONAL_ACCESS_TOKEN || kind === WORKLOAD;
}

/** The line that signs a machine in as before, as far as a session's public fields tell it. */
export function machineLoginLine(session: UnstoredSession, hostFlags: readonly string[]): string {
  const { name, kind } = session;
  const way = kind === SERVICE_ACCOUNT
    ? ["--credentials", "FILE"]
    : kind === PERSONAL_ACCESS_TOKEN
    ? ["--with-token"]
    : workloadFlags(session);
  return loginLine(name, [...way, ...hostFlags]);
}

function workloadFlags({ user: { subject }, clientId, confidential, scopes }: UnstoredSession): string[] {
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
