/** Owns how a recipe is followed: one credential or CI token, traded where its session says. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import { oauthClient } from "../oauth/client.ts";
import { clientCredentialsToken } from "../oauth/grants/client-credentials.ts";
import { discoverIssuer } from "../oauth/discovery.ts";
import type { HttpContext } from "../http/bounded.ts";
import { endpointGone } from "../oauth/issuer-request.ts";
import { jwtBearerToken, signAssertion } from "../oauth/grants/jwt-bearer.ts";
import type { AccessToken } from "../oauth/grants/access-token.ts";
import { exchangePersonalAccessToken } from "../oauth/grants/personal-access-token.ts";
import { askServerTime } from "../oauth/server-time.ts";
import { exchangeToken } from "../oauth/grants/token-exchange.ts";
import { githubToken, readWorkloadToken, type WorkloadToken } from "../oauth/grants/workload.ts";
import { pause } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import type { SourceCredentials, TokenEndpoint, TokenSource, WorkloadSource } from "./credentials.ts";
import { credentialOfJob } from "./ci-job.ts";

/** A recipe by which tokens are made; the others hold what somebody gave. */
export type IssuingSource = Exclude<TokenSource, { readonly kind: "fixed" | "sign-in" }>;

/** What a service account asks for whose key file names no scope: ZITADEL refuses a request without any. */
const SERVICE_ACCOUNT_SCOPE = "openid profile email offline_access";

/** What a recipe brought, and the recipe with what was learned on the way. */
export interface IssuedToken {
  readonly minted: AccessToken;
  readonly recipe: IssuingSource;
}

/**
 * Follows a recipe once. What it throws knows no session's name: `SESSION_REJECTED` when the credential is refused,
 * `NO_WORKLOAD_TOKEN` when the CI system gives this job none, `INVALID_TOKEN`, `NETWORK`, `ISSUER_ERROR`, `CLOCK_SKEW`.
 */
export async function requestToken(
  http: HttpContext,
  env: Environment,
  credentials: SourceCredentials,
  recipe: IssuingSource,
): Promise<IssuedToken> {
  const { clientId, clientSecret, apiHost, issuer } = credentials;
  const patience = { sleep: pause, random: Math.random };
  const client = oauthClient(clientId, clientSecret);
  switch (recipe.kind) {
    case "client-credentials": {
      const { minted, known } = await atEndpoint(
        http,
        issuer,
        recipe,
        ({ tokenEndpoint, authMethods }) =>
          clientCredentialsToken(http, {
            tokenEndpoint,
            methods: authMethods ?? [],
            client,
            scope: recipe.scope,
            ...patience,
          }),
      );
      return { minted, recipe: { ...recipe, ...known } };
    }
    case "service-account": {
      const { keyId, privateKey, audience, scope = SERVICE_ACCOUNT_SCOPE } = recipe;
      const key = { clientId, keyId, privateKey };
      const { minted, known } = await atEndpoint(
        http,
        issuer,
        recipe,
        ({ tokenEndpoint }) =>
          jwtBearerToken(http, {
            tokenEndpoint,
            parameters: recipe,
            assertion: () => signAssertion(key, { audience, now: http.now() }),
            keyId,
            scope,
            ...patience,
          }),
      );
      return { minted, recipe: { ...recipe, ...known } };
    }
    case "personal-access-token":
      return {
        minted: await exchangePersonalAccessToken(http, { apiHost, token: recipe.token, ...patience }),
        recipe,
      };
    case "workload": {
      const { audience } = recipe;
      const own = await workloadToken(http, env, recipe.source, audience);
      const judge = recipe.exchange === undefined ? `https://${apiHost}` : issuer;
      const serverTime = () => askServerTime(http, judge);
      const checked = await readWorkloadToken(own, { audience, now: http.now(), serverTime });
      if (recipe.exchange === undefined) return { minted: checked, recipe };
      const { grant, scope } = recipe.exchange;
      const parameters = recipe.exchange;
      const { minted, known } = await atEndpoint(
        http,
        issuer,
        recipe.exchange,
        ({ tokenEndpoint, authMethods }) => {
          const common = {
            tokenEndpoint,
            methods: authMethods ?? [],
            client,
            parameters,
            scope,
            ...patience,
          };
          return grant === "jwt-bearer"
            ? jwtBearerToken(http, { ...common, assertion: () => Promise.resolve(own.token) })
            : exchangeToken(http, { ...common, subjectToken: own.token });
        },
      );
      return { minted, recipe: { ...recipe, exchange: { ...recipe.exchange, ...known } } };
    }
  }
}

interface KnownEndpoint {
  readonly tokenEndpoint: string;
  readonly authMethods?: readonly string[] | undefined;
}

/** Asks for a token where the issuer gives them: it is asked once where that is, and again when that is gone. */
async function atEndpoint(
  http: HttpContext,
  issuer: string,
  { tokenEndpoint, authMethods }: TokenEndpoint,
  ask: (endpoint: KnownEndpoint) => Promise<AccessToken>,
): Promise<{ readonly minted: AccessToken; readonly known: KnownEndpoint }> {
  if (tokenEndpoint === undefined) {
    const known = await discoveredEndpoint(http, issuer);
    return { minted: await ask(known), known };
  }
  const known = { tokenEndpoint, authMethods };
  try {
    return { minted: await ask(known), known };
  } catch (thrown) {
    if (!endpointGone(thrown)) throw thrown;
    const moved = await discoveredEndpoint(http, issuer).catch(() => undefined);
    if (moved === undefined || moved.tokenEndpoint === tokenEndpoint) throw thrown;
    return { minted: await ask(moved), known: moved };
  }
}

async function discoveredEndpoint(http: HttpContext, issuer: string): Promise<KnownEndpoint> {
  const metadata = await discoverIssuer(http, issuer);
  const methods = metadata.token_endpoint_auth_methods_supported;
  return {
    tokenEndpoint: metadata.token_endpoint,
    authMethods: methods,
  };
}

/** The CI system's own token. Throws `NO_WORKLOAD_TOKEN`, saying what the job lacks. */
async function workloadToken(
  http: HttpContext,
  env: Environment,
  source: WorkloadSource,
  audience: string,
): Promise<WorkloadToken> {
  const own = await credentialOfJob(env, source);
  const none = (message: string, hint: string) => new AppError("NO_WORKLOAD_TOKEN", message, { hint });
  switch (source.kind) {
    case "github": {
      const requestUrl = env("ACTIONS_ID_TOKEN_REQUEST_URL");
      if (requestUrl !== undefined && own !== undefined) {
        const patience = { sleep: pause, random: Math.random };
        return await githubToken(http, { requestUrl, requestToken: own, audience, ...patience });
      }
      throw none(
        "GitHub offers this job no token: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set.",
        "Give the job the permission id-token: write.",
      );
    }
    case "variable":
      if (own !== undefined) return { token: own };
      throw none(
        `The variable ${source.name} is not set.`,
        `Define it under id_tokens in the job, with the audience ${printable(audience)}.`,
      );
    case "file":
      if (own !== undefined) return { token: own };
      throw none(
        `The token's file ${printable(source.path)} does not exist.`,
        HINTS.NOT_SIGNED_IN.noTokenFile,
      );
  }
}
