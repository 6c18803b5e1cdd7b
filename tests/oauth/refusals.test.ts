/** Proves, row by row, what an issuer's refusal means, in which words it is shown, and which scopes are asked for instead. */

import assert from "node:assert/strict";
import {
  type Meaning,
  meaningOf,
  namesError,
  type Occasion,
  otherScopes,
  refusalIn,
  refusalOf,
  refusalText,
  speaksOfSecret,
} from "../../src/oauth/refusals.ts";

type Row = readonly [status: number | undefined, error: string, description: string, meaning: Meaning];

const DEX_CLAIMED = "Refresh token is invalid or has already been claimed by another client.";
const MFA = "AADSTS50076: Due to a configuration change made by your administrator, you must use MFA.";

const TABLE: Readonly<Partial<Record<Occasion, readonly Row[]>>> = {
  refresh: [
    [400, "invalid_grant", "", "over"],
    // Auth0.
    [403, "invalid_grant", "Unknown or invalid refresh token.", "over"],
    [401, "invalid_grant", "", "over"],
    [200, "invalid_grant", "", "over"],
    // ZITADEL, https://github.com/zitadel/zitadel/blob/main/internal/api/oidc/error.go
    [400, "invalid_request", "Errors.OIDCSession.RefreshTokenInvalid", "over"],
    [404, "invalid_request", "Errors.OIDCSession.NotFound", "over"],
    [400, "invalid_request", "Errors.Session.Terminated", "over"],
    [400, "invalid_request", "Errors.User.RefreshToken.Invalid", "over"],
    [404, "invalid_request", "Errors.User.NotFound", "over"],
    [400, "invalid_request", "Errors.User.NotActive", "over"],
    [400, "invalid_request", "Errors.Token.Invalid", "over"],
    [400, "invalid_request", "Errors.RefreshToken.Expired", "over"],
    [403, "invalid_request", "Errors.User.ProjectRequired", "other"],
    [400, "invalid_request", "Errors.App.NotActive", "other"],
    [404, "invalid_request", "Errors.Instance.NotFound", "other"],
    [400, "invalid_request", "Errors.Quota.Access.Exhausted", "other"],
    [400, "invalid_request", "The Errors.User.NotFound", "other"],
    [400, "server_error", "Errors.User.NotFound", "passing"],
    // Dex, https://github.com/dexidp/dex/blob/master/server/refreshhandlers.go
    [400, "invalid_request", DEX_CLAIMED, "over"],
    [400, "invalid_request", "Refresh token expired.", "over"],
    [400, "invalid_request", "No refresh token is found in request.", "other"],
    [400, "invalid_request", "Connector does not support refresh tokens.", "other"],
    // The same in other words.
    [400, "invalid_request", "The refresh_token has been revoked", "over"],
    [400, "invalid_request", "unknown refresh token", "over"],
    [400, "invalid_request", "refresh token was used before", "over"],
    [400, "invalid_request", "The refresh token is no longer valid", "over"],
    [400, "invalid_request", "Refresh token used.", "over"],
    [400, "invalid_request", "refresh token reuse detected", "over"],
    [400, "invalid_request", "Refresh token not found", "over"],
    [400, "invalid_request", "refresh_token not found in request", "other"],
    [400, "invalid_request", "The refresh token grant may not be used by this client", "other"],
    [400, "invalid_request", "refresh_token is missing or invalid", "other"],
    [400, "invalid_request", "The parameter refresh_token is required", "other"],
    [400, "invalid_request", "Invalid grant_type: refresh_token", "other"],
    [400, "invalid_request", "The request is invalid", "other"],
    [400, "invalid_request", "", "other"],
    // Microsoft Entra.
    [400, "interaction_required", MFA, "over"],
    [400, "login_required", "", "over"],
    [400, "consent_required", "AADSTS65001", "over"],
    [400, "account_selection_required", "", "over"],
    [401, "invalid_token", "", "over"],
    // Keycloak.
    [401, "invalid_client", "Invalid client or Invalid client credentials", "client"],
    [400, "invalid_client", "", "client"],
    [400, "unauthorized_client", "", "client"],
    [401, "", "", "client"],
    [403, "access_denied", "Realm not enabled", "disabled"],
    [403, "", "", "other"],
    [400, "invalid_scope", "", "scope"],
    [400, "unsupported_grant_type", "", "other"],
    [400, "something_new", "", "other"],
    [404, "", "", "other"],
    // What passes, whatever the body says.
    [408, "invalid_grant", "", "passing"],
    [425, "invalid_request", "Errors.OIDCSession.RefreshTokenInvalid", "passing"],
    [429, "invalid_request", "Errors.Quota.Execution.Exhausted", "passing"],
    [400, "temporarily_unavailable", "", "passing"],
  ],
  assertion: [
    [404, "invalid_request", "Errors.AuthNKey.NotFound", "credential"],
    [404, "invalid_request", "Errors.User.NotFound", "credential"],
    [400, "invalid_request", "Errors.User.NotActive", "credential"],
    [400, "invalid_request", "Errors.Token.Invalid", "credential"],
    [400, "invalid_request", "The scope of your request is missing.", "other"],
    [400, "invalid_request", "Errors.App.NotFound", "other"],
    [429, "invalid_request", "Errors.AuthNKey.NotFound", "passing"],
    [400, "invalid_grant", "invalid signature", "credential"],
    [401, "", "", "credential"],
    [403, "", "", "credential"],
    [400, "invalid_scope", "", "scope"],
    [404, "", "", "other"],
  ],
  credential: [
    [400, "invalid_client", "", "credential"],
    [400, "unauthorized_client", "", "credential"],
    [400, "access_denied", "", "credential"],
    [401, "", "", "credential"],
    [400, "invalid_request", "subject_token is invalid: token has expired", "other"],
    [404, "invalid_request", "Errors.AuthNKey.NotFound", "other"],
    [422, "", "", "other"],
  ],
  "bare-credential": [
    [400, "", "", "credential"],
    [422, "", "", "credential"],
    [401, "", "", "credential"],
    [404, "", "", "other"],
    [429, "", "", "passing"],
  ],
  poll: [
    [400, "authorization_pending", "", "pending"],
    // Google.
    [428, "authorization_pending", "Precondition Required", "pending"],
    [200, "authorization_pending", "", "pending"],
    [400, "slow_down", "", "slow-down"],
    [403, "slow_down", "", "slow-down"],
    [400, "expired_token", "", "ran-out"],
    [400, "access_denied", "", "declined"],
    // Microsoft Entra.
    [400, "code_expired", "", "ran-out"],
    [400, "authorization_declined", "", "declined"],
    [400, "invalid_request", "Parameter not allowed for this message type: code_verifier", "pkce"],
    [400, "invalid_grant", "PKCE code verifier not specified", "other"],
    [400, "invalid_grant", "", "other"],
    [401, "invalid_client", "", "client"],
    [429, "slow_down", "", "passing"],
  ],
  "way-back": [
    [undefined, "access_denied", "", "declined"],
    [undefined, "invalid_scope", "", "scope"],
    // Amazon Cognito.
    [undefined, "invalid_request", "invalid_scope", "scope"],
    [undefined, "server_error", "", "passing"],
    [undefined, "interaction_required", "", "other"],
    [undefined, "", "", "other"],
  ],
  "sign-in": [
    [400, "invalid_request", "Missing parameter: code_challenge_method", "pkce"],
    [400, "invalid_request", "unknown parameter code_challenge", "pkce"],
    [401, "invalid_client", "", "client"],
    [403, "access_denied", "Realm not enabled", "disabled"],
    [400, "invalid_scope", "", "scope"],
    [400, "invalid_grant", "", "other"],
    [400, "authorization_pending", "", "other"],
  ],
};

