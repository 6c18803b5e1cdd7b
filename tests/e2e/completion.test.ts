/** Proves with the compiled binary that TAB completes in the real shells, by keystrokes, whatever servers call things. */

import assert from "node:assert/strict";
import { commandWords } from "../../src/cli/complete/words.ts";
import { modeOf, namesIn } from "../scratch.ts";
import { QUOTED, ROWS, TYPED_SHELLS } from "./completion-rows.ts";
import {
  absentShells,
  BROKEN_NAMES,
  type CompletionStage,
  HOSTILE_NAME,
  setStage,
  tripwire,
  typeTo,
} from "./completion-stage.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { type RunOptions, testInWorld, type World } from "./world.ts";

/** The folder as it was made: nothing that a name says was run. */
async function assertNothingRun({ folder }: CompletionStage): Promise<void> {
  assert.deepEqual(await namesIn(folder), ["zone.yaml"]);
}

for (const shell of TYPED_SHELLS) {
  testInWorld(
    `TAB completes in ${shell}, line by line`,
    async (world, context) => {
      const stage = await setStage(world);
      await using panes = openPanes(world);
      const typed = await typeTo(panes, stage, shell);
      const rows = [...ROWS, ...QUOTED[shell]];
      assert.ok(rows.length >= 40);
      const host = (text: string) => text.replaceAll("HOST", world.cloud.apiHost);
      for (const { typed: line, then } of rows) {
        await context.step(line, async () => await typed.complete(host(line), host(then)));
      }
      const screen = await typed.pane.text();
      assert.doesNotMatch(screen, /error|not found|Traceback|panic|command not/i);
      await assertNothingRun(stage);
    },
    { ignore: !panesAtHand || absentShells.includes(shell) },
  );
}

/** A line of the list behind `ctx`, with its description. */
const LISTED = {
  zsh: /^use +-- Choose what later commands act on/m,
  fish: /use +\(Choose what later commands act on\)/,
} as const;

for (const shell of ["zsh", "fish"] as const) {
  testInWorld(
    `${shell} shows what each word is for`,
    async (world) => {
      const stage = await setStage(world);
      await using panes = openPanes(world);
      const typed = await typeTo(panes, stage, shell);
      await typed.lists("ctx ", LISTED[shell]);
    },
    { ignore: !panesAtHand || absentShells.includes(shell) },
  );
}

testInWorld(
  "zsh finds the script as a file in its fpath, as packages put it there",
  async (world) => {
    const stage = await setStage(world);
    await using panes = openPanes(world);
    const typed = await typeTo(panes, stage, "zsh", { asFile: true });
    await typed.complete("auth sw", "auth switch ");
    await typed.complete("get configmaps al", "get configmaps alpha ");
  },
  { ignore: !panesAtHand || absentShells.includes("zsh") },
);

/** The words that `__complete` offers a shell without quotes, fish; whatever happens, it fails with nothing. */
async function offered(world: World, line: string, options: RunOptions = {}): Promise<string[]> {
  const env = { DATUMCTL_COMPLETION_TIMEOUT: "60s", ...options.env };
  const { code, stdout, stderr } = await world.datumctl(["__complete", "fish"], {
    ...options,
    env,
    stdin: `datumctl ${line}`,
  });
  assert.deepEqual([code, stderr], [0, ""], line);
  const [first, ...words] = stdout.split("\n");
  assert.match(first ?? "", /^(?:words|open)$/, line);
  return words.filter((word) => word !== "").map((word) => word.split("\t")[0] ?? "");
}

/** Signs in as Ada with a project in use, and fills the lists that completion keeps. */
async function fillLists(world: World): Promise<string> {
  const { code, stderr } = await world.login("ada@example.com");
  assert.equal(code, 0, stderr);
  await world.ok(["ctx", "use", "acme/web"]);
  await world.ok(["ctx", "list"]);
  await world.ok(["get", "namespaces"]);
  return `ada@example.com@${world.cloud.apiHost}`;
}

/** What is offered without a token and a server. */
async function assertKeptLists(world: World, name: string, options?: RunOptions): Promise<void> {
  assert.deepEqual(await offered(world, "auth switch ", options), [name]);
  assert.deepEqual(await offered(world, "ctx use acme/w", options), ["acme/web"]);
  assert.deepEqual(await offered(world, "get --project we", options), ["web"]);
  assert.deepEqual(await offered(world, "get conf", options), ["configmaps"]);
}

