/** A stranger's servers on this machine: they answer everybody over TLS, over http and as a proxy, and note each token. */

import { makeCertificates } from "./certificates.ts";
import { listenWithDeno } from "./listener.ts";
import { startTunnel, type Tunnel } from "./tunnel.ts";

/** What a stranger has running. */
export interface Stranger extends AsyncDisposable {
  /** `https://127.0.0.1:port`, by its own authority. */
  readonly https: string;
  /** `http://127.0.0.1:port`. */
  readonly http: string;
  /** A proxy that leads every connection to the stranger's own server, whose certificate is good for this machine. */
  readonly proxy: string;
  readonly caPem: string;
  /** Each request: method, path, and how it came. */
  readonly requests: string[];
  /** The values of each `Authorization` header that came, by whichever way, but for a user's name out of an address. */
  readonly tokens: string[];
  /** The hosts to which the proxy was asked to connect. */
  readonly connects: string[];
  /** Forgets what came so far. */
  forget(): void;
}

/** Starts a stranger. */
export async function startStranger(): Promise<Stranger> {
  const certificates = await makeCertificates(new Date());
  const requests: string[] = [];
  const tokens: string[] = [];
  const connects: string[] = [];
  const answer = (way: string) => (request: Request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname} over ${way}`);
    for (const name of ["authorization", "proxy-authorization"]) {
      const value = request.headers.get(name);
      if (value !== null && !value.startsWith("Basic ")) tokens.push(value);
    }
    return Promise.resolve(answerTo(request, pathname));
  };
  const secure = listenWithDeno(certificates, "127.0.0.1", 0, answer("https"));
  const plain = listenWithDeno(undefined, "127.0.0.1", 0, answer("http"));
  const proxy = startProxy(secure.port, connects, tokens);
  return {
    https: `https://127.0.0.1:${secure.port}`,
    http: `http://127.0.0.1:${plain.port}`,
    proxy: `http://127.0.0.1:${proxy.port}`,
    caPem: certificates.caPem,
    requests,
    tokens,
    connects,
    forget() {
      for (const list of [requests, tokens, connects]) list.length = 0;
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await secure.down();
      await plain.down();
    },
  };
}

/** As a server that takes anybody for an administrator. */
function answerTo(request: Request, pathname: string): Response {
  if (pathname.endsWith("/version")) return Response.json({ major: "1", minor: "35", gitVersion: "v1.35.0" });
  const [, kind] = /\/(selfsubject\w+)s$/.exec(pathname) ?? [];
  if (request.method === "POST" && kind !== undefined) {
    const status = { allowed: true, userInfo: { username: "you" }, resourceRules: [], nonResourceRules: [] };
    return Response.json({ kind, apiVersion: "v1", status }, { status: 201 });
  }
  return Response.json({ kind: "Status", apiVersion: "v1", status: "Failure", code: 404 }, { status: 404 });
}

/** Whatever host is named, what answers is the stranger's own server. */
function startProxy(port: number, connects: string[], tokens: string[]): Tunnel {
  return startTunnel(port, async (client) => {
    const head = new Uint8Array(16_384);
    const text = new TextDecoder().decode(head.subarray(0, await client.read(head) ?? 0));
    connects.push(/^CONNECT (\S+)/.exec(text)?.[1] ?? text.split("\r\n", 1)[0] ?? "");
    for (const [, value] of text.matchAll(/^(?:proxy-)?authorization: (.*)\r$/gim)) tokens.push(value ?? "");
    await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
  });
}
