/** An ordinary API server: the Kubernetes API at its root, open to everybody who brings an issuer's ID token. */

import { createLocalJWKSet, jwtVerify } from "jose";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { makeControlPlanes } from "./kube.ts";
import { DEFAULT_SWITCHES } from "./kube-request.ts";
import { listenWithDeno } from "./listener.ts";

/** What an API server is told of its issuer, as by `--oidc-issuer-url`, `--oidc-client-id` and the CA's file. */
export interface ApiServerOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly issuerCaPem: string;
  /** Without it the server has an authority of its own. */
  readonly certificates?: Certificates;
  /** Serves over http, without a certificate. */
  readonly plain?: boolean;
  /** What the server lacks, by the beginning of its path, as older servers do: answered with 404. */
  readonly lacks?: readonly string[];
}

/** A running API server. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly caPem: string;
  /** Every path that was asked for, with its method. */
  readonly requests: string[];
}

/** Starts an API server on 127.0.0.1. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { issuer, clientId, issuerCaPem, lacks = [], plain = false } = options;
  const certificates = options.certificates ?? await makeCertificates(new Date());
  const closing = new AbortController();
  const requests: string[] = [];
  const client = Deno.createHttpClient({ caCerts: [issuerCaPem] });
  const json = async (url: string) => await (await fetch(url, { client })).json();

  const answer = makeControlPlanes({
    switches: () => ({ ...DEFAULT_SWITCHES, acceptedTokens: "id" }),
    closing: closing.signal,
    async authenticate(token) {
      try {
        const { jwks_uri: keys } = await json(`${issuer}/.well-known/openid-configuration`);
        const { payload } = await jwtVerify(token, createLocalJWKSet(await json(keys)), {
          issuer,
          audience: clientId,
          requiredClaims: ["exp", "sub"],
        });
        const name = typeof payload.email === "string" ? payload.email : payload.sub ?? "";
        return { user: { email: name, name, sub: name, verbs: ["*"] }, tokenKind: "id" };
      } catch {
        return undefined;
      }
    },
  });
  const listener = listenWithDeno(plain ? undefined : certificates, "127.0.0.1", 0, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    if (lacks.some((path) => pathname.startsWith(path))) {
      return new Response("404 page not found\n", { status: 404, headers: { "content-type": "text/plain" } });
    }
    return await answer(request);
  });
  const host = `127.0.0.1:${listener.port}`;
  return {
    url: `${plain ? "http" : "https"}://${host}`,
    host,
    caPem: certificates.caPem,
    requests,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await listener.down();
      client.close();
    },
  };
}
