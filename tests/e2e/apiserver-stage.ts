/** The stage of tests at the real API server: a world, the server beside its cloud, and who signs in there. */

import assert from "node:assert/strict";
import { type ApiServer, type ApiServerOptions, byUserinfo, startApiServer } from "../apiserver/apiserver.ts";
import { goAtHand } from "../apiserver/program.ts";
import { signInByHttp } from "../cloud/browser.ts";
import { good } from "./issuer-stage.ts";
import { kubectl } from "./kubectls.ts";
import { walkedLogin } from "./walked-login.ts";
import { type Finished, testInWorld, type World, type WorldOptions } from "./world.ts";

/** Whether the real API server, and a kubectl for it, are available here. */
const atHand = kubectl !== "" && await goAtHand() !== undefined;

/** What a test at the real API server works with. */
export interface Stage {
  readonly world: World;
  /** It takes the ID tokens of the world's issuer, and its access tokens, too. */
  readonly server: ApiServer;
  /** Signs a person in at the issuer by its address, as at any OpenID provider. */
  signInAtIssuer(email: string): Promise<void>;
  /** Signs a person in at the Datum that the server is below its paths of control planes. */
  signInAtDatum(email: string): Promise<void>;
  /** Runs kubectl to its end. */
  kubectl(...words: readonly string[]): Promise<Finished>;
  /** Runs kubectl to its end, which must be a good one; its stdout. */
  ok(...words: readonly string[]): Promise<string>;
}

/** A test in a world of its own, with a server of its own. */
export function testAtApiServer(
  name: string,
  run: (stage: Stage, context: Deno.TestContext) => Promise<void>,
  { trusting, introspects = true, ...options }: WorldOptions & {
    /** Whose ID tokens the server takes instead. */
    readonly trusting?: (world: World) => ApiServerOptions["trusted"];
    /** False: access tokens are nothing to it. */
    readonly introspects?: boolean;
  } = {},
): void {
  testInWorld(name, async (world, context) => {
    const { issuer, caPem, clientId, certificates, authHost } = world.cloud;
    await using server = await startApiServer({
      trusted: trusting?.(world) ?? [{ issuer, caPem, audiences: [clientId] }],
      introspect: introspects ? byUserinfo(world.cloud) : undefined,
      certificates,
    });
    assert.ok(server !== undefined);
    const signIn = async (email: string, ...flags: readonly string[]) => {
      const walk = async (url: string) => await (await signInByHttp(world.cloud, url, email)).body?.cancel();
      const client = ["--client-id", clientId, "--certificate-authority", world.cloud.caFile];
      good(await walkedLogin(world, [...flags, ...client], walk));
    };
    const start = (...words: readonly string[]) => world.start(kubectl, words).finished;
    await run({
      world,
      server,
      signInAtIssuer: (email) => signIn(email, "--issuer", issuer),
      signInAtDatum: (email) => signIn(email, "--hostname", authHost, "--api-hostname", server.proxy.host),
      kubectl: start,
      ok: async (...words) => good(await start(...words)),
    }, context);
  }, { ignore: !atHand, ...options });
}
