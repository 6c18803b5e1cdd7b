/** Proves what is read of kubectl's preferences, that kubectl refuses what we say it does, and that the lines mend it. */

import assert from "node:assert/strict";
import {
  kubercPath,
  parsePluginPolicy,
  pluginRemedy,
  readPluginPolicy,
  refusesPlugin,
} from "../../src/kubeconfig/kuberc.ts";
import { shellLine } from "../../src/text.ts";
import { findProgram } from "../../src/system/processes.ts";
import { scratchFolder, writeScript } from "../scratch.ts";
import { policyKubectls, runKubectl } from "../kube/kubectl.ts";

const HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

Deno.test("kubectl's preferences are $KUBERC, else ~/.kube/kuberc, and none where it is off", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name] || undefined;
  assert.equal(kubercPath(env({ HOME: "/home/ada" }), false), "/home/ada/.kube/kuberc");
  assert.equal(kubercPath(env({ USERPROFILE: "C:\\u" }), true), "C:\\u\\.kube\\kuberc");
  assert.equal(kubercPath(env({ HOME: "/home/ada", KUBERC: "/x" }), false), "/x");
  assert.equal(kubercPath(env({ HOME: "/home/ada", KUBERC: "off" }), false), undefined);
  assert.equal(kubercPath(env({ HOME: "/home/ada", KUBECTL_KUBERC: "false" }), false), undefined);
  assert.equal(kubercPath(env({}), false), undefined);
});

Deno.test("no file of preferences, whatever it is, keeps an entry from being written", async () => {
  await using scratch = await scratchFolder();
  const file = `${scratch.path}/kuberc`;
  const read = async (KUBERC: string) =>
    await readPluginPolicy((name) => name === "KUBERC" ? KUBERC : undefined);
  for (const KUBERC of [file, scratch.path, "/dev/null"]) assert.equal(await read(KUBERC), undefined);
  const nothing = [
    [
      "",
      "a: [",
      "- a",
      "null",
      `${HEAD}credentialPluginPolicy: AllowAll`,
      `${HEAD}credentialPluginPolicy: maybe`,
    ],
    [`${HEAD}credentialPluginPolicy: Allowlist`, `${HEAD}credentialPluginAllowlist: [{name: a}]`],
    [`${HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]`, "kind: Preference"],
  ].flat();
  for (const text of nothing) {
    await Deno.writeTextFile(file, text);
    assert.equal(await read(file), undefined, text);
  }
  await Deno.writeFile(file, new Uint8Array([0xff, 0, 0xfe]));
  assert.equal(await read(file), undefined);
  await Deno.writeTextFile(file, `${HEAD}credentialPluginPolicy: DenyAll\n`);
  assert.equal((await read(file))?.policy, "DenyAll");
});

Deno.test("what the command cannot say is told as lines alone", () => {
  const mend = (text: string, command: string) => {
    const policy = parsePluginPolicy(
      `${HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n${text}`,
      "f",
    );
    return pluginRemedy(policy ?? assert.fail(), command);
  };
  assert.deepEqual(mend("- name: a\n", "/b c"), {
    words: [
      ..."kubectl kuberc set --section credentialplugin --policy Allowlist".split(" "),
      ...["--allowlist-entry", "command=a", "--allowlist-entry", "command=/b c"],
    ],
    lines: ['- name: "/b c"'],
  });
  // A comma is the end of an entry there, and other documents would be lost.
  for (
    const [text, command] of [["- name: a\n", "/b,c"], ["- name: 'a,b'\n", "/c"], [
      "- name: a\n---\nx: 1\n",
      "/b",
    ]]
  ) {
    assert.equal(mend(text ?? "", command ?? "").words, undefined);
  }
  // Of entries that kubectl 1.35 does not read, every one is spelt for it.
  assert.deepEqual(mend("- command: a\n- name: b\n", "/c").lines, [
    "credentialPluginPolicy: Allowlist",
    "credentialPluginAllowlist:",
    ...["- name: a", "- name: b", "- name: /c"],
  ]);
});

