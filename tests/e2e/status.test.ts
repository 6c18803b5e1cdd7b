/** Proves with the compiled binary that `status` asks nobody, says what the whole command line says, and that its prompts hold. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { edit } from "../sessions/sandbox.ts";
import { namesIn, writeScript } from "../scratch.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { starship, starshipAtHand } from "./starship.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = typeof SHELLS[number];

const isAbsent = (program: string) => findProgram(program, Deno.env.get("PATH")) === undefined;
const withoutStrace = isAbsent("strace");
// deno-lint-ignore no-console -- a skipped check says so
if (withoutStrace) console.error("skipped: without strace, what status opens is not looked at");

/** The file of the one session. */
async function sessionFile(world: World): Promise<string> {
  const name = (await namesIn(`${world.config}/sessions`)).find((one) => /^[a-z2-7]{16}\.json$/.test(one));
  return `${world.config}/sessions/${name}`;
}

/** Signs in, with a project in use. */
async function signedIn(world: World): Promise<void> {
  const { code, stderr } = await world.login(ADA);
  assert.equal(code, 0, stderr);
  await world.ok(["ctx", "use", "acme/web"]);
}

/** What a run of `status` did: its calls that start, connect, or open something to read. */
async function traced(world: World, args: readonly string[], env = {}): Promise<string[]> {
  const trace = `${world.temporary}/trace`;
  const calls = "trace=execve,fork,vfork,connect,sendto,open,openat,unlink,rename,chmod,mkdir";
  const { code, stderr } = await world.start(
    "strace",
    ["-f", "-e", calls, "-o", trace, world.binary, "status", ...args],
    { env },
  ).finished;
  assert.equal(code, 0, stderr);
  return (await Deno.readTextFile(trace)).split("\n").map((line) => line.replace(/^\d+ +/, ""));
}

