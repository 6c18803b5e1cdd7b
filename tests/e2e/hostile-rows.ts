/** The hostile issuer's table: what an issuer does wrong, and what comes of it. docs/hostile-issuer.md prints it. */

import type { ErrorCode } from "../../src/errors.ts";
import type { CloudOptions, Faults } from "../cloud/cloud.ts";
import { ESCAPES } from "../cloud/forgeries.ts";
import { USERS } from "../cloud/users.ts";

/** One thing that an issuer does, everything else being as it should. */
export interface HostileRow {
  /** As docs/hostile-issuer.md says it. */
  readonly what: string;
  /** The one switch of the cloud. */
  readonly faults: Faults;
  readonly result: Refused | Accepted;
  /** Somebody signed in, and out again, before: there are a code and a state to use again. */
  readonly signedInBefore?: true;
  /** The code is not sent to the issuer. */
  readonly keepsCode?: true;
  /** The browser comes back twice at once, with the same answer. */
  readonly twice?: true;
  /** How the issuer itself is set up. */
  readonly cloud?: CloudOptions;
}

/** The attempt fails, and nothing is stored. */
export interface Refused {
  readonly code: ErrorCode;
  /** What its message says. */
  readonly says: RegExp;
  /** A refresh token came with it, which is kept: the one before it is spent. */
  readonly keeps?: true;
}

/** It works. */
export interface Accepted {
  /** What docs/hostile-issuer.md adds. */
  readonly accepted: string;
}

const STRANGER = "https://stranger.example/endpoint";
const LOUD = { error: ESCAPES, error_description: ESCAPES, error_uri: ESCAPES };
const [ADA] = USERS;

const refused = (code: ErrorCode, says: RegExp, more: Pick<Refused, "keeps"> = {}): Refused => ({
  code,
  says,
  ...more,
});
const row = (
  what: string,
  faults: Faults,
  result: Refused | Accepted,
  more: Partial<HostileRow> = {},
): HostileRow => ({ what, faults, result, ...more });

type Bad = "discovery" | "jwks" | "token" | "revocation";

/** Bad answers of any endpoint: `NETWORK`, for something else than the issuer may have given them. */
function badAnswers(endpoint: Bad): HostileRow[] {
  return [
    row(
      "a web page with status 200",
      { [endpoint]: { body: "html" } },
      refused("NETWORK", /"text\/html" instead|with a web page/),
    ),
    row("nothing, with status 200", { [endpoint]: { body: "empty" } }, refused("NETWORK", /unreadable text/)),
    row("50 MB", { [endpoint]: { body: "huge" } }, refused("NETWORK", /more than 1 MiB/)),
    row(
      "50 MB, packed into some kilobytes",
      { [endpoint]: { body: "packed" } },
      refused("NETWORK", /more than 1 MiB/),
    ),
    row(
      "an answer without an end",
      { [endpoint]: { body: "endless" } },
      refused("NETWORK", /more than 1 MiB/),
    ),
    row(
      "a byte now and then",
      { [endpoint]: { body: "drip" } },
      refused("NETWORK", /did not answer (?:within 3 s|in time)/),
    ),
    row(
      "half an answer",
      { [endpoint]: { halfClosed: true } },
      refused("NETWORK", /closed (?:the connection )?before/),
    ),
    row(
      "a redirect",
      { [endpoint]: { redirectTo: STRANGER } },
      refused("NETWORK", /redirect, which is not followed/),
    ),
    row("a JSON list", { [endpoint]: { json: [] } }, refused("NETWORK", /something else instead of JSON/)),
  ];
}

