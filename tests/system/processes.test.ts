/** Proves that a child gets what it is given and no more, and that none hangs, floods or outlives its call. */

import assert from "node:assert/strict";
import {
  childEnvironment,
  findProgram,
  ProgramError,
  ProgramNotFound,
  ProgramTimeout,
  run,
  startDetached,
} from "../../src/system/processes.ts";
import { inScratch, writeScript } from "../scratch.ts";

const PATH = Deno.env.get("PATH") ?? "";
const env = { PATH };

Deno.test("run() names a program that is absent, by name and by path", async () => {
  await assert.rejects(run("no-such-program", [], { env }), (error) => {
    assert(error instanceof ProgramNotFound);
    assert.equal(error.program, "no-such-program");
    return true;
  });
  await assert.rejects(run("/no/such/program", [], { env }), ProgramNotFound);
  await assert.rejects(run("echo", [], { env: { PATH: "/nonexistent" } }), ProgramNotFound);
});

Deno.test("run() tells a file that is not a program from an absent one", async () => {
  await assert.rejects(run("/etc/passwd", [], { env }), (error) => {
    assert(error instanceof ProgramError && !(error instanceof ProgramNotFound));
    return true;
  });
});

Deno.test("run() kills and reaps a hanging child at the bound, though a grandchild keeps its pipes", async () => {
  await inScratch(async (folder) => {
    await writeScript(
      `${folder}/hang`,
      `trap '' TERM\necho $$ >"${folder}/pid"\nsleep 20 &\necho $! >"${folder}/grandchild"\nwait\nwait\nsleep 20`,
    );
    const started = performance.now();
    await assert.rejects(run(`${folder}/hang`, [], { env, timeout: 300, stdin: "x" }), ProgramTimeout);
    assert(performance.now() - started < 3000);
    const pid = Number(await Deno.readTextFile(`${folder}/pid`));
    assert.equal(await exists(`/proc/${pid}`), false, "the child is still there");
    Deno.kill(Number(await Deno.readTextFile(`${folder}/grandchild`)), "SIGKILL");
  });
});

Deno.test("run() does not wait for a grandchild after the child has ended", async () => {
  await inScratch(async (folder) => {
    await writeScript(`${folder}/fork`, `sleep 20 &\necho $! >"${folder}/grandchild"\necho done\nexit 3`);
    const started = performance.now();
    const { code, stdout } = await run(`${folder}/fork`, [], { env, timeout: 15_000 });
    assert.deepEqual({ code, stdout }, { code: 3, stdout: "done\n" });
    assert(performance.now() - started < 5000);
    Deno.kill(Number(await Deno.readTextFile(`${folder}/grandchild`)), "SIGKILL");
  });
});