testInWorld(
  "status starts no program, connects to nothing, writes nothing and reads two files",
  async (world) => {
    await signedIn(world);
    for (const args of [[], ["--short"], ["--format", "{user} {life}"]]) {
      const calls = await traced(world, args);
      assert.equal(calls.filter((call) => /^(?:execve|v?fork)\(/.test(call)).length, 1, "itself");
      assert.deepEqual(
        calls.filter((call) => /^(?:connect|sendto|unlink|rename|chmod|mkdir)\(/.test(call)),
        [],
      );
      const ours = calls.filter((call) => call.includes(world.home) && !call.includes("ENOENT"));
      const opened = ours.filter((call) => /^open(?:at)?\(/.test(call));
      assert.deepEqual(
        opened.map((call) => /"([^"]+)"/.exec(call)?.[1]).sort(),
        [`${world.config}/config.json`, await sessionFile(world)].sort(),
      );
      for (const call of opened) assert.match(call, /O_RDONLY/);
    }
  },
  { ignore: withoutStrace },
);

testInWorld(
  "status does not ask a keyring that is there",
  async (world) => {
    await signedIn(world);
    assert.equal(JSON.parse(await world.ok(["whoami", "-o", "json"])).storage, "keyring");
    const calls = await traced(world, ["--short"]);
    assert.deepEqual(calls.filter((call) => call.startsWith("connect(")), []);
    assert.equal(calls.filter((call) => call.startsWith("execve(")).length, 1);
  },
  { keyring: "real", ignore: withoutStrace || absentPrograms().length > 0 },
);

testInWorld("status by its quick way says what the whole command line says", async (world) => {
  await signedIn(world);
  // A flag in front of the word leads to the whole command line.
  const ways = [[], ["--request-timeout", "30s"]];
  const same = async (args: readonly string[], env = {}) => {
    const [quick, whole] = await Promise.all(ways.map(async (before) => {
      const { code, stdout, stderr } = await world.datumctl([...before, "status", ...args], { env });
      // Seconds may pass between the two.
      return { code, stdout: stdout.replace(/\d+m(\d+s)?/, "TIME"), stderr };
    }));
    assert.deepEqual(quick, whole, args.join(" "));
    return whole;
  };
  for (
    const args of [
      [],
      ["--short"],
      ["--format", "{user}|{session}|{scope}|{state}|{host}"],
      ["--format={x}"],
      ["--format="],
      ["--profile", "nobody"],
      ["--session=nobody", "--short"],
      ["--short", "--short"],
      ["--help"],
      ["--sort"],
      ["--short", "--format", "x"],
      ["--format"],
      ["more"],
      ["--error-format", "json", "--profile", "nobody"],
    ]
  ) await same(args);
  for (
    const env of [
      { DATUMCTL_PROFILE: "nobody" },
      { DATUM_SESSION: "nobody" },
      { DATUM_PROJECT: "shop" },
      { DATUM_PROJECT: "no id" },
      { DATUMCTL_TOKEN: "opaque" },
      { DATUMCTL_TOKEN: "two words" },
      { DATUMCTL_CREDENTIALS_FILE: "/nowhere" },
      { DATUMCTL_ERROR_FORMAT: "json", DATUMCTL_PROFILE: "nobody" },
      { DATUMCTL_ERROR_FORMAT: "xml" },
      { DATUMCTL_CONFIG_DIR: `${world.home}/empty` },
      { HOME: undefined },
    ]
  ) await same(["--short"], env);
  const file = await sessionFile(world);
  await edit(file, (session) => ({ ...session, renewalRefused: "2020-01-01T00:00:00.000Z" }));
  for (const args of [[], ["--short"]]) assert.equal((await same(args))?.code, 4);
  // What is in use comes from the kubeconfig, whose reader is loaded then.
  await edit(file, (session) => ({ ...session, renewalRefused: undefined }));
  await world.ok(["auth", "update-kubeconfig", "--project", "web", "--skip-validation"]);
  await edit(file, (session) => ({ ...session, inUse: undefined }));
  assert.match((await same([]))?.stdout ?? "", /Set by: +the kubeconfig's context /);
  await Deno.writeTextFile(file, "{");
  for (const args of [[], ["--short"]]) assert.equal((await same(args))?.code, 1);
});

/** An e-mail that prompts would run, or take for their own words. */
const HOSTILE = "%n%F{1}%1v$(touch PWNED)`touch PWNED`\\u\\w!!$HOME";

/** A folder, its shells' variables, and datumctl on their path, signed in under a hostile name. */
async function hostileStage(world: World) {
  await signedIn(world);
  await edit(await sessionFile(world), (session) => ({
    ...session,
    user: { ...session.user as Record<string, unknown>, email: HOSTILE },
  }));
  const [folder, bin] = [`${world.home}/work`, `${world.home}/bin`];
  for (const path of [folder, bin]) await Deno.mkdir(path);
  await Deno.symlink(world.binary, `${bin}/datumctl`);
  const env = { ...world.env, PATH: `${bin}:${world.env.PATH}` };
  return { folder, bin, env };
}

/** The block of docs/prompt.md in that language. */
function snippet(language: string): string {
  const text = Deno.readTextFileSync(`${ROOT}docs/prompt.md`);
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "m").exec(text)?.[1] ?? assert.fail(language);
}

/** Where each shell reads its snippet, and what stands before it: options under which a prompt is a program. */
const RC = {
  bash: [".bashrc", "PS1='?> '\nshopt -s promptvars\n"],
  zsh: [".zshrc", "PS1='?> '\nsetopt prompt_subst prompt_bang prompt_percent\n"],
  fish: [".config/fish/config.fish", "set -g fish_greeting\nfunction fish_prompt; echo -n '?> '; end\n"],
} as const;

/** Starts the shell in the folder with these lines in its own file, and sees the hostile name twice, as it is. */
async function seePrompt(
  world: World,
  { folder, env }: { readonly folder: string; readonly env: Readonly<Record<string, string>> },
  shell: Shell,
  lines: string,
  name = HOSTILE,
): Promise<void> {
  const [file] = RC[shell];
  const path = `${world.home}/${file}`;
  await Deno.mkdir(path.replace(/\/[^/]+$/, ""), { recursive: true });
  // Without this folder, fish reads every manual page of the machine in the background.
  await Deno.mkdir(`${world.home}/.local/share/fish/generated_completions`, { recursive: true });
  await Deno.writeTextFile(path, lines);
  const start = { bash: ["bash", "--noprofile", "--rcfile", path, "-i"], zsh: ["zsh", "-i"], fish: ["fish"] };
  await using panes = openPanes(world);
  const pane = await panes.open(["sh", "-c", 'cd "$0" && exec "$@"', folder, ...start[shell]], env);
  const shown = RegExp.escape(`${name} acme/web `);
  await pane.shows(new RegExp(shown));
  await pane.type("echo again");
  await pane.press("Enter");
  await pane.shows(new RegExp(`^again\\n[^]*${shown}`, "m"));
  assert.deepEqual(await namesIn(folder), [], `${shell} ran what a name says`);
  // Else it may write into the home that is being removed.
  await pane.type("exit");
  await pane.press("Enter");
  await pane.ended();
}

for (const shell of SHELLS) {
  testInWorld(
    `the snippet for ${shell} shows a hostile name as it is and runs nothing of it`,
    async (world) => await seePrompt(world, await hostileStage(world), shell, RC[shell][1] + snippet(shell)),
    { ignore: !panesAtHand || isAbsent(shell) },
  );

  testInWorld(
    `the snippet for starship does so in ${shell}`,
    async (world) => {
      const stage = await hostileStage(world);
      await Deno.symlink(await starship(), `${stage.bin}/starship`);
      await Deno.mkdir(`${world.home}/.config`, { recursive: true });
      // The machine may be busy. The other modules would only fill the line.
      const settings = `command_timeout = 60000\nadd_newline = false\nformat = "$custom?> "\n`;
      await Deno.writeTextFile(`${world.home}/.config/starship.toml`, settings + snippet("toml"));
      const init = shell === "fish" ? "starship init fish | source\n" : `eval "$(starship init ${shell})"\n`;
      // It knows nothing of prompt_bang, and writes a dollar for bash as `\\$`, which is `#` for the administrator.
      const before = RC[shell][1].replace("prompt_bang ", "");
      const dollar = shell === "bash" && Deno.uid() === 0 ? "#" : "$";
      await seePrompt(world, stage, shell, before + init, HOSTILE.replaceAll("$", () => dollar));
    },
    { ignore: !panesAtHand || isAbsent(shell) || !starshipAtHand },
  );
}

testInWorld("a text that is written into PS1 is run, which the pages warn of", async (world) => {
  const { folder, env } = await hostileStage(world);
  await writeScript(`${folder}/../unsafe`, `exec bash -c 'PS1="$(datumctl status --short) "; : "\${PS1@P}"'`);
  assert.equal((await world.start(`${world.home}/unsafe`, [], { env, cwd: folder }).finished).code, 0);
  assert.deepEqual(await namesIn(folder), ["PWNED"]);
});
