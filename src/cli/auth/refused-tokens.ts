/** Explains that a server refused a session's tokens: what it was shown, and what to compare that with. */

import { AppError } from "../../errors.ts";
import type { ShownTokens } from "../../kube/accepted-token.ts";
import type { ServerKind } from "../../kubeconfig/target.ts";
import { unverifiedClaims } from "../../oauth/jwt.ts";
import type { SessionProviders } from "../../sessions/providers.ts";
import type { Session } from "../../sessions/session.ts";
import type { TokenKind } from "../../sessions/token.ts";
import { printable } from "../../text.ts";

const NAMES = { access: "access token", id: "ID token" } as const;

/** Where an API server is told which issuers it trusts. */
const COMPARE =
  "Compare that with what the API server trusts: jwt[].issuer.url and jwt[].issuer.audiences in its " +
  "AuthenticationConfiguration, or --oidc-issuer-url and --oidc-client-id.";

/** What a server refused. */
export interface RefusedTokens {
  readonly session: Session;
  readonly serverKind: ServerKind;
  readonly shown: ShownTokens;
  /** The token that `--token` names. */
  readonly wantedKind: TokenKind | undefined;
  /** The tokens that are shown without `--token`. */
  readonly offered: readonly [TokenKind, ...TokenKind[]];
  /** The server accepted a token of the session before. */
  readonly known: boolean;
}

/** The refusal with what the server was shown, and a sign-in as the next step where it can help. */
export async function explainRefusal(
  providers: SessionProviders,
  error: AppError,
  refused: RefusedTokens,
): Promise<AppError> {
  const tokens = [...refused.shown].map(([kind, token]) => `the ${NAMES[kind]} (${claimsOf(token)})`);
  return new AppError(error.code, `${error.message} It was shown ${tokens.join(" and ")}.`, {
    hint: await hintOf(providers, refused),
    cause: error.cause,
  });
}

async function hintOf(
  { signInAgain }: SessionProviders,
  { session, serverKind, wantedKind, offered, known }: RefusedTokens,
): Promise<string> {
  const [first, ...others] = offered;
  if (wantedKind !== undefined && (others.length > 0 || first !== wantedKind)) {
    return `Leave out --token ${wantedKind}: then the server is ${
      others.length > 0 ? "asked which of the session's tokens it accepts" : `shown the ${NAMES[first]}`
    }.`;
  }
  // The user cannot configure a Datum's API.
  if (known && serverKind === "control-plane") return await signInAgain(session);
  const access = first === "access"
    ? ""
    : " If it takes the issuer's access tokens instead, say so: the same command with --token access.";
  return known
    ? `${COMPARE}${access} It accepted this session before. ${await signInAgain(session)}`
    : `${COMPARE}${access}`;
}

const SHOWN_AUDIENCES = 5;

/** The issuer and audience of a token, to compare. */
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
