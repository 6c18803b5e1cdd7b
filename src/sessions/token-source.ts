/** Asks for a token with what a session holds for that: a client's secret, a key, a token, or a CI system's token. */

import { AppError } from "../errors.ts";
import { HINTS } from "../hints.ts";
import { printable } from "../text.ts";
import type { HttpContext } from "../http/bounded.ts";
import { type OAuthClient, oauthClient } from "../oauth/client.ts";
import { discoverIssuer } from "../oauth/discovery.ts";
import type { AccessToken } from "../oauth/grants/access-token.ts";
import { clientCredentialsToken } from "../oauth/grants/client-credentials.ts";
import { jwtBearerToken, signAssertion } from "../oauth/grants/jwt-bearer.ts";
import { exchangePersonalAccessToken } from "../oauth/grants/personal-access-token.ts";
import { exchangeToken } from "../oauth/grants/token-exchange.ts";
import { githubToken, readWorkloadToken, type WorkloadToken } from "../oauth/grants/workload.ts";
import { endpointGone } from "../oauth/issuer-request.ts";
import { askServerTime } from "../oauth/server-time.ts";
import type { Host } from "../system/host.ts";
import { credentialOfJob } from "./ci-job.ts";
import type { SourceCredentials, TokenEndpoint, TokenSource } from "./source-credentials.ts";

/** A source that issues tokens; the others hold one that somebody gave. */
export type IssuingSource = Exclude<TokenSource, { readonly kind: "fixed" | "sign-in" }>;

type SourceOf<Kind extends IssuingSource["kind"]> = Extract<IssuingSource, { readonly kind: Kind }>;

/** What a service account asks for whose key file names no scope: ZITADEL refuses a request without any. */
const SERVICE_ACCOUNT_SCOPE = "openid profile email offline_access";

/** An issued token, and its source with what was learned on the way. */
export interface IssuedToken {
  readonly token: AccessToken;
  readonly source: IssuingSource;
}

/** One question for a token. */
interface Asking {
  readonly http: HttpContext;
  readonly env: Host["env"];
  readonly client: OAuthClient;
  readonly credentials: Pick<SourceCredentials, "clientId" | "apiHost" | "issuer">;
  /** How long it is waited before a request is sent again. */
  readonly patience: Pick<Host, "sleep" | "random">;
}

/**
 * Asks a source once for a token.
 *
 * @throws {AppError} without a session's name: `SESSION_REJECTED` when the credential is refused, `NO_WORKLOAD_TOKEN` when
 * the CI system gives this job none, `INVALID_TOKEN`, `NETWORK`, `ISSUER_ERROR`, `CLOCK_SKEW`.
 */
export async function requestToken(
  http: HttpContext,
  { env, sleep, random }: Pick<Host, "env" | "sleep" | "random">,
  credentials: Pick<SourceCredentials, "clientId" | "clientSecret" | "apiHost" | "issuer">,
  source: IssuingSource,
): Promise<IssuedToken> {
  const client = oauthClient(credentials.clientId, credentials.clientSecret);
  const asking = { http, env, client, credentials, patience: { sleep, random } };
  switch (source.kind) {
    case "client-credentials":
      return await byClientCredentials(asking, source);
    case "service-account":
      return await byServiceAccount(asking, source);
    case "personal-access-token":
      return await byPersonalAccessToken(asking, source);
    case "workload":
      return await byWorkload(asking, source);
  }
}

async function byClientCredentials(
  asking: Asking,
  source: SourceOf<"client-credentials">,
): Promise<IssuedToken> {
  const { http, client, patience } = asking;
  const { token, known } = await atEndpoint(
    asking,
    source,
    ({ tokenEndpoint, authMethods: methods = [] }) =>
      clientCredentialsToken(http, { tokenEndpoint, methods, client, scope: source.scope, ...patience }),
  );
  return { token, source: { ...source, ...known } };
}

