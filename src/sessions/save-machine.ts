/** Owns what is kept of an identity that makes its tokens anew: a session like any other, with a recipe sealed in it. */

import type { KeyringLimits } from "../keyring/store.ts";
import { sealedAddress, type SourceCredentials } from "./credentials.ts";
import { isSameIdentity } from "./identity.ts";
import type { Session } from "./session.ts";
import type { KeyStore, SessionStore } from "./store.ts";
import { listSessions, readSession } from "./read.ts";
import { type SavedSession, saveSession } from "./save.ts";
import { freeName, makeActive, underFreeName } from "./naming.ts";

/** An identity with its recipe, not stored yet. */
export interface MachineSession {
  readonly session:
    & Pick<Session, "provider" | "kind" | "user" | "scopes">
    & Partial<
      Pick<Session, "organization" | "team" | "exportedTo" | "local" | "expires">
    >;
  readonly credentials: SourceCredentials;
  /** What stands before the `@` in the name that the session gets by itself. */
  readonly label: string;
}

/** How it is to be kept. */
export interface SaveMachineChoice {
  /** The session's name; without it, the session of the same identity, else a name of its own. */
  readonly wantedName?: string | undefined;
  /** Where the key may be kept, tried in order. */
  readonly keyStores: readonly KeyStore[];
  /** The person named a store: a session that is there moves to it; else it stays where it is. */
  readonly moveKey: boolean;
  /** Whether a session that is there decides anything of the new one; each does unless given. */
  readonly counts?: (session: Session) => boolean;
  /** Makes it the active session. */
  readonly activate: boolean;
}

/**
 * Stores an identity with its recipe, in place of the session of the same one. Throws `IDENTITY_MISMATCH` where the name
 * is another identity's, `STORAGE`, `BUSY` and the keyring's errors; then nothing was stored.
 */
export async function saveMachine(
  store: SessionStore,
  { session, credentials, label }: MachineSession,
  choice: SaveMachineChoice,
  limits: KeyringLimits,
): Promise<SavedSession> {
  const { issuer, apiHost, clientId, accessTokenExpires } = credentials;
  const identity = { ...session, issuer, apiHost, clientId };
  const named = choice.wantedName !== undefined;
  const saved = await underFreeName(!named, async () => {
    const others = (await listSessions(store)).sessions;
    const there = choice.wantedName === undefined
      ? others.find((other) => isSameIdentity(other, identity))
      : await readSession(store, choice.wantedName);
    const before = there !== undefined && choice.counts?.(there) === false ? undefined : there;
    const name = choice.wantedName ?? before?.name ?? await freeName(others, label, identity);
    const ends = accessTokenExpires === undefined ? undefined : new Date(accessTokenExpires).toISOString();
    return await saveSession(
      store,
      {
        credentials,
        session: {
          ...(before?.inUse && { inUse: before.inUse }),
          ...(before?.controlPlaneApi && { controlPlaneApi: before.controlPlaneApi }),
          ...session,
          ...sealedAddress(credentials),
          name,
          ...(ends === undefined ? {} : { tokenExpires: ends }),
        },
      },
      before === undefined || choice.moveKey ? choice.keyStores : [before.keyStore],
      limits,
      { named },
    );
  });
  if (choice.activate) await makeActive(store, saved.session.name);
  return saved;
}
