/** The record of what an issuer handed out or was shown that nobody else may read: what a leak is known by. */

/** The members of requests and answers that are secret, at least until they were used. */
const KINDS = [
  "access_token",
  "refresh_token",
  "id_token",
  "code",
  "code_verifier",
  "device_code",
  "state",
  "nonce",
  "client_secret",
  "assertion",
  "subject_token",
] as const;

/** Those that are never a member of a message: a key's line, what stands in a header. */
const OTHERS = ["private_key", "personal_access_token", "request_token"] as const;

/** What a secret is, by its name in OAuth's messages. */
export type SecretKind = typeof KINDS[number] | typeof OTHERS[number];

/** One secret. */
export interface Secret {
  readonly kind: SecretKind;
  readonly value: string;
}

/** The secrets of an issuer since its start. */
export interface SecretRecord {
  /** Notes what is secret among the members of a message. */
  note(message: Readonly<Record<string, unknown>> | undefined): void;
  /** Notes one secret. */
  keep(kind: SecretKind, value: string): void;
  read(): readonly Secret[];
}

/** An empty record. */
export function makeSecretRecord(): SecretRecord {
  const found = new Map<string, Secret>();
  const keep = (kind: SecretKind, value: string) => void found.set(`${kind} ${value}`, { kind, value });
  return {
    keep,
    note(message = {}) {
      for (const kind of KINDS) {
        const value = message[kind];
        if (typeof value === "string" && value !== "") keep(kind, value);
      }
    },
    read: () => [...found.values()],
  };
}
