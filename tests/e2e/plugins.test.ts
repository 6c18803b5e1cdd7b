/** Proves with the compiled binary that plug-ins in shell and Go get what docs/plugins.md says, and nothing that is secret. */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { addressVariables } from "../cloud/variables.ts";
import { edit } from "../sessions/sandbox.ts";
import { namesIn, writeScript } from "../scratch.ts";
import { until } from "../until.ts";
import { leaksIn, needlesOf } from "./leaks.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { type RunOptions, testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";

const go = findProgram("go", Deno.env.get("PATH")) ?? findProgram("go", "/usr/local/go/bin");
const strace = findProgram("strace", Deno.env.get("PATH"));
// deno-lint-ignore no-console
if (go === undefined) console.error("skipped: plug-ins in Go, for Go is not at hand");
// deno-lint-ignore no-console
if (strace === undefined) console.error("skipped: the trace of a plug-in, for there is no strace here");

const ignore = Deno.build.os === "windows";

/** Writes down its arguments with a NUL behind each, its variables, and its standard input. */
const TELLS =
  `cd "$(dirname "$0")"; printf '%s\\0' "$@" > args; tr '\\0' '\\n' < /proc/$$/environ > env; cat > in`;

/** The same, by another language. */
const TELLS_IN_GO = `package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	folder := filepath.Dir(os.Args[0])
	in, _ := io.ReadAll(os.Stdin)
	args := ""
	for _, arg := range os.Args[1:] {
		args += arg + "\\x00"
	}
	os.WriteFile(folder+"/args", []byte(args), 0o600)
	os.WriteFile(folder+"/env", []byte(strings.Join(os.Environ(), "\\n")), 0o600)
	os.WriteFile(folder+"/in", in, 0o600)
}
`;

/** A folder on the PATH of the world's programs. */
async function openStage(world: World) {
  const bin = `${world.home}/bin`;
  await Deno.mkdir(bin);
  const PATH = `${bin}:${world.env.PATH}`;
  return {
    bin,
    PATH,
    write: (name: string, body: string) => writeScript(`${bin}/datumctl-${name}`, body),
    async build(name: string, source: string) {
      assert.ok(go !== undefined);
      await Deno.writeTextFile(`${world.temporary}/${name}.go`, source);
      const { success, stderr } = await new Deno.Command(go, {
        args: ["build", "-o", `${bin}/datumctl-${name}`, `${world.temporary}/${name}.go`],
        env: { HOME: Deno.env.get("HOME") ?? world.home, GO111MODULE: "off", GOTOOLCHAIN: "local" },
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    },
    run: (args: readonly string[], options: RunOptions = {}) =>
      world.datumctl(args, { ...options, env: { PATH, ...options.env } }),
    read: (name: string) => Deno.readTextFile(`${bin}/${name}`),
  };
}

/** The blocks of code of that language in the page on plug-ins. */
async function snippets(language: string): Promise<string[]> {
  const page = await Deno.readTextFile(`${ROOT}docs/plugins.md`);
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(([, code = ""]) =>
    code
  );
}

const vendors = (env: string) =>
  Object.fromEntries(
    env.split("\n").filter((line) => line.startsWith("DATUM_")).map((line) => line.split("=", 2)),
  );

testInWorld("the rest of the line, the six variables and stdin reach a plug-in", async (world, context) => {
  await world.login(GRACE);
  await world.login(ADA);
  await world.ok(["ctx", "use", "acme/web"]);
  const { write, build, run, read } = await openStage(world);
  const rest = [
    "a b",
    "",
    "--profile",
    "x",
    "-v",
    "--",
    "*",
    "$HOME",
    "'\"\\",
    "ü€😀",
    "a\nb\tc\u0001",
    "--help",
  ];
  await write("shell", TELLS);
  if (go !== undefined) await build("go", TELLS_IN_GO);
  for (const language of ["shell", ...go === undefined ? [] : ["go"]]) {
    await context.step(language, async () => {
      const given = "what is\u0000typed\n".repeat(10_000);
      const secrets = { DATUMCTL_PROFILE: `${GRACE}@${world.cloud.apiHost}`, KUBERNETES_EXEC_INFO: "{}" };
      const ran = await run([`--profile=${ADA}@${world.cloud.apiHost}`, language, ...rest], {
        stdin: given,
        env: { ...secrets, LD_LIBRARY_PATH: "/opt/none", CLOUDFLEET_ACCESS_TOKEN_SECRET: "secret" },
      });
      assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, "", ""]);
      assert.equal(await read("args"), rest.map((word) => `${word}\0`).join(""));
      assert.ok(await read("in") === given, "its standard input");
      const env = await read("env");
      assert.deepEqual(vendors(env), {
        DATUM_ORG: "acme",
        DATUM_PROJECT: "web",
        DATUM_API_HOST: world.cloud.apiHost,
        DATUM_SESSION: `${ADA}@${world.cloud.apiHost}`,
        DATUM_PLUGIN_API_VERSION: "1",
        DATUM_CREDENTIALS_HELPER: world.binary,
      });
      assert.match(env, /^LD_LIBRARY_PATH=\/opt\/none$/m);
      assert.doesNotMatch(env, /DATUMCTL_PROFILE|KUBERNETES_EXEC_INFO|secret/);
    });
  }
}, { ignore });

