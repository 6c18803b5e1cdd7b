/** Describes a session in a few words: whose it is, where its key is, when it ends. */

import { humanDuration } from "../kube/human-duration.ts";
import { ENV_PREFIX, nameOfPerson } from "../sessions/name.ts";
import { labelOf } from "../sessions/new-name.ts";
import { isLive, isOver, NOBODY, type Session } from "../sessions/session.ts";

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

/** Whose a session is; a token that was given does not say that, so it is its own name. */
export function whoseSession({ kind, user, name }: Session): string {
  return kind.tokens === "given" ? user.name ?? name : nameOfPerson(user);
}

const REFUSED = "cannot be renewed: sign in again";
const RENEWS = "renews itself";
const NOT_YET = "not signed in";

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

/** What is left of a session, as far as its public fields tell. */
export interface Life {
  /** Its end is ahead, or unknown; its token is over and renewed when needed; only a sign-in makes it usable. */
  readonly state: "valid" | "renewable" | "expired";
  /** When that is, in ISO 8601; undefined where nobody knows, and for a session that is renewed when needed. */
  readonly ends: string | undefined;
  /** Milliseconds until then; undefined with it, and for a session that is over. */
  readonly left: number | undefined;
  readonly words: string;
  /** The same for a prompt. */
  readonly short: string;
}

/** How long a session lasts: until its own end, or without one until its token is renewed. */
export function lifeOf(session: Session, now: number): Life {
  const { kind, expires, tokenExpires, renewalRefused } = session;
  const ends = expires ?? tokenExpires;
  if (session.user.subject === NOBODY) return over(NOT_YET, NOT_YET);
  if (isOver(session, now)) {
    return over(renewalRefused === undefined ? "expired" : REFUSED, "expired", ends);
  }
  const left = ends === undefined ? undefined : Date.parse(ends) - now;
  if (left !== undefined && left > 0) {
    const short = humanDuration(left);
    const words = expires === undefined ? `${short}, ${RENEWS}` : short;
    return { state: "valid", ends, left, words, short };
  }
  if (kind.tokens === "given" || isFromEnvironment(session) && kind.tokens !== "issued") {
    return { state: "valid", ends, left: undefined, words: "unknown", short: "" };
  }
  return { state: "renewable", ends: undefined, left: undefined, words: RENEWS, short: RENEWS };
}

function over(words: string, short: string, ends?: string): Life {
  return { state: "expired", ends, left: undefined, words, short };
}

/** True for a session that comes from a variable: nothing of it is stored. */
export function isFromEnvironment({ name }: Session): boolean {
  return name.startsWith(ENV_PREFIX);
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
