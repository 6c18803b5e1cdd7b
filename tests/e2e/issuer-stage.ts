/** The stage of sign-ins to any OpenID issuer: a world, an issuer beside its cloud, and a person's browser. */

import assert from "node:assert/strict";
import { signInByHttp } from "../cloud/browser.ts";
import { startStockIssuer, type StockIssuer, type StockOptions } from "../cloud/stock-issuer.ts";
import { walkedLogin } from "./walked-login.ts";
import { type Finished, type RunOptions, testInWorld, type World } from "./world.ts";

/** The client's id at every issuer. */
export const CLIENT = "kubernetes";
/** Who signs in. */
export const ADA = "ada@example.com";
/** The version in which kubectl is spoken to. */
export const EXEC = "client.authentication.k8s.io/v1";
/** The variables of a shell that was opened over SSH. */
export const OVER_SSH = { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", BROWSER: undefined };

type Client = StockOptions["clients"][number];

/** A client as native programs have it. */
export function native(more: Partial<Client> = {}): Client {
  return {
    client_id: CLIENT,
    application_type: "native",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: ["http://127.0.0.1/callback"],
    ...more,
  };
}

/** What a test at an issuer works with. */
export interface Stage {
  readonly world: World;
  readonly issuer: StockIssuer;
  /** Runs `login` with the flags that name the issuer, and more; the person signs in by fetch. */
  login(flags?: readonly string[], options?: RunOptions): Promise<Finished>;
  /** The one session's name. */
  readonly session: string;
}

/** The flags of `login` that name an issuer. */
export function issuerFlags(issuer: { readonly issuer: string; readonly caFile: string }): string[] {
  return ["--issuer", issuer.issuer, "--client-id", CLIENT, "--certificate-authority", issuer.caFile];
}

/** A test in a world of its own, with an issuer of its own that has one native client unless told otherwise. */
export function testAtIssuer(
  name: string,
  options: Partial<StockOptions>,
  run: (stage: Stage) => Promise<void>,
  ignore = false,
): void {
  testInWorld(name, async (world) => {
    await using issuer = await startStockIssuer({ clients: [native()], ...options });
    await run({
      world,
      issuer,
      session: `${ADA}@${issuer.host}`,
      login: (more = [], runOptions = {}) =>
        signIn(world, issuer, [...issuerFlags(issuer), ...more], runOptions),
    });
  }, { ignore });
}

/** Runs `login` and walks the issuer's pages as Ada. */
export async function signIn(
  world: World,
  issuer: { readonly caPem: string },
  flags: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return await walkedLogin(world, flags, (url) => walkAsAda(issuer, url), options);
}

/** What a browser does in which Ada signs in. */
export async function walkAsAda(issuer: { readonly caPem: string }, url: string): Promise<void> {
  await (await signInByHttp(issuer, url, ADA)).body?.cancel();
}

/** A port that is free on both families: the one that is wished for, when it is. */
export function freePort(wished = 0): number {
  for (const port of [wished, 0]) {
    try {
      using four = Deno.listen({ hostname: "127.0.0.1", port });
      using _six = Deno.listen({ hostname: "::1", port: four.addr.port });
      return four.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return freePort();
}

/** The stdout of a program that ended well. */
export function good({ code, stdout, stderr }: Finished): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Checks that a program ended with a code and said some words. */
export function bad({ code, stderr }: Finished, exit: number, ...words: RegExp[]): void {
  assert.equal(code, exit, stderr);
  for (const word of words) assert.match(stderr, word);
}
