/** Whose an entry is: its identity, the name of its user, and the extension that tells it where no plugin does. */

import type { Session } from "../sessions/session.ts";
import { isRecord } from "../splice/yaml-text.ts";

/**
 * Who an entry acts as: one session, or the active session of an API host. `activeFor` is the API host, or the
 * issuer's URL, of the only sessions that it may act as.
 */
export type EntryIdentity =
  | {
    readonly session: string;
    readonly activeFor?: string | undefined;
    /** The path of the file with the session's token, where kubectl reads one instead of running a plugin. */
    readonly tokenFile?: string | undefined;
    /** Set for a person's session at their own issuer: the line that signs in again names the client. */
    readonly clientId?: string | undefined;
  }
  | { readonly session?: undefined; readonly activeFor: string; readonly tokenFile?: undefined };

/**
 * The entry's identity for a session. A name that does not tell where its session belongs may be given to a session
 * of another server later, and the entry's server must not get that one's tokens. Such an entry is bound to the
 * session's server: a Datum's API host, otherwise the issuer.
 */
export function identityOf(
  { name, provider, apiHost, issuer, kind, clientId }:
    & Pick<Session, "name" | "provider" | "apiHost" | "issuer">
    & Partial<Pick<Session, "kind" | "clientId">>,
): EntryIdentity {
  // Other clouds share one host: all organizations of Cloudfleet, the realms of an issuer.
  const own = provider.kubernetes === "own";
  if (own && name.endsWith(`@${apiHost}`)) return { session: name };
  if (own) return { session: name, activeFor: apiHost };
  const client = provider.selfConfigured && kind?.person ? clientId : undefined;
  return { session: name, activeFor: issuer, clientId: client };
}

/**
 * The name of the user entry: one per session and server, or one per API host for entries that follow
 * `auth switch`. Another one where the token is in a file, for the plugin's contexts go on with the plugin.
 */
export function userName(identity: EntryIdentity): string {
  const { session, activeFor } = identity;
  if (session === undefined) return `datum-active-${activeFor}`;
  const prefix = identity.tokenFile === undefined ? "datum" : "datum-token-file";
  return activeFor === undefined
    ? `${prefix}-${session}`
    : `${prefix}-${session}@${activeFor.replace(/^https?:\/\//, "")}`;
}

/** Whose token a file holds: an extension of the user entry, which kubectl leaves alone. */
export interface EntryOwner {
  readonly session: string;
  /** The API host, or the issuer's URL, of the only sessions that it may be of. */
  readonly activeFor?: string | undefined;
}

/** The name of that extension. */
const OWNER = "datumctl";

/** The extensions of a user entry with its owner among them. */
export function extensionsWith({ session, activeFor }: EntryOwner, current?: unknown): readonly unknown[] {
  const others = Array.isArray(current) ? current.filter((one) => !isOwner(one)) : [];
  return [...others, {
    name: OWNER,
    extension: activeFor === undefined ? { session } : { session, activeFor },
  }];
}

/** The owner that a user entry's extensions tell; undefined for an entry that is not ours. */
export function ownerIn(extensions: unknown): EntryOwner | undefined {
  const own = Array.isArray(extensions) ? extensions.find(isOwner) : undefined;
  const { session, activeFor }: Readonly<Record<string, unknown>> = Object(own?.extension);
  if (typeof session !== "string" || session === "") return undefined;
  return { session, activeFor: typeof activeFor === "string" ? activeFor : undefined };
}

function isOwner(one: unknown): one is { readonly name: string; readonly extension: unknown } {
  return isRecord(one) && one["name"] === OWNER;
}
