/** The OpenID provider: `oidc-provider` set up as Zitadel answers, its sign-in pages, and its forgeries. */

import type { IncomingMessage, RequestListener } from "node:http";
import { createLocalJWKSet, decodeJwt, jwtVerify, SignJWT } from "jose";
import type { JWK, JWTPayload } from "jose";
// The package's own entry warns on every start that Deno is not Node.js; its provider module does not.
// @ts-types="oidc-provider/types"
import { Provider } from "npm:oidc-provider@9.13.3/lib/provider.js";
import * as policyModule from "npm:oidc-provider@9.13.3/lib/helpers/interaction_policy/index.js";
import type { Configuration, interactionPolicy, KoaContextWithOIDC } from "oidc-provider/types";

import type { Counts } from "./counts.ts";
import type { Endpoint, Fault, FaultBoard } from "./faults.ts";
import { faultAnswer, overlaid, pause } from "./faults.ts";
import { forgery } from "./forgeries.ts";
import { choosePage, deviceCodePage, deviceConfirmPage, messagePage } from "./pages.ts";
import type { SecretRecord } from "./secrets.ts";
import { makeSigningKey, signingKey } from "./signing-keys.ts";
import { makeStore } from "./store.ts";
import type { GrantAnswer } from "./token-grants.ts";
import { type Dialect, inZitadelsWords } from "./zitadel-words.ts";
import type { User } from "./users.ts";
import { USERS } from "./users.ts";

const { base, Prompt } = policyModule as unknown as typeof interactionPolicy;

/** Where the endpoints lie: Zitadel's paths. */
const PATHS = {
  discovery: "/.well-known/openid-configuration",
  jwks: "/oauth/v2/keys",
  authorization: "/oauth/v2/authorize",
  token: "/oauth/v2/token",
  revocation: "/oauth/v2/revoke",
  userinfo: "/oidc/v1/userinfo",
  device_authorization: "/oauth/v2/device_authorization",
} as const satisfies Partial<Record<Endpoint, string>>;

const DEVICE_PAGE = "/device";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** How this issuer behaves. */
export interface IssuerOptions {
  /** The issuer identifier. */
  readonly url: string;
  readonly clientId: string;
  readonly redirectUris: readonly string[];
  readonly faults: FaultBoard;
  readonly counts: Counts;
  readonly secrets: SecretRecord;
  /** Ends every wait when the cloud closes. */
  readonly closing: AbortSignal;
  /** Seconds, asked whenever a token is issued. */
  readonly accessTokenLife: () => number;
  readonly idTokenLife: () => number;
  /** `asked`: a refresh token whenever `offline_access` is asked; `consent`: only with `prompt=consent`. */
  readonly offlineAccess: "asked" | "consent";
  /** False: refresh tokens stay the same, as at issuers that do not rotate. */
  readonly rotation: boolean;
  /** Seconds between two polls for a device code. */
  readonly deviceInterval: number;
  /** How refusals are worded. */
  readonly dialect: Dialect;
  /** Answers the grants of machines; nothing for those of people. */
  machineGrant(form: URLSearchParams, authorization: string): Promise<GrantAnswer | undefined>;
  /** The grant types of the metadata, given those of people. */
  grantTypes(others: readonly string[]): string[];
}

/** A running issuer, without its listener. */
export interface Issuer {
  readonly handler: RequestListener;
  /** The user of a valid, unexpired, unrevoked access token. */
  userOfAccessToken(token: string): Promise<User | undefined>;
  /** The user of an ID token that this issuer signed for its client and that has not expired. */
  userOfIdToken(token: string): Promise<User | undefined>;
  /** Signs claims as they are with the key of the moment. */
  sign(claims: JWTPayload): Promise<string>;
  /** Ends sign-ins (refresh tokens are refused), or only takes the access tokens away. */
  revoke(what: "grants" | "access-tokens", user: User | undefined): void;
  /** Signs with a new key from now on; the JWKS has the new key only. */
  rotateKeys(): Promise<void>;
}

