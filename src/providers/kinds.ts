/** The kinds of identities that several clouds know. */

import type { SessionKind, SessionProvider } from "../sessions/provider.ts";

type Facts<T> = Omit<T, "toString" | "toJSON">;

/** A cloud of that name. */
export function providerNamed(name: string, facts: Facts<SessionProvider>): SessionProvider {
  return { ...facts, toString: () => name, toJSON: () => name };
}

/** A kind of that name. */
export function kindNamed(name: string, facts: Facts<SessionKind>): SessionKind {
  return { ...facts, toString: () => name, toJSON: () => name };
}

/** A person. */
export const PERSON = kindNamed("user", { person: true, tokens: "refreshed", noun: "session" });

/** A service account, which signs with its key. */
export const SERVICE_ACCOUNT = kindNamed("service-account", {
  person: false,
  tokens: "issued",
  noun: "session",
});

/** A personal access token, which is exchanged. */
export const PERSONAL_ACCESS_TOKEN = kindNamed("pat", {
  person: false,
  tokens: "issued",
  noun: "session",
});

/** A CI job. */
export const WORKLOAD = kindNamed("workload", {
  person: false,
  tokens: "of a job",
  noun: "session",
});