async function byServiceAccount(asking: Asking, source: SourceOf<"service-account">): Promise<IssuedToken> {
  const { http, credentials: { clientId }, patience } = asking;
  const { keyId, privateKey, audience, scope = SERVICE_ACCOUNT_SCOPE } = source;
  const key = { clientId, keyId, privateKey };
  const assertion = () => signAssertion(key, { audience, now: http.now() });
  const { token, known } = await atEndpoint(
    asking,
    source,
    ({ tokenEndpoint }) =>
      jwtBearerToken(http, { tokenEndpoint, parameters: source, assertion, keyId, scope, ...patience }),
  );
  return { token, source: { ...source, ...known } };
}

async function byPersonalAccessToken(
  { http, credentials: { apiHost }, patience }: Asking,
  source: SourceOf<"personal-access-token">,
): Promise<IssuedToken> {
  const token = await exchangePersonalAccessToken(http, { apiHost, token: source.token, ...patience });
  return { token, source };
}

async function byWorkload(asking: Asking, source: SourceOf<"workload">): Promise<IssuedToken> {
  const { http, client, credentials: { apiHost, issuer }, patience } = asking;
  const { audience, exchange } = source;
  const own = await workloadToken(asking, source);
  const judge = exchange === undefined ? `https://${apiHost}` : issuer;
  const serverTime = () => askServerTime(http, judge);
  const checked = await readWorkloadToken(own, { audience, now: http.now(), serverTime });
  if (exchange === undefined) return { token: checked, source };
  const { token, known } = await atEndpoint(
    asking,
    exchange,
    ({ tokenEndpoint, authMethods: methods = [] }) => {
      const request = {
        tokenEndpoint,
        methods,
        client,
        parameters: exchange,
        scope: exchange.scope,
        ...patience,
      };
      return exchange.grant === "jwt-bearer"
        ? jwtBearerToken(http, { ...request, assertion: () => Promise.resolve(own.token) })
        : exchangeToken(http, { ...request, subjectToken: own.token });
    },
  );
  return { token, source: { ...source, exchange: { ...exchange, ...known } } };
}

interface KnownEndpoint {
  readonly tokenEndpoint: string;
  readonly authMethods?: readonly string[] | undefined;
}

/** Asks for a token where the issuer gives them: discovered once when that is unknown, and again when it is gone. */
async function atEndpoint(
  { http, credentials: { issuer } }: Asking,
  { tokenEndpoint, authMethods }: TokenEndpoint,
  ask: (endpoint: KnownEndpoint) => Promise<AccessToken>,
): Promise<{ readonly token: AccessToken; readonly known: KnownEndpoint }> {
  if (tokenEndpoint === undefined) {
    const known = await discoveredEndpoint(http, issuer);
    return { token: await ask(known), known };
  }
  const known = { tokenEndpoint, authMethods };
  try {
    return { token: await ask(known), known };
  } catch (thrown) {
    if (!endpointGone(thrown)) throw thrown;
    const moved = await discoveredEndpoint(http, issuer).catch(() => undefined);
    if (moved === undefined || moved.tokenEndpoint === tokenEndpoint) throw thrown;
    return { token: await ask(moved), known: moved };
  }
}

async function discoveredEndpoint(http: HttpContext, issuer: string): Promise<KnownEndpoint> {
  const metadata = await discoverIssuer(http, issuer);
  return {
    tokenEndpoint: metadata.token_endpoint,
    authMethods: metadata.token_endpoint_auth_methods_supported,
  };
}

/**
 * The CI system's own token.
 *
 * @throws {AppError} `NO_WORKLOAD_TOKEN`, saying what the job lacks.
 */
async function workloadToken(
  { http, env, patience }: Asking,
  { source, audience }: SourceOf<"workload">,
): Promise<WorkloadToken> {
  const own = await credentialOfJob(env, source);
  const none = (message: string, hint: string) => new AppError("NO_WORKLOAD_TOKEN", message, { hint });
  switch (source.kind) {
    case "github": {
      const requestUrl = env("ACTIONS_ID_TOKEN_REQUEST_URL");
      if (requestUrl !== undefined && own !== undefined) {
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
