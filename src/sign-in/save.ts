/** What is kept of a verified sign-in: the session's name, its identity, its file; or nothing, and no grant. */

import { AppError } from "../errors.ts";
import { printable } from "../text.ts";
import type { KeyringLimits } from "../keyring/store.ts";
import type { HttpContext } from "../http/bounded.ts";
import { limitHttp } from "../http/open.ts";
import { revokeTokens } from "../oauth/revoke.ts";
import { PERSON } from "../providers/kinds.ts";
import { preferredKind } from "../sessions/fresh-token.ts";
import type { Credentials } from "../sessions/credentials.ts";
import type { Session } from "../sessions/session.ts";
import { nameOfPerson } from "../sessions/name.ts";
import { labelOf } from "../sessions/new-name.ts";
import { isSameIdentity, mayBecome } from "../sessions/identity.ts";
import type { KeyStore, SessionStore } from "../sessions/store.ts";
import { activateAfterSignIn, freeName, type SavedSession, underFreeName } from "../sessions/save.ts";
import { timedToken, type TokenKind } from "../sessions/token.ts";
import { revokeReplaced } from "./replaced-grant.ts";
import type { SignedIn } from "./sign-in.ts";
import { checkpoint } from "../system/checkpoint.ts";

const LONGEST_REVOCATION = 5_000;

/** How a sign-in is to be kept. */
export interface SaveChoice {
  /** The session's name; without it, the session of the same identity, else a name of its own. */
  readonly wantedName?: string | undefined;
  /** The session that is renewed: the sign-in must be of its identity. */
  readonly renewed?: Session | undefined;
  /** Where the key may be kept, tried in order. */
  readonly keyStores: readonly KeyStore[];
  /** The person named a store: a session that is renewed moves there; else it stays where it is. */
  readonly moveKey: boolean;
  readonly certificateAuthority?: string | undefined;
  /** Makes it the active session. */
  readonly activate: boolean;
  /** False leaves a grant that cannot be stored alone: another program goes on to use it. True unless given. */
  readonly revokeLost?: boolean | undefined;
}

/**
 * Stores a sign-in, and revokes the refresh token that it takes the place of. When storing fails, or when a different
 * person signed in than the session belongs to, nothing is stored and what was granted is revoked: a grant that
 * nobody keeps should not live on.
 *
 * @throws {AppError} `IDENTITY_MISMATCH`, `STORAGE`, `BUSY` and the keyring's errors
 */
export async function saveSignIn(
  store: SessionStore,
  http: HttpContext,
  signedIn: SignedIn,
  choice: SaveChoice,
  limits: KeyringLimits,
): Promise<SavedSession> {
  checkpoint("sign-in answered");
  const saved = await storeOrRevoke(store, http, signedIn, choice, limits);
  if (choice.activate) await activateAfterSignIn(store, saved.session.name);
  if (saved.replaced !== undefined) await revokeReplaced(http, saved.replaced, signedIn);
  return saved;
}

async function storeOrRevoke(
  store: SessionStore,
  http: HttpContext,
  signedIn: SignedIn,
  choice: SaveChoice,
  limits: KeyringLimits,
): Promise<SavedSession> {
  try {
    const free = choice.wantedName === undefined && choice.renewed === undefined;
    return await underFreeName(free, () => storeSignIn(store, signedIn, choice, limits));
  } catch (thrown) {
    if (choice.revokeLost === false) throw thrown;
    const { metadata, target: { client }, tokens: { refreshToken, accessToken } } = signedIn;
    // The attempt may be over; taking back what it was given is not.
    using limited = limitHttp({ ...http, log: undefined }, {
      timeout: LONGEST_REVOCATION,
      onTimeout: "The issuer",
    });
    await revokeTokens(limited, { metadata, client, refreshToken, accessToken }).catch(() => {});
    throw thrown;
  }
}

async function storeSignIn(
  store: SessionStore,
  signedIn: SignedIn,
  choice: SaveChoice,
  limits: KeyringLimits,
): Promise<SavedSession> {
  const { target, choices, metadata, tokens, keys, user } = signedIn;
  const { certificateAuthority } = choice;
  if (choice.renewed !== undefined) await refuseOtherIdentity(store, choice.renewed, signedIn);
  const others = (await store.list()).sessions;
  const { provider, apiHost, client: { id: clientId } } = target;
  const identity = { provider, kind: PERSON, issuer: metadata.issuer, user, apiHost, clientId };
  const before = choice.renewed ??
    (choice.wantedName === undefined ? others.find((other) => isSameIdentity(other, identity)) : undefined);
  const name = choice.wantedName ?? before?.name ?? await freeName(others, nameOfPerson(user), identity);
  const signIn = Object.values(choices).every((choice) => choice === undefined) ? undefined : choices;
  const credentials = {
    clientId,
    clientSecret: target.client.secret,
    apiHost,
    subject: user.subject,
    metadata,
    keys,
    accessToken: tokens.accessToken,
    received: tokens.receivedAt,
    idToken: tokens.idToken,
    certificateAuthority,
    signIn,
    api: target.api,
    accessTokenExpires: tokens.expiresAt,
    refreshToken: tokens.refreshToken,
  };
  const kubectlToken = before?.kubectlToken;
  const tokenExpires = expiryOf(credentials, "access");
  // Without a refresh token the session lasts as long as the token that kubectl gets.
  const expires = tokens.refreshToken === undefined
    ? expiryOf(credentials, preferredKind({ provider, kind: PERSON, kubectlToken }))
    : undefined;
  const saved = await store.save({
    credentials,
    session: {
      name,
      provider,
      kind: PERSON,
      issuer: metadata.issuer,
      authHost: target.authHost,
      apiHost,
      clientId,
      confidential: target.client.secret === undefined ? undefined : true,
      user,
      scopes: [...signedIn.scopes],
      certificateAuthority,
      signIn,
      kubectlToken,
      controlPlaneApi: before?.controlPlaneApi,
      inUse: before?.inUse,
      inUseBefore: before?.inUseBefore,
      organization: before?.organization,
      tokenExpires,
      expires,
    },
  }, {
    keyStores: before === undefined || choice.moveKey ? choice.keyStores : [before.keyStore],
    named: choice.wantedName !== undefined,
  }, limits);
  return saved;
}

function expiryOf(credentials: Credentials, kind: TokenKind): string | undefined {
  const ends = timedToken(credentials, kind)?.expires;
  return ends === undefined ? undefined : new Date(ends).toISOString();
}

async function refuseOtherIdentity(
  { providers }: SessionStore,
  renewed: Session,
  { metadata, user }: SignedIn,
): Promise<void> {
  if (mayBecome(renewed, { issuer: metadata.issuer, user })) return;
  const came = printable(nameOfPerson(user));
  throw new AppError(
    "IDENTITY_MISMATCH",
    `The session "${renewed.name}" belongs to ${labelOf(renewed)} at ${
      printable(renewed.issuer)
    }; ${came} at ` +
      `${printable(metadata.issuer)} signed in. Nothing was stored.`,
    {
      hint: `Sign in as ${labelOf(renewed)}, or choose another name: ${await providers.newLoginLine(
        "NAME",
        renewed,
      )}`,
    },
  );
}
