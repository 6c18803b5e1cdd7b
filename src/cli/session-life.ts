/** Whose a session is, and how long it lasts: what prompts show, so it takes little to load. */

import { humanDuration } from "../kube/human-duration.ts";
import { ENV_PREFIX, nameOfPerson } from "../sessions/name.ts";
import { isOver, NOBODY, type Session } from "../sessions/session.ts";

/** Whose a session is; a token that was given does not say that, so it is its own name. */
export function whoseSession({ kind, user, name }: Session): string {
  return kind.tokens === "given" ? user.name ?? name : nameOfPerson(user);
}

/** True for a session that comes from a variable: nothing of it is stored. */
export function isFromEnvironment({ name }: Session): boolean {
  return name.startsWith(ENV_PREFIX);
}

/** What is said of a session that its issuer refused to renew. */
export const REFUSED = "cannot be renewed: sign in again";
/** What is said of a session that needs nobody. */
export const RENEWS = "renews itself";
const NOT_YET = "not signed in";

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
