/** Proves of every flow that a server which repeats what it was sent gets none of it into a message or the log. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { readCallback, redeemCode } from "../../src/oauth/authorization-code.ts";
import { type OAuthClient, oauthClient } from "../../src/oauth/client.ts";
import { clientCredentialsToken } from "../../src/oauth/grants/client-credentials.ts";
import { beginDevice, type DeviceCode, pollDevice } from "../../src/oauth/device.ts";
import type { IssuerMetadata } from "../../src/oauth/discovery.ts";
import type { HttpContext } from "../../src/http/bounded.ts";
import { jwtBearerToken } from "../../src/oauth/grants/jwt-bearer.ts";
import { refreshTokens } from "../../src/oauth/refresh.ts";
import { revokeTokens } from "../../src/oauth/revoke.ts";
import {
  pollStudioToken,
  revokeStudioToken,
  type StudioDevice,
} from "../../src/providers/studio/device-login.ts";
import { exchangeToken } from "../../src/oauth/grants/token-exchange.ts";
import { fetchUserInfo } from "../../src/oauth/userinfo.ts";
import { openAttempt } from "./attempt.ts";
import { CLIENT, ISSUER, NOW, TestIssuer } from "./issuer.ts";
import { TOKEN_ENDPOINT } from "./machine.ts";

const SENT = "SENT-by+us/100%";
const CLIENT_SECRET = "SENT-as the client's";

interface Flow {
  readonly metadata: IssuerMetadata;
  readonly client: OAuthClient;
  readonly retry: TestIssuer["retry"];
}

const metadataOf = (methods: string[]): IssuerMetadata => ({
  ...new TestIssuer().discovered,
  token_endpoint_auth_methods_supported: methods,
});

const device = {
  interval: 1,
  expiresAt: NOW + 900_000,
  deviceCode: SENT,
  userCode: "A",
  verificationUri: ISSUER,
};

const FLOWS: Readonly<Record<string, (http: HttpContext, flow: Flow) => Promise<unknown>>> = {
  "a refresh": (http, { metadata, client, retry }) =>
    refreshTokens(http, {
      metadata,
      client,
      refreshToken: SENT,
      expected: { issuer: ISSUER, subject: "user-1" },
      ...retry,
    }),
  "a revocation": (http, { metadata, client }) =>
    revokeTokens(http, { metadata, client, refreshToken: SENT, accessToken: SENT }),
  "the asking for a device code": (http, { metadata, client }) =>
    beginDevice(http, { metadata, client, scopes: ["openid"] }),
  "the polling for a device": (http, { metadata, client, retry }) =>
    pollDevice(http, { metadata, client, device: device as DeviceCode, sleep: retry.sleep }),
  "the redeeming of a code": async (http, { metadata, client }) => {
    const { authorization } = await openAttempt(
      Promise.reject(new Error("unused")).catch(() => ({} as never)),
    );
    const params = new URLSearchParams({ code: SENT, state: authorization.state, iss: ISSUER });
    const callback = readCallback(
      authorization,
      metadata,
      new Request(`${authorization.redirectUri}?${params}`),
    );
    assert.ok(callback.kind === "code");
    return await redeemCode(http, { metadata, client, authorization, params: callback.params });
  },
  "the question who it is": (http, { metadata }) =>
    fetchUserInfo(http, { metadata, accessToken: SENT, subject: "user-1" }),
  "client credentials": (http, { metadata, client, retry }) =>
    clientCredentialsToken(http, {
      tokenEndpoint: TOKEN_ENDPOINT,
      client,
      methods: metadata.token_endpoint_auth_methods_supported,
      ...retry,
    }),
  "an exchange": (http, { metadata, client, retry }) =>
    exchangeToken(http, {
      tokenEndpoint: TOKEN_ENDPOINT,
      client,
      methods: metadata.token_endpoint_auth_methods_supported,
      subjectToken: SENT,
      ...retry,
    }),
  "an assertion": (http, { metadata, client, retry }) =>
    jwtBearerToken(http, {
      tokenEndpoint: TOKEN_ENDPOINT,
      client,
      methods: metadata.token_endpoint_auth_methods_supported,
      assertion: () => Promise.resolve(SENT),
      ...retry,
    }),
  "Studio's polling": (http, { retry }) =>
    pollStudioToken(
      http,
      { ...device, tokenUri: `${ISSUER}/${encodeURIComponent(SENT)}` } as unknown as StudioDevice,
      retry,
    ),
  "Studio's revocation": (http) => revokeStudioToken(http, { host: ISSUER, token: SENT }),
};

/** All that a request carries, as it came and decoded. */
async function carried(request: Request): Promise<string> {
  const header = request.headers.get("authorization") ?? "";
  const basic = header.startsWith("Basic ") ? atob(header.slice("Basic ".length)) : "";
  const body = await request.text();
  const form = new URLSearchParams(body.startsWith("{") ? "" : body);
  return [header, basic, decodeURIComponent(basic.replaceAll("+", " ")), body, ...form.values()].join(" ");
}

/** What a server says that repeats everything, in all the places that words are taken from. */
const ANSWERS: readonly (readonly [string, (words: string) => Response])[] = [
  ...[400, 401, 403, 429, 500].map((status) =>
    [
      `a ${status}`,
      (words: string) =>
        Response.json({ error: `no ${words}`, error_description: words, message: words, detail: words }, {
          status,
        }),
    ] as const
  ),
  [
    "an invalid_grant",
    (words) => Response.json({ error: "invalid_grant", error_description: words }, { status: 400 }),
  ],
  [
    "an access_denied",
    (words) =>
      Response.json({ error: "access_denied", error_description: words, detail: `access_denied ${words}` }, {
        status: 400,
      }),
  ],
  [
    "an expired_token",
    (words) => Response.json({ error: "expired_token", error_description: words }, { status: 400 }),
  ],
  [
    "a server_error",
    (words) => Response.json({ error: "server_error", error_description: words }, { status: 400 }),
  ],
  [
    "a success of another type",
    (words) => Response.json({ access_token: "a", token_type: words }, { status: 200 }),
  ],
  [
    "an answer of a type that is",
    (words) =>
      new Response("{}", { status: 400, headers: { "content-type": `x/${encodeURIComponent(words)}` } }),
  ],
];

for (const [name, ask] of Object.entries(FLOWS)) {
  for (const method of ["client_secret_basic", "client_secret_post"]) {
    Deno.test(`${name}, with ${method}: nothing that a server repeats of what it was sent is said`, async () => {
      for (const [what, answer] of ANSWERS) {
        const issuer = new TestIssuer();
        let asked = 0;
        const http = issuer.http({
          fetch: async (input, init) => {
            assert.ok(asked++ < 100, "it goes on asking");
            issuer.time += 10_000;
            return answer(await carried(new Request(String(input), init)));
          },
        });
        const flow = {
          metadata: metadataOf([method]),
          client: oauthClient(CLIENT, CLIENT_SECRET),
          retry: issuer.retry,
        };
        const error = await ask(http, flow).then((value) => value, (error) => error);
        assert.ok(asked > 0);
        if (!(error instanceof AppError)) continue; // a 401 of userinfo says that the token has ended
        const said = [error.message, error.hint, JSON.stringify(error.cause), ...issuer.log].join(" ");
        assert.doesNotMatch(said, /SENT/, what);
        assert.ok(!said.includes(btoa(`${CLIENT}:`).slice(0, 12)), what);
      }
    });
  }
}