for (const [occasion, rows] of Object.entries(TABLE)) {
  Deno.test(`meaningOf() on the occasion "${occasion}"`, () => {
    for (const [status, error, description, meaning] of rows) {
      assert.equal(
        meaningOf(occasion as Occasion, { status, error, description }),
        meaning,
        `${status} ${error} ${description}`,
      );
    }
  });
}

const WORDS: readonly [json: Record<string, unknown>, words: string][] = [
  [{ error: "invalid_grant" }, "invalid_grant"],
  [
    { error: "invalid_grant", error_description: "Token is not active." },
    "invalid_grant: Token is not active",
  ],
  [{ error: "a\u001b[2Jb", error_description: "why \u202ethere" }, "a [2Jb: why  there"],
  // Google.
  [
    { error: { code: 401, message: "Request had invalid credentials.", status: "UNAUTHENTICATED" } },
    "UNAUTHENTICATED: Request had invalid credentials",
  ],
  [
    { error: { code: "InvalidAuthenticationToken", message: "Lifetime" } },
    "InvalidAuthenticationToken: Lifetime",
  ],
  [{ error: { message: "only words" } }, "only words"],
  // Okta.
  [
    { errorCode: "E0000011", errorSummary: "Invalid token provided", errorLink: "E0000011", errorCauses: [] },
    "E0000011: Invalid token provided",
  ],
  [{ message: "The token is not active" }, "The token is not active"],
  [{ error_description: "only words" }, "only words"],
  [{ error: "", error_description: "" }, "no reason given"],
  [{ error: 7, error_description: ["x"] }, "no reason given"],
  [{ error: null }, "no reason given"],
  [{ error: {} }, "no reason given"],
  [{ error: [] }, "no reason given"],
  [{}, "no reason given"],
];
for (const [json, words] of WORDS) {
  Deno.test(`the words of ${JSON.stringify(json)}`, () => {
    assert.equal(refusalText(refusalOf(json, 400)), words);
  });
}

