/** The question to a server which token of a session it accepts, and what a person is told where it accepts none. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { firstAccepted } from "../../kube/identity-check.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import { freshToken, preferredKind } from "../../sessions/fresh-token.ts";
import { signInAgain } from "../../sessions/login-line.ts";
import { acceptedBefore } from "../../sessions/served-servers.ts";
import type { Session } from "../../sessions/session.ts";
import type { TokenKind } from "../../sessions/token.ts";
import { type CommandContext, requestLimits, tokenLimits } from "../context.ts";
import type { EntryTarget, ServerAddress } from "./entry-target.ts";

/** What is known of the server, from asking it or without. */
export interface Learned {
  readonly place: ServerAddress;
  /** PEM that the server's certificate needs beside the system's authorities. */
  readonly certificateAuthority?: string | undefined;
  readonly kind?: TokenKind | undefined;
  readonly username?: string | undefined;
}

/** The tokens that a server was shown and refused, the last of each kind. */
type ShownTokens = Map<TokenKind, string>;

/**
 * Asks with one of the session's tokens after the other, until one is accepted. Where all are refused by a server that
 * accepted one before, they may have been revoked: it is asked once more after one refresh.
 *
 * @throws {AppError} what {@link firstAccepted} and getting a token throw; `SESSION_REJECTED` says what was shown, and
 * what it is to be compared with
 */
export async function askServer(
  cli: CommandContext,
  session: Session,
  target: EntryTarget,
  wantedKind: TokenKind | undefined,
): Promise<Learned> {
  const shown = new Map<TokenKind, string>();
  const refused = (error: AppError) => explained(error, session, target, { shown, wantedKind, known });
  const known = isKnown(session, target);
  try {
    return await offer(cli, session, target, wantedKind, shown);
  } catch (thrown) {
    if (!isRejected(thrown)) throw thrown;
    if (!known) throw refused(thrown);
    const [kind] = shown.keys();
    await freshToken(cli.store, session, { kind, force: true }, tokenLimits(cli));
    const renewed = await cli.store.read(session.name) ?? session;
    try {
      return await offer(cli, renewed, target, wantedKind, shown, thrown);
    } catch (rethrown) {
      throw isRejected(rethrown) ? refused(rethrown) : rethrown;
    }
  }
}

function isRejected(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && thrown.code === "SESSION_REJECTED";
}

/** Whether the server is one for which the session's tokens are known to be good: its own API, or one that took them. */
function isKnown(session: Session, { kind, apiHost, places }: EntryTarget): boolean {
  const own = kind === "control-plane" && apiHost === session.apiHost;
  return own || places.some(({ url }) => acceptedBefore(session, url));
}

/**
 * The tokens that a server is offered unasked, in their order. An access token is meant for the issuer's own APIs: those
 * of a Datum are, any other API server is not, and is shown one only where the person says so.
 */
function offeredKinds({ provider, kind }: Session): readonly [TokenKind, ...TokenKind[]] {
  return provider === "datum" ? ["access", "id"] : [preferredKind({ provider, kind })];
}

/**
 * Offers the tokens, but none that was shown before; what is shown is added there. `earlier` is the refusal of those that
 * were.
 */
async function offer(
  cli: CommandContext,
  session: Session,
  target: EntryTarget,
  wantedKind: TokenKind | undefined,
  shown: ShownTokens,
  earlier?: AppError,
): Promise<Learned> {
  let refused = earlier;
  for (const kind of wantedKind === undefined ? offeredKinds(session) : [wantedKind]) {
    try {
      const { token } = await freshToken(cli.store, session, { kind }, tokenLimits(cli));
      if (shown.get(kind) === token) continue;
      shown.set(kind, token);
      return { ...await askWith(cli, target, token), kind };
    } catch (thrown) {
      // Another token was refused already where an issuer gives no ID token.
      const without = refused !== undefined && thrown instanceof AppError && thrown.code === "NO_ID_TOKEN";
      if (!isRejected(thrown) && !without) throw thrown;
      refused = isRejected(thrown) ? thrown : refused;
    }
  }
  throw refused ?? new AppError("INTERNAL", "There was no token to show.");
}

/** Asks with one token, under the first authority with which the server's certificate can be trusted. */
async function askWith(
  cli: CommandContext,
  { what, kind, authorities, places, trust }: EntryTarget,
  token: string,
): Promise<Omit<Learned, "kind">> {
  let untrusted: AppError | undefined;
  const candidates = places.map((place) => ({ url: place.url, token, choice: place }));
  for (const certificateAuthority of authorities) {
    using network = cli.openNetwork(certificateAuthority, trust);
    try {
      const { choice, username } = await firstAccepted(
        network.fetch,
        candidates,
        what,
        requestLimits(cli),
        kind,
      );
      return { place: choice, certificateAuthority, username };
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== "UNTRUSTED_CERTIFICATE") throw thrown;
      untrusted = thrown;
    }
  }
  throw untrusted;
}

const NAMES = { access: "access token", id: "ID token" } as const;

/** What an API server says of the issuers that it trusts, as it is configured by either way. */
const COMPARE =
  "Compare that with what the API server trusts: jwt[].issuer.url and jwt[].issuer.audiences in its " +
  "AuthenticationConfiguration, or --oidc-issuer-url and --oidc-client-id.";

interface Refused {
  readonly shown: ShownTokens;
  readonly wantedKind: TokenKind | undefined;
  /** Whether the server accepted a token of the session before. */
  readonly known: boolean;
}

/** A refusal with what the server was shown; a sign-in is named where it can help. */
function explained(
  error: AppError,
  session: Session,
  target: EntryTarget,
  { shown, wantedKind, known }: Refused,
): AppError {
  const tokens = [...shown].map(([kind, token]) => `the ${NAMES[kind]} (${claimsOf(token)})`).join(" and ");
  return new AppError(error.code, `${error.message} It was shown ${tokens}.`, {
    hint: hintOf(session, target, wantedKind, known),
    cause: error.cause,
  });
}

function hintOf(
  session: Session,
  { kind }: EntryTarget,
  wantedKind: TokenKind | undefined,
  known: boolean,
): string {
  const [first, ...others] = offeredKinds(session);
  if (wantedKind !== undefined && (others.length > 0 || first !== wantedKind)) {
    return `Leave out --token ${wantedKind}: then the server is ${
      others.length > 0 ? "asked which of the session's tokens it accepts" : `shown the ${NAMES[first]}`
    }.`;
  }
  // Nothing of a Datum's API is for the person to set.
  if (known && kind === "control-plane") return signInAgain(session);
  const access = first === "access"
    ? ""
    : " If it takes the issuer's access tokens instead, say so: the same command with --token access.";
  return known
    ? `${COMPARE}${access} It accepted this session before. ${signInAgain(session)}`
    : `${COMPARE}${access}`;
}

const SHOWN_AUDIENCES = 5;

/** Issuer and audience of a token, for a person to compare. */
function claimsOf(token: string): string {
  const { iss, aud } = unverifiedClaims(token) ?? {};
  const audiences = [aud].flat().filter((one) => typeof one === "string").slice(0, SHOWN_AUDIENCES);
  const said = [iss, audiences.join(", ")].map((text) =>
    typeof text === "string" && text !== "" ? printable(text) : undefined
  );
  const [issuer, audience] = said;
  return said.every((text) => text === undefined)
    ? "which names no issuer and no audience"
    : `issuer ${issuer ?? "none"}, audience ${audience ?? "none"}`;
}
