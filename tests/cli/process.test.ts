/** Proves the process's own ties, from source: an output that is full, and remarks that -q keeps back. */

import assert from "node:assert/strict";

const main = new URL("../../main.ts", import.meta.url).pathname;

async function shell(line: string, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `exec "$0" run -A --no-check "$1" ${line}`, Deno.execPath(), main],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "an output that takes nothing more is STORAGE, and a full stderr changes nothing",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const full = await shell("version >/dev/full");
    assert.deepEqual([full.code, full.stdout], [1, ""]);
    assert.match(full.stderr, /^error: Cannot write the output: the disk is full\.\n[^\n]+\n$/);
    assert.equal((await shell("frobnicate 2>/dev/full")).code, 2);
  },
});

Deno.test({
  name: "permissions that were tightened are mentioned by every command but with -q, and never to kubectl",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const env = { DATUMCTL_CONFIG_DIR: folder, KUBERNETES_EXEC_INFO: "" };
    const V1 = "client.authentication.k8s.io/v1";
    try {
      for (
        const [line, mentioned] of [
          ["auth list", true],
          ["auth list -q", false],
          ["auth get-token", true],
          ["auth get-token -q", false],
          [`auth get-token -o ${V1} --session nobody`, false],
        ] as const
      ) {
        await Deno.mkdir(`${folder}/sessions`, { recursive: true });
        await Deno.chmod(`${folder}/sessions`, 0o755);
        const { stderr } = await shell(line, env);
        assert.equal(/permissions of .*sessions were too wide/.test(stderr), mentioned, `${line}: ${stderr}`);
        assert.equal(((await Deno.stat(`${folder}/sessions`)).mode ?? 0) & 0o77, 0, line);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a file of TLS secrets is warned of by all but kubectl's plugin and -q",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const env = { DATUMCTL_CONFIG_DIR: folder, SSLKEYLOGFILE: `${folder}/keys.log` };
    try {
      for (
        const [line, warned] of [["version", true], ["version -q", false], ["auth get-token", false]] as const
      ) {
        const { stderr } = await shell(line, env);
        assert.equal(/^warning: SSLKEYLOGFILE is set: /m.test(stderr), warned, `${line}: ${stderr}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