Deno.test("refusalIn() finds nothing where no error is named, and namesError() neither", () => {
  for (
    const json of [{}, { error: null }, { error: "" }, { error: 0 }, { error: {} }, { message: "hello" }]
  ) {
    assert.equal(refusalIn(json), undefined, JSON.stringify(json));
    assert.equal(namesError(json), false, JSON.stringify(json));
  }
  // Words beside tokens are no error.
  assert.equal(namesError({ error_description: "all is well", access_token: "a" }), false);
  for (const json of [{ error: "x" }, { error: { message: "x" } }, { errorCode: "E1" }]) {
    assert.equal(namesError(json), true, JSON.stringify(json));
  }
});

Deno.test("speaksOfSecret() hears of secrets and credentials, and of nothing else", () => {
  const of = (error: string, description: string) => speaksOfSecret({ error, description });
  assert.ok(of("invalid_client", "client_secret is missing"));
  assert.ok(of("unauthorized_client", "Invalid client or Invalid client credentials"));
  assert.ok(of("invalid_client", "Client authentication failed"));
  assert.ok(!of("invalid_client", "Client not enabled"));
  assert.ok(!of("", ""));
});

const ASKED = ["openid", "profile", "email", "offline_access"];
const SCOPES: readonly [
  description: string,
  asked: readonly string[],
  rest: readonly string[] | undefined,
][] = [
  ["Some requested scopes were invalid: offline_access", ASKED, ["openid", "profile", "email"]],
  [
    "Some requested scopes were invalid. {valid=[openid, profile, email], invalid=[offline_access]}",
    ASKED,
    ["openid", "profile", "email"],
  ],
  // Keycloak repeats all of them.
  ["Invalid scopes: openid profile email offline_access", ASKED, ["openid", "profile", "email"]],
  // Okta names none.
  ["One or more scopes are not configured for the authorization server resource.", ASKED, [
    "openid",
    "profile",
    "email",
  ]],
  ['Unrecognized scope(s) ["groups"]', ["openid", "groups", "offline_access"], ["openid", "offline_access"]],
  ["The scope email. is not valid", ["openid", "email"], ["openid"]],
  ["nothing said", ["openid", "groups"], undefined],
  ["openid is not allowed", ["openid", "email"], undefined],
  ["", [], undefined],
];
for (const [description, asked, rest] of SCOPES) {
  Deno.test(`otherScopes() after "${description}"`, () => {
    assert.deepEqual(otherScopes(asked, { error: "invalid_scope", description }), rest);
  });
}