/** Makes the issuer. */
export async function makeIssuer(options: IssuerOptions): Promise<Issuer> {
  const { faults, counts } = options;
  const store = makeStore(Date.now);
  let key = await signingKey("issuer");

  const provider = new Provider(
    options.url,
    configuration(options, key.privateJwk, (model) => store.adapter(model)),
  );
  // Koa's way to leave errors of a request off the console; the answer says what went wrong.
  provider.silent = true;

  // One token request at a time, so that two with one refresh token cannot both slip past the reuse detection.
  let tokenQueue: Promise<unknown> = Promise.resolve();
  const oneAtATime = (work: () => Promise<void>): Promise<void> => {
    const turn = tokenQueue.then(work);
    tokenQueue = turn.catch(() => {});
    return turn;
  };

  provider.use(async (context, next) => {
    const ctx = context as unknown as KoaContextWithOIDC;
    const endpoint = endpointOf(ctx.path);
    counts.add("total");
    counts.add(endpoint);
    const fault = faults.take(endpoint);
    if (faults.faults.clockOffset !== undefined) {
      ctx.set("Date", new Date(Date.now() + faults.faults.clockOffset * 1000).toUTCString());
    }
    if (fault?.slow !== undefined) {
      await pause(fault.slow, options.closing);
      if (options.closing.aborted || ctx.req.socket.destroyed) {
        ctx.respond = false;
        return;
      }
    }
    if (fault !== undefined && await answerFault(ctx, fault, endpoint, options)) return;

    if (endpoint === "token") await answerToken(ctx, next);
    else if (endpoint === "jwks") ctx.body = { keys: [key.publicJwk] };
    else if (ctx.path.startsWith("/interaction/")) await interaction(provider, ctx);
    else {
      beginAnew(ctx, options);
      await next();
    }
    await finish(ctx, endpoint);
    if (fault?.lostAnswer) drop(ctx);
    if (fault?.thenStatus !== undefined) {
      ctx.status = fault.thenStatus;
      ctx.type = "text";
      ctx.body = "fault\n";
    }
  });

  const answerToken = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const body = await readBody(ctx.req);
    const form = new URLSearchParams(new TextDecoder().decode(body));
    ctx.state.form = Object.fromEntries(form);
    const machine = await options.machineGrant(form, ctx.get("authorization"));
    if (machine === undefined) {
      replay(ctx.req, body);
      return await oneAtATime(next);
    }
    ctx.set("Cache-Control", "no-store");
    ctx.status = machine.status;
    ctx.body = machine.body;
  };

  const finish = async (ctx: KoaContextWithOIDC, endpoint: Endpoint): Promise<void> => {
    await answer(ctx, endpoint);
    if (endpoint === "token" || endpoint === "device_authorization") {
      options.secrets.note(endpoint === "token" ? formOf(ctx) : ctx.oidc.params);
      options.secrets.note(asObject(ctx.body));
    } else if (endpoint === "authorization" || endpoint === "page") {
      if (endpoint === "authorization") options.secrets.note(ctx.oidc.params);
      options.secrets.note(redirectParameters(ctx));
    }
  };

  const answer = async (ctx: KoaContextWithOIDC, endpoint: Endpoint): Promise<void> => {
    const board = faults.faults;
    switch (endpoint) {
      case "discovery":
        ctx.body = overlaid({
          ...asObject(ctx.body),
          prompt_values_supported: PROMPTS,
          grant_types_supported: options.grantTypes(asObject(ctx.body).grant_types_supported as string[]),
        }, board.discoveryAnswer);
        return;
      case "device_authorization":
        if (ctx.status === 200) {
          ctx.body = overlaid(
            { ...asObject(ctx.body), interval: options.deviceInterval },
            board.deviceAnswer,
          );
        }
        return;
      case "token":
        counts.add(`token:${grantName(formOf(ctx).grant_type)}`);
        if (ctx.status === 200) {
          ctx.body = overlaid(await rewritten(asObject(ctx.body), ctx), board.tokenAnswer);
        } else if (options.dialect === "zitadel") {
          const refusal = { status: ctx.status, body: asObject(ctx.body) };
          const { status, body } = inZitadelsWords(String(formOf(ctx).grant_type), refusal);
          ctx.status = status;
          ctx.body = body;
        }
        return;
      default:
        forgeRedirect(ctx);
    }
  };

  /** The token answer with its ID token signed anew: with `at_hash`, and with what the forgery changes. */
  const rewritten = async (
    answer: Record<string, unknown>,
    ctx: KoaContextWithOIDC,
  ): Promise<Record<string, unknown>> => {
    if (typeof answer.id_token !== "string") return answer;
    const { clockOffset = 0, forgery: name } = faults.faults;
    const honest = decodeJwt(answer.id_token);
    const row = forgery(name);
    const touched = row?.on === undefined || formOf(ctx).grant_type === "refresh_token";
    if (row?.rotates) key = await makeSigningKey();
    const claims: JWTPayload = {
      ...honest,
      iat: Number(honest.iat) + clockOffset,
      exp: Number(honest.exp) + clockOffset,
      at_hash: await halfHash(String(answer.access_token)),
    };
    const forged = touched && row?.claims !== undefined ? row.claims(claims) : claims;
    const idToken = touched && row?.sign !== undefined
      ? await row.sign(forged, key)
      : await new SignJWT(forged).setProtectedHeader({ alg: "RS256", kid: key.kid }).sign(key.privateKey);
    return { ...answer, id_token: idToken };
  };

  const redirectParameters = (ctx: KoaContextWithOIDC): Record<string, string> => {
    const location = ctx.response.get("location");
    return URL.canParse(location) ? Object.fromEntries(new URL(location).searchParams) : {};
  };

  let before = new URLSearchParams();
  const forgeRedirect = (ctx: KoaContextWithOIDC): void => {
    const location = ctx.response.get("location");
    if (!options.redirectUris.some((uri) => samePlace(uri, location))) return;
    const target = new URL(location);
    const honest = new URLSearchParams(target.searchParams);
    forgery(faults.faults.forgery)?.redirect?.(target.searchParams, before);
    before = honest;
    ctx.set("Location", target.href);
  };

  return {
    handler: provider.callback(),
    userOfAccessToken: async (token) => {
      const found = await provider.AccessToken.find(token);
      return found?.isValid === true ? userBySub(found.accountId) : undefined;
    },
    userOfIdToken: async (token) => {
      try {
        const { payload } = await jwtVerify(token, createLocalJWKSet(key.set), {
          issuer: options.url,
          audience: options.clientId,
          algorithms: ["RS256"],
          requiredClaims: ["exp", "sub"],
        });
        return userBySub(payload.sub);
      } catch {
        return undefined;
      }
    },
    sign: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: key.kid }).sign(key.privateKey),
    revoke: (what, user) => {
      store.drop(
        what === "grants" ? ["Grant", "RefreshToken", "AccessToken", "AuthorizationCode"] : ["AccessToken"],
        user?.sub,
      );
    },
    rotateKeys: async () => {
      key = await makeSigningKey();
    },
  };
}

