/** Calls of get-token in the test's own process, as kubectl and as a person make them. */

import assert from "node:assert/strict";
import type { GetTokenFlags } from "../../src/plugin/arguments.ts";
import type { GetTokenContext } from "../../src/plugin/context.ts";
import { EXEC_API_VERSIONS } from "../../src/plugin/exec-credential.ts";
import { runGetToken } from "../../src/plugin/get-token.ts";
import { runStoredToken } from "../../src/plugin/stored-token.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
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

/** What a call left. */
export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One call, with what it printed and its exit code. Where the short way answers it, the long way must say the same. */
export async function getToken(
  { store }: Pick<Sandbox, "store">,
  request: GetTokenFlags = {},
  env: Readonly<Record<string, string>> = {},
  { parent: given = 4711, errorFormat = "human", ...more }:
    & Partial<Omit<GetTokenContext, "parent">>
    & { readonly parent?: number | ParentProcess } = {},
): Promise<Called> {
  const parent = typeof given === "number" ? parentOf(given) : given;
  // What a test puts in the place of our own parts, the short way does not ask.
  const replaced = more.store !== undefined || more.writeOut !== undefined || errorFormat !== "human";
  const shortly = replaced ? undefined : await storedToken(store, request, env, { parent });
  const called = await printed((writers) =>
    runGetToken(request, {
      store,
      providers: CLOUDS,
      env: (name) => env[name],
      parent,
      errorFormat,
      started: performance.now(),
      canAsk: () => false,
      ...writers,
      ...more,
    })
  );
  assert.doesNotMatch(called.stderr, /access-\d|refresh-\d|eyJ/);
  if (shortly !== undefined) assert.deepEqual(shortly, called);
  return called;
}

/** A call by the short way alone, which then leaves no trace; undefined where it leaves the call to the long one. */
export async function storedToken(
  { folders, host, project }: SessionStore,
  request: GetTokenFlags = {},
  env: Readonly<Record<string, string>> = {},
  { parent = parentOf(4711) }: { readonly parent?: ParentProcess } = {},
): Promise<Called | undefined> {
  if (folders.missing !== undefined || project !== undefined) return undefined;
  const variables: Readonly<Record<string, string>> = { ...env, DATUMCTL_CONFIG_DIR: folders.config };
  const deliveries = await deliveriesIn(folders.sessions);
  let code: number | undefined;
  const called = await printed(async (writers) => {
    code = await runStoredToken(argumentsOf(request), {
      env: (name) => variables[name],
      now: host.now,
      parent,
      ...writers,
    });
    return code ?? 0;
  });
  for (const path of (await deliveriesIn(folders.sessions)).keys()) {
    const before = deliveries.get(path);
    if (before === undefined) await Deno.remove(path);
    else await Deno.writeTextFile(path, before);
  }
  if (code === undefined) {
    assert.deepEqual([called.stdout, called.stderr], ["", ""], "the long way begins anew");
  }
  return code === undefined ? undefined : called;
}

async function printed(
  run: (writers: Pick<GetTokenContext, "writeOut" | "writeErr">) => Promise<number>,
): Promise<Called> {
  const out: string[] = [];
  let stderr = "";
  const code = await run({
    writeOut: (text) => out.push(text),
    writeErr: (text) => {
      stderr += text;
    },
  });
  assert.ok(out.length <= 1, "stdout is written once");
  return { code, stdout: out.join(""), stderr };
}

async function deliveriesIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".handouts")) {
        found.set(`${folder}/${name}`, await Deno.readTextFile(`${folder}/${name}`));
      }
    }
  } catch {
    // No folder, or one that cannot be read: then there is nothing to put back.
  }
  return found;
}

/** The line of these flags. */
function argumentsOf(flags: GetTokenFlags): string[] {
  const words: Record<keyof GetTokenFlags, string> = {
    output: "--output",
    session: "--session",
    profile: "--profile",
    credentialsFile: "--credentials-file",
    activeFor: "--active-for",
    clientId: "--client-id",
    token: "--token",
    minimumLife: "--min-ttl",
    requestTimeout: "--request-timeout",
    errorFormat: "--error-format",
    forceRefresh: "--force-refresh",
    claims: "--claims",
    write: "--write",
    watch: "--watch",
    mode: "--mode",
    keep: "--keep",
    handOff: "--hand-off",
    handedOut: "--handed-out",
    verbose: "--verbose",
    quiet: "--quiet",
  };
  const given = Object.keys(words).filter((name): name is keyof GetTokenFlags => name in words);
  return [
    "auth",
    "get-token",
    ...given.flatMap((name) => {
      const value = flags[name];
      if (value === undefined || value === false) return [];
      return value === true ? [words[name]] : [`${words[name]}=${value}`];
    }),
  ];
}
