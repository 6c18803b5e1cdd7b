/** Proves the authorization request, the callback's checks in their order, and the code's exchange. */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type ErrorCode } from "../../src/errors.ts";
import {
  type Authorization,
  type AuthorizationInput,
  beginAuthorization,
  readCallback,
  redeemCode,
} from "../../src/oauth/authorization-code.ts";
import { expectRejection } from "../expect-error.ts";
import { CLIENT, ISSUER, json, NOW, type Route, TestIssuer } from "./issuer.ts";

const REDIRECT = "http://127.0.0.1:51000/datumctl/auth/callback";

function begin(issuer: TestIssuer, more: Partial<AuthorizationInput> = {}): Promise<Authorization> {
  const scopes = ["openid", "email"];
  return beginAuthorization({
    metadata: issuer.discovered,
    client: { id: CLIENT },
    redirectUri: REDIRECT,
    scopes,
    ...more,
  });
}

function hit(
  authorization: Authorization,
  params: Record<string, string> = {},
  redirect = REDIRECT,
): Request {
  const url = new URL(redirect);
  const all = { state: authorization.state, iss: ISSUER, code: "code-1", ...params };
  for (const [name, value] of Object.entries(all)) if (value !== "") url.searchParams.set(name, value);
  return new Request(url, { headers: { host: url.host } });
}

// --- the address -----------------------------------------------------------------------------------------------

Deno.test("the address carries S256 PKCE, state, nonce, scopes and the endpoint's own query", async () => {
  const authorization = await begin(new TestIssuer(), {
    prompt: "select_account",
    loginHint: "ada@example.com",
  });
  const url = new URL(authorization.url);
  assert.equal(url.origin + url.pathname, `${ISSUER}/authorize`);
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    tenant: "1",
    client_id: CLIENT,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope: "openid email",
    state: authorization.state,
    nonce: authorization.nonce,
    code_challenge: url.searchParams.get("code_challenge"),
    code_challenge_method: "S256",
    prompt: "select_account",
    login_hint: "ada@example.com",
  });
});