const PROMPTS = ["none", "login", "consent", "select_account"];

function configuration(
  options: IssuerOptions,
  signingKey: JWK,
  adapter: NonNullable<Configuration["adapter"]>,
): Configuration {
  const policy = base();
  policy.add(new Prompt({ name: "select_account", requestable: true }), 0);
  return {
    adapter,
    jwks: { keys: [signingKey as never] },
    clients: [{
      client_id: options.clientId,
      client_name: "datumctl",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", DEVICE_GRANT],
      response_types: ["code"],
      redirect_uris: [...options.redirectUris],
    }],
    routes: {
      authorization: PATHS.authorization,
      token: PATHS.token,
      revocation: PATHS.revocation,
      userinfo: PATHS.userinfo,
      jwks: PATHS.jwks,
      device_authorization: PATHS.device_authorization,
      code_verification: DEVICE_PAGE,
    },
    scopes: ["openid", "offline_access"],
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username"],
    },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: [crypto.randomUUID()] },
    clientBasedCORS: () => false,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed("refresh_token") && source.scopes.has("offline_access"),
    rotateRefreshToken: options.rotation,
    findAccount: (_ctx, sub) => {
      const user = userBySub(sub);
      return user === undefined ? undefined : {
        accountId: user.sub,
        claims: () => ({
          sub: user.sub,
          email: user.email,
          email_verified: true,
          name: user.name,
          preferred_username: user.email,
        }),
      };
    },
    renderError: (ctx, out) => {
      ctx.type = "html";
      ctx.body = messagePage("This did not work", `${out.error}: ${out.error_description ?? ""}`);
    },
    interactions: { policy },
    ttl: {
      AccessToken: options.accessTokenLife,
      IdToken: options.idTokenLife,
      AuthorizationCode: 60,
      RefreshToken: 14 * 24 * 3600,
      DeviceCode: 600,
      Interaction: 3600,
      Session: 24 * 3600,
      Grant: 14 * 24 * 3600,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: { enabled: false },
      dPoP: { enabled: false },
      userinfo: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, _form, _out, problem) => {
          const code = typeof ctx.state.userCode === "string" ? ctx.state.userCode : "";
          ctx.type = "html";
          ctx.body = deviceCodePage(
            DEVICE_PAGE,
            formSecret(ctx),
            code,
            problem && deviceProblem(problem.name),
          );
        },
        userCodeConfirmSource: (ctx, _form, _client, _device, code) => {
          ctx.type = "html";
          ctx.body = deviceConfirmPage(DEVICE_PAGE, formSecret(ctx), code);
        },
        successSource: (ctx) => {
          ctx.type = "html";
          ctx.body = messagePage("Your device is connected", "You can close this page.");
        },
      },
    },
  };
}

