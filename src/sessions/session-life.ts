/** Whether a session is over, as far as is known without asking its issuer. */

import type { Session } from "./session.ts";

/** True until a session, or a token, has ended. */
export function isLive({ expires }: Pick<Session, "expires">, now: number): boolean {
  return expires === undefined || Date.parse(expires) > now;
}

/** True for a session that has ended, or that its issuer refused to renew. */
export function isOver(session: Session, now: number): boolean {
  return session.renewalRefused !== undefined || !isLive(session, now);
}