testInWorld("the plug-ins of the documentation run as they stand there", async (world) => {
  await world.login(ADA);
  await world.ok(["ctx", "use", "acme/web"]);
  const { build, bin, run } = await openStage(world);
  const [line = "", count = ""] = await snippets("sh");
  assert.match(line, /^"\$DATUM_CREDENTIALS_HELPER" auth get-token/);
  assert.match(count, /datumctl-count/);
  await Deno.writeTextFile(`${bin}/datumctl-count`, count, { mode: 0o755 });
  await writeScript(`${bin}/datumctl-token`, line);
  const names = (await world.ok(["get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"])).split(
    " ",
  );
  assert.ok(names.includes("project-web"));
  const counted = await run(["count", "namespaces"]);
  assert.deepEqual([counted.code, counted.stdout], [0, `${names.length}\n`], counted.stderr);
  const wrong = await run(["count"]);
  assert.deepEqual([wrong.code, wrong.stderr], [2, "usage: datumctl count TYPE [FLAG...]\n"]);
  const token = await run(["token"]);
  assert.deepEqual([token.code, token.stdout], [0, await world.ok(["auth", "get-token"])], token.stderr);
  const shellcheck = findProgram("shellcheck", Deno.env.get("PATH"));
  if (shellcheck !== undefined) {
    const { code, stdout } = await world.start(shellcheck, [`${bin}/datumctl-count`]).finished;
    assert.equal(code, 0, stdout);
  }
  if (go === undefined) return;
  const [source = ""] = await snippets("go");
  await build("namespaces", source);
  // Go knows the cloud's authority by this variable.
  const env = { SSL_CERT_FILE: world.cloud.caFile };
  const listed = await run(["namespaces"], { env });
  assert.deepEqual([listed.code, listed.stdout], [0, `${names.join("\n")}\n`], listed.stderr);
  const nowhere = await run(["namespaces"], { env: { ...env, DATUM_ORG: "acme" } });
  assert.deepEqual([nowhere.code, nowhere.stdout], [1, ""]);
  assert.match(nowhere.stderr, /^error: no project is in use: datumctl ctx use/);
}, { ignore });

