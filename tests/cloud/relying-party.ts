/** An honest OpenID client on `oauth4webapi`: the cloud's own tests judge the cloud by it. */

import * as oauth from "oauth4webapi";

import { authorizeByHttp } from "./browser.ts";
import type { Cloud } from "./cloud.ts";

const REDIRECT_URI = "http://127.0.0.1:49152/datumctl/auth/callback";
const SCOPE = "openid profile email offline_access";

/** What a client does at the issuer. */
export interface RelyingParty extends Disposable {
  readonly server: oauth.AuthorizationServer;
  /** Signs the user in with a code and PKCE; every check that oauth4webapi knows is made. */
  signIn(email: string, parameters?: Readonly<Record<string, string>>): Promise<oauth.TokenEndpointResponse>;
  refresh(refreshToken: string): Promise<oauth.TokenEndpointResponse>;
  revoke(token: string): Promise<void>;
  userInfo(accessToken: string): Promise<{ status: number; claims: Record<string, unknown> }>;
  startDevice(): Promise<oauth.DeviceAuthorizationResponse>;
  pollDevice(deviceCode: string): Promise<oauth.TokenEndpointResponse>;
  /** GET or POST with the cloud's authority, at either host. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** Discovers the issuer. */
export async function makeRelyingParty(cloud: Cloud): Promise<RelyingParty> {
  const http = Deno.createHttpClient({ caCerts: [cloud.caPem] });
  const options = {
    [oauth.customFetch]: (url: string, init: object) => fetch(url, { ...init, client: http } as RequestInit),
  };
  const issuer = new URL(cloud.issuer);
  const client: oauth.Client = { client_id: cloud.clientId };
  const none = oauth.None();
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));

  return {
    server,
    signIn: async (email, parameters = {}) => {
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const nonce = oauth.generateRandomNonce();
      const url = new URL(String(server.authorization_endpoint));
      url.search = new URLSearchParams({
        client_id: client.client_id,
        response_type: "code",
        redirect_uri: REDIRECT_URI,
        scope: SCOPE,
        prompt: "select_account",
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        ...parameters,
      }).toString();
      const redirect = await authorizeByHttp(cloud, url.href, email);
      const answered = oauth.validateAuthResponse(server, client, redirect, state);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        none,
        answered,
        REDIRECT_URI,
        verifier,
        options,
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
        expectedNonce: nonce,
        requireIdToken: true,
      });
      await oauth.validateApplicationLevelSignature(server, response, options);
      return tokens;
    },
    refresh: async (refreshToken) => {
      const response = await oauth.refreshTokenGrantRequest(server, client, none, refreshToken, options);
      return await oauth.processRefreshTokenResponse(server, client, response);
    },
    revoke: async (token) => {
      const response = await oauth.revocationRequest(server, client, none, token, options);
      await oauth.processRevocationResponse(response);
      await response.body?.cancel();
    },
    userInfo: async (accessToken) => {
      const response = await oauth.userInfoRequest(server, client, accessToken, options);
      return { status: response.status, claims: await response.json() };
    },
    startDevice: async () =>
      await oauth.processDeviceAuthorizationResponse(
        server,
        client,
        await oauth.deviceAuthorizationRequest(server, client, none, { scope: SCOPE }, options),
      ),
    pollDevice: async (deviceCode) =>
      await oauth.processDeviceCodeResponse(
        server,
        client,
        await oauth.deviceCodeGrantRequest(server, client, none, deviceCode, options),
      ),
    fetch: (url, init = {}) => fetch(url, { ...init, client: http }),
    [Symbol.dispose]: () => http.close(),
  };
}

/** True for an error of fetch whose cause, which Deno keeps apart on some versions, says this. */
export function failsWith(reason: RegExp): (error: Error) => boolean {
  return (error) => reason.test(`${error.message} ${error.cause}`);
}