Deno.test("the challenge is the verifier's S256, as in RFC 7636, appendix B", async () => {
  const s256 = async (verifier: string) => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
    return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  // https://www.rfc-editor.org/rfc/rfc7636#appendix-B
  const vector = await s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  assert.equal(vector, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  const { url, codeVerifier } = await begin(new TestIssuer());
  assert.match(codeVerifier, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(new URL(url).searchParams.get("code_challenge"), await s256(codeVerifier));
});

Deno.test("state, nonce and verifier are fresh each time, of 128 bits at least", async () => {
  const [one, two] = await Promise.all([begin(new TestIssuer()), begin(new TestIssuer())]);
  for (const name of ["state", "nonce", "codeVerifier"] as const) {
    assert.notEqual(one[name], two[name]);
    assert.ok(one[name].length >= 22);
    assert.ok(!Object.keys(one).includes(name));
  }
  assert.ok(!inspect(one).includes(one.codeVerifier) && !JSON.stringify(one).includes(one.codeVerifier));
  assert.ok(!one.url.includes(one.codeVerifier));
});

Deno.test("an issuer that lists PKCE methods without S256 is refused; one that lists none gets S256", async () => {
  const issuer = new TestIssuer();
  issuer.metadata.code_challenge_methods_supported = ["plain"];
  await expectRejection(begin(issuer), "ISSUER_ERROR");
  delete issuer.metadata.code_challenge_methods_supported;
  assert.match((await begin(issuer)).url, /code_challenge_method=S256/);
});

for (
  const redirectUri of [
    "https://127.0.0.1:1/cb",
    "http://192.168.0.1:1/cb",
    "http://example.com/",
    "http://localhost/#a",
    "x",
  ]
) {
  Deno.test(`the redirect URI ${redirectUri} is USAGE`, async () => {
    const began = begin(new TestIssuer(), { redirectUri });
    await expectRejection(began, "USAGE");
  });
}

Deno.test("a redirect URI is sent byte for byte", async () => {
  const redirectUri = "http://localhost:8000";
  const { url } = await begin(new TestIssuer(), { redirectUri });
  assert.equal(new URL(url).searchParams.get("redirect_uri"), redirectUri);
});

// --- the callback ----------------------------------------------------------------------------------------------

Deno.test("a callback with the right state and iss hands out its code", async () => {
  const issuer = new TestIssuer();
  const authorization = await begin(issuer);
  const callback = readCallback(authorization, issuer.discovered, hit(authorization));
  assert.equal(callback.kind, "code");
  assert.equal(callback.kind === "code" && callback.params.get("code"), "code-1");
});

const STRAY: [string, number, (authorization: Authorization) => Request][] = [
  ["a POST", 405, (a) => new Request(hit(a), { method: "POST" })],
  ["a HEAD", 405, (a) => new Request(hit(a), { method: "HEAD" })],
  ["another path", 404, (a) => hit(a, {}, "http://127.0.0.1:51000/favicon.ico")],
  ["a path with a slash more", 404, (a) => hit(a, {}, `${REDIRECT}/`)],
  ["another port in Host", 421, (a) => new Request(hit(a), { headers: { host: "127.0.0.1:51001" } })],
  ["a rebound host name", 421, (a) => new Request(hit(a), { headers: { host: "evil.example:51000" } })],
  ["a user name in Host", 421, (a) => new Request(hit(a), { headers: { host: "evil@127.0.0.1:51000" } })],
  ["localhost for 127.0.0.1", 421, (a) => hit(a, {}, "http://localhost:51000/datumctl/auth/callback")],
  ["no state", 400, (a) => hit(a, { state: "" })],
  ["a wrong state", 400, (a) => hit(a, { state: "x".repeat(43) })],
  ["a state cut short", 400, (a) => hit(a, { state: a.state.slice(0, -1) })],
  ["a state with something behind it", 400, (a) => hit(a, { state: `${a.state}x` })],
  ["a wrong state with an error", 400, (a) => hit(a, { state: "x", error: "access_denied" })],
  ["a wrong state with a wrong iss", 400, (a) => hit(a, { state: "x", iss: "https://evil.example" })],
  ["the state twice", 400, (a) => new Request(`${hit(a).url}&state=${a.state}`)],
];
for (const [name, status, request] of STRAY) {
  Deno.test(`a callback hit with ${name} is ignored with ${status}`, async () => {
    const issuer = new TestIssuer();
    const authorization = await begin(issuer);
    const callback = readCallback(authorization, issuer.discovered, request(authorization));
    assert.deepEqual(callback, { kind: "ignored", status });
  });
}

const REFUSED: [string, ErrorCode, RegExp, (authorization: Authorization) => Request][] = [
  ["a wrong iss", "INVALID_TOKEN", /another issuer/, (a) => hit(a, { iss: "https://evil.example" })],
  ["an iss with a slash more", "INVALID_TOKEN", /another issuer/, (a) => hit(a, { iss: `${ISSUER}/` })],
  ["no iss though promised", "INVALID_TOKEN", /does not name its issuer/, (a) => hit(a, { iss: "" })],
  [
    "an error and no iss though promised",
    "INVALID_TOKEN",
    /does not name/,
    (a) => hit(a, { iss: "", code: "", error: "evil words" }),
  ],
  [
    "an error and a wrong iss",
    "INVALID_TOKEN",
    /another issuer/,
    (a) => hit(a, { iss: "x", code: "", error: "evil words" }),
  ],
  [
    "the code twice",
    "INVALID_TOKEN",
    /"code" more than once/,
    (a) => new Request(`${hit(a).url}&code=code-2`),
  ],
  ["the iss twice", "INVALID_TOKEN", /"iss" more than once/, (a) => new Request(`${hit(a).url}&iss=x`)],
  ["no code", "INVALID_TOKEN", /no code/, (a) => hit(a, { code: "" })],
  ["a token beside the code", "INVALID_TOKEN", /another kind/, (a) => hit(a, { id_token: "x" })],
  [
    "access_denied",
    "ACCESS_DENIED",
    /declined at issuer\.example \(access_denied\)/,
    (a) => hit(a, { code: "", error: "access_denied" }),
  ],
  ["server_error", "NETWORK", /unavailable/, (a) => hit(a, { code: "", error: "server_error" })],
  [
    "another error and a code",
    "ISSUER_ERROR",
    /invalid_scope: no +\[2J such scope\)/,
    (a) => hit(a, { error: "invalid_scope", error_description: "no \u001b[2J such scope." }),
  ],
  [
    "an error that repeats the code and the state",
    "ISSUER_ERROR",
    /\(invalid_scope: no … …\)/,
    (a) =>
      hit(a, {
        error: "invalid_scope",
        code: "code-1-long",
        error_description: `no code-1-long ${a.state}`,
      }),
  ],
];
for (const [name, code, words, request] of REFUSED) {
  Deno.test(`a callback with the right state and ${name} ends the sign-in with ${code}`, async () => {
    const issuer = new TestIssuer();
    const authorization = await begin(issuer);
    const callback = readCallback(authorization, issuer.discovered, request(authorization));
    assert.ok(callback.kind === "refused");
    assert.equal(callback.error.code, code);
    assert.match(callback.error.message, words);
    assert.doesNotMatch(callback.error.message, /evil words|code-1/);
  });
}

Deno.test("without the promise an iss may be absent, and still must not be wrong", async () => {
  const issuer = new TestIssuer();
  delete issuer.metadata.authorization_response_iss_parameter_supported;
  const authorization = await begin(issuer);
  assert.equal(readCallback(authorization, issuer.discovered, hit(authorization, { iss: "" })).kind, "code");
  assert.equal(
    readCallback(authorization, issuer.discovered, hit(authorization, { iss: "x" })).kind,
    "refused",
  );
});

Deno.test("a pasted address, which has no Host header, passes the same checks", async () => {
  const issuer = new TestIssuer();
  const authorization = await begin(issuer);
  const pasted = (url: string) => readCallback(authorization, issuer.discovered, new Request(url)).kind;
  assert.equal(pasted(hit(authorization).url), "code");
  assert.equal(pasted(hit(authorization).url.replace("127.0.0.1", "evil.example")), "ignored");
});

Deno.test("the default port may stand in Host or not", async () => {
  const issuer = new TestIssuer();
  const redirectUri = "http://localhost/callback";
  const authorization = await begin(issuer, { redirectUri });
  for (const host of ["localhost", "localhost:80"]) {
    const request = new Request(hit(authorization, {}, redirectUri), { headers: { host } });
    assert.equal(readCallback(authorization, issuer.discovered, request).kind, "code");
  }
});

// --- the exchange ----------------------------------------------------------------------------------------------

async function redeem(issuer: TestIssuer, route?: (authorization: Authorization) => Route) {
  const authorization = await begin(issuer);
  issuer.routes["/token"] = route?.(authorization) ??
    (async () => json(await issuer.tokens({}, { nonce: authorization.nonce, email: "ada@example.com" })));
  const callback = readCallback(authorization, issuer.discovered, hit(authorization));
  assert.ok(callback.kind === "code");
  const input = {
    metadata: issuer.discovered,
    client: { id: CLIENT },
    authorization,
    params: callback.params,
  };
  return { authorization, redeemed: redeemCode(issuer.http(), input) };
}

Deno.test("the code is exchanged with the verifier and the client id in the body, and never with Basic", async () => {
  const issuer = new TestIssuer();
  const { authorization, redeemed } = await redeem(issuer);
  const { tokens, keys } = await redeemed;
  assert.equal(tokens.claims.email, "ada@example.com");
  assert.equal(tokens.expiresAt, NOW + 3_600_000);
  assert.equal(tokens.receivedAt, NOW);
  assert.equal(keys.keys.length, 1);
  const [request] = issuer.requests;
  assert.equal(request?.headers.get("authorization"), null);
  assert.deepEqual(Object.fromEntries(request?.body ?? []), {
    grant_type: "authorization_code",
    client_id: CLIENT,
    code: "code-1",
    code_verifier: authorization.codeVerifier,
    redirect_uri: REDIRECT,
  });
});

const ANSWERS: [string, ErrorCode, RegExp, Record<string, unknown>][] = [
  ["no access_token", "NETWORK", /no access_token/, { access_token: undefined }],
  ["an access_token that would break a line", "NETWORK", /access_token is not a token/, {
    access_token: "a\nb",
  }],
  ["a refresh_token that is a number", "NETWORK", /refresh_token is not a token/, { refresh_token: 7 }],
  ["token_type mac", "INVALID_TOKEN", /type "mac", not "Bearer"/, { token_type: "mac" }],
  ["token_type dpop", "INVALID_TOKEN", /type "dpop"/, { token_type: "dpop" }],
  ["a token_type that is a number", "INVALID_TOKEN", /token of another type/, { token_type: 7 }],
  ["expires_in negative", "NETWORK", /expires_in is not a positive number/, { expires_in: -1 }],
  ["expires_in zero", "NETWORK", /expires_in is not a positive number/, { expires_in: 0 }],
  ["expires_in in words", "NETWORK", /expires_in is not a positive number/, { expires_in: "an hour" }],
  ["expires_in a text below zero", "NETWORK", /expires_in is not a positive number/, { expires_in: "-1" }],
  ["expires_in a list", "NETWORK", /expires_in is not a positive number/, { expires_in: [3600] }],
  ["no ID token", "INVALID_TOKEN", /sent no ID token/, { id_token: undefined }],
  ["an empty ID token", "INVALID_TOKEN", /sent no ID token/, { id_token: "" }],
  ["an empty access token", "NETWORK", /no access_token/, { access_token: "" }],
  ["an error beside status 200", "ISSUER_ERROR", /status 200, invalid_grant: used/, {
    error: "invalid_grant",
    error_description: "used",
    access_token: undefined,
  }],
  ["Google's error beside status 200", "ISSUER_ERROR", /INVALID_ARGUMENT: Bad code/, {
    error: { code: 400, status: "INVALID_ARGUMENT", message: "Bad code" },
  }],
];
for (const [name, code, words, change] of ANSWERS) {
  Deno.test(`a token answer with ${name} ends the sign-in with ${code}`, async () => {
    const issuer = new TestIssuer();
    const { redeemed } = await redeem(
      issuer,
      ({ nonce }) => async () => json(await issuer.tokens(change, { nonce })),
    );
    await expectRejection(redeemed, { code, message: words });
  });
}

/** What issuers send in other forms than RFC 6749 has, and what comes of it: the life in seconds, the refresh token. */
const DIALECTS: [
  string,
  Record<string, unknown>,
  life: number | undefined,
  refreshToken: string | undefined,
][] = [
  // Microsoft Entra v1 and ADFS.
  [
    "expires_in as text",
    { expires_in: "3599", ext_expires_in: "3599", not_before: "1780000000" },
    3599,
    "refresh-2",
  ],
  ["expires_in a fraction", { expires_in: 3599.5 }, 3599.5, "refresh-2"],
  ["expires_in a fraction as text", { expires_in: " 3599.5 " }, 3599.5, "refresh-2"],
  ["expires_in null", { expires_in: null }, undefined, "refresh-2"],
  ["expires_in empty", { expires_in: "" }, undefined, "refresh-2"],
  ["no token_type", { token_type: undefined }, 3600, "refresh-2"],
  ["token_type null", { token_type: null }, 3600, "refresh-2"],
  ["an empty token_type", { token_type: "" }, 3600, "refresh-2"],
  ["a scope that is a list", { scope: ["openid", "email"] }, 3600, "refresh-2"],
  ["an empty scope", { scope: "" }, 3600, "refresh-2"],
  ["an empty refresh token", { refresh_token: "" }, 3600, undefined],
  ["a refresh token null", { refresh_token: null }, 3600, undefined],
  ["an empty error", { error: "", error_description: "" }, 3600, "refresh-2"],
  ["an error null", { error: null }, 3600, "refresh-2"],
];
for (const [name, change, life, refreshToken] of DIALECTS) {
  Deno.test(`a token answer with ${name} is taken`, async () => {
    const issuer = new TestIssuer();
    const { redeemed } = await redeem(
      issuer,
      ({ nonce }) => async () => json(await issuer.tokens(change, { nonce })),
    );
    const { tokens } = await redeemed;
    assert.equal(tokens.accessToken, "access-1");
    assert.equal(tokens.refreshToken, refreshToken);
    assert.equal(tokens.expiresAt, life === undefined ? undefined : NOW + life * 1000);
  });
}

Deno.test("token_type is compared without case, expires_in may be absent or beyond every date", async () => {
  const issuer = new TestIssuer();
  const answer = (change: object) => ({ nonce }: Authorization) => async () =>
    json(await issuer.tokens({ ...change }, { nonce }));
  const absent = await redeem(issuer, answer({ token_type: "bEARER", expires_in: undefined }));
  assert.equal((await absent.redeemed).tokens.expiresAt, undefined);
  const endless = await redeem(issuer, answer({ expires_in: 1e300 }));
  assert.ok(!Number.isNaN(new Date((await endless.redeemed).tokens.expiresAt ?? NaN).getTime()));
});

for (
  const [name, code, route] of [
    [
      "a replayed code",
      "ISSUER_ERROR",
      () => json({ error: "invalid_grant", error_description: "used \u001b[1m" }, { status: 400 }),
    ],
    [
      "an unknown client",
      "ISSUER_ERROR",
      () => json({ error: "invalid_client" }, { status: 401, headers: { "www-authenticate": "Basic" } }),
    ],
    ["temporarily_unavailable", "NETWORK", () => json({ error: "temporarily_unavailable" }, { status: 400 })],
    [
      "HTML with 400",
      "NETWORK",
      () => new Response("invalid_grant", { status: 400, headers: { "content-type": "text/html" } }),
    ],
    ["HTML with 200", "NETWORK", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["a 500", "NETWORK", () => json({}, { status: 500 })],
    ["a redirect", "NETWORK", () => Response.redirect("https://evil.example/", 307)],
  ] as const
) {
  Deno.test(`${name} at the code's exchange is ${code}, asked once`, async () => {
    const issuer = new TestIssuer();
    const { redeemed } = await redeem(issuer, () => route);
    await expectRejection(redeemed, code);
    assert.deepEqual(issuer.paths(), ["/token"]);
  });
}

Deno.test("an ID token with a wrong nonce ends the sign-in", async () => {
  const issuer = new TestIssuer();
  const { redeemed } = await redeem(
    issuer,
    () => async () => json(await issuer.tokens({}, { nonce: "other" })),
  );
  await expectRejection(redeemed, "INVALID_TOKEN");
});

Deno.test("a sign-in under a wrong clock is CLOCK_SKEW by the answer's Date", async () => {
  const issuer = new TestIssuer();
  const { redeemed } = await redeem(issuer, ({ nonce }) => async () => {
    const answer = await issuer.tokens({}, { nonce, iat: NOW / 1000 + 600 });
    return json(answer, { headers: { date: new Date(NOW + 600_000).toUTCString() } });
  });
  await expectRejection(redeemed, "CLOCK_SKEW");
});