/** A kubeconfig whose one user runs a command; nobody listens at its server. */
const kubeconfig = (command: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{
      name: "u",
      user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command, interactiveMode: "Never" } },
    }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  });

for (const { name, path: program } of policyKubectls) {
  Deno.test(`${name} refuses what we say that it does, and what we tell mends it`, async () => {
    await using scratch = await scratchFolder();
    const folder = scratch.path;
    await Deno.mkdir(`${folder}/.kube`);
    await Deno.mkdir(`${folder}/my bin`);
    const answer =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}';
    const ours = `${folder}/my bin/datum it's`;
    for (const path of [ours, `${folder}/my bin/datumctl`]) {
      await writeScript(path, `echo ran >&2; echo '${answer}'`);
    }
    await Deno.symlink(ours, `${folder}/my bin/kubectl-datum`);
    await Deno.symlink(program, `${folder}/my bin/kubectl`);
    const env = { HOME: folder, PATH: `${folder}/my bin:/usr/bin:/bin` };
    const kuberc = `${folder}/.kube/kuberc`;
    const find = (name: string) => findProgram(name, env.PATH);
    const runs = async (command: string) => {
      await Deno.writeTextFile(`${folder}/config`, kubeconfig(command));
      const args = ["--kubeconfig", `${folder}/config`, "get", "--raw", "/version"];
      const { stderr } = await runKubectl(args, env, program);
      assert.match(stderr, /^ran\n|not allowed|not permitted/, stderr);
      return stderr.startsWith("ran\n");
    };
    const list = (...entries: string[]) =>
      `credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n${
        entries.map((one) => `- ${one}\n`).join("")
      }`;
    const named = (path: string) => `name: ${JSON.stringify(path)}`;
    const policies = [
      "credentialPluginPolicy: DenyAll\n",
      "defaults:\n- command: get\n  options: []\ncredentialPluginPolicy: DenyAll\n",
      list("name: other", named("/opt/it's other")),
      list(named(ours)),
      list("name: datumctl"),
      list(named(`${folder}/my bin/datumctl`)),
      ...(name === "kubectl 1.36" ? [list("command: other")] : []),
    ];
    for (const text of policies) {
      for (
        const command of [ours, "datumctl", `${folder}/my bin/datumctl`, `${folder}/my bin/kubectl-datum`]
      ) {
        await Deno.writeTextFile(kuberc, HEAD + text);
        const policy = await readPluginPolicy((variable) => env[variable as "HOME"]);
        const refused = policy !== undefined && refusesPlugin(policy, command, find);
        assert.equal(await runs(command), !refused, `${text} ${command}`);
        if (!refused) continue;
        const { words, lines } = pluginRemedy(policy, command);
        // By hand: one more line, or the whole policy again.
        const kept = lines.length === 1 ? text : text.slice(0, text.indexOf("credentialPluginPolicy"));
        await Deno.writeTextFile(kuberc, `${HEAD}${kept}${lines.join("\n")}\n`);
        assert.ok(await runs(command), `${await Deno.readTextFile(kuberc)} ${command}`);
        if (name === "kubectl 1.35") continue;
        await Deno.writeTextFile(kuberc, HEAD + text);
        const set = await new Deno.Command("/bin/sh", {
          args: ["-c", shellLine(words ?? assert.fail())],
          clearEnv: true,
          env,
        }).output();
        assert.ok(set.success, new TextDecoder().decode(set.stderr));
        assert.ok(await runs(command), await Deno.readTextFile(kuberc));
        const after = parsePluginPolicy(await Deno.readTextFile(kuberc), kuberc);
        assert.deepEqual(after?.allowed, [...policy.allowed, command], "nothing that was allowed is lost");
      }
    }
  });
}