function deviceProblem(name: string): string {
  return name === "AbortedError" ? "The sign-in was cancelled." : "This code cannot be used.";
}

/** The provider's own guard against forged posts, which its pages carry as `xsrf`. */
function formSecret(ctx: KoaContextWithOIDC): string {
  return String(ctx.oidc.session?.state?.secret ?? "");
}

/**
 * What a fresh look at a sign-in needs: nobody is remembered in the browser, a code in the device page's address
 * is shown rather than posted by script, and `offline_access` needs no `prompt=consent`, as at Zitadel.
 */
function beginAnew(ctx: KoaContextWithOIDC, { offlineAccess }: IssuerOptions): void {
  const resumed = ctx.path.startsWith(`${PATHS.authorization}/`);
  if (ctx.method !== "GET" || !(resumed || ctx.path === PATHS.authorization || ctx.path === DEVICE_PAGE)) {
    return;
  }
  ctx.req.headers.cookie = (ctx.req.headers.cookie ?? "").split("; ")
    .filter((cookie) => !cookie.startsWith("_session")).join("; ");
  if (resumed) return;
  const query = new URLSearchParams(ctx.querystring);
  if (ctx.path === DEVICE_PAGE) {
    ctx.state.userCode = query.get("user_code") ?? "";
    query.delete("user_code");
  } else if (offlineAccess === "asked" && query.get("prompt") !== "none") {
    const prompts = new Set((query.get("prompt") ?? "").split(" ").filter((word) => word !== ""));
    query.set("prompt", [...prompts.add("consent")].join(" "));
  }
  ctx.querystring = query.toString();
}

