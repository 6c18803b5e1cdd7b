/** Proves that a refresh which is stopped while the issuer answers loses nothing. */

import assert from "node:assert/strict";
import { openSandbox } from "./sandbox.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

Deno.test("a refresh that is stopped until after its bound takes the rotated token all the same", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using sandbox = await openSandbox();
  // The process has the real clock.
  sandbox.time = Date.now();
  const { session: { name } } = await sandbox.add();
  const getToken = (...flags: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "auth", "get-token", "--session", name, ...flags],
      // The home stays, for Deno's own cache.
      env: { DATUMCTL_CONFIG_DIR: sandbox.folder, DATUMCTL_TOKEN: "", DATUMCTL_PROFILE: "" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const stopped = Promise.withResolvers<void>();
  const child = getToken("--force-refresh", "--request-timeout", "1s");
  sandbox.issuer.respond = () => {
    child.kill("SIGSTOP");
    stopped.resolve();
    return undefined;
  };
  await stopped.promise;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  child.kill("SIGCONT");
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.deepEqual([code, text(stdout)], [0, "access-1\n"], text(stderr));
  sandbox.issuer.respond = undefined;
  const next = await getToken("--force-refresh").output();
  assert.deepEqual([next.code, text(next.stdout)], [0, "access-2\n"], text(next.stderr));
});
