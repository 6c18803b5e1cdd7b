/** Compares sessions: whether two are the same one, and whether they are one person's. */

import { AppError } from "../errors.ts";
import { NOBODY, type Session } from "./session.ts";

/** Who a session is, and where. */
export type Identity = Pick<Session, "provider" | "kind" | "issuer" | "apiHost" | "clientId"> & {
  readonly user: Pick<Session["user"], "subject">;
};

/** The person or machine behind a session, whatever the client. */
export type Person = Pick<Identity, "issuer" | "user">;

/** True for two sessions of one identity: another client at the same issuer is another one, unless the cloud chooses it. */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  return one.kind === other.kind && one.apiHost === other.apiHost && isSamePerson(one, other) &&
    isSameClient(one, other);
}

/** True for two sessions of one client, or at a cloud that chooses which client its own program is. */
export function isSameClient(one: Identity, other: Identity): boolean {
  return one.clientId === other.clientId || (one.provider === other.provider && one.provider.choosesClient);
}

/** True for two sessions of one person. */
export function isSamePerson(one: Person, other: Person): boolean {
  return one.issuer === other.issuer && one.user.subject === other.user.subject;
}

/** True where a session may become the other; one that nobody has signed in to takes the first identity that does. */
export function mayBecome(before: Person, next: Person): boolean {
  return before.issuer === next.issuer && (before.user.subject === NOBODY || isSamePerson(before, next));
}

/** The error of a run whose session's name has become another identity's. */
export function somebodyElses({ name }: Pick<Session, "name">): AppError {
  return new AppError("NOT_SIGNED_IN", `The session "${name}" is somebody else's in the meantime.`, {
    hint: "Run the same command again to act as them.",
  });
}