/** The one page of a sign-in: who the person is; their consent is taken as given. */
async function interaction(provider: Provider, ctx: KoaContextWithOIDC): Promise<void> {
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  ctx.set("Cache-Control", "no-store");
  if (ctx.method !== "POST") {
    const hint = details.params.login_hint;
    ctx.type = "html";
    ctx.body = choosePage(ctx.path, USERS, typeof hint === "string" ? hint : undefined);
    return;
  }
  const form = await readForm(ctx.req);
  const user = USERS.find(({ email }) => email === form.get("user"));
  ctx.status = 303;
  if (user === undefined) {
    const denial = { error: "access_denied", error_description: "The person cancelled the sign-in" };
    ctx.redirect(
      await provider.interactionResult(ctx.req, ctx.res, denial, { mergeWithLastSubmission: false }),
    );
    return;
  }
  const grant = new provider.Grant({ accountId: user.sub, clientId: String(details.params.client_id) });
  grant.addOIDCScope(String(details.params.scope ?? ""));
  const grantId = await grant.save();
  ctx.redirect(
    await provider.interactionResult(ctx.req, ctx.res, {
      login: { accountId: user.sub },
      select_account: {},
      consent: { grantId },
    }),
  );
}

/** Answers in place of the provider where the fault says so; true when it did. */
async function answerFault(
  ctx: KoaContextWithOIDC,
  fault: Fault,
  endpoint: Endpoint,
  { counts, closing }: IssuerOptions,
): Promise<boolean> {
  const answer = faultAnswer(fault, closing);
  if (answer === undefined && !fault.halfClosed) return false;
  if (endpoint === "token") counts.add(`token:${grantName((await readForm(ctx.req)).get("grant_type"))}`);
  ctx.respond = false;
  if (fault.halfClosed) {
    ctx.res.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    ctx.res.write('{"access_token":"', () => ctx.req.socket.destroy());
  } else if (answer !== undefined) {
    ctx.res.writeHead(answer.status, { ...answer.headers });
    if (typeof answer.body === "string") ctx.res.end(answer.body);
    else await pour(ctx, answer.body, counts);
  }
  return true;
}

/** Sends a body no faster than the client takes it, until the client has enough; `sent` counts its bytes. */
async function pour(
  { req, res }: KoaContextWithOIDC,
  body: ReadableStream<Uint8Array>,
  counts: Counts,
): Promise<void> {
  const gone = Promise.withResolvers<void>();
  req.socket.once("close", gone.resolve);
  for await (const part of body) {
    if (req.socket.destroyed) break;
    counts.add("sent", part.length);
    if (res.write(part)) continue;
    const drained = Promise.withResolvers<void>();
    res.once("drain", drained.resolve);
    await Promise.race([drained.promise, gone.promise]);
  }
  res.end();
}

function drop(ctx: KoaContextWithOIDC): void {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

function endpointOf(path: string): Endpoint {
  for (const [endpoint, place] of Object.entries(PATHS)) {
    if (path === place) return endpoint as keyof typeof PATHS;
  }
  return "page";
}

/** `urn:ietf:params:oauth:grant-type:device_code` is counted as `device_code`. */
function grantName(grantType: unknown): string {
  return typeof grantType === "string" && grantType !== "" ? grantType.replace(/^.*:/, "") : "unknown";
}

function samePlace(redirectUri: string, location: string): boolean {
  if (!URL.canParse(location)) return false;
  const [registered, target] = [new URL(redirectUri), new URL(location)];
  return registered.hostname === target.hostname && registered.pathname === target.pathname;
}

function userBySub(sub: string | undefined): User | undefined {
  return USERS.find((user) => user.sub === sub);
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return await new Blob(chunks).bytes();
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await readBody(request)));
}

/** Lets the provider read a body that was read here. */
function replay(request: IncomingMessage, body: Uint8Array): void {
  Object.defineProperties(request, {
    readable: { value: true },
    iterator: {
      value: async function* () {
        yield body;
      },
    },
  });
}

/** The members of a request to the token endpoint. */
function formOf(ctx: KoaContextWithOIDC): Readonly<Record<string, string>> {
  return ctx.state.form as Record<string, string> | undefined ?? {};
}

/** `at_hash` of OpenID Connect Core 3.1.3.6 for RS256: the left half of SHA-256, base64url. */
async function halfHash(token: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  return digest.slice(0, 16).toBase64({ alphabet: "base64url", omitPadding: true });
}