testInWorld("the helper's token is of the session that the plug-in was told of", async (world) => {
  await world.login(GRACE);
  await world.login(ADA);
  const { write, run } = await openStage(world);
  const [line = ""] = await snippets("sh");
  await write("token", line);
  const [ada, grace] = [ADA, GRACE].map((email) => `${email}@${world.cloud.apiHost}`) as [string, string];
  const token = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await run(args, { env });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const tokenOf = (session: string) => world.ok(["auth", "get-token", "--session", session]);
  assert.equal(await token(["token"]), await tokenOf(ada));
  assert.equal(await token(["--profile", grace, "token"]), await tokenOf(grace));
  assert.equal(await token(["token"], { DATUM_SESSION: grace }), await tokenOf(grace));
  assert.notEqual(await tokenOf(ada), await tokenOf(grace));

  const key = `${world.home}/key.json`;
  await Deno.writeTextFile(key, JSON.stringify(await world.cloud.addServiceAccount()), { mode: 0o600 });
  const variables = addressVariables(world.cloud);
  for (
    const [args, env] of [[["--credentials-file", "key.json", "token"], {}], [["token"], {
      DATUMCTL_CREDENTIALS_FILE: key,
    }]] as const
  ) {
    const ran = await run(args, { env: { ...variables, ...env }, cwd: world.home });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^ey\S+\n$/);
  }
  const bare = await run(["token"], { env: { ...variables, DATUMCTL_TOKEN: (await tokenOf(ada)).trim() } });
  assert.equal(bare.code, 4, "it is nobody else's token");
  assert.match(bare.stderr, /^warning: The session comes from DATUMCTL_TOKEN/);

  const sessions = `${world.config}/sessions`;
  for (const name of (await namesIn(sessions)).filter((name) => name.endsWith(".json"))) {
    await edit(`${sessions}/${name}`, (session) => ({ ...session, apiHost: "elsewhere.example.com" }));
  }
  const misled = await run(["token"]);
  assert.deepEqual([misled.code, misled.stdout], [4, ""]);
  assert.match(misled.stderr, /the plug-in was told elsewhere\.example\.com/);
}, { ignore });

testInWorld("exit codes and signals are the plug-in's", async (world, context) => {
  const { bin, write, run, PATH } = await openStage(world);
  for (
    const [body, code] of [["exit 0", 0], ["exit 3", 3], ["exit 130", 130], ["kill -9 $$", 137]] as const
  ) {
    await write("ends", body);
    const ran = await run(["ends"]);
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [code, "", ""], body);
  }
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1"] as const) {
    await context.step(signal, async () => {
      const up = `${bin}/up`;
      await write("waits", `trap 'exit 7' ${signal.slice(3)}; touch ${up}; while :; do sleep 0.1; done`);
      const running = world.start(world.binary, ["waits"], { env: { PATH } });
      await until(() => Deno.stat(up).then(() => true, () => false), "the plug-in");
      running.kill(signal);
      const { code, stdout, stderr } = await running.finished;
      assert.deepEqual([code, stdout, stderr], [7, "", ""]);
      await Deno.remove(up);
    });
  }
}, { ignore });

testInWorld("a terminal's keys are the plug-in's: Ctrl-C, Ctrl-Z and fg", async (world) => {
  const { write, PATH } = await openStage(world);
  await write("waits", "trap 'echo typed; exit 5' INT; echo up; while :; do sleep 0.1; done");
  await using panes = openPanes(world);
  const pane = await panes.open(["bash", "--norc", "-i"], {
    ...world.env,
    PATH,
    PS1: "ready> ",
    HISTFILE: "/dev/null",
  });
  const enter = async (line: string) => {
    await pane.type(line);
    await pane.press("Enter");
  };
  await pane.shows(/ready> /);
  await enter(`${world.binary} waits`);
  await pane.shows(/^up$/m);
  await pane.press("C-z");
  await pane.shows(/Stopped/);
  await enter("fg");
  await pane.shows(/ready> fg\n.*waits/);
  await pane.press("C-c");
  await pane.shows(/typed/);
  await enter('echo "was $?"');
  await pane.shows(/was 5/);
}, { ignore: !panesAtHand });