Deno.test("run() kills the child and throws the reason when its signal fires", async () => {
  const controller = new AbortController();
  const reason = new Error("Ctrl-C");
  const running = run("sleep", ["20"], { env, signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(running, (error) => error === reason);
  await assert.rejects(run("sleep", ["20"], { env, signal: controller.signal }), (error) => error === reason);
});

Deno.test("run() refuses more output than its limit and stops the child", async () => {
  await assert.rejects(run("yes", [], { env, limit: 10_000 }), (error) => {
    assert(error instanceof ProgramError);
    assert.match(error.message, /printed too much/);
    return true;
  });
});

Deno.test("run() cuts a flood of stderr and still returns", async () => {
  const { code, stderr } = await run("sh", ["-c", "yes | head -c 300000 >&2; exit 4"], { env });
  assert.equal(code, 4);
  assert.equal(stderr.length, 65_536);
});

Deno.test("run() returns exit code, stdout and stderr, and 128 + n for a child that a signal ended", async () => {
  const { code, stdout, stderr } = await run("sh", ["-c", "printf é; printf no >&2; exit 7"], { env });
  assert.deepEqual({ code, stdout, stderr }, { code: 7, stdout: "é", stderr: "no" });
  assert.equal((await run("sh", ["-c", "kill -9 $$"], { env })).code, 137);
});

Deno.test("run() hands stdin over whole and closes it; without it stdin is empty", async () => {
  const text = "é".repeat(200_000);
  assert.equal((await run("cat", [], { env, stdin: text, limit: 500_000 })).stdout, text);
  assert.equal((await run("cat", [], { env })).stdout, "");
  assert.equal((await run("cat", [], { env, stdin: "" })).stdout, "");
});

Deno.test("run() is content with a child that does not read its stdin", async () => {
  assert.equal((await run("true", [], { env, stdin: "x".repeat(1_000_000) })).code, 0);
});

Deno.test("run() passes arguments on without a shell", async () => {
  const odd = ["a b", "$HOME", "`id`", "*", "'\"", "", "--"];
  const { stdout } = await run("printf", ["[%s]", ...odd], { env });
  assert.equal(stdout, odd.map((word) => `[${word}]`).join(""));
});

Deno.test("run() gives the child the named variables alone, and never the dynamic loader's", async () => {
  const { stdout } = await run("env", [], { env: { ...env, ONE: "1", LD_PRELOAD: "/x", DYLD_INSERT: "y" } });
  const names = stdout.trim().split("\n").map((line) => line.split("=")[0]).sort();
  assert.deepEqual(names, ["ONE", "PATH"]);
});

Deno.test("run() works with a bare --allow-run in a shell that sets LD_LIBRARY_PATH", async () => {
  const module = new URL("../../src/system/processes.ts", import.meta.url).href;
  await inScratch(async (folder) => {
    const program = `${folder}/main.ts`;
    await Deno.writeTextFile(
      program,
      `import { childEnvironment, run } from "${module}";
       const env = childEnvironment(["PATH", "LD_LIBRARY_PATH"]);
       Deno.stdout.writeSync(new TextEncoder().encode((await run("echo", [Object.keys(env).join()], { env })).stdout));`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-prompt",
        "--allow-env",
        "--allow-read",
        "--allow-run",
        program,
      ],
      env: { LD_LIBRARY_PATH: "/nonexistent" },
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(new TextDecoder().decode(stdout), "PATH\n");
  });
});

Deno.test("run() of 50 children at once loses nothing", async () => {
  const runs = Array.from({ length: 50 }, (_, n) => run("echo", [`${n}`], { env, timeout: 30_000 }));
  assert.deepEqual((await Promise.all(runs)).map(({ stdout }) => stdout.trim()), runs.map((_, n) => `${n}`));
});

Deno.test("childEnvironment() takes the named variables that are set", () => {
  Deno.env.set("DATUMCTL_TEST_SET", "yes");
  Deno.env.delete("DATUMCTL_TEST_UNSET");
  assert.deepEqual(childEnvironment(["DATUMCTL_TEST_SET", "DATUMCTL_TEST_UNSET"]), {
    DATUMCTL_TEST_SET: "yes",
  });
  Deno.env.delete("DATUMCTL_TEST_SET");
});

Deno.test("findProgram() takes the first executable file and no relative folder", async () => {
  await inScratch(async (folder) => {
    for (const name of ["a", "b", "c"]) await Deno.mkdir(`${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/a/tool`, "not executable", { mode: 0o644 });
    await Deno.mkdir(`${folder}/b/tool`);
    await writeScript(`${folder}/c/tool`, "exit 0");
    const path = `:.:relative:${folder}/a:${folder}/b:${folder}/c/`;
    assert.equal(findProgram("tool", path), `${folder}/c/tool`);
    assert.equal(findProgram("tool", `${folder}/a`), undefined);
    assert.equal(findProgram("tool", undefined), undefined);
  });
});

Deno.test("a program planted in the working folder is not run for a relative entry of the PATH", async () => {
  const module = new URL("../../src/system/processes.ts", import.meta.url).href;
  await inScratch(async (folder) => {
    const [real, planted] = [`${folder}/bin`, `${folder}/work`];
    for (const place of [real, planted]) {
      await Deno.mkdir(place);
      for (const name of ["secret-tool", "xdg-open"]) await writeScript(`${place}/${name}`, `echo "$0"`);
    }
    const code = `import { run, startDetached } from "${module}";
      const env = { PATH: Deno.env.get("PATH") };
      console.log((await run("secret-tool", [], { env })).stdout);
      const awake = setInterval(() => {}, 1000);
      console.log(await startDetached("xdg-open", [], { env }).code);
      clearInterval(awake);
      for (const start of [run, startDetached]) {
        try { await start("only-here", [], { env }); } catch (error) { console.log(error.name); }
      }`;
    await writeScript(`${planted}/only-here`, "touch ran");
    await writeScript(`${planted}/xdg-open`, "touch ran; exit 1");
    await Deno.writeTextFile(`${folder}/main.js`, code);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-config", `${folder}/main.js`],
      cwd: planted,
      env: { PATH: `.::bin:${real}:/usr/bin:/bin` },
    }).output();
    const said = new TextDecoder().decode(stdout).split(/\n+/);
    assert.deepEqual(
      said,
      [`${real}/secret-tool`, "0", "ProgramNotFound", "ProgramNotFound", ""],
      new TextDecoder().decode(stderr),
    );
    assert.equal(await exists(`${planted}/ran`), false);
  });
});

Deno.test("startDetached() gives the child a process group of its own and no terminal", async () => {
  await inScratch(async (folder) => {
    await writeScript(
      `${folder}/child`,
      `ps -o pgid= -p $$ >"${folder}/group"\necho $$ >"${folder}/pid"\nexit 5`,
    );
    const { code } = startDetached(`${folder}/child`, [], { env });
    // It holds no event loop open, so that this wait needs a timer of its own.
    const awake = setInterval(() => {}, 1000);
    assert.equal(await code, 5);
    clearInterval(awake);
    const [group, pid] = [
      await Deno.readTextFile(`${folder}/group`),
      await Deno.readTextFile(`${folder}/pid`),
    ];
    assert.equal(group.trim(), pid.trim());
  });
});

Deno.test("startDetached() does not hold the program that started it", async () => {
  const module = new URL("../../src/system/processes.ts", import.meta.url).href;
  await inScratch(async (folder) => {
    await writeScript(`${folder}/stay`, `echo $$ >"${folder}/pid"\nexec sleep 20`);
    const code = `import { startDetached } from "${module}";
      startDetached("${folder}/stay", [], { env: { PATH: Deno.env.get("PATH") } });
      while (true) try { if (Deno.readTextFileSync("${folder}/pid") !== "") break; } catch {}`;
    await Deno.writeTextFile(`${folder}/main.js`, code);
    const started = performance.now();
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-config", `${folder}/main.js`],
      stdout: "null",
    }).output();
    assert(success && performance.now() - started < 10_000);
    const pid = Number(await Deno.readTextFile(`${folder}/pid`));
    assert(await exists(`/proc/${pid}`), "the child was ended with its parent");
    Deno.kill(pid, "SIGKILL");
  });
});

Deno.test("startDetached() names a program that is absent", () => {
  assert.throws(() => startDetached("no-such-browser", [], { env }), ProgramNotFound);
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
