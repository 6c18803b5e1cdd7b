/** The stage of completion: sessions, a project in use, objects, a kubeconfig, files, and shells to type to. */

import assert from "node:assert/strict";
import { findProgram } from "../../src/system/processes.ts";
import { writeScript } from "../scratch.ts";
import type { TypedShell } from "./completion-rows.ts";
import { type Pane, type Panes } from "./panes.ts";
import type { World } from "./world.ts";

/** Names that some shell would run if they stood on its line as they are. */
export const HOSTILE_CONTEXT = "evil$(touch PWNED)`touch PWNED`;touch PWNED";
export const HOSTILE_NAME = "hostile$(touch PWNED)";

/** What no shell may be given: it would be another line, or show as something else. */
export const BROKEN_NAMES = ["bro\nken", "bro\tken", "bro\u001b[31mken", "bro\u202eken"];

/** The shells that are not on this machine. */
export const absentShells = (["bash", "zsh", "fish"] as const).filter((shell) =>
  findProgram(shell, Deno.env.get("PATH")) === undefined
);

// deno-lint-ignore no-console
if (absentShells.length > 0) console.error(`skipped: completion in ${absentShells.join(", ")}, absent here`);

/** A stage; its working folder holds files that are offered where files are meant. */
export interface CompletionStage {
  readonly folder: string;
  /** The variables of programs on it: datumctl is on the PATH. */
  readonly env: Readonly<Record<string, string>>;
}

/** Signs in, puts objects up, and writes a kubeconfig. */
export async function setStage(world: World): Promise<CompletionStage> {
  for (
    const [email, flags] of [["grace@example.com", ["--profile", "grace"]], ["ada@example.com", []]] as const
  ) {
    const { code, stderr } = await world.login(email, flags);
    assert.equal(code, 0, stderr);
  }
  const second = await world.login("ada@example.com", ["--profile", "jürgen"]);
  assert.equal(second.code, 0, second.stderr);
  await world.ok(["auth", "switch", `ada@example.com@${world.cloud.apiHost}`]);
  await world.ok(["ctx", "use", "acme/web"]);
  await putConfigMaps(world, ["alpha", "beta", HOSTILE_NAME, ...BROKEN_NAMES]);
  await writeKubeconfig(world);
  const folder = `${world.home}/work`;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/zone.yaml`, "");
  const bin = `${world.home}/bin`;
  await Deno.mkdir(bin);
  await Deno.symlink(world.binary, `${bin}/datumctl`);
  // What is completed, and not how fast: the machine may be busy.
  const env = { ...world.env, PATH: `${bin}:${world.env.PATH}`, DATUMCTL_COMPLETION_TIMEOUT: "60s" };
  return { folder, env };
}

/** Makes ConfigMaps in the project `web`, whatever their names. */
async function putConfigMaps({ cloud, ok }: World, names: readonly string[]): Promise<void> {
  cloud.setControlPlanes({ anyNames: true });
  const token = (await ok(["auth", "get-token"])).trim();
  using client = Deno.createHttpClient({ caCerts: [cloud.caPem] });
  const plane =
    `https://${cloud.apiHost}/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane`;
  for (const name of names) {
    const response = await fetch(`${plane}/api/v1/namespaces/default/configmaps`, {
      client,
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: {} }),
    });
    assert.equal(response.status, 201, `${name}: ${await response.text()}`);
  }
}

async function writeKubeconfig({ kubeconfig }: World): Promise<void> {
  const names = ["prod", "with blank", "it's", 'say"hi"', "münchen", HOSTILE_CONTEXT, ...BROKEN_NAMES];
  const contexts = names.map((name) => ({ name, context: { cluster: "c", user: "u" } }));
  await Deno.mkdir(kubeconfig.replace(/\/[^/]+$/, ""), { recursive: true });
  await Deno.writeTextFile(
    kubeconfig,
    JSON.stringify({ apiVersion: "v1", kind: "Config", contexts, clusters: [], users: [] }),
  );
}

const PROMPT = "?>";

