/**
 * Proves that a program of another user, and one in a sandbox, works through the proxy and gets at no credential of the
 * person, whatever of the person's paths and variables it knows.
 */

import assert from "node:assert/strict";
import { ROOT } from "../../scripts/compile.ts";
import { findProgram } from "../../src/system/processes.ts";
import { absentPrograms } from "../keyring/gnome-keyring.ts";
import { until } from "../until.ts";
import { kubectl } from "./kubectls.ts";
import { leaksIn, needlesOf } from "./leaks.ts";
import { type RunningProxy, startProxy } from "./proxied.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const PATH = Deno.env.get("PATH");
const has = (program: string) => findProgram(program, PATH) !== undefined;

/** A user number that owns nothing here. */
const OTHER = 54321;

/** All that a program can read and ask of a person whose paths and variables it knows; `$1` is the proxy's process. */
const PROBE = `
find "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR" -type f -exec cat {} +
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline "/proc/$1/maps"
datumctl auth get-token
datumctl auth get-token --token id
secret-tool search --all --unlock service datumctl
datumctl get namespaces --project web
:`;

/** The sandbox of docs/fast.md, as words; it ends where its command begins. */
const DOCUMENTED = /^bwrap [^]*?(?=kubectl)/m.exec(await Deno.readTextFile(`${ROOT}docs/fast.md`))?.[0]
  .split(/[\s\\]+/).filter((word) => word !== "") ?? [];

/** What is laid out for a program that must not hold the credential. */
interface Handed extends AsyncDisposable {
  /** A folder that everybody may read, with datumctl and kubectl in it. */
  readonly folder: string;
  readonly proxy: RunningProxy;
}

/** Signs in, starts a proxy with these words, and hands over the programs. */
async function hand(world: World, words: readonly string[]): Promise<Handed> {
  await using undo = new AsyncDisposableStack();
  await world.login(ADA);
  const folder = await Deno.makeTempDir({ prefix: "datumctl-handed-" });
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.chmod(folder, 0o755);
  for (const [name, path] of [["datumctl", world.binary], ["kubectl", kubectl]] as const) {
    await Deno.copyFile(path, `${folder}/${name}`);
    await Deno.chmod(`${folder}/${name}`, 0o755);
  }
  const proxy = await startProxy(world, ["--project", "web", ...words]);
  undo.defer(async () => void await proxy.stop());
  const later = undo.move();
  return { folder, proxy, [Symbol.asyncDispose]: () => later.disposeAsync() };
}

/** What a program that is started so sees of the world's secrets. */
async function leaks(world: World, { folder, proxy }: Handed, through: readonly string[]): Promise<string[]> {
  const [program = "", ...args] = [...through, "sh", "-c", PROBE, "sh", `${proxy.pid}`];
  const { stdout, stderr } = await world.start(program, args, {
    env: { PATH: `/agent:${folder}:${PATH}` },
    cwd: "/",
    timeout: 240_000,
  }).finished;
  assert.match(stderr, /^error: (?:Cannot read|Nobody is signed in)|service = datumctl$/m, "it was tried");
  return leaksIn(stdout + stderr, needlesOf(world.cloud.secrets()));
}

const options = {
  keyring: "real",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0 || kubectl === "" || absentPrograms().length > 0,
} as const;

testInWorld("another user works through the proxy, and gets at no credential", async (world) => {
  const kubeconfig = `${world.home}/agent.kubeconfig`;
  const socket = `${world.home}/agent.sock`;
  await using handed = await hand(world, ["--kubeconfig", kubeconfig]);
  const asOther = ["setpriv", `--reuid=${OTHER}`, `--regid=${OTHER}`, "--clear-groups"];
  const given = `${handed.folder}/kubeconfig`;
  await Deno.copyFile(kubeconfig, given);
  await Deno.chown(given, OTHER, OTHER);
  const [program = "", ...args] = asOther;
  const ask = (...words: readonly string[]) =>
    world.start(program, [...args, ...words], { cwd: "/" }).finished;
  const listed = await ask(
    `${handed.folder}/kubectl`,
    `--kubeconfig=${given}`,
    "get",
    "namespaces",
    "-o",
    "name",
  );
  assert.match(listed.stdout, /^namespace\/project-web$/m, listed.stderr);
  // The person themselves finds every kind of it: else the search would prove nothing.
  const own = await leaks(world, handed, []);
  for (const kind of ["access_token", "id_token"]) assert.ok(own.includes(kind), `${kind}: ${own}`);
  assert.deepEqual(await leaks(world, handed, asOther), []);

  const second = await startProxy(world, ["--project", "web", "--socket", socket]);
  // The folder above is closed to others, too; the socket has to keep them out by itself.
  await Deno.chmod(world.home, 0o755);
  const curl = await ask(
    "curl",
    "--silent",
    "--show-error",
    "--unix-socket",
    socket,
    "http://localhost/version",
  );
  assert.equal(curl.code, 7, curl.stderr);
  await Deno.chmod(world.home, 0o700);
  assert.equal((await second.stop()).code, 0);
}, { ...options, ignore: options.ignore || !has("setpriv") });

const canSandbox = has("bwrap") &&
  await new Deno.Command("bwrap", {
    args: ["--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"],
    stderr: "null",
  }).output().then(({ success }) => success, () => false);

/** The documented sandbox around a folder; the program in it may know the person's variables, which is worse. */
function sandbox(folder: string, knowing = false): string[] {
  const words = DOCUMENTED.map((word) => word === "agent" ? folder : word);
  return knowing ? words.slice(0, words.indexOf("--setenv")).filter((word) => word !== "--clearenv") : words;
}

testInWorld("the documented sandbox works through the port, and gets at no credential", async (world) => {
  const kubeconfig = `${world.home}/agent.kubeconfig`;
  await using handed = await hand(world, ["--kubeconfig", kubeconfig]);
  const { folder } = handed;
  await Deno.copyFile(kubeconfig, `${folder}/agent.kubeconfig`);
  const [program = "", ...args] = sandbox(folder);
  const words = ["kubectl", "--kubeconfig", "/agent/agent.kubeconfig", "get", "namespaces", "-o", "name"];
  const listed = await world.start(program, [...args, ...words]).finished;
  assert.match(listed.stdout, /^namespace\/project-web$/m, listed.stderr);
  assert.deepEqual(await leaks(world, handed, sandbox(folder, true)), []);
}, { ...options, ignore: options.ignore || !canSandbox });

testInWorld(
  "a sandbox without a network works through the socket, and gets at no credential",
  async (world) => {
    const socket = `${world.home}/agent.sock`;
    await using handed = await hand(world, ["--socket", socket]);
    const { proxy, folder } = handed;
    await until(() => proxy.stdout().split("\n").length > 2);
    const [, line = ""] = proxy.stdout().split("\n");
    const flags = ["--unshare-net", "--ro-bind", socket, "/run/agent.sock"];
    const [program = "", ...args] = [...sandbox(folder), ...flags];
    const inside = `${line.replace(socket, "/run/agent.sock")} --silent --show-error`;
    const { stdout, stderr } = await world.start(program, [...args, "/bin/sh", "-c", inside]).finished;
    assert.match(stdout, /"gitVersion"/, stderr);
    assert.deepEqual(await leaks(world, handed, [...sandbox(folder, true), ...flags]), []);
  },
  { ...options, ignore: options.ignore || !canSandbox || !has("curl") },
);
