/** Issuers that are `oidc-provider` as it comes out of the box, but for what a test wants otherwise. */

import type { RequestListener } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
// The package's own entry warns on every start that Deno is not Node.js; its provider module does not.
// @ts-types="oidc-provider/types"
import { Provider } from "npm:oidc-provider@9.13.3/lib/provider.js";
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from "oidc-provider/types";

import { type Certificates, makeCertificates } from "./certificates.ts";
import { listenWithNode } from "./listener.ts";

/** How an issuer differs from the stock. */
export interface StockOptions {
  readonly clients: readonly ClientMetadata[];
  /** Its path, such as `/realms/main`; none unless given. */
  readonly path?: string;
  /** Laid over the stock configuration. */
  readonly configuration?: Omit<Configuration, "clients" | "jwks">;
  /** Laid over the answers of the token endpoint; `undefined` takes a member away. */
  readonly tokenAnswer?: (grant: string) => Readonly<Record<string, undefined>>;
  readonly certificates?: Certificates;
}

/** A request to the token endpoint, as far as tests ask about it. */
export interface TokenRequest {
  readonly authorization: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A running issuer. */
export interface StockIssuer extends AsyncDisposable {
  /** The issuer identifier. */
  readonly issuer: string;
  /** Host and port. */
  readonly host: string;
  readonly caPem: string;
  readonly caFile: string;
  readonly certificates: Certificates;
  /** What the authorization endpoint was asked for, in order. */
  readonly authorizations: URLSearchParams[];
  readonly tokenRequests: TokenRequest[];
}

/* Out of the box the provider warns on every start that it is out of the box. Its other words are kept. */
for (const name of ["info", "warn"] as const) {
  // deno-lint-ignore no-console
  const say = console[name];
  // deno-lint-ignore no-console
  console[name] = (...words) => /^oidc-provider /.test(String(words[0])) ? undefined : say(...words);
}

// Making an RSA key takes long; the issuers of one process share it.
let jwks: Promise<Configuration["jwks"]> | undefined;

async function makeKeys(): Promise<Configuration["jwks"]> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { keys: [{ ...await exportJWK(privateKey), alg: "RS256", use: "sig", kid: "stock" } as never] };
}

/** Starts an issuer over TLS on 127.0.0.1. Its pages take any name, which becomes the subject. */
export async function startStockIssuer(options: StockOptions): Promise<StockIssuer> {
  const { path = "", clients, configuration, tokenAnswer } = options;
  const certificates = options.certificates ?? await makeCertificates(new Date());
  const authorizations: URLSearchParams[] = [];
  const tokenRequests: TokenRequest[] = [];

  let handler: RequestListener = (_request, response) => void response.writeHead(503).end();
  const listener = await listenWithNode(certificates, "127.0.0.1", 0, (request, response) => {
    const { url = "/" } = request;
    if (!url.startsWith(`${path}/`)) return void response.writeHead(404).end();
    // As a web server in front would do it: the provider hears of its mount path and sees what is below.
    Object.assign(request, { originalUrl: url, url: url.slice(path.length) });
    handler(request, response);
  });
  const host = `127.0.0.1:${listener.port}`;
  const issuer = `https://${host}${path}`;
  const provider = new Provider(issuer, {
    ...configuration,
    jwks: await (jwks ??= makeKeys()) as never,
    clients: [...clients],
    cookies: { keys: [crypto.randomUUID()] },
  });
  provider.silent = true;
  provider.use(async (context, next) => {
    const ctx = context as unknown as KoaContextWithOIDC;
    await next();
    if (ctx.oidc?.route === "authorization") authorizations.push(new URLSearchParams(ctx.querystring));
    if (ctx.oidc?.route !== "token") return;
    const parameters = { ...ctx.oidc.params };
    tokenRequests.push({ authorization: ctx.get("authorization") || undefined, parameters });
    const changes = tokenAnswer?.(String(parameters.grant_type));
    if (ctx.status === 200 && changes !== undefined) {
      ctx.body = { ...ctx.body as Record<string, unknown>, ...changes };
    }
  });
  handler = provider.callback();

  const folder = await Deno.makeTempDir({ prefix: "issuer-" });
  const caFile = `${folder}/ca.pem`;
  await Deno.writeTextFile(caFile, certificates.caPem);
  return {
    issuer,
    host,
    caPem: certificates.caPem,
    caFile,
    certificates,
    authorizations,
    tokenRequests,
    async [Symbol.asyncDispose]() {
      await listener.down();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
