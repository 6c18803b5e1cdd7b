/** What makes two sessions the same one, and what makes them one person's. */

import { NOBODY, type Session } from "./session.ts";

/** Who a session is, and where. */
export type Identity = Pick<Session, "provider" | "kind" | "issuer" | "apiHost" | "clientId"> & {
  readonly user: Pick<Session["user"], "subject">;
};

/** The person or machine behind a session, as which client ever. */
export type Person = Pick<Identity, "issuer" | "user">;

/** True for two sessions of one identity: another client at the same issuer is another one, but at Datum. */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  return one.kind === other.kind && one.apiHost === other.apiHost && isSamePerson(one, other) &&
    isSameClient(one, other);
}

/** Which client Datum's own program is, is Datum's to choose; elsewhere a token is for the client that asked. */
export function isSameClient(one: Identity, other: Identity): boolean {
  return one.clientId === other.clientId || (one.provider === "datum" && other.provider === "datum");
}

/** True for two sessions of one person. */
export function isSamePerson(one: Person, other: Person): boolean {
  return one.issuer === other.issuer && one.user.subject === other.user.subject;
}

/** True where a session may become the other: where nobody has signed in yet, the first who does is its identity. */
export function mayBecome(before: Person, next: Person): boolean {
  return before.issuer === next.issuer && (before.user.subject === NOBODY || isSamePerson(before, next));
}
