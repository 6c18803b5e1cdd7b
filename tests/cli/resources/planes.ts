/** A signed-in person's control planes, all of them the real API server, with each request written down. */

import assert from "node:assert/strict";
import { type ApiServer, byUserinfo, startApiServer } from "../../apiserver/apiserver.ts";
import { good } from "../run-line.ts";
import { openWorld, type World } from "../world.ts";

/** A cloud whose API host is the real server, below Datum's paths. */
export interface Planes extends AsyncDisposable {
  readonly world: World;
  readonly server: ApiServer;
  /** Signs in there. */
  signIn(email: string): Promise<void>;
}

/** Starts both. */
export async function openPlanes(): Promise<Planes> {
  await using undo = new AsyncDisposableStack();
  const world = undo.use(await openWorld());
  const { issuer, caPem, clientId, certificates } = world.cloud;
  const server = undo.use(
    await startApiServer({
      trusted: [{ issuer, caPem, audiences: [clientId] }],
      introspect: byUserinfo(world.cloud),
      certificates,
    }) ?? assert.fail("the server cannot be had"),
  );
  const later = undo.move();
  return {
    world,
    server,
    signIn: async (email) => void good(await world.login(email, `--api-hostname ${server.proxy.host}`)),
    [Symbol.asyncDispose]: () => later.disposeAsync(),
  };
}
