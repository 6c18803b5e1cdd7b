/** An issuer over loopback http whose clock, answers and rotation a test holds in its hands. */

import { SignJWT } from "jose";
import type { IssuerMetadata } from "../../src/oauth/discovery.ts";
import type { SigningKeys } from "../../src/oauth/id-token.ts";
import { signingKey } from "../oauth/issuer.ts";

export const CLIENT = "client-1";
export const SUBJECT = "318271931245953281";

const key = await signingKey("RS256", "local");
const stranger = await signingKey("RS256", "local");

/** What {@link LocalIssuer.respond} is told of a request to the token endpoint. */
export interface TokenRequest {
  readonly parameters: URLSearchParams;
  readonly headers: Headers;
}

/** A running issuer. */
export interface LocalIssuer extends AsyncDisposable {
  readonly url: string;
  readonly metadata: IssuerMetadata;
  readonly keys: SigningKeys;
  /** The refresh token that is good now; every other one answers `invalid_grant`. */
  refreshToken: string;
  /** Seconds; undefined leaves `expires_in` out. */
  accessLife: number | undefined;
  idLife: number;
  /** False: refreshes bring no ID token. */
  idTokens: boolean;
  /** Milliseconds that the issuer's clock is ahead of the test's. */
  ahead: number;
  /** Answers in place of the token endpoint; undefined lets it work. */
  respond: ((request: TokenRequest) => Response | undefined | Promise<Response | undefined>) | undefined;
  /** What is laid over the ID token's claims. */
  claims: Record<string, unknown>;
  /** Signs with a key that is not the issuer's. */
  forged: boolean;
  /** What is asked of `/userinfo` about a token is answered so; undefined: it is nowhere. */
  userinfo: (() => Response | Promise<Response>) | undefined;
  /** The paths that were asked. */
  readonly requests: string[];
  /** Tokens as a sign-in brings them. */
  tokens(): Promise<{ access_token: string; id_token: string; expires_in: number | undefined }>;
}

/** Starts an issuer that reads the given clock. */
export function startIssuer(now: () => number): LocalIssuer {
  let count = 0;
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    const headers = { date: new Date(now() + issuer.ahead).toUTCString() };
    if (pathname === "/keys") return Response.json({ keys: [key.jwk] }, { headers });
    if (pathname === "/userinfo" && issuer.userinfo !== undefined) return issuer.userinfo();
    if (pathname === "/revoke") return new Response(null, { headers });
    if (pathname !== "/token") return Response.json({ error: "not_found" }, { status: 404, headers });
    const parameters = new URLSearchParams(await request.text());
    const answer = await issuer.respond?.({ parameters, headers: request.headers });
    if (answer !== undefined) return answer;
    if (parameters.get("refresh_token") !== issuer.refreshToken) {
      return Response.json({ error: "invalid_grant", error_description: "spent" }, { status: 400, headers });
    }
    issuer.refreshToken = `refresh-${++count}`;
    const { id_token, ...tokens } = await issuer.tokens();
    return Response.json({
      ...tokens,
      id_token: issuer.idTokens ? id_token : undefined,
      token_type: "Bearer",
      refresh_token: issuer.refreshToken,
    }, { headers });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const issuer: LocalIssuer = {
    url,
    metadata: {
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/keys`,
      revocation_endpoint: `${url}/revoke`,
    },
    keys: { keys: [{ kty: "RSA", ...key.jwk }], fetchedAt: Date.now() },
    refreshToken: "refresh-0",
    accessLife: 3600,
    idLife: 3600,
    idTokens: true,
    ahead: 0,
    respond: undefined,
    claims: {},
    forged: false,
    userinfo: undefined,
    requests,
    async tokens() {
      const seconds = Math.floor((now() + issuer.ahead) / 1000);
      const claims = {
        iss: url,
        sub: SUBJECT,
        aud: CLIENT,
        iat: seconds,
        exp: seconds + issuer.idLife,
        ...issuer.claims,
      };
      const signer = issuer.forged ? stranger : key;
      const idToken = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "local" })
        .sign(signer.privateKey);
      return { access_token: `access-${count}`, id_token: idToken, expires_in: issuer.accessLife };
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
  return issuer;
}
