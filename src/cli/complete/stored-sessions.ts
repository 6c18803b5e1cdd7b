/** Completes with the stored sessions. */

import { isProfile } from "../../providers/cloudfleet/facts.ts";
import { sealedInProject, type StoredSession } from "../../sessions/acting.ts";
import { labelOf } from "../../sessions/new-name.ts";
import type { Session } from "../../sessions/session.ts";
import { type Candidate, type Completer, type CompletionContext, quietly } from "./context.ts";

/** The stored sessions that can be used here, with whose they are. */
export const sessions: Completer = async ({ context }) => {
  const active = await context.store.active().catch(() => undefined);
  return (await sessionsHere(context)).map((session) => candidateOf(session, active));
};

/** Those of Cloudfleet. */
export const profiles: Completer = async ({ context }) =>
  (await context.store.list()).sessions.filter(isProfile).map((session) => candidateOf(session, undefined));

/** Of a project folder only those that a key of this user opens: anybody can have written the others. */
async function sessionsHere(context: CompletionContext): Promise<Session[]> {
  const { sessions } = await context.store.list();
  const store = await context.store.nearestProject();
  if (store === undefined) return sessions;
  const inProject = await store.list();
  const sealed = inProject.sessions.map((session): Promise<StoredSession> =>
    sealedInProject({ session, store }, quietly(context))
  );
  const opened = await Promise.allSettled(sealed);
  return [...sessions, ...opened.flatMap((one) => one.status === "fulfilled" ? [one.value.session] : [])];
}

function candidateOf(session: Session, active: string | undefined): Candidate {
  const label = labelOf(session);
  const who = session.name.startsWith(label) ? "" : `${label}, `;
  const isActive = session.name === active ? ", active" : "";
  return { word: session.name, about: `${who}${session.provider.title}${isActive}` };
}
