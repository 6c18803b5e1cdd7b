/** Finds out which token of a session a server accepts. */

import type { RequestLimits } from "../http/api-client.ts";
import { AppError } from "../errors.ts";
import type { EntryTarget, ServerAddress } from "../kubeconfig/target.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import { acceptedBefore } from "../sessions/served-servers.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import type { TokenKind, TokenLimits } from "../sessions/token.ts";
import type { Host } from "../system/host.ts";
import { firstAccepted } from "./identity-check.ts";

/** What is known of the server, from asking it or without. */
export interface LearnedServer {
  readonly address: ServerAddress;
  /** PEM that the server's certificate needs beside the system's authorities. */
  readonly certificateAuthority?: string | undefined;
  /** The token that it accepted; undefined when it was not asked. */
  readonly kind?: TokenKind | undefined;
  readonly username?: string | undefined;
}

/** The tokens that a server was shown and refused, the last of each kind. */
export type ShownTokens = ReadonlyMap<TokenKind, string>;

/** What asking a server needs. */
export interface TokenOffer {
  readonly store: SessionStore;
  readonly openNetwork: NonNullable<Host["openNetwork"]>;
  readonly limits: RequestLimits;
  readonly tokenLimits: () => TokenLimits;
  readonly session: Session;
  readonly target: EntryTarget;
  /** The tokens to show, in their order. */
  readonly kinds: readonly TokenKind[];
  /** The error for a server that refused all of them; `known` when it accepted a token of the session before. */
  readonly refused: (error: AppError, shown: ShownTokens, known: boolean) => Promise<AppError>;
}

/**
 * Shows the server one of the session's tokens after the other, until one is accepted. When all are refused by a server
 * that accepted one before, they may have been revoked, so they are refreshed and shown once more.
 *
 * @throws {AppError} what {@link firstAccepted} and getting a token throw; `SESSION_REJECTED` as `refused` makes it
 */
export async function findAcceptedToken(offer: TokenOffer): Promise<LearnedServer> {
  const { store, session, target } = offer;
  const shown = new Map<TokenKind, string>();
  const known = isKnown(session, target);
  const refused = (error: AppError) => offer.refused(error, shown, known);
  try {
    return await showTokens(offer, shown);
  } catch (thrown) {
    if (!isRejected(thrown)) throw thrown;
    if (!known) throw await refused(thrown);
    const [kind] = shown.keys();
    await freshToken(store, session, { kind, force: true }, offer.tokenLimits());
    const renewed = await store.read(session.name) ?? session;
    try {
      return await showTokens({ ...offer, session: renewed }, shown, thrown);
    } catch (rethrown) {
      throw isRejected(rethrown) ? await refused(rethrown) : rethrown;
    }
  }
}

function isRejected(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && thrown.code === "SESSION_REJECTED";
}

/** Whether the session's tokens are known to be good for the server: it is the session's own API, or accepted one before. */
function isKnown(session: Session, { kind, apiHost, addresses }: EntryTarget): boolean {
  const own = kind === "control-plane" && apiHost === session.apiHost;
  return own || addresses.some(({ url }) => acceptedBefore(session, url));
}

/**
 * Shows the tokens, except those that were shown before, and adds them to `shown`. `earlier` is the refusal of those
 * that were shown.
 */
async function showTokens(
  offer: TokenOffer,
  shown: Map<TokenKind, string>,
  earlier?: AppError,
): Promise<LearnedServer> {
  let refused = earlier;
  for (const kind of offer.kinds) {
    try {
      const { token } = await freshToken(offer.store, offer.session, { kind }, offer.tokenLimits());
      if (shown.get(kind) === token) continue;
      shown.set(kind, token);
      return { ...await askWith(offer, token), kind };
    } catch (thrown) {
      // An issuer that gives no ID token is no news after another token was refused.
      const without = refused !== undefined && thrown instanceof AppError && thrown.code === "NO_ID_TOKEN";
      if (!isRejected(thrown) && !without) throw thrown;
      refused = isRejected(thrown) ? thrown : refused;
    }
  }
  throw refused ?? new AppError("INTERNAL", "There was no token to show.");
}

/** Asks with one token, under the first authority with which the server's certificate can be trusted. */
async function askWith(
  { openNetwork, limits, target: { what, kind, authorities, addresses, trust } }: TokenOffer,
  token: string,
): Promise<Omit<LearnedServer, "kind">> {
  let untrusted: AppError | undefined;
  const candidates = addresses.map((address) => ({ url: address.url, token, choice: address }));
  for (const certificateAuthority of authorities) {
    using network = openNetwork(certificateAuthority, trust);
    try {
      const { choice, username } = await firstAccepted(network.fetch, candidates, what, limits, kind);
      return { address: choice, certificateAuthority, username };
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== "UNTRUSTED_CERTIFICATE") throw thrown;
      untrusted = thrown;
    }
  }
  throw untrusted;
}
