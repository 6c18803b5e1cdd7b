/** Proves `doctor` with the kubectls that read a kuberc: they refuse us, and work once its line was typed. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { kubectlPath } from "../../scripts/npm-packages.ts";
import { ADA, addKubectl, report, shell, shellVariables, troublesOf } from "./doctor-stage.ts";
import { testInWorld, type World } from "./world.ts";

const HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

const list = (...entries: string[]) =>
  `credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n${
    entries.map((one) => `- ${one}\n`).join("")
  }`;

const DEFAULTS = "defaults:\n- command: get\n  options:\n  - name: output\n    default: wide\n";

/** A kuberc that keeps kubectl from running us. */
interface Refusing {
  readonly name: string;
  readonly text: string;
  readonly found: RegExp;
  /** What it allowed already. */
  readonly allowed?: readonly string[];
  /** The only kubectl that it is about. */
  readonly only?: "v35" | "v36";
  /** kubectl's own line cannot change it. */
  readonly byHand?: true;
}

const NOT_RUN = /^kubectl does not run \S+\/datumctl: credentialPluginPolicy is /;

const POLICIES: readonly Refusing[] = [
  { name: "DenyAll", text: `${HEAD}credentialPluginPolicy: DenyAll\n`, found: NOT_RUN },
  {
    name: "DenyAll, with other preferences around it and no end of line",
    text: `${HEAD}# mine\n${DEFAULTS}credentialPluginPolicy: DenyAll # for now`,
    found: NOT_RUN,
  },
  {
    name: "a list without us",
    text: `${HEAD}${list("name: other", 'name: "/opt/it\'s other"')}`,
    found: NOT_RUN,
    allowed: ["other", "/opt/it's other"],
  },
  {
    name: "a list without us, indented and before other preferences",
    text:
      `${HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n  - name: other # theirs\n${DEFAULTS}`,
    found: NOT_RUN,
    allowed: ["other"],
  },
  {
    name: "a list without us, in flow style",
    text: `${HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: other}]\n`,
    found: NOT_RUN,
    allowed: ["other"],
  },
  {
    name: "a list without us, as kubectl 1.36 writes it",
    text: `${HEAD}${list("command: other")}`,
    found: NOT_RUN,
    allowed: ["other"],
    only: "v36",
  },
  {
    name: "a list of kubectl 1.36 under 1.35",
    text: `${HEAD}${list("command: other", "command: /opt/another")}${DEFAULTS}`,
    found: /^its list is written for kubectl 1\.36 and later$/,
    allowed: ["other", "/opt/another"],
    only: "v35",
  },
  {
    name: "a policy that kubectl does not know",
    text: `${HEAD}credentialPluginPolicy: maybe\n${DEFAULTS}`,
    found: /^its credentialPluginPolicy is none that kubectl knows$/,
    byHand: true,
  },
  {
    name: "an Allowlist without a list",
    text: `${HEAD}credentialPluginPolicy: Allowlist\n`,
    found: /^it says Allowlist and has no list$/,
    byHand: true,
  },
  {
    name: "an empty list",
    text: `${HEAD}credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []\n`,
    found: /^its list is empty$/,
    byHand: true,
  },
  {
    name: "a list beside another policy",
    text: `${HEAD}credentialPluginPolicy: AllowAll\ncredentialPluginAllowlist:\n- name: other\n`,
    found: /^it has a list of plugins, but its policy is not Allowlist$/,
    allowed: ["other"],
    byHand: true,
  },
];

/** True when kubectl works; false when it refuses to run us, or to run at all. */
async function works(world: World): Promise<boolean> {
  const { code, stdout, stderr } = await shell(world, "kubectl get namespaces", shellVariables(world));
  if (code === 0) {
    assert.match(stdout, /^project-web /m);
    return true;
  }
  assert.match(stderr, /not allowed|not permitted|error occurred while applying preferences/);
  return false;
}

for (const version of ["v35", "v36"] as const) {
  const kubectl = await kubectlPath(version).catch(() => undefined);
  const name = `kubectl 1.${version.slice(1)}`;
  testInWorld(
    `${name} refuses us by its kuberc, and works once doctor's line was typed`,
    async (world, t) => {
      await addKubectl(world, kubectl);
      assert.equal((await world.login(ADA)).code, 0);
      await world.ok(["auth", "update-kubeconfig", "--project", "web"]);
      assert.ok(await works(world));
      const kuberc = `${world.home}/.kube/kuberc`;
      for (const { text, found, allowed = [], byHand, ...policy } of POLICIES) {
        if (policy.only !== undefined && policy.only !== version) continue;
        await t.step(policy.name, async () => {
          await Deno.writeTextFile(kuberc, text);
          assert.equal(await works(world), false, text);
          const [trouble, ...others] = troublesOf(await report(world), "kubectl.kuberc");
          assert.ok(trouble !== undefined && others.length === 0);
          assert.match(trouble.found, found);
          const line = trouble.line ?? assert.fail(`no line: ${JSON.stringify(trouble)}`);
          const own = version === "v36" && byHand === undefined;
          assert.equal(
            line.startsWith("kubectl kuberc set --section credentialplugin --policy Allowlist"),
            own,
            line,
          );
          const typed = await shell(world, line, shellVariables(world));
          assert.equal(typed.code, 0, typed.stderr);
          assert.ok(await works(world), `${line}\n${await Deno.readTextFile(kuberc)}`);
          assert.deepEqual(troublesOf(await report(world), "kubectl.kuberc"), []);
          const after = parse(await Deno.readTextFile(kuberc));
          const commands = after.credentialPluginAllowlist.map((one: Record<string, string>) =>
            one.command ?? one.name
          );
          assert.deepEqual(commands, [...allowed, world.binary], "nothing that was allowed is lost");
          if (text.includes("defaults:")) assert.deepEqual(after.defaults, parse(DEFAULTS).defaults);
          await Deno.remove(`${kuberc}.aside`).catch(() => {});
        });
      }
      await t.step("a file of several documents is edited by a person", async () => {
        await Deno.writeTextFile(kuberc, `${HEAD}credentialPluginPolicy: DenyAll\n---\nkind: Other\n`);
        const [trouble] = troublesOf(await report(world), "kubectl.kuberc");
        assert.equal(trouble?.line, null);
        assert.deepEqual(trouble?.edit, {
          file: kuberc,
          lines: [
            "credentialPluginPolicy: Allowlist",
            "credentialPluginAllowlist:",
            `- name: ${world.binary}`,
          ],
        });
        await Deno.writeTextFile(kuberc, `${HEAD}${trouble?.edit?.lines.join("\n")}\n`);
        assert.ok(await works(world));
      });
    },
    { ignore: kubectl === undefined },
  );
}