/** A shell that waits for keys. */
export interface TypedTo {
  /** Types a line, presses TAB, and returns the line once it is `wanted`; fails with what it is instead. */
  complete(typed: string, wanted: string): Promise<void>;
  /** Types a line, presses TAB twice, and waits until the list below it matches. */
  lists(typed: string, pattern: RegExp): Promise<void>;
  readonly pane: Pane;
}

/** Starts a shell that completes datumctl as its own page of help says. */
export async function typeTo(
  panes: Panes,
  { folder, env }: CompletionStage,
  shell: TypedShell,
  { asFile = false }: { readonly asFile?: boolean } = {},
): Promise<TypedTo> {
  const home = env.HOME ?? "";
  const start = {
    bash: ["bash", "--noprofile", "--rcfile", `${home}/.bashrc`, "-i"],
    zsh: ["zsh", "-i"],
    fish: ["fish"],
  }[shell];
  await Deno.writeTextFile(
    `${home}/.bashrc`,
    `PS1='${PROMPT} '; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; ` +
      `bind 'set completion-query-items 0'; bind 'set page-completions off'\neval "$(datumctl completion bash)"\n`,
  );
  await Deno.writeTextFile(
    `${home}/.zshrc`,
    `PS1='${PROMPT} '; unsetopt beep; ` +
      (asFile
        ? `mkdir "$HOME/functions"; datumctl completion zsh > "$HOME/functions/_datumctl"; ` +
          `fpath=("$HOME/functions" $fpath); autoload -Uz compinit; compinit -i -D\n`
        : `eval "$(datumctl completion zsh)"\n`),
  );
  const fish = `${home}/.config/fish`;
  await Deno.mkdir(`${fish}/completions`, { recursive: true });
  // Without this folder, fish reads every manual page of the machine in the background.
  await Deno.mkdir(`${home}/.local/share/fish/generated_completions`, { recursive: true });
  await Deno.writeTextFile(
    `${fish}/config.fish`,
    `set -g fish_greeting\nset -g fish_autosuggestion_enabled 0\nfunction fish_prompt; echo -n '${PROMPT} '; end\n`,
  );
  const written = `datumctl completion fish > ${fish}/completions/datumctl.fish; `;
  const script = `cd "$0" && ${shell === "fish" ? written : ""}exec "$@"`;
  const pane = await panes.open(["sh", "-c", script, folder, ...start], env);
  // Where a line was longer before, blanks stand at its end now.
  const line = async () =>
    (await pane.text()).split("\n").findLast((one) => one.startsWith(PROMPT))?.trimEnd() ?? "";
  const waitFor = async (is: (line: string) => boolean, what: string) => {
    for (const most = performance.now() + 180_000;;) {
      const seen = await line();
      if (is(seen)) return;
      assert.ok(performance.now() < most, `${shell}: ${what}, but the line is ${JSON.stringify(seen)}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  };
  const clear = async () => {
    await pane.press("C-u");
    await waitFor((seen) => seen === PROMPT, "the line is to be empty");
  };
  await pane.shows(/^\?> *$/m);
  return {
    pane,
    async complete(typed, wanted) {
      await pane.type(`datumctl ${typed}`);
      await pane.press("Tab");
      // What is typed behind it is read when TAB has done its work.
      await pane.type("X");
      try {
        await waitFor((seen) => seen.endsWith("X"), `${typed}: TAB is to end`);
        assert.equal(await line(), `${PROMPT} datumctl ${wanted}X`, `${shell}: ${typed}`);
      } finally {
        await clear();
      }
    },
    async lists(typed, pattern) {
      await pane.type(`datumctl ${typed}`);
      await pane.press("Tab");
      await pane.press("Tab");
      await pane.shows(pattern);
      if (shell === "fish") await pane.press("Escape");
      await clear();
    },
  };
}

/** A program that only says that it was started, in place of what must not be. */
export async function tripwire(path: string, told: string): Promise<void> {
  await writeScript(path, `touch ${told}`);
}
