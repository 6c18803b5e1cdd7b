/** An OpenID issuer over loopback http with several realms, whose person, grants and revocations a test decides. */

import { SignJWT } from "jose";
import { json, signingKey } from "../oauth/issuer.ts";

const key = await signingKey("RS256", "people");

/** What an endpoint was asked. */
export interface Asked {
  readonly realm: string;
  readonly endpoint: string;
  readonly parameters: URLSearchParams;
}

/** What a refresh token stands for. */
interface Grant {
  readonly client: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly withheld?: boolean;
}

/** A running issuer. */
export interface PeopleIssuer extends AsyncDisposable {
  /** The issuer identifier of a realm. */
  at(realm: string): string;
  /** The claims of the person who signs in next; `sub` at the least. */
  person: Record<string, unknown>;
  /** A revocation ends every grant with the same `sid`, as Keycloak's does; else the one that is named. */
  endsSessions: boolean;
  /** A refresh token is good once. */
  rotates: boolean;
  /** The one refresh token that is ever given, for issuers that keep one per person and client. */
  onlyToken: string | undefined;
  /** Sign-ins and refreshes bring no refresh token. */
  withholds: boolean;
  /** Whether a sign-in that was asked for so brings a refresh token. */
  refreshes: (authorization: URLSearchParams) => boolean;
  /** Other scopes are refused. */
  scopes: readonly string[];
  /** Answers in place of an endpoint; undefined leaves it to the endpoint. */
  readonly answers: Map<string, (parameters: URLSearchParams) => Response | undefined>;
  /** What becomes of an endpoint's good answer; `undefined` takes a member away. */
  readonly bends: Map<string, (answer: Readonly<Record<string, unknown>>) => object>;
  readonly asked: Asked[];
  /** What was asked of an endpoint so far. */
  of(endpoint: string): URLSearchParams[];
}

/** Starts an issuer. Its tokens live as long as it is told. */
export function startPeopleIssuer(life = 3600): PeopleIssuer {
  const grants = new Map<string, Grant>();
  const codes = new Map<string, Grant & { readonly nonce: string | undefined }>();
  let count = 0;

  const tokens = async (issuer: string, { client, claims, withheld = false }: Grant, nonce?: string) => {
    const seconds = Math.floor(Date.now() / 1000);
    const idToken = await new SignJWT({
      ...{ iss: issuer, aud: client, iat: seconds, exp: seconds + life },
      nonce,
      ...claims,
    }).setProtectedHeader({ alg: "RS256", kid: "people" }).sign(key.privateKey);
    const refreshToken = people.onlyToken ?? `refresh-${++count}`;
    const withholds = people.withholds || withheld;
    if (!withholds) grants.set(refreshToken, { client, claims });
    return json({
      access_token: `access-${count}`,
      id_token: idToken,
      token_type: "Bearer",
      expires_in: life,
      refresh_token: withholds ? undefined : refreshToken,
    });
  };
  const refused = (error: string) => json({ error }, { status: 400 });

  const trade = async (issuer: string, form: URLSearchParams, basic: string): Promise<Response> => {
    // A client with a secret says who it is in a header.
    const client = form.get("client_id") ?? atob(basic.replace(/^Basic /, "")).split(":")[0] ?? "";
    switch (form.get("grant_type")) {
      case "authorization_code": {
        const grant = codes.get(form.get("code") ?? "");
        codes.delete(form.get("code") ?? "");
        return grant === undefined ? refused("invalid_grant") : await tokens(issuer, grant, grant.nonce);
      }
      case "refresh_token": {
        const token = form.get("refresh_token") ?? "";
        const grant = grants.get(token);
        if (grant === undefined || grant.client !== client) return refused("invalid_grant");
        if (people.rotates) grants.delete(token);
        return await tokens(issuer, grant);
      }
      case "urn:ietf:params:oauth:grant-type:device_code":
        return await tokens(issuer, { client, claims: people.person });
      case "urn:ietf:params:oauth:grant-type:token-exchange":
      case "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return json({ access_token: `access-${++count}`, token_type: "Bearer", expires_in: life });
      default:
        return refused("unsupported_grant_type");
    }
  };

  const revoke = (form: URLSearchParams): Response => {
    const token = form.get("token") ?? "";
    const sid = grants.get(token)?.claims.sid;
    grants.delete(token);
    if (people.endsSessions && sid !== undefined) {
      for (const [other, { claims }] of grants) if (claims.sid === sid) grants.delete(other);
    }
    return new Response(null);
  };

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const [, realm = "", ...rest] = url.pathname.split("/");
    const issuer = people.at(realm);
    const endpoint = rest.join("/");
    const form = request.method === "POST" ? new URLSearchParams(await request.text()) : url.searchParams;
    people.asked.push({ realm, endpoint, parameters: form });
    const answer = people.answers.get(endpoint)?.(form) ?? await answered(endpoint, issuer, form, request);
    const bend = answer.ok ? people.bends.get(endpoint) : undefined;
    return bend === undefined ? answer : json(bend(await answer.json()));
  });

  const answered = async (
    endpoint: string,
    issuer: string,
    form: URLSearchParams,
    request: Request,
  ): Promise<Response> => {
    switch (endpoint) {
      case ".well-known/openid-configuration":
        return json({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          revocation_endpoint: `${issuer}/revoke`,
          device_authorization_endpoint: `${issuer}/device`,
          scopes_supported: people.scopes,
        });
      case "keys":
        return json({ keys: [key.jwk] });
      case "authorize": {
        const code = `code-${++count}`;
        const client = form.get("client_id") ?? "";
        const nonce = form.get("nonce") ?? undefined;
        codes.set(code, { client, claims: people.person, nonce, withheld: !people.refreshes(form) });
        const back = new URL(form.get("redirect_uri") ?? "");
        const refusedScope = form.get("scope")?.split(" ").some((scope) => !people.scopes.includes(scope));
        if (refusedScope) back.searchParams.set("error", "invalid_scope");
        else back.searchParams.set("code", code);
        back.searchParams.set("state", form.get("state") ?? "");
        return Response.redirect(back);
      }
      case "device":
        return json({
          ...{ device_code: `device-${++count}`, user_code: "ABCD", verification_uri: `${issuer}/activate` },
          ...{ expires_in: 60, interval: 1 },
        });
      case "token":
        return await trade(issuer, form, request.headers.get("authorization") ?? "");
      case "revoke":
        return revoke(form);
      default:
        return json({ error: "not_found" }, { status: 404 });
    }
  };

  const people: PeopleIssuer = {
    at: (realm) => `http://127.0.0.1:${server.addr.port}/${realm}`,
    person: { sub: "u-1", email: "ada@example.com" },
    endsSessions: false,
    rotates: true,
    onlyToken: undefined,
    withholds: false,
    refreshes: () => true,
    scopes: ["openid", "profile", "email", "offline_access"],
    answers: new Map(),
    bends: new Map(),
    asked: [],
    of: (endpoint) =>
      people.asked.filter((one) => one.endpoint === endpoint).map(({ parameters }) => parameters),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
  return people;
}
