/** Proves with the compiled binary that signals, terminal and exit code are the command's, and that its token is fresh. */

import assert from "node:assert/strict";
import { assertMissing, namesIn, writeScript } from "../scratch.ts";
import { until } from "../until.ts";
import { kubectl, kubectls } from "./kubectls.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";

/** Starts a shell script behind `exec`, and waits until it has written a file. */
async function startScript(world: World, body: string, env: Readonly<Record<string, string>> = {}) {
  const script = `${world.home}/script`;
  const started = `${world.home}/started`;
  await Deno.remove(started).catch(() => {});
  const told = `echo $$ > ${started}.new; mv ${started}.new ${started}`;
  await writeScript(script, body.replace("STARTED", () => told));
  const running = world.start(world.binary, ["exec", "--project", "web", "--", script], { env });
  await until(() => Deno.stat(started).then(() => true, () => false), "the script");
  const child = Number(await Deno.readTextFile(started));
  assert.ok(child > 1, `${child}`);
  return { ...running, child };
}

/** The folders of runs. */
const folders = async ({ temporary }: World) =>
  (await namesIn(temporary)).filter((name) => name.startsWith("datumctl-exec-"));

const alive = (pid: number) => Deno.stat(`/proc/${pid}`).then(() => true, () => false);

testInWorld(
  "a signal that is sent to exec is the command's, and so is the exit code",
  async (world, context) => {
    await world.login(ADA);
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1"] as const) {
      await context.step(signal, async () => {
        const name = signal.slice(3);
        const { finished, kill } = await startScript(
          world,
          `trap 'exit 7' ${name}; STARTED; while :; do sleep 0.1; done`,
        );
        assert.equal((await folders(world)).length, 1);
        kill(signal);
        const { code, stdout, stderr } = await finished;
        assert.deepEqual([code, stdout, stderr], [7, "", ""]);
        assert.deepEqual(await folders(world), []);
      });
    }

    await context.step("a command that takes its time after SIGTERM is waited for", async () => {
      const { finished, kill } = await startScript(
        world,
        `trap 'sleep 1; exit 0' TERM; STARTED; while :; do sleep 0.1; done`,
      );
      kill("SIGTERM");
      assert.equal((await finished).code, 0);
    });

    await context.step("a command that is to outlive its terminal has nohup behind --", async () => {
      const line = "echo up; sleep 1; echo done";
      const running = world.start(world.binary, [
        "exec",
        "--project",
        "web",
        "--",
        "nohup",
        "sh",
        "-c",
        line,
      ]);
      await until(async () => (await folders(world)).length === 1, "the command");
      await new Promise((resolve) => setTimeout(resolve, 500));
      running.kill("SIGHUP");
      const { code, stdout } = await running.finished;
      assert.deepEqual([code, stdout], [0, "up\ndone\n"]);
    });

    await context.step(
      "a pipe that nobody reads any more ends the command as it would without exec",
      async () => {
        const line = `"$0" exec --project web -- yes | head -n 1; echo "\${PIPESTATUS[0]}"`;
        const { stdout } = await world.start("bash", ["-c", line, world.binary]).finished;
        assert.equal(stdout, "y\n141\n");
      },
    );

    await context.step("a command that is killed: 137, and nothing is left", async () => {
      const { finished, child } = await startScript(world, "STARTED; exec sleep 60");
      Deno.kill(child, "SIGKILL");
      assert.equal((await finished).code, 137);
      assert.deepEqual(await folders(world), []);
    });

    await context.step(
      "exec itself is killed: the command lives on, and the next run sweeps up after a minute",
      async () => {
        const { finished, kill, child } = await startScript(world, "STARTED; exec sleep 60");
        kill("SIGKILL");
        assert.equal(await alive(child), true);
        Deno.kill(child, "SIGKILL");
        await finished;
        const [left = ""] = await folders(world);
        await world.ok(["exec", "--project", "web", "--", "true"]);
        assert.deepEqual(await folders(world), [left], "it is younger than a minute");
        const old = new Date(Date.now() - 61_000);
        await Deno.utime(`${world.temporary}/${left}`, old, old);
        await world.ok(["exec", "--project", "web", "--", "true"]);
        assert.deepEqual(await folders(world), []);
      },
    );

    await context.step("the loader's variables are the person's, too", async () => {
      const env = { LD_LIBRARY_PATH: "/opt/nothing", DATUMCTL_TOKEN: "secret" };
      const ran = await world.datumctl([
        "exec",
        "--profile",
        `${ADA}@${world.cloud.apiHost}`,
        "--project",
        "web",
        "--",
        "env",
      ], { env });
      assert.equal(ran.code, 0, ran.stderr);
      assert.match(ran.stdout, /^LD_LIBRARY_PATH=\/opt\/nothing$/m);
      assert.doesNotMatch(ran.stdout, /secret/);
    });

    await context.step("datumctl inside acts where the command does, whatever the target", async () => {
      const inside = async (...flags: string[]) =>
        JSON.parse(await world.ok(["exec", ...flags, "--", world.binary, "whoami", "-o", "json"]));
      const { session, project, scopeSource } = await inside("--project", "web");
      assert.deepEqual([session, project, scopeSource], [
        `${ADA}@${world.cloud.apiHost}`,
        "web",
        "DATUM_PROJECT",
      ]);
      assert.match(
        (await inside("--platform-wide")).scopeSource,
        /^the kubeconfig's context datum-platform-/,
      );
    });

    for (const { name, path } of kubectls) {
      await context.step(`${name} reads the token's file`, async () => {
        const names = await world.ok([
          "exec",
          "--project",
          "web",
          "--",
          path,
          "get",
          "namespaces",
          "-o",
          "name",
        ]);
        assert.match(names, /^namespace\/project-web$/m);
      });
    }

    await context.step("the vendor's helper prints the session's token inside", async () => {
      const line =
        'test "$("$DATUM_CREDENTIALS_HELPER" auth get-token --session "$DATUM_SESSION")" = "$(cat "${KUBECONFIG%/*}/token")"';
      await world.ok(["exec", "--project", "web", "--", "sh", "-c", line]);
    });
  },
  { ignore: Deno.build.os === "windows" },
);

