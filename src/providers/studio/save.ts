/** Saves Studio's token: one session for each host, checked again when it is stored. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { isStudio, STUDIO, STUDIO_TOKEN } from "./facts.ts";
import { STUDIO_CLIENT_NAME } from "./token-fields.ts";
import { isLive, type Session } from "../../sessions/session.ts";
import { defaultSessionName } from "../../sessions/new-name.ts";
import { LOCK_WAIT } from "../../sessions/reader.ts";
import type { KeyStore, SessionStore } from "../../sessions/store.ts";
import { freeName, type SavedSession, saveMachine } from "../../sessions/save.ts";
import { acquireLock } from "../../system/locks.ts";
import { keyringLimits, type ProviderContext } from "../context.ts";
import { isOurs, openReplaced, type Replaced, supersededTokens } from "./replaced.ts";

/** How the token of a host will be kept, decided before anybody was asked. */
export interface StudioSavePlan {
  /** Studio's origin. */
  readonly host: string;
  /** The sessions of that host there were. */
  readonly replaced: readonly Replaced[];
  /** `--force`. */
  readonly force: boolean;
  /** The session's name, where one was given. */
  readonly wantedName: string | undefined;
  /** The store that was asked for, where one was. */
  readonly keyring: string | undefined;
  readonly keyStores: readonly KeyStore[];
  readonly moveKey: boolean;
  readonly certificateAuthority: string | undefined;
  readonly browserCommand: string | undefined;
  /** The path of the copy for DataChain's own tools. */
  readonly exportedTo: string | undefined;
}

/** A token that Studio gave, with what it was asked for. */
export interface GivenToken {
  readonly token: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly team: string | undefined;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** What was stored, and what it takes the place of. */
export interface SavedToken {
  readonly saved: SavedSession;
  readonly replaced: readonly Replaced[];
}

/**
 * Stores the token as the session of its host. A person takes minutes to confirm: what was signed in to meanwhile is
 * replaced too with `--force`, and without it `USAGE` is thrown.
 *
 * @throws also as {@link saveMachine}; then nothing was stored
 */
export async function saveToken(
  context: ProviderContext,
  store: SessionStore,
  keeping: StudioSavePlan,
  { token, name, scopes, team, expires }: GivenToken,
): Promise<SavedToken> {
  const { host, wantedName, certificateAuthority, browserCommand, exportedTo } = keeping;
  const apiHost = new URL(host).host;
  using _lock = await acquireLock(`${store.folders.sessions}/studio.lock`, {
    timeout: LOCK_WAIT,
    guards: `a sign-in at ${apiHost}`,
    signal: store.host.interrupted,
  });
  const { sessions } = await store.list();
  const replaced: Replaced[] = [];
  for (const session of sessionsAt(host, sessions)) {
    const known = keeping.replaced.find(({ session: { name, credentials } }) =>
      name === session.name && credentials === session.credentials
    );
    const old = known ?? await openReplaced(context, store, session, keeping.keyring);
    const counted = isOurs(store, old);
    if (known === undefined && !keeping.force && counted && isLive(session, context.now())) {
      throw signedInAlready(
        session,
        store,
        "Another command did that in the meantime; the new token is not kept.",
      );
    }
    if (counted || keeping.force) replaced.push(old);
  }
  const ours = replaced.filter((old) => isOurs(store, old)).map(({ session }) => session);
  const superseded = supersededTokens(replaced, context.now());
  const saved = await saveMachine(
    store,
    {
      session: {
        provider: STUDIO,
        kind: STUDIO_TOKEN,
        user: { subject: apiHost, name },
        scopes: [...scopes],
        expires: new Date(expires).toISOString(),
        team,
        exportedTo,
        local: store.project === undefined ? undefined : true,
      },
      credentials: {
        clientId: STUDIO_CLIENT_NAME,
        apiHost,
        issuer: host,
        // Studio does not say who confirmed: the session is the host's.
        subject: apiHost,
        tokenSource: { kind: "fixed" },
        accessToken: token,
        received: context.now(),
        accessTokenExpires: expires,
        certificateAuthority,
        signIn: browserCommand === undefined ? undefined : { browserCommand },
        // Revoked by the next logout or sign-in, should this command end before it revokes them.
        superseded: superseded.length === 0 ? undefined : superseded,
      },
      label: name,
    },
    {
      wantedName: wantedName ?? await nameOf(sessions, ours, name, host, apiHost),
      isOurs: ({ name }) => store.project === undefined || ours.some((session) => session.name === name),
      keyStores: keeping.keyStores,
      moveKey: keeping.moveKey,
      activate: false,
    },
    keyringLimits(context),
  );
  return { saved, replaced };
}

/** The sessions at a host of Studio's. */
export function sessionsAt(host: string, sessions: readonly Session[]): Session[] {
  return sessions.filter((session) => isStudio(session) && session.issuer === host);
}

/** The name of the new session: that of the one before where a person gave it, else after the token. */
async function nameOf(
  sessions: readonly Session[],
  replaced: readonly Session[],
  tokenName: string,
  issuer: string,
  apiHost: string,
): Promise<string> {
  const label = (name: string) => name.replaceAll(":", "-");
  const given = replaced.find(({ name, user }) =>
    name !== defaultSessionName(label(user.name ?? ""), apiHost)
  );
  const others = sessions.filter(({ name }) => !replaced.some((old) => old.name === name));
  return given?.name ??
    await freeName(others, label(tokenName), { issuer, apiHost, user: { subject: apiHost } });
}

/** `USAGE` for a host that is signed in to. */
export function signedInAlready(session: Session, { project }: SessionStore, ...more: string[]): AppError {
  const where = project === undefined ? "" : ` in ${printable(project)}`;
  const logout = project === undefined ? `datumctl logout ${session.name}` : "datumctl logout --local";
  const message = `You are already signed in at ${printable(session.apiHost)}${where}, with the token "${
    printable(session.user.name ?? session.name)
  }".`;
  return new AppError("USAGE", [message, ...more].join(" "), {
    hint: `Sign out first: ${logout}; or add --force, which replaces that session and revokes its token.`,
  });
}
