/** A running `proxy` of the compiled binary, and requests through it. */

import assert from "node:assert/strict";
import { rawRequest, sendRaw } from "../proxy/wire.ts";
import { until } from "../until.ts";
import type { Finished, Running, RunOptions, World } from "./world.ts";

/** A proxy that listens. */
export interface RunningProxy extends Running {
  /** The first line of its stdout. */
  readonly line: string;
  readonly stdout: () => string;
  /** Sends SIGTERM, and waits for the end. */
  stop(): Promise<Finished>;
}

/** What starts the proxy, where that is not the binary alone: its words follow. */
export interface StartOptions extends RunOptions {
  readonly through?: readonly string[];
}

/** Starts a proxy, and waits for its first line. */
export async function startProxy(
  world: World,
  words: readonly string[],
  { through = [], ...options }: StartOptions = {},
): Promise<RunningProxy> {
  let printed = "";
  const [program = "", ...args] = [...through, world.binary, "proxy", ...words];
  const running = world.start(program, args, {
    timeout: 240_000,
    ...options,
    onStdout: (soFar) => {
      printed = soFar;
    },
  });
  await Promise.race([
    until(() => printed.includes("\n"), "the proxy"),
    running.finished.then(({ code, stderr }) => assert.fail(`it ended with ${code}: ${stderr}`)),
  ]);
  return {
    ...running,
    line: printed.slice(0, printed.indexOf("\n")),
    stdout: () => printed,
    stop() {
      running.kill("SIGTERM");
      return running.finished;
    },
  };
}

/** Where a proxy listens, and its key as the beginning of a path. */
export interface ProxyPlace {
  readonly port: number;
  readonly key: string;
}

/** What a proxy's kubeconfig says. */
export async function placeIn(kubeconfig: string): Promise<ProxyPlace> {
  const [, port, key = ""] = /"http:\/\/127\.0\.0\.1:(\d+)(\/[\w-]{43})"/.exec(
    await Deno.readTextFile(kubeconfig),
  ) ?? assert.fail("no address");
  return { port: Number(port), key };
}

/** The same of a proxy at a socket. */
export interface SocketPlace {
  readonly path: string;
  readonly key: string;
}

/** Of either. */
export type AnyPlace = ProxyPlace | SocketPlace;

/** What a connection is made to. */
export function connectionTo(place: AnyPlace): Deno.ConnectOptions | Deno.UnixConnectOptions {
  return "path" in place
    ? { transport: "unix", path: place.path }
    : { hostname: "127.0.0.1", port: place.port };
}

/** A request for a target, with the key. */
export function requestTo(place: AnyPlace, target: string): string {
  const host = "path" in place ? "localhost" : `127.0.0.1:${place.port}`;
  return rawRequest("GET", place.key + target, { host });
}

/** The status of an answer to a GET; 0 where there is none. */
export async function statusOf(place: AnyPlace, target: string): Promise<number> {
  const answer = await sendRaw(connectionTo(place), requestTo(place, target)).catch(() => ({ status: 0 }));
  return answer.status;
}
