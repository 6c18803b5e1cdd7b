/** Proves the demo: its story, its exit codes, and that it leaves nothing behind. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { buildCache, kubectlPath } from "../../scripts/npm-packages.ts";

interface Told {
  readonly code: number;
  readonly story: string;
}

/** Runs the demo for a person with an empty home and empty temporary folder, which must be empty afterwards too. */
async function runDemo(
  args: readonly string[],
  onStory?: (soFar: string, pid: number) => void,
): Promise<Told> {
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(info.stdout)) as { readonly denoDir: string };
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["home", "tmp"]) await Deno.mkdir(`${folder}/${name}`);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", `${ROOT}scripts/demo.ts`, ...args],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: `${folder}/home`,
        TMPDIR: `${folder}/tmp`,
        XDG_CACHE_HOME: buildCache().replace(/\/[^/]*$/, ""),
        DENO_DIR: denoDir,
        // What a person has set must lead nowhere.
        KUBECONFIG: `${folder}/home/kubeconfig`,
        DATUMCTL_CONFIG_DIR: `${folder}/home/datumctl`,
        DATUMCTL_PROFILE: "work",
        HTTPS_PROXY: "http://127.0.0.1:9",
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    let story = "";
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      story += part;
      onStory?.(story, child.pid);
    }
    const { code } = await child.status;
    assert.deepEqual([...Deno.readDirSync(`${folder}/home`)], [], "nothing in the person's home");
    assert.deepEqual([...Deno.readDirSync(`${folder}/tmp`)], [], "no scratch folder is left");
    return { code, story: story + await errors };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const COMMANDS = [
  "datumctl login",
  "datumctl auth list",
  "datumctl ctx use acme/web",
  "datumctl apply -f shop.yaml",
  "datumctl diff -f shop.yaml",
  "datumctl apply -f shop.yaml",
  "datumctl get configmaps",
  "datumctl delete configmap shop",
  "datumctl auth update-kubeconfig --project web",
  "kubectl get namespaces",
  "datumctl auth get-token --force-refresh --claims",
  "kubectl get namespaces",
  "datumctl login --no-browser",
  "datumctl auth switch ada@example.com",
  "datumctl auth switch grace@example.com",
  "datumctl auth list",
  "kubectl auth whoami",
  "datumctl logout --all",
  "datumctl auth get-token",
  "DATUMCTL_CONFIG_DIR=stolen datumctl auth get-token --force-refresh",
];

Deno.test("the demo tells its story on a page of 80 columns and leaves nothing behind", async () => {
  const path = await kubectlPath().catch(() => undefined);
  const { code, story } = await runDemo(path === undefined ? ["--without-kubectl"] : []);
  assert.equal(code, 0, story);
  const shown = story.split("\n").filter((line) => line.startsWith("  $ ")).map((line) => line.slice(4));
  const datumctl = (commands: readonly string[]) => commands.filter((line) => /\bdatumctl\b/.test(line));
  const [got, wanted] = path === undefined
    ? [datumctl(shown.filter((line) => !line.startsWith("TOKEN="))), datumctl(COMMANDS)]
    : [shown, COMMANDS];
  assert.deepEqual(got.map((line) => line.replace(/( login(?: --no-browser)?) .*/, "$1")), wanted);

  assert.match(story, /refreshes before it {2}1\n {2}refreshes after it {3}2\n/);
  assert.match(story, /grace@example\.com +Active\n[^$]*\$ [^$]*\bada@example\.com/, "the entry acts as Ada");
  assert.match(story, /Revoked at the issuer and removed here: ada@example\.com/);
  assert.match(story, /has expired/);
  assert.match(story, /\nAll went well: \d+ commands in \d+ seconds\. The scratch folder is gone\.\n$/);

  assert.deepEqual(story.split("\n").filter((line) => line.length > 80), []);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(story, /\u001b/, "no colour where there is no terminal");
});

Deno.test({
  name: "the demo ends with 130 on Ctrl-C, in the middle of a wait, and leaves nothing behind",
  ignore: Deno.build.os === "windows",
  async fn() {
    let sent = false;
    const { code, story } = await runDemo(["--without-kubectl"], (soFar, pid) => {
      if (sent || !soFar.includes("Waiting")) return;
      // The product waits for the browser, too; either wait has to end.
      sent = true;
      Deno.kill(pid, "SIGINT");
    });
    assert.equal(code, 130, story);
    assert.match(story, /The demo was stopped\. The scratch folder is gone\.\n$/);
  },
});
