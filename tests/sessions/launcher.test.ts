/** Proves what the launcher hands out and when it becomes the program, in every shell at hand. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { installLauncher, launcherPath, launcherText, readLauncher } from "../../src/sessions/launcher.ts";
import { findProgram } from "../../src/system/processes.ts";
import { inScratch, modeOf, namesIn, scratchFolder, writeScript } from "../scratch.ts";

const HANDLE = "abcdefghijklmn27";
const ARGS = ["auth", "get-token", "--session=it's ada"];
const V1 = "client.authentication.k8s.io/v1";
const SERVER = "https://k8s.example.com:6443";
const CREDENTIAL = JSON.stringify({ kind: "ExecCredential", apiVersion: V1, status: { token: "t0ken" } });
/** What the program prints in place of a token. */
const BECAME = `became|auth|get-token|--session=it's ada|`;
const ASKS = `${BECAME}--hand-off=${HANDLE}|\n`;
const COMES_BACK = `${BECAME}--hand-off=${HANDLE}|--handed-out|\n`;

const PATH = Deno.env.get("PATH");
const shells = [
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
  ["mksh"],
  ["ksh93"],
  ["zsh", "--emulate", "sh"],
  ["sh"],
].flatMap(
  ([name = "", ...args]) => {
    const path = findProgram(name, PATH);
    // deno-lint-ignore no-console -- a skipped test says so
    if (path === undefined) console.error(`skipped: no launcher in ${name}, which is not here`);
    return path === undefined ? [] : [{ name, path, args }];
  },
);
const root = Deno.build.os !== "windows" && Deno.uid() === 0;

/** What kubectl says of a cluster, in its own order. */
function info(cluster: Record<string, unknown> = {}, apiVersion = V1): string {
  return JSON.stringify({
    kind: "ExecCredential",
    apiVersion,
    spec: { cluster: { server: SERVER, ...cluster, config: null }, interactive: false },
  });
}

/** A launcher with its folders, and a program that prints its arguments. */
interface Stage extends AsyncDisposable {
  readonly path: string;
  readonly folder: string;
  readonly file: string;
  readonly program: string;
}

