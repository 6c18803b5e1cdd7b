/** What tests of machines' credentials share: every way to trade one, at a test's issuer. */

import { oauthClient } from "../../src/oauth/client.ts";
import { clientCredentialsToken } from "../../src/oauth/grants/client-credentials.ts";
import type { HttpContext } from "../../src/http/bounded.ts";
import { jwtBearerToken } from "../../src/oauth/grants/jwt-bearer.ts";
import { exchangePersonalAccessToken } from "../../src/oauth/grants/personal-access-token.ts";
import { exchangeToken } from "../../src/oauth/grants/token-exchange.ts";
import { githubToken } from "../../src/oauth/grants/workload.ts";
import { ISSUER, type Route, TestIssuer } from "./issuer.ts";

export const TOKEN_ENDPOINT = `${ISSUER}/token`;
export const PAT = "dtmp_SECRET-personal";

/** One way to trade a credential: where it goes, and whether the credential has times of its own. */
export interface Trade {
  readonly name: string;
  readonly path: string;
  readonly secret: string;
  readonly timeBound: boolean;
  /** What a good answer holds, for a token of that text. */
  readonly good: (token: string) => Record<string, unknown>;
  readonly ask: (
    issuer: TestIssuer,
    more?: Partial<HttpContext>,
  ) => Promise<{ readonly accessToken: string }>;
}

const bearer = (access_token: string) => ({ access_token, token_type: "Bearer", expires_in: 300 });

export const TRADES: readonly Trade[] = [
  {
    name: "client credentials",
    path: "/token",
    secret: "client-SECRET",
    timeBound: false,
    good: bearer,
    ask: (issuer, more) =>
      clientCredentialsToken(issuer.http(more), {
        tokenEndpoint: TOKEN_ENDPOINT,
        client: oauthClient("id-1", "client-SECRET"),
        ...issuer.retry,
      }),
  },
  {
    name: "an assertion",
    path: "/token",
    secret: "assertion-SECRET",
    timeBound: true,
    good: bearer,
    ask: (issuer, more) =>
      jwtBearerToken(issuer.http(more), {
        tokenEndpoint: TOKEN_ENDPOINT,
        assertion: () => Promise.resolve("assertion-SECRET"),
        ...issuer.retry,
      }),
  },
  {
    name: "a workload's token",
    path: "/token",
    secret: "subject-SECRET",
    timeBound: true,
    good: bearer,
    ask: (issuer, more) =>
      exchangeToken(issuer.http(more), {
        tokenEndpoint: TOKEN_ENDPOINT,
        client: oauthClient("id-1"),
        subjectToken: "subject-SECRET",
        ...issuer.retry,
      }),
  },
  {
    name: "a personal access token",
    path: "https://api.example/datum-os/oauth/token/exchange",
    secret: PAT,
    timeBound: false,
    good: bearer,
    ask: (issuer, more) =>
      exchangePersonalAccessToken(issuer.http(more), {
        apiHost: "api.example",
        token: PAT,
        ...issuer.retry,
      }),
  },
  {
    name: "GitHub's request token",
    path: "https://token.example/request?api-version=2&audience=cloud",
    secret: "request-SECRET",
    timeBound: false,
    good: (value) => ({ value, count: 1 }),
    ask: async (issuer, more) => {
      const { token } = await githubToken(issuer.http(more), {
        requestUrl: "https://token.example/request?api-version=2",
        requestToken: "request-SECRET",
        audience: "cloud",
        ...issuer.retry,
      });
      return { accessToken: token };
    },
  },
];

/** A test's issuer that answers that path as told. */
export function answering(path: string, ...answers: Route[]): TestIssuer {
  const issuer = new TestIssuer();
  issuer.routes[path] = answers;
  return issuer;
}
