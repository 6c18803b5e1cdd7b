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

/** A request for a target, with the key. */
export function requestTo({ port, key }: ProxyPlace, target: string): string {
  return rawRequest("GET", key + target, { host: `127.0.0.1:${port}` });
}

/** The status of an answer to a GET; 0 where there is none. */
export async function statusOf(place: ProxyPlace, target: string): Promise<number> {
  const { port } = place;
  const answer = await sendRaw({ hostname: "127.0.0.1", port }, requestTo(place, target))
    .catch(() => ({ status: 0 }));
  return answer.status;
}
