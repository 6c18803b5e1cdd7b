/**
 * ZITADEL's refusals: every error of its own below 500 is `invalid_request`, told apart by a code in the description;
 * what it did not foresee is a 500. https://github.com/zitadel/zitadel/blob/main/internal/api/oidc/error.go
 */

import { type GrantAnswer, refused } from "./token-grants.ts";

/** How an issuer words its refusals: as OAuth has them, or as ZITADEL does. */
export type Dialect = "standard" | "zitadel";

/** What ZITADEL calls a refresh token, or a code, that it does not take. */
const DEAD: Readonly<Record<string, string>> = {
  refresh_token: "Errors.OIDCSession.RefreshTokenInvalid",
  authorization_code: "Errors.User.Code.Invalid",
};

/** A person's grant refused, in ZITADEL's words. */
export function inZitadelsWords(grantType: string, answer: GrantAnswer): GrantAnswer {
  const code = DEAD[grantType];
  return code !== undefined && answer.body.error === "invalid_grant" ? ofItsOwn(code) : answer;
}

/** An error of ZITADEL's own. */
export function ofItsOwn(code: string): GrantAnswer {
  return refused("invalid_request", code, code.endsWith(".NotFound") ? 404 : 400);
}

/** A request that asks for no scope. */
export const NO_SCOPE: GrantAnswer = refused(
  "invalid_request",
  "The scope of your request is missing. Please ensure some scopes are requested. " +
    "If you have any questions, you may contact the administrator of the application.",
);

/** What it did not foresee: an assertion with a wrong signature, audience or time, among others. */
export const INTERNAL: GrantAnswer = refused("server_error", "Errors.Internal", 500);
