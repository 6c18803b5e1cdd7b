/** Proves that the processes of containers which share a home are told apart, although each has a process 1. */

import assert from "node:assert/strict";
import { EXEC_API_VERSIONS } from "../../src/plugin/exec-credential.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const [V1] = EXEC_API_VERSIONS;

/** Flags of `unshare` for a container: process 1 is a shell, with a host name of its own. */
const CONTAINER = ["--pid", "--fork", "--mount-proc", "--uts"];

async function canContain(): Promise<boolean> {
  const able = await new Deno.Command("unshare", { args: [...CONTAINER, "true"], stderr: "null" }).output()
    .then(({ success }) => success, () => false);
  // deno-lint-ignore no-console -- a skipped test says so
  if (!able) console.log("skipped: no containers can be made here (unshare --pid)");
  return able;
}

const ignore = !await canContain();

/** Runs a shell as process 1 of a container; `$D` asks for a credential as kubectl does. */
async function inContainer({ folder }: Sandbox, script: string, { host = "" } = {}) {
  const get = [Deno.execPath(), "run", "-A", "--quiet", MAIN, "auth", "get-token", `--output=${V1}`];
  const body = `${host && `hostname ${host}`}\nD='${get.join(" ")}'\n${script}\n:`;
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: [...CONTAINER, "sh", "-c", body],
    // The home stays, for Deno's own cache.
    env: {
      DATUMCTL_CONFIG_DIR: folder,
      DATUMCTL_TOKEN: "",
      DATUMCTL_PROFILE: "",
      KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion: V1, spec: {} }),
    },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(stdout), stderr: text(stderr) };
}

Deno.test(
  "a failure is told once in each container, one after the other and at once",
  { ignore },
  async () => {
    await using sandbox = await openSandbox();
    const ask = "$D --session nobody; $D --session nobody";
    const told = /^error: There is no session nobody here\.\n[^\n]*\n$/;
    for (let container = 1; container <= 2; container++) {
      assert.match((await inContainer(sandbox, ask)).stderr, told, `container ${container}`);
    }
    const both = await Promise.all(["a", "b"].map((host) => inContainer(sandbox, ask, { host })));
    for (const { stderr } of both) assert.match(stderr, told);
  },
);

Deno.test(
  "process 1 of another container is not suspected of coming back for its token",
  { ignore },
  async () => {
    await using sandbox = await openSandbox();
    // The processes have the real clock.
    sandbox.time = Date.now();
    const { session: { name } } = await sandbox.add();
    const tokenOf = ({ stdout }: { stdout: string }) =>
      JSON.parse(stdout.trim().split("\n").at(-1) ?? "").status.token;
    const once = `$D --session ${name}`;
    assert.equal(tokenOf(await inContainer(sandbox, once)), "access-0");
    assert.equal(
      tokenOf(await inContainer(sandbox, once)),
      "access-0",
      "it began after the other had its token",
    );
    // Those that run side by side have host names of their own, and root file systems.
    const go = `${sandbox.folder}/go`;
    const waiting = `while [ ! -e ${go} ]; do sleep 0.05; done; ${once}`;
    const second = inContainer(sandbox, waiting, { host: "b" });
    assert.equal(tokenOf(await inContainer(sandbox, once, { host: "a" })), "access-0");
    await Deno.writeTextFile(go, "");
    assert.equal(tokenOf(await second), "access-0");
    assert.deepEqual(sandbox.issuer.requests, []);
    const twice = await inContainer(sandbox, `${once}; ${once}`);
    assert.equal(tokenOf(twice), "access-1", "the same process twice is a suspicion, as before");
  },
);
