/** Describes a session in a few words: whose it is, where its key is, when it ends. */

import { labelOf } from "../sessions/new-name.ts";
import { isLive, type Session } from "../sessions/session.ts";
import { isFromEnvironment, REFUSED, RENEWS } from "./session-life.ts";

/** Where the key of a session's credentials is stored, in words. */
export function storedIn(session: Session): string {
  if (isFromEnvironment(session)) return "nowhere: it comes from a variable";
  return session.keyStore === "system" ? "keyring" : "key file";
}

/** {@link storedIn} for programs. */
export function storageOf(session: Session): "keyring" | "file" | "none" {
  if (isFromEnvironment(session)) return "none";
  return session.keyStore === "system" ? "keyring" : "file";
}

/** When the current token ends, and whether it renews itself. */
export function tokenEnds(session: Session, now: number): string {
  const { kind, tokenExpires, expires, renewalRefused } = session;
  if (tokenExpires === undefined) {
    if (kind.tokens === "of a job" && !isFromEnvironment(session)) return "when the CI job's token expires";
    return kind.tokens === "issued" ? "renewed when needed" : "unknown";
  }
  const over = Date.parse(tokenExpires) <= now ? "expired" : "valid";
  const next = renewalRefused !== undefined ? `, ${REFUSED}` : expires === undefined ? `, ${RENEWS}` : "";
  return `${tokenExpires} (${over}${next})`;
}

/** When a session ends for good. */
export function sessionEnds({ kind, expires, renewalRefused }: Session, now: number): string {
  if (renewalRefused !== undefined) return REFUSED;
  if (expires === undefined) return kind.tokens === "of a job" ? "when its CI job ends" : RENEWS;
  return isLive({ expires }, now) ? expires : `${expires} (expired)`;
}

/** Whose a session is, and where; with its name where another of those sessions would be called the same. */
export function whoAndWhere(session: Session, sessions: readonly { readonly session: Session }[]): string {
  const words = (one: Session) => `${labelOf(one)} at ${one.apiHost}`;
  const same = sessions.filter((other) => words(other.session) === words(session));
  return same.length > 1 ? `${words(session)} (${session.name})` : words(session);
}

/** The names of sessions, for an error that lists them. */
export function sessionNames(sessions: readonly { readonly session: Session }[]): string {
  return sessions.map(({ session }) => session.name).join(", ");
}