testInWorld("tokens of twenty seconds are renewed while the command runs", async (world) => {
  await world.login(ADA);
  const line = `cd "\${KUBECONFIG%/*}"; first=$(cat token); for i in $(seq 100); do
    now=$(cat token); test -n "$now" || exit 9
    test "$now" = "$first" || exec ${kubectl || "true"} get namespaces -o name; sleep 0.3; done; exit 8`;
  const { code, stdout, stderr } = await world.datumctl(["exec", "--project", "web", "--", "sh", "-c", line]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^warning: The issuer's tokens last 20 s\./);
  if (kubectl !== "") assert.match(stdout, /^namespace\/project-web$/m);
}, { cloud: { accessTokenLife: 20 } });

testInWorld(
  "--watch: a signal removes the file, and the session's end does, with exit code 4",
  async (world) => {
    await world.login(ADA);
    const path = `${world.home}/token`;
    const watch = async () => {
      const running = world.start(world.binary, ["auth", "get-token", "--write", path, "--watch"]);
      await until(() => Deno.stat(path).then(() => true, () => false), "the token");
      return running;
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { kill, finished } = await watch();
      // The line on stderr comes when it listens, too.
      await new Promise((resolve) => setTimeout(resolve, 300));
      kill(signal);
      assert.equal((await finished).code, 0);
      await assertMissing(path);
    }
    const { finished } = await watch();
    await world.ok(["logout", ADA]);
    const { code, stderr } = await finished;
    assert.equal(code, 4);
    assert.match(stderr, /was signed out in the meantime/);
    await assertMissing(path);
  },
);

testInWorld("a terminal's keys and size are the command's", async (world) => {
  await world.login(ADA);
  await using panes = openPanes(world);
  const pane = await panes.open(["bash", "--norc", "-i"], {
    ...world.env,
    PS1: "ready> ",
    HISTFILE: "/dev/null",
  });
  await pane.shows(/ready> /);
  await writeScript(
    `${world.home}/script`,
    `trap 'echo typed; exit 5' INT; trap 'echo "size $(stty size)"' WINCH; trap 'echo quit' QUIT
    echo up; while :; do sleep 0.1; done`,
  );
  await pane.type(`${world.binary} exec --project web -- ${world.home}/script; echo "left with $?"`);
  await pane.press("Enter");
  await pane.shows(/^up$/m);
  await pane.press("C-z");
  await pane.shows(/Stopped/);
  await pane.type("fg");
  await pane.press("Enter");
  await pane.shows(/ready> fg\n.*exec --project/);
  const tmux = ["-S", `${world.temporary}/tmux`, "resize-window", "-t", "pane-1", "-x", "100", "-y", "30"];
  assert.equal((await world.start("tmux", tmux, { env: { TERM: "xterm" } }).finished).code, 0);
  await pane.shows(/^size 30 100$/m);
  await pane.press("C-\\");
  await pane.shows(/quit/);
  await pane.press("C-c");
  await pane.shows(/typed/);
  await pane.type('echo "was $?"');
  await pane.press("Enter");
  await pane.shows(/was \d/);
  assert.deepEqual(await folders(world), []);
}, { ignore: !panesAtHand });

testInWorld("a shell behind exec has its own jobs, and may suspend itself", async (world) => {
  await world.login(ADA);
  await using panes = openPanes(world);
  const pane = await panes.open(["bash", "--norc", "-i"], {
    ...world.env,
    PS1: "outer> ",
    HISTFILE: "/dev/null",
  });
  const enter = async (line: string) => {
    await pane.type(line);
    await pane.press("Enter");
  };
  await pane.shows(/outer> /);
  await enter(`PS1='inner> ' ${world.binary} exec --project web -- bash --norc -i; echo "left with $?"`);
  await pane.shows(/^inner> $/m);
  await enter("echo begun; sleep 100");
  await pane.shows(/^begun$/m);
  await pane.press("C-z");
  await pane.shows(/Stopped +(?:echo begun; )?sleep 100/);
  await enter("kill -9 %1; wait; echo killed");
  await pane.shows(/^killed$/m);
  await enter("suspend");
  await pane.shows(/Stopped .*exec --project/);
  await enter("echo outside; fg");
  await pane.shows(/^outside$/m);
  await enter("echo inside; exit 9");
  await pane.shows(/^inside$/m);
  // What stood behind exec in the line went on when exec stopped; the end of fg tells the code.
  await enter('echo "code $?"');
  await pane.shows(/^code 9$/m);
  assert.deepEqual(await folders(world), []);
}, { ignore: !panesAtHand });