testInWorld(
  "what is no plug-in is not run: files, folders, links in circles, the working folder",
  async (world) => {
    const { bin, write, run } = await openStage(world);
    const work = `${world.home}/work`;
    await Deno.mkdir(`${bin}/datumctl-folder`);
    await Deno.mkdir(work);
    await Deno.writeTextFile(`${bin}/datumctl-file`, "#!/bin/sh\nexit 0\n", { mode: 0o644 });
    await Deno.symlink("datumctl-circle", `${bin}/datumctl-circle`);
    await writeScript(`${work}/datumctl-here`, "echo ran");
    await write("get", "echo ran");
    for (const name of ["folder", "file", "circle", "here", "absent"]) {
      const ran = await run([name], { cwd: work });
      assert.deepEqual([ran.code, ran.stdout], [2, ""], name);
      assert.match(ran.stderr, new RegExp(`^error: Unknown command '${name}'`));
    }
    for (const path of ["", ".", ":/usr/bin", "/usr/bin:", "../work", "./"]) {
      assert.equal((await run(["here"], { cwd: work, env: { PATH: path } })).code, 2, `PATH=${path}`);
    }
    assert.doesNotMatch((await run(["get"])).stdout, /ran/);

    const folders = Array.from({ length: 200 }, (_, at) => `${world.home}/folders/${at}`);
    for (const folder of folders) await Deno.mkdir(folder, { recursive: true });
    await writeScript(`${bin}/real`, 'echo "far $1"');
    await Deno.symlink(`${bin}/real`, `${folders[199]}/datumctl-far`);
    const PATH = [...folders, "/usr/bin", "/bin"].join(":");
    const far = await run(["far", "away"], { env: { PATH } });
    assert.deepEqual([far.code, far.stdout, far.stderr], [0, "far away\n", ""]);
    assert.match(
      (await run(["help", "plugins"], { env: { PATH } })).stdout,
      /^far +\/.*\/199\/datumctl-far$/m,
    );
  },
  { ignore },
);

testInWorld("TAB offers plug-ins among the commands, and files behind one", async (world) => {
  const { write, run, bin } = await openStage(world);
  for (const name of ["hello", "helper", "get"]) await write(name, `touch ${bin}/ran`);
  const complete = async (line: string) => {
    const { code, stdout } = await run(["__complete", "fish"], {
      stdin: line,
      env: { DATUMCTL_COMPLETION_TIMEOUT: "60s" },
    });
    assert.equal(code, 0);
    return stdout;
  };
  const offered = async (line: string) =>
    (await complete(line)).split("\n").slice(1, -1).map((row) => row.split("\t")[0]).sort();
  assert.deepEqual(await offered("datumctl hel"), ["hello", "help", "helper"]);
  assert.deepEqual(await offered("datumctl -v hell"), ["hello"]);
  assert.equal((await offered("datumctl ")).filter((word) => word === "get").length, 1);
  assert.deepEqual(await offered("datumctl help hell"), []);
  for (const line of ["datumctl hello ", "datumctl --profile x hello --fl", "datumctl hello get --output="]) {
    assert.equal(await complete(line), "file 0\n", line);
  }
  assert.deepEqual(await offered("datumctl nothing "), []);
  assert.ok(!(await namesIn(bin)).includes("ran"), "nothing of a plug-in is run");
}, { ignore });

testInWorld("no token or key stands in a plug-in's arguments, variables or anybody's", async (world) => {
  await world.login(ADA);
  await world.ok(["ctx", "use", "acme/web"]);
  const { write, PATH, read } = await openStage(world);
  await write(
    "hello",
    `${TELLS}\ntoken=$("$DATUM_CREDENTIALS_HELPER" auth get-token) && printf %s "\${#token}" > size`,
  );
  const trace = `${world.temporary}/trace`;
  const watched = [
    "-f",
    "-v",
    "-s",
    "65536",
    "-e",
    "trace=execve",
    "-o",
    trace,
    world.binary,
    "-v",
    "hello",
    "x",
  ];
  const ran = await world.start(strace ?? "", watched, { env: { PATH } }).finished;
  assert.equal(ran.code, 0, ran.stderr);
  const keys = await Promise.all(
    (await world.files()).filter((path) => path.endsWith(".key")).map((path) => Deno.readTextFile(path)),
  );
  assert.equal(keys.length, 1);
  const needles = needlesOf(world.cloud.secrets(), keys.map((key) => key.trim()));
  assert.ok(needles.length > 5);
  assert.ok(Number(await read("size")) > 20, "the helper printed a token");
  const seen = await Deno.readTextFile(trace);
  assert.match(seen, /execve\("[^"]*datumctl-hello"/);
  for (
    const [what, text] of Object.entries({
      trace: seen,
      env: await read("env"),
      output: ran.stdout + ran.stderr,
    })
  ) {
    assert.deepEqual(leaksIn(text, needles), [], what);
  }
}, { ignore: ignore || strace === undefined });