const discovery: readonly HostileRow[] = [
  row(
    "another issuer in it",
    { discoveryAnswer: { issuer: "https://stranger.example" } },
    refused("ISSUER_ERROR", /names "https:\/\/stranger\.example", not "https:\/\/127\.0\.0\.1/),
  ),
  row("no issuer in it", { discoveryAnswer: { issuer: null } }, refused("ISSUER_ERROR", /names no issuer/)),
  row(
    "an http endpoint",
    { discoveryAnswer: { token_endpoint: "http://login.example.com/token" } },
    refused("ISSUER_ERROR", /token_endpoint that is not an https URL/),
  ),
  row(
    "an endpoint that is no web address",
    { discoveryAnswer: { authorization_endpoint: "file:///etc/passwd" } },
    refused("ISSUER_ERROR", /authorization_endpoint that is not an https URL/),
  ),
  row(
    "no token endpoint",
    { discoveryAnswer: { token_endpoint: null } },
    refused("ISSUER_ERROR", /names no token_endpoint/),
  ),
  row(
    "PKCE methods without S256",
    { discoveryAnswer: { code_challenge_methods_supported: ["plain"] } },
    refused("ISSUER_ERROR", /does not support PKCE with S256/),
  ),
  row("no such document", { discovery: { status: 404 } }, refused("ISSUER_ERROR", /has none \(status 404\)/)),
  ...badAnswers("discovery"),
  row(
    "escape sequences in the issuer",
    { discoveryAnswer: { issuer: ESCAPES } },
    refused("ISSUER_ERROR", /names ".*\[2J/),
  ),
  row(
    "escape sequences in an endpoint",
    { discoveryAnswer: { authorization_endpoint: `https://login.example.com/${ESCAPES}` } },
    refused("ISSUER_ERROR", /unprintable characters/),
  ),
  row(
    "escape sequences in its lists",
    { discoveryAnswer: { scopes_supported: ["openid", "profile", "email", "offline_access", ESCAPES] } },
    { accepted: "they are not asked for" },
  ),
];

const callback: readonly HostileRow[] = [
  row(
    "`iss` (RFC 9207) of another issuer",
    { forgery: "redirect-iss" },
    refused("INVALID_TOKEN", /another issuer \(iss\)/),
    { keepsCode: true },
  ),
  row(
    "no `iss`, though the metadata promise it",
    { forgery: "redirect-iss-missing" },
    refused("INVALID_TOKEN", /\(iss\), though/),
    { keepsCode: true },
  ),
  row("another `state`", { forgery: "redirect-state" }, refused("TIMEOUT", /within 4 s/), {
    keepsCode: true,
  }),
  row(
    "the `state` of an earlier attempt",
    { forgery: "redirect-state-reused" },
    refused("TIMEOUT", /within 4 s/),
    { keepsCode: true, signedInBefore: true },
  ),
  row(
    "the code of an earlier attempt",
    { forgery: "redirect-code-reused" },
    refused("ISSUER_ERROR", /invalid_request: Errors\.User\.Code\.Invalid/),
    { signedInBefore: true },
  ),
  row(
    "escape sequences in `error`, `error_description`, `error_uri`",
    { forgery: "redirect-escapes" },
    refused("ISSUER_ERROR", /refused \(.*\[2J/),
  ),
  row("the same answer twice at once", {}, { accepted: "once; the other is told that it is over" }, {
    twice: true,
  }),
];

const idToken: readonly HostileRow[] = [
  row("none", { tokenAnswer: { id_token: null } }, refused("INVALID_TOKEN", /no ID token/)),
  row("no JWT", { forgery: "not-a-jwt" }, refused("INVALID_TOKEN", /not a signed JWT/)),
  row(
    "`iss` of another issuer",
    { forgery: "iss" },
    refused("INVALID_TOKEN", /\(iss\) is "https:\/\/stranger/),
  ),
  row("no `sub`", { forgery: "sub-missing" }, refused("INVALID_TOKEN", /\(sub\)/)),
  row("`sub` as a number", { forgery: "sub-number" }, refused("INVALID_TOKEN", /its sub is not a text/)),
  row("`aud` of another client", { forgery: "aud" }, refused("INVALID_TOKEN", /another client \(aud\)/)),
  row(
    "`aud` of several clients without `azp`",
    { forgery: "aud-several" },
    refused("INVALID_TOKEN", /\(azp\)/),
  ),
  row("`azp` of another client", { forgery: "azp" }, refused("INVALID_TOKEN", /another client \(azp\)/)),
  row("`exp` is over", { forgery: "expired" }, refused("INVALID_TOKEN", /expired at/)),
  row("no `exp`", { forgery: "exp-missing" }, refused("INVALID_TOKEN", /lacks its expiry \(exp\)/)),
  row(
    "`iat` in the future",
    { forgery: "from-the-future" },
    refused("INVALID_TOKEN", /issued in the future/),
  ),
  row("no `iat`", { forgery: "iat-missing" }, refused("INVALID_TOKEN", /lacks its time of issue \(iat\)/)),
  row("`nbf` in the future", { forgery: "nbf" }, refused("INVALID_TOKEN", /not valid before/)),
  row("another `nonce`", { forgery: "nonce" }, refused("INVALID_TOKEN", /nonce is not the one/)),
  row("no `nonce`", { forgery: "nonce-missing" }, refused("INVALID_TOKEN", /lacks the nonce/)),
  row("another access token's `at_hash`", { forgery: "at-hash" }, refused("INVALID_TOKEN", /\(at_hash\)/)),
  row("a bad signature", { forgery: "signature" }, refused("INVALID_TOKEN", /signature is wrong/)),
  row("`alg` none", { forgery: "alg-none" }, refused("INVALID_TOKEN", /algorithm is "none"/)),
  row(
    "HS256 with the client id as its key",
    { forgery: "alg-hmac" },
    refused("INVALID_TOKEN", /algorithm is "HS256"/),
  ),
  row(
    "HS256 with the issuer's public key as its key",
    { forgery: "alg-hmac-public-key" },
    refused("INVALID_TOKEN", /algorithm is "HS256"/),
  ),
  row(
    "an unknown `kid`",
    { forgery: "unknown-key" },
    refused("INVALID_TOKEN", /a key that the issuer does not publish/),
  ),
  row("a key that was rotated just before signing", { forgery: "rotated-key" }, {
    accepted: "the keys are fetched after it",
  }),
  row("no `kid`, and one key", { forgery: "kid-missing" }, { accepted: "that key is tried" }),
  row(
    "escape sequences in `iss`",
    { forgery: "iss-escapes" },
    refused("INVALID_TOKEN", /\(iss\) is ".*\[2J/),
  ),
  row(
    "escape sequences in `alg` and `kid`",
    { forgery: "alg-escapes" },
    refused("INVALID_TOKEN", /algorithm is ".*\[2J/),
  ),
  row("escape sequences in the e-mail and the name", { forgery: "escapes" }, {
    accepted: "printed without them",
  }),
  row("a claim that is nested 200,000 deep", { forgery: "deep" }, {
    accepted: "printed to a hundred levels",
  }),
];

const keys: readonly HostileRow[] = [
  ...badAnswers("jwks"),
  row("no key set", { jwks: { json: { keys: "none" } } }, refused("INVALID_TOKEN", /sent no key set/)),
  row("no key", { jwks: { json: { keys: [] } } }, refused("INVALID_TOKEN", /does not publish/)),
];

const token: readonly HostileRow[] = [
  ...badAnswers("token"),
  row(
    "`token_type` mac",
    { tokenAnswer: { token_type: "mac" } },
    refused("INVALID_TOKEN", /token of type "mac"/),
  ),
  row(
    "no access token",
    { tokenAnswer: { access_token: null } },
    refused("NETWORK", /holds no access_token/),
  ),
  row(
    "a negative `expires_in`",
    { tokenAnswer: { expires_in: -1 } },
    refused("NETWORK", /expires_in is not a positive number/),
  ),
  row(
    "`expires_in` in words",
    { tokenAnswer: { expires_in: "an hour" } },
    refused("NETWORK", /expires_in is not a positive number/),
  ),
  row("`expires_in` as a string of digits", { tokenAnswer: { expires_in: "3600" } }, {
    accepted: "as the number",
  }),
  row("`expires_in` without an end", { tokenAnswer: { expires_in: 1e300 } }, { accepted: "as ten years" }),
  row(
    "escape sequences in a token",
    { tokenAnswer: { access_token: ESCAPES } },
    refused("NETWORK", /access_token is not a token/),
  ),
  row(
    "escape sequences in `token_type`",
    { tokenAnswer: { token_type: ESCAPES } },
    refused("INVALID_TOKEN", /token of another type/),
  ),
  row("no `token_type`", { tokenAnswer: { token_type: null } }, { accepted: "as `Bearer`" }),
  row("`scope` as a list", { tokenAnswer: { scope: ["openid", "email"] } }, {
    accepted: "nothing is read of it",
  }),
  row("escape sequences in `scope`", { tokenAnswer: { scope: `openid ${ESCAPES}` } }, {
    accepted: "printed nowhere",
  }),
  row(
    "an error with status 200",
    { token: { json: { error: "invalid_grant", error_description: "Bad code" } } },
    refused("ISSUER_ERROR", /status 200, invalid_grant: Bad code/),
  ),
  row(
    "an error that is an object",
    { token: { status: 400, json: { error: { code: 400, message: "Bad code", status: "INVALID" } } } },
    refused("ISSUER_ERROR", /status 400, INVALID: Bad code/),
  ),
  row(
    "escape sequences in an error",
    { token: { status: 400, json: LOUD } },
    refused("ISSUER_ERROR", /refused \(status 400, .*\[2J/),
  ),
];

const userinfo: readonly HostileRow[] = [
  row(
    "another `sub` than the ID token's",
    { forgery: "profile-missing", userinfo: { json: { sub: "somebody-else", email: "eve@example.com" } } },
    refused("INVALID_TOKEN", /another subject \(sub\)/),
  ),
  row(
    "escape sequences in the e-mail and the name",
    { forgery: "profile-missing", userinfo: { json: { sub: ADA?.sub, email: ESCAPES, name: ESCAPES } } },
    { accepted: "printed without them" },
  ),
  row(
    "`sub` as a number",
    { forgery: "profile-missing", userinfo: { json: { sub: Number(ADA?.sub), email: "ada@example.com" } } },
    refused("INVALID_TOKEN", /sub that is not a text/),
  ),
  row("an error with status 200", {
    forgery: "profile-missing",
    userinfo: { json: { error: "insufficient_scope" } },
  }, { accepted: "without an e-mail" }),
  row("50 MB", { forgery: "profile-missing", userinfo: { body: "huge" } }, { accepted: "without an e-mail" }),
];

const UNKNOWN_PARAMETER = {
  error: "invalid_request",
  error_description: "Parameter not allowed for this message type: code_challenge",
};

const device: readonly HostileRow[] = [
  row(
    "an http address to open",
    { deviceAnswer: { verification_uri: "http://login.example.com/device" } },
    refused("INVALID_TOKEN", /verification_uri that is not an https URL/),
  ),
  row(
    "a script to open",
    { deviceAnswer: { verification_uri_complete: "javascript:alert(1)" } },
    refused("INVALID_TOKEN", /verification_uri_complete that is not an https URL/),
  ),
  row("no device code", { deviceAnswer: { device_code: null } }, refused("NETWORK", /no device_code/)),
  row(
    "a code that expired before it came",
    { deviceAnswer: { expires_in: -1 } },
    refused("NETWORK", /expires_in is not a positive/),
  ),
  row(
    "no address to open",
    { deviceAnswer: { verification_uri: null } },
    refused("NETWORK", /holds no verification_uri/),
  ),
  row("`expires_in` and `interval` as strings of digits", {
    deviceAnswer: { expires_in: "900", interval: "1" },
  }, { accepted: "as the numbers" }),
  row("no `expires_in`", { deviceAnswer: { expires_in: null } }, {
    accepted: "it is asked about for a quarter of an hour",
  }),
  row("`verification_url` in place of `verification_uri`", {
    deviceAnswer: { verification_uri: null, verification_url: "https://login.example.com/device" },
  }, { accepted: "that is shown" }),
  row("no word of PKCE", { device_authorization: { status: 400, json: UNKNOWN_PARAMETER, times: 1 } }, {
    accepted: "it is asked once more without it",
  }),
  row(
    "the words of Microsoft Entra for a declined sign-in",
    { token: { status: 400, json: { error: "authorization_declined" } } },
    refused("ACCESS_DENIED", /declined .*authorization_declined/),
  ),
  row("escape sequences in `user_code`", { deviceAnswer: { user_code: `${ESCAPES}ABCD` } }, {
    accepted: "shown without them",
  }),
  row(
    "escape sequences in `verification_uri`",
    { deviceAnswer: { verification_uri: `https://login.example.com/${ESCAPES}` } },
    refused("INVALID_TOKEN", /verification_uri that holds unprintable characters/),
  ),
  row(
    "escape sequences in `verification_uri_complete`",
    { deviceAnswer: { verification_uri_complete: `https://login.example.com/${ESCAPES}` } },
    refused("INVALID_TOKEN", /verification_uri_complete that holds unprintable characters/),
  ),
  row(
    "escape sequences in a refusal",
    { device_authorization: { status: 400, json: LOUD } },
    refused("ISSUER_ERROR", /refused \(status 400, .*\[2J/),
  ),
  row(
    "escape sequences in the words of a declined sign-in",
    { token: { status: 400, json: { ...LOUD, error: "access_denied" } } },
    refused("ACCESS_DENIED", /declined .*\[2J/),
  ),
  row(
    "an ID token with a bad signature",
    { forgery: "signature" },
    refused("INVALID_TOKEN", /signature is wrong/),
  ),
];

const refresh: readonly HostileRow[] = [
  row("another `sub`", { forgery: "sub" }, refused("INVALID_TOKEN", /another subject \(sub\)/)),
  row("another `iss`", { forgery: "iss" }, refused("INVALID_TOKEN", /\(iss\)/)),
  row("a bad signature", { forgery: "signature" }, refused("INVALID_TOKEN", /signature is wrong/)),
  row("a key that was rotated just before signing", { forgery: "rotated-key" }, {
    accepted: "the keys are fetched again, once",
  }),
  row("no `kid`, and one key", { forgery: "kid-missing" }, { accepted: "that key is tried" }),
  row(
    "no ID token",
    { tokenAnswer: { id_token: null } },
    { accepted: "the old one is used until it expires, then `NO_ID_TOKEN`" },
  ),
  row("no new refresh token", { tokenAnswer: { refresh_token: null } }, {
    accepted: "the old one stays in use",
  }, {
    cloud: { rotation: false },
  }),
  row(
    "a new refresh token and then status 500",
    { token: { thenStatus: 500, times: 1 } },
    refused("SESSION_EXPIRED", /no longer renews .*Errors\.OIDCSession\.RefreshTokenInvalid/),
  ),
  ...badAnswers("token"),
  row(
    "`token_type` mac",
    { tokenAnswer: { token_type: "mac" } },
    refused("INVALID_TOKEN", /token of type "mac"/, { keeps: true }),
  ),
  row(
    "a negative `expires_in`",
    { tokenAnswer: { expires_in: -1 } },
    refused("NETWORK", /expires_in is not a positive number/, { keeps: true }),
  ),
  row("`refresh_token` and `id_token` empty", { tokenAnswer: { refresh_token: "", id_token: "" } }, {
    accepted: "as if they were absent",
  }, { cloud: { rotation: false } }),
  ...[
    ["`invalid_grant` with status 200", 200, "invalid_grant", "spent"],
    ["`invalid_request`, in ZITADEL's words for an end", 400, "invalid_request", "Errors.Session.Terminated"],
    ["the same with status 404", 404, "invalid_request", "Errors.OIDCSession.NotFound"],
    ["`invalid_request`, in Dex's words for an end", 400, "invalid_request", "Refresh token expired."],
    ["`interaction_required`", 400, "interaction_required", "AADSTS50076"],
  ].map(([what, status, error, error_description]) =>
    row(
      String(what),
      { token: { status: Number(status), json: { error, error_description } } },
      refused("SESSION_EXPIRED", new RegExp(`no longer renews .*${error}`)),
    )
  ),
  ...[
    ["`invalid_request` about anything else", 400, "invalid_request", "Errors.App.NotActive"],
    ["`invalid_client`", 401, "invalid_client", "Invalid client or Invalid client credentials"],
    ["`access_denied` with status 403", 403, "access_denied", "Realm not enabled"],
  ].map(([what, status, error, error_description]) =>
    row(
      String(what),
      { token: { status: Number(status), json: { error, error_description } } },
      refused("ISSUER_ERROR", new RegExp(`refused \\(status ${status}, ${error}`)),
    )
  ),
  ...[408, 425, 429].map((status) =>
    row(
      `\`invalid_grant\` with status ${status}`,
      { token: { status, json: { error: "invalid_grant" } } },
      refused("NETWORK", new RegExp(`status ${status}`)),
    )
  ),
  row(
    "escape sequences in an error",
    { token: { status: 400, json: LOUD } },
    refused("ISSUER_ERROR", /refused \(status 400, .*\[2J/),
  ),
  row(
    "escape sequences in the words of `invalid_grant`",
    { token: { status: 400, json: { ...LOUD, error: "invalid_grant" } } },
    refused("SESSION_EXPIRED", /invalid_grant: .*\[2J/),
  ),
];

const revocation: readonly HostileRow[] = [
  // Of a good answer to it nothing but the status is read.
  ...badAnswers("revocation").filter(({ what }) =>
    !["nothing, with status 200", "a JSON list"].includes(what)
  ),
  row(
    "escape sequences in an error",
    { revocation: { status: 400, json: LOUD } },
    refused("ISSUER_ERROR", /refused \(status 400, .*\[2J/),
  ),
];

/** How a row meets the program: a sign-in with the browser or a device code, a refresh, or the sign-out. */
export type Meeting = "sign-in" | "device" | "refresh" | "logout";

/** One part of the table, under the heading that docs/hostile-issuer.md gives it. */
export interface HostilePart {
  readonly heading: string;
  readonly meeting: Meeting;
  readonly rows: readonly HostileRow[];
}

/** The whole table. */
export const HOSTILE: readonly HostilePart[] = [
  { heading: "The discovery document", meeting: "sign-in", rows: discovery },
  { heading: "The browser's way back", meeting: "sign-in", rows: callback },
  { heading: "The ID token of a sign-in", meeting: "sign-in", rows: idToken },
  { heading: "The issuer's keys", meeting: "sign-in", rows: keys },
  { heading: "The answer to the code", meeting: "sign-in", rows: token },
  { heading: "The userinfo endpoint", meeting: "sign-in", rows: userinfo },
  { heading: "The device code", meeting: "device", rows: device },
  { heading: "The answer to a refresh", meeting: "refresh", rows: refresh },
  { heading: "The answer to a revocation", meeting: "logout", rows: revocation },
];

/** What comes of a row, as docs/hostile-issuer.md says it. */
export function resultOf({ result }: HostileRow): string {
  if (!("code" in result)) return `accepted: ${result.accepted}`;
  return `refused: \`${result.code}\`${result.keeps ? "; its refresh token is kept" : ""}`;
}