testInWorld(
  "with a locked keyring the kept lists complete, and the keyring is not asked to open",
  async (world) => {
    const name = await fillLists(world);
    assert.ok((await offered(world, "get namespaces ")).includes("kube-system"));
    await world.keyring?.lock();
    await assertKeptLists(world, name);
    assert.deepEqual(await offered(world, "get namespaces "), []);
    assert.deepEqual(await offered(world, "get --session nobody namespaces "), []);
  },
  { keyring: "real", ignore: absentPrograms().length > 0 },
);

testInWorld("without a network the kept lists complete, and names are left out", async (world) => {
  const name = await fillLists(world);
  await world.cloud.setFaults({ down: ["issuer", "api"] });
  await assertKeptLists(world, name);
  assert.deepEqual(await offered(world, "get namespaces "), []);
});

testInWorld("a server that never answers is not waited for", async (world) => {
  const name = await fillLists(world);
  await world.cloud.setFaults({ api: { slow: 600_000 } });
  const env = { DATUMCTL_COMPLETION_TIMEOUT: "2s" };
  assert.deepEqual(await offered(world, "get namespaces ", { env }), []);
  assert.deepEqual(await offered(world, "auth switch ", { env }), [name]);
});

testInWorld("a token that is refused is not renewed, and no session's file changes", async (world) => {
  await fillLists(world);
  const before = await sessionFiles(world);
  world.cloud.revokeAccessTokens();
  world.cloud.resetCounts();
  assert.deepEqual(await offered(world, "get namespaces "), []);
  assert.equal(world.cloud.counts().token ?? 0, 0, "the issuer was asked for a token");
  assert.deepEqual(await sessionFiles(world), before);
});

testInWorld(
  "a short token that is over is not renewed either",
  async (world) => {
    const { code, stderr } = await world.login("ada@example.com");
    assert.equal(code, 0, stderr);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    world.cloud.resetCounts();
    assert.deepEqual(await offered(world, "get --project web namespaces "), []);
    assert.deepEqual(await offered(world, "ctx use "), []);
    assert.equal(world.cloud.counts().total ?? 0, 0, "somebody was asked");
  },
  { cloud: { accessTokenLife: 2 } },
);

/** The text of each session's file. */
async function sessionFiles({ config }: World): Promise<string[]> {
  const names = (await namesIn(`${config}/sessions`)).filter((name) => name.endsWith(".json"));
  return await Promise.all(names.map((name) => Deno.readTextFile(`${config}/sessions/${name}`)));
}

testInWorld(
  "names that are no plain line are not offered, and kept lists are private files",
  async (world) => {
    await setStage(world);
    const names = await offered(world, "get configmaps ");
    assert.deepEqual(names.toSorted(), ["alpha", "beta", HOSTILE_NAME]);
    const contexts = await offered(world, "get --context ");
    assert.ok(contexts.includes("münchen") && !contexts.some((name) => BROKEN_NAMES.includes(name)));
    const files = (await namesIn(`${world.config}/sessions`)).filter((name) =>
      /\.(?:listed|discovery)-/.test(name)
    );
    assert.ok(files.length > 0);
    for (const name of files) assert.equal(await modeOf(`${world.config}/sessions/${name}`), 0o600, name);
  },
);

testInWorld("the words of the compiled program are those of its commands", async (world) => {
  const table = await commandWords();
  assert.deepEqual(await offered(world, ""), table.commands.map(({ name }) => name));
  for (const { name, commands } of table.commands.filter(({ commands }) => commands.length > 0)) {
    assert.deepEqual(await offered(world, `${name} `), commands.map((held) => held.name));
  }
});

testInWorld("a datumctl and sessions in somebody else's folder count for nothing", async (world) => {
  const stage = await setStage(world);
  const told = `${world.home}/run`;
  await tripwire(`${stage.folder}/datumctl`, told);
  await Deno.mkdir(`${stage.folder}/.datumctl`);
  for (const name of await namesIn(`${world.config}/sessions`)) {
    if (name.endsWith(".json")) {
      await Deno.copyFile(`${world.config}/sessions/${name}`, `${stage.folder}/.datumctl/${name}`);
    }
  }
  const script = `set -u; eval "$(datumctl completion bash)"
    COMP_LINE='./datumctl auth switch g' COMP_POINT=24 COMP_WORDS=(./datumctl auth switch g) COMP_CWORD=3
    _datumctl ./datumctl g switch; printf '%s\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await world.start("bash", ["--norc", "-c", script], {
    env: stage.env,
    cwd: stage.folder,
  }).finished;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "grace\n");
  await assert.rejects(Deno.stat(told), Deno.errors.NotFound);
});
