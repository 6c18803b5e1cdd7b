/** What the tests of the contract with kubectl share: signing in, kubectl's words, and entries as they are read. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { signInByHttp } from "../cloud/browser.ts";
import type { Cloud } from "../cloud/cloud.ts";
import { kubectl } from "./kubectls.ts";
import { walkedLogin } from "./walked-login.ts";
import { type Finished, type RunOptions, testInWorld, type World } from "./world.ts";

/** The group of the exec credentials, without a version. */
export const EXEC = "client.authentication.k8s.io";

/** The variable that tells a plugin what client-go wants. */
export function execInfo(apiVersion: string, interactive = false): Record<string, string> {
  return {
    KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive } }),
  };
}

/** As much of a kubeconfig as these tests look at. */
export interface Entries {
  readonly "current-context"?: string;
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[];
  readonly contexts: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
  readonly users: readonly {
    readonly name: string;
    readonly user: {
      readonly token?: string;
      readonly exec?: {
        readonly apiVersion: string;
        readonly command: string;
        readonly args: readonly string[];
        readonly interactiveMode: string;
        readonly provideClusterInfo: boolean;
        readonly env: unknown;
        readonly installHint: string;
      };
    };
  }[];
}

/** What stands in a kubeconfig. */
export async function entries(path: string): Promise<Entries> {
  return parse(await Deno.readTextFile(path)) as Entries;
}

/** A test that takes the newest pinned kubectl, which it is given as a function of kubectl's words. */
export function testWithKubectl(
  name: string,
  run: (world: World, run: (...args: string[]) => Promise<string>) => Promise<void>,
): void {
  testInWorld(name, (world) => run(world, (...args) => good(world, kubectl, args)), {
    ignore: kubectl === "",
  });
}

/** The stdout of a program that must end well. */
export async function good(world: World, program: string, args: readonly string[], options?: RunOptions) {
  const { code, stdout, stderr } = await world.start(program, args, options).finished;
  assert.equal(code, 0, `${program} ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Checks that a program ended with a code. */
export function refused(finished: Finished, code: number): void {
  assert.equal(finished.code, code, finished.stderr);
}

/** Signs a person in, at the world's own cloud or another. */
export async function signIn(world: World, email: string, cloud: Cloud = world.cloud): Promise<void> {
  const flags = [
    ...["--hostname", cloud.authHost, "--api-hostname", cloud.apiHost],
    ...["--client-id", cloud.clientId, "--certificate-authority", cloud.caFile],
  ];
  const walk = async (url: string) => await (await signInByHttp(cloud, url, email)).body?.cancel();
  refused(await walkedLogin(world, flags, walk), 0);
}
