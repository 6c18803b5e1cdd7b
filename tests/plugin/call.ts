/** Calls of get-token in the test's own process, as kubectl and as a person make them. */

import assert from "node:assert/strict";
import type { GetTokenFlags } from "../../src/plugin/arguments.ts";
import type { GetTokenContext } from "../../src/plugin/context.ts";
import { EXEC_API_VERSIONS } from "../../src/plugin/exec-credential.ts";
import { runGetToken } from "../../src/plugin/get-token.ts";
import type { ParentProcess } from "../../src/system/parent-process.ts";
import { CLOUDS } from "../clouds.ts";
import { parentOf, type Sandbox } from "../sessions/sandbox.ts";

/** The versions of the exec credential API. */
export const [V1, V1BETA1] = EXEC_API_VERSIONS;
/** Milliseconds. */
export const HOUR = 3600_000;

/** The variable that kubectl sets. */
export const exec = (apiVersion: string = V1, interactive = false) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive } }),
});

/** One call, with what it printed and its exit code. */
export async function getToken(
  { store }: Sandbox,
  request: GetTokenFlags = {},
  env: Readonly<Record<string, string>> = {},
  { parent = 4711, errorFormat = "human", ...more }:
    & Partial<Omit<GetTokenContext, "parent">>
    & { readonly parent?: number | ParentProcess } = {},
) {
  const out: string[] = [];
  let stderr = "";
  const code = await runGetToken(request, {
    store,
    providers: CLOUDS,
    env: (name) => env[name],
    parent: typeof parent === "number" ? parentOf(parent) : parent,
    errorFormat,
    started: performance.now(),
    canAsk: () => false,
    writeOut: (text) => out.push(text),
    writeErr: (text) => {
      stderr += text;
    },
    ...more,
  });
  assert.ok(out.length <= 1, "stdout is written once");
  assert.doesNotMatch(stderr, /access-\d|refresh-\d|eyJ/);
  return { code, stdout: out.join(""), stderr };
}