async function openStage(): Promise<Stage> {
  const scratch = await scratchFolder();
  const folder = `${scratch.path}/run it's/datumctl`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const program = `${scratch.path}/pro gram`;
  await writeScript(program, `printf 'became|'; printf '%s|' "$@"; echo`);
  await installLauncher({ config: scratch.path, sessions: "" }, { program, folder });
  return {
    path: launcherPath({ config: scratch.path }),
    folder,
    file: `${folder}/${HANDLE}`,
    program,
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

async function store(
  { file }: Pick<Stage, "file">,
  { text = `credential='${CREDENTIAL}'\nserver='${SERVER}'\n`, seconds = 60 } = {},
): Promise<void> {
  await Deno.writeTextFile(file, text, { mode: 0o600 });
  const time = new Date(Date.now() + seconds * 1000);
  await Deno.utime(file, time, time);
}

/** How a call differs from the usual one. */
interface Call {
  readonly args?: readonly string[];
  readonly shellArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly asked?: string | undefined;
}

/** One call, all of them of one parent: this process. */
async function call(shell: typeof shells[number], stage: Stage, given: Call = {}) {
  const { args = [HANDLE, ...ARGS], shellArgs = [], env = {} } = given;
  const asked = "asked" in given ? given.asked : info();
  const { code, stdout, stderr } = await new Deno.Command(shell.path, {
    args: [...shell.args, ...shellArgs, stage.path, ...args],
    clearEnv: true,
    env: { ...asked === undefined ? {} : { KUBERNETES_EXEC_INFO: asked }, ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const HANDED = { code: 0, stdout: `${CREDENTIAL}\n`, stderr: "" };
const WORKS = { code: 0, stdout: ASKS, stderr: "" };

/** A case: what is stored and asked, and what comes of it. */
interface Case {
  readonly name: string;
  readonly stored?: Parameters<typeof store>[1] | "nothing";
  /** Changes the stage once the file is stored. */
  readonly change?: (stage: Stage) => Promise<unknown>;
  readonly call?: Call;
  /** The credential is handed out; else the program runs. */
  readonly handed?: true;
  readonly ignore?: boolean;
}

const CASES: readonly Case[] = [
  { name: "a good one", handed: true },
  {
    name: "a good one for a server with a path",
    call: { asked: info({ server: `${SERVER}/apis/x` }) },
    handed: true,
  },
  {
    name: "a good one of 9 KB",
    stored: { text: `credential='${"x".repeat(9_000)}'\nserver='${SERVER}'\n` },
    handed: true,
  },
  { name: "one that is over", stored: { seconds: -1 } },
  { name: "one from before the clock moved", stored: { seconds: -40 * 365 * 86_400 } },
  { name: "none", stored: "nothing" },
  { name: "a file of somebody else's", change: ({ file }) => Deno.chown(file, 12_345, null), ignore: !root },
  {
    name: "a link to a good one",
    change: async ({ file }) => {
      await Deno.rename(file, `${file}-elsewhere`);
      await Deno.symlink(`${file}-elsewhere`, file);
    },
  },
  { name: "an empty file", stored: { text: "" } },
  {
    name: "a file that was cut within the credential",
    stored: { text: `credential='${CREDENTIAL.slice(0, 40)}` },
  },
  { name: "a file that was cut behind the credential", stored: { text: `credential='${CREDENTIAL}'\n` } },
  {
    name: "a file that was cut within the server",
    stored: { text: `credential='${CREDENTIAL}'\nserver='https:` },
  },
  { name: "a folder in its place", stored: "nothing", change: ({ file }) => Deno.mkdir(file) },
  {
    name: "variables of the same names in the environment",
    stored: { text: "" },
    call: { env: { credential: "theirs", server: SERVER, before: "1" } },
  },
  {
    name: "a server over http",
    stored: { text: `credential='x'\nserver='http://a'\n` },
    call: { asked: info({ server: "http://a" }) },
  },
  { name: "v1beta1", call: { asked: info({}, "client.authentication.k8s.io/v1beta1") } },
  { name: "no variable", call: { asked: undefined } },
  {
    name: "a variable that tells no server",
    call: { asked: `{"kind":"ExecCredential","apiVersion":"${V1}","spec":{"interactive":false}}` },
  },
  { name: "another server", call: { asked: info({ server: "https://other.example.com" }) } },
  { name: "a server whose name begins the same", call: { asked: info({ server: `${SERVER}.example.org` }) } },
  { name: "a server in another letter case", call: { asked: info({ server: SERVER.toUpperCase() }) } },
  {
    name: "the server inside another cluster's extension",
    call: { asked: info({ server: "https://other.example.com", extensions: JSON.parse(info()) }) },
  },
  {
    name: "fields in another order",
    call: {
      asked: JSON.stringify({ apiVersion: V1, kind: "ExecCredential", spec: JSON.parse(info()).spec }),
    },
  },
  { name: "a proxy", call: { asked: info({ "proxy-url": "http://proxy.example.com" }) } },
  { name: "another name in the certificate", call: { asked: info({ "tls-server-name": "x" }) } },
  {
    name: "a certificate that is not looked at",
    call: { asked: info({ "insecure-skip-tls-verify": true }) },
  },
  { name: "a runtime folder that is gone", change: ({ folder }) => Deno.remove(folder, { recursive: true }) },
  {
    name: "a folder of somebody else's, with a file of ours",
    change: ({ folder }) => Deno.chown(folder, 12_345, null),
    ignore: !root,
  },
  {
    name: "a link to the folder",
    change: async ({ folder }) => {
      await Deno.rename(folder, `${folder}-elsewhere`);
      await Deno.symlink(`${folder}-elsewhere`, folder);
    },
  },
  {
    name: "a program that is gone, with a good one",
    change: ({ program }) => Deno.remove(program),
    handed: true,
  },
];

for (const shell of shells) {
  Deno.test(`${shell.name}: the launcher hands out, or becomes the program`, async (context) => {
    for (const { name, stored = {}, change, call: given, handed, ignore = false } of CASES) {
      await context.step({
        name,
        ignore,
        async fn() {
          await using stage = await openStage();
          if (stored !== "nothing") await store(stage, stored);
          await change?.(stage);
          const expected = !handed ? WORKS : {
            ...HANDED,
            stdout: typeof stored === "object" && stored.text !== undefined
              ? `${"x".repeat(9_000)}\n`
              : HANDED.stdout,
          };
          assert.deepEqual(await call(shell, stage, given), expected);
        },
      });
    }
  });

  Deno.test(`${shell.name}: a parent that comes back is not handed the same again, though others were served between`, async () => {
    await using stage = await openStage();
    await store(stage);
    const back = { code: 0, stdout: COMES_BACK, stderr: "" };
    assert.deepEqual(await call(shell, stage), HANDED);
    assert.deepEqual(await call(shell, stage), back);
    assert.deepEqual(await call(shell, stage), back);
    const [note] = (await namesIn(stage.folder)).filter((name) => name !== HANDLE);
    assert.equal(note, `${HANDLE}.${Deno.pid % 64}`);
    assert.equal(await Deno.readTextFile(`${stage.folder}/${note}`), `${Deno.pid}\n`);
    // Another parent of the same slot.
    await Deno.writeTextFile(`${stage.folder}/${note}`, `${Deno.pid + 64}\n`);
    assert.deepEqual(await call(shell, stage), HANDED);
  });

  Deno.test(`${shell.name}: in a folder that is not the caller's own nothing is written`, async () => {
    for (const name of ["somebody else's", "behind a link"]) {
      if (name === "somebody else's" && !root) continue;
      await using stage = await openStage();
      await store(stage);
      if (name === "behind a link") {
        await Deno.rename(stage.folder, `${stage.folder}-elsewhere`);
        await Deno.symlink(`${stage.folder}-elsewhere`, stage.folder);
      } else await Deno.chown(stage.folder, 12_345, null);
      assert.deepEqual(await call(shell, stage), WORKS, name);
      assert.deepEqual(await namesIn(stage.folder), [HANDLE], name);
    }
  });

  Deno.test(`${shell.name}: a parent that comes back is told of, whatever became of the credential`, async () => {
    const back = { code: 0, stdout: COMES_BACK, stderr: "" };
    await using stage = await openStage();
    await store(stage);
    assert.deepEqual(await call(shell, stage), HANDED);
    await store(stage, { seconds: -1 });
    assert.deepEqual(await call(shell, stage), back, "it is over");
    await Deno.remove(stage.file);
    assert.deepEqual(await call(shell, stage), back, "it is gone");
  });

  Deno.test(`${shell.name}: a token that is not handed out is in nobody's environment`, async () => {
    await using stage = await openStage();
    await writeScript(stage.program, "printf '<%s>' \"$(env)\"");
    for (
      const [env, shellArgs] of [
        [{ credential: "theirs", server: "theirs" }, []],
        [{ SHELLOPTS: "allexport" }, []],
        [{}, ["-a"]],
      ] as const
    ) {
      await store(stage);
      await Deno.writeTextFile(`${stage.file}.${Deno.pid % 64}`, "1\n");
      const asked = info({ server: "https://other.example.com" });
      const { stdout } = await call(shell, stage, { env: { ...env, PATH: PATH ?? "" }, shellArgs, asked });
      assert.match(stdout, /^<[^]*KUBERNETES_EXEC_INFO=[^]*>$/);
      assert.ok(!stdout.includes("t0ken"), stdout);
    }
  });

  Deno.test(`${shell.name}: functions and options of the environment neither see the token nor change it`, async () => {
    const seen = '() { printf "SEEN %s" "$*"; }';
    const functions = ["echo", "read", "command"].flatMap((
      name,
    ) => [[`BASH_FUNC_${name}%%`, seen], [name, seen]]);
    for (
      const env of [
        Object.fromEntries(functions),
        { BASHOPTS: "nocasematch:xpg_echo:extglob", SHELLOPTS: "history:histexpand" },
        { BASH_ENV: "/etc/passwd", ENV: "/etc/passwd", ZDOTDIR: "/etc", PPID: "1", PATH: "/nowhere" },
      ]
    ) {
      await using stage = await openStage();
      await store(stage);
      const { code, stdout } = await call(shell, stage, { env });
      assert.deepEqual([code, stdout], [0, HANDED.stdout], JSON.stringify(env));
    }
  });

  Deno.test(`${shell.name}: a parent that was given a token by the program comes back when the launcher has it`, async () => {
    await using stage = await openStage();
    assert.deepEqual(await call(shell, stage), WORKS);
    await store(stage);
    assert.deepEqual(await call(shell, stage), { code: 0, stdout: COMES_BACK, stderr: "" });
  });

  Deno.test(`${shell.name}: handles that can be none, and a program that is gone`, async () => {
    await using stage = await openStage();
    await store(stage);
    for (const handle of ["", "../datumctl/x", "A".repeat(16), "a b", "*"]) {
      assert.deepEqual(await call(shell, stage, { args: [handle, ...ARGS] }), {
        code: 0,
        stdout: `${BECAME}\n`,
        stderr: "",
      });
    }
    assert.equal((await call(shell, stage, { args: [] })).code, 0);
    assert.deepEqual(await namesIn(stage.folder), [HANDLE], "nothing is written for such");
    await Deno.remove(stage.program);
    const { code, stdout, stderr } = await call(shell, stage, { args: ["zzzzzzzzzzzzzzzz", ...ARGS] });
    assert.ok(code === 127 || code === 126, `${code}`);
    assert.equal(stdout, "");
    assert.ok(stderr.includes(stage.program), stderr);
  });

  Deno.test(`${shell.name}: no option that the shell inherits shows the token or stops it`, async () => {
    for (const options of ["-x", "-v", "-e", "-u", "-C", "-xveuC"]) {
      await using stage = await openStage();
      await store(stage);
      await Deno.writeTextFile(`${stage.file}.${Deno.pid % 64}`, "1\n");
      const { code, stdout, stderr } = await call(shell, stage, { shellArgs: [options] });
      assert.deepEqual([code, stdout], [0, HANDED.stdout], `${options}: ${stderr}`);
      assert.ok(!stderr.includes("t0ken"), `${options}: ${stderr}`);
    }
    await using stage = await openStage();
    await store(stage);
    const env = { SHELLOPTS: "xtrace:verbose:nounset:errexit:noclobber", IFS: '{":,0123456789' };
    const { stdout, stderr } = await call(shell, stage, { env });
    assert.equal(stdout, HANDED.stdout, stderr);
    assert.ok(!stderr.includes("t0ken"), stderr);
    assert.deepEqual(
      await call(shell, stage, { shellArgs: ["-eu"], asked: undefined, args: [HANDLE, ...ARGS] }),
      {
        code: 0,
        stdout: COMES_BACK,
        stderr: "",
      },
    );
  });

  Deno.test(`${shell.name}: two hundred parents at once are all served`, async () => {
    await using stage = await openStage();
    await store(stage);
    const script =
      'i=0; while [ $i -lt 50 ]; do "$0" -c \'"$@"; exit $?\' sh "$@" & i=$((i + 1)); done; wait';
    const sh = findProgram("sh", PATH) ?? assert.fail("no sh");
    const runs = await Promise.all(Array.from({ length: 4 }, () =>
      new Deno.Command(sh, {
        args: ["-c", script, sh, shell.path, ...shell.args, stage.path, HANDLE, ...ARGS],
        clearEnv: true,
        env: { KUBERNETES_EXEC_INFO: info() },
      }).output()));
    const lines = runs.flatMap(({ stdout }) => new TextDecoder().decode(stdout).trimEnd().split("\n"));
    assert.equal(lines.length, 200);
    assert.deepEqual([...new Set(lines)], [CREDENTIAL]);
    assert.ok((await namesIn(stage.folder)).length <= 65);
  });
}

for (const shell of shells) {
  Deno.test({
    name: `${shell.name}: one call starts no process, and asks the system for little`,
    ignore: findProgram("strace", PATH) === undefined,
    async fn() {
      await using stage = await openStage();
      await store(stage, { text: `credential='${"x".repeat(9_000)}'\nserver='${SERVER}'\n` });
      const trace = `${stage.folder}/../trace`;
      const { code, stderr } = await new Deno.Command("strace", {
        args: ["-f", "-o", trace, shell.path, ...shell.args, stage.path, HANDLE, ...ARGS],
        clearEnv: true,
        env: { KUBERNETES_EXEC_INFO: info(), PATH: PATH ?? "" },
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      const calls = (await Deno.readTextFile(trace)).split("\n").map((line) => line.replace(/^\d+ +/, ""));
      const named = (pattern: RegExp) => calls.filter((line) => pattern.test(line));
      assert.equal(named(/^execve\(/).length, 1);
      assert.deepEqual(named(/^(?:v?fork|clone3?)\(/), []);
      assert.ok(named(/^read\(/).length < 80, `${named(/^read\(/).length} reads`);
    },
  });
}

Deno.test({
  name: "whatever a cluster entry holds, the credential goes to no other server and on no other way",
  ignore: shells.length === 0,
  async fn() {
    await using stage = await openStage();
    await store(stage);
    const [shell] = shells;
    if (shell === undefined) return;
    const hosts = [
      SERVER,
      "https://k8s.example.com",
      "https://other.example.com",
      SERVER.replace("k8s", "K8s"),
    ];
    const server = fc.tuple(
      fc.constantFrom(...hosts),
      fc.constantFrom(
        "",
        "/",
        "/x",
        ".example.org",
        "@evil.example.org",
        ":443",
        "?x",
        "#x",
        '"',
        "\\",
        "\n",
        "0",
      ),
    ).map((parts) => parts.join(""));
    const strange = fc.constantFrom<unknown>(
      info(),
      JSON.parse(info()),
      { server: SERVER },
      `"server":"${SERVER}"`,
      true,
      null,
    );
    const name = fc.constantFrom(
      "config",
      "extensions",
      "proxy-url",
      "tls-server-name",
      "insecure-skip-tls-verify",
      "cluster",
    );
    const clusters = fc.record({
      server: fc.oneof(server, strange),
      more: fc.dictionary(name, strange, { maxKeys: 3 }),
    });
    const isHanded = fc.asyncProperty(clusters, fc.boolean(), async ({ server, more }, first) => {
      await Deno.writeTextFile(`${stage.file}.${Deno.pid % 64}`, "1\n");
      const cluster = first ? { server, ...more } : { ...more, server };
      const asked = JSON.stringify({
        kind: "ExecCredential",
        apiVersion: V1,
        spec: { cluster, interactive: false },
      });
      const { stdout } = await call(shell, stage, { asked });
      if (stdout === ASKS) return;
      assert.equal(stdout, HANDED.stdout);
      assert.ok(typeof server === "string" && (server === SERVER || server.startsWith(`${SERVER}/`)), asked);
      assert.ok(!/"(?:proxy-url|tls-server-name|insecure-skip-tls-verify)":/.test(asked), asked);
    });
    const good = [{ server: `${SERVER}/x`, more: {} }, true] as [
      { server: string; more: Record<string, unknown> },
      boolean,
    ];
    await fc.assert(isHanded, { numRuns: 300, examples: [good] });
  },
});

Deno.test("the launcher is ours to run, once written stays, and an older one is replaced", async () => {
  await inScratch(async (config) => {
    const folders = { config, sessions: "" };
    const launcher = { program: "/opt/it's/datumctl", folder: "/run/user/7/datumctl" };
    assert.equal(await readLauncher(folders), undefined);
    await Deno.mkdir(`${config}/bin`, { mode: 0o755 });
    await installLauncher(folders, launcher);
    const path = launcherPath(folders);
    assert.deepEqual([await modeOf(`${config}/bin`), await modeOf(path)], [0o700, 0o755]);
    const there = await readLauncher(folders);
    assert.deepEqual(there, { ...launcher, version: there?.version });
    const { ino } = await Deno.stat(path);
    await installLauncher(folders, launcher);
    assert.equal((await Deno.stat(path)).ino, ino);
    // An older one goes, a newer one that leads to the same stays.
    const current = launcherText(launcher);
    const ofVersion = (version: number) =>
      current.replace(/^# datumctl-credential \d+:/m, `# datumctl-credential ${version}:`);
    await Deno.writeTextFile(path, ofVersion(0));
    await installLauncher(folders, launcher);
    assert.equal(await Deno.readTextFile(path), current);
    await Deno.writeTextFile(path, ofVersion(99));
    await installLauncher(folders, launcher);
    assert.equal(await Deno.readTextFile(path), ofVersion(99));
    await installLauncher(folders, { ...launcher, program: "/elsewhere" });
    assert.equal((await readLauncher(folders))?.program, "/elsewhere");
  });
});

Deno.test({
  name: "shellcheck has nothing to say",
  ignore: findProgram("shellcheck", PATH) === undefined,
  async fn() {
    await using stage = await openStage();
    const { code, stdout } = await new Deno.Command("shellcheck", { args: [stage.path] }).output();
    assert.equal(code, 0, new TextDecoder().decode(stdout));
    assert.ok((await Deno.readTextFile(stage.path)).split("\n").length < 45);
  },
});
