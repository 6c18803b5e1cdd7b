/** Proves with the compiled binary that each folder has its account, and that a cloned folder decides nothing. */

import assert from "node:assert/strict";
import { findProgram } from "../../src/system/processes.ts";
import { onlyPrintedError } from "../expect-error.ts";
import { git } from "../git.ts";
import { namesIn } from "../scratch.ts";
import { kubectl } from "./kubectls.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { testInWorld, type World } from "./world.ts";

const ADA = "ada@example.com";
const GRACE = "grace@example.com";
const ZOE = "zoe@example.com";
const FILE = ".datumctl.json";

const withStrace = findProgram("strace", Deno.env.get("PATH")) !== undefined;
// deno-lint-ignore no-console
if (!withStrace) console.error("skipped: without strace, which files get-token looks for is not seen");

const canMount = Deno.build.os === "linux" && Deno.uid() === 0 &&
  await new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
// deno-lint-ignore no-console
if (!canMount) console.error("skipped: full and read-only folders, for unshare is not permitted here");

const at = ({ cloud }: World, email: string) => `${email}@${cloud.apiHost}`;

async function folder({ home }: World, path: string): Promise<string> {
  await Deno.mkdir(`${home}/${path}`, { recursive: true });
  return await Deno.realPath(`${home}/${path}`);
}

/** Whom a server sees, as `auth whoami -o json` of kubectl and datumctl print it. */
const seen = (text: string): string => JSON.parse(text).status.userInfo.username;

testInWorld(
  "three shells in three folders act as three people; plain kubectl does not change",
  async (world) => {
    const people = [ADA, GRACE, ZOE];
    for (const email of people) await world.login(email);
    // The last one is active, and kubectl's entry is Ada's.
    await world.ok([
      ...["auth", "update-kubeconfig", "--project", "web", "--skip-validation"],
      ...["--profile", at(world, ADA), "--exec-command", world.binary],
    ]);
    const shells = await Promise.all(people.map(async (email, number) => {
      const cwd = await folder(world, `customer-${number}/repository/src`);
      const top = { cwd: `${world.home}/customer-${number}` };
      await world.ok(["use", "--session", at(world, email), "--project", "web"], top);
      return { email, cwd };
    }));
    const expected = new Map<string, string>();
    for (const { email } of shells) {
      const line = ["auth", "whoami", "--profile", at(world, email), "--project", "web", "-o", "json"];
      expected.set(email, seen(await world.ok(line)));
    }
    assert.equal(new Set(expected.values()).size, 3);
    const program = async (line: readonly string[], cwd: string) => {
      const { code, stdout, stderr } = await world.start(line[0] ?? "", line.slice(1), { cwd }).finished;
      assert.equal(code, 0, `${line.join(" ")}: ${stderr}`);
      return stdout;
    };
    await Promise.all(shells.map(async ({ email, cwd }) => {
      for (let round = 0; round < 3; round++) {
        const { session, source } = JSON.parse(await world.ok(["whoami", "-o", "json"], { cwd }));
        assert.deepEqual([session, source], [
          at(world, email),
          `${cwd.replace(/\/repository\/src$/, "")}/${FILE}`,
        ]);
        assert.equal(seen(await world.ok(["auth", "whoami", "-o", "json"], { cwd })), expected.get(email));
        if (kubectl === "") continue;
        const whoami = [kubectl, "auth", "whoami", "-o", "json"];
        assert.equal(seen(await program([world.binary, "exec", "--", ...whoami], cwd)), expected.get(email));
        assert.equal(seen(await program(whoami, cwd)), expected.get(ADA), "plain kubectl");
      }
    }));
  },
);

testInWorld("a cloned repository that brings a file decides nothing, and costs no request", async (world) => {
  await world.login(GRACE);
  await world.login(ADA);
  await world.ok(["ctx", "use", "acme", "--skip-validation"]);
  const source = await folder(world, "source");
  await git(source, "init", "-q");
  await Deno.writeTextFile(
    `${source}/${FILE}`,
    JSON.stringify({ session: at(world, GRACE), organization: "acme", project: "web" }),
  );
  await git(source, "add", FILE);
  await git(source, "commit", "-q", "-m", "x");
  await git(world.home, "clone", "-q", source, `${world.home}/clone`);
  const [clone, elsewhere] = [await folder(world, "clone/deep"), await folder(world, "elsewhere")];
  const lines = [
    ["whoami", "-o", "json"],
    ["ctx", "-o", "json"],
    ["use", "-o", "json"],
    ["trust", "--list"],
    ["auth", "get-token"],
    ["auth", "get-token", "-o", "client.authentication.k8s.io/v1"],
    ["doctor", "--offline"],
    ["auth", "list"],
  ];
  // What is asked once is known from here on.
  for (const line of lines) await world.datumctl(line, { cwd: elsewhere });
  const before = world.cloud.counts();
  for (const line of lines) {
    const there = await world.datumctl(line, { cwd: elsewhere });
    const here = await world.datumctl(line, { cwd: clone });
    if (line[0] !== "use") assert.equal(here.stderr, there.stderr, line.join(" "));
    // Only `use` shows the file, and says that it is not followed.
    if (line[0] === "use") assert.equal(JSON.parse(here.stdout).reason, "it is not trusted");
    else if (line[0] !== "doctor") assert.equal(here.stdout, there.stdout, line.join(" "));
    assert.equal(here.code, there.code, line.join(" "));
  }
  const completed = await world.datumctl(["__complete", "bash"], { cwd: clone, stdin: "datumctl auth sw" });
  assert.equal(completed.stderr, "");
  assert.deepEqual(world.cloud.counts(), before, "nobody was asked");
  const failed = await world.datumctl(["get", "x", "--error-format", "json", "--profile", "nobody"], {
    cwd: clone,
  });
  onlyPrintedError(failed, "NOT_SIGNED_IN");
  await world.ok(["trust"], { cwd: clone });
  assert.equal(
    JSON.parse(await world.ok(["whoami", "-o", "json"], { cwd: clone })).session,
    at(world, GRACE),
  );
  // Another branch's content was trusted by nobody.
  await Deno.writeTextFile(`${world.home}/clone/${FILE}`, JSON.stringify({ session: at(world, ADA) }));
  assert.equal(
    JSON.parse(await world.ok(["whoami", "-o", "json"], { cwd: clone })).source,
    "the active session",
  );
  await git(`${world.home}/clone`, "checkout", "-q", FILE);
  assert.equal(
    JSON.parse(await world.ok(["whoami", "-o", "json"], { cwd: clone })).session,
    at(world, GRACE),
  );
  assert.deepEqual(world.cloud.counts(), before, "nor to trust it and go by it");
});

testInWorld("a terminal shows the line that names an untrusted file, and not with -q", async (world) => {
  await world.login(ADA);
  const clone = await folder(world, "clone");
  await Deno.writeTextFile(`${clone}/${FILE}`, JSON.stringify({ project: "web" }));
  await using panes = openPanes(world);
  const shown = async (...words: string[]) => {
    const script = 'cd "$0" && exec "$@"';
    const pane = await panes.open(["/bin/sh", "-c", script, clone, world.binary, ...words], world.env);
    await pane.ended();
    return await pane.text();
  };
  const named = `warning: ${clone}/${FILE} is not followed: it is not trusted.`;
  assert.ok((await shown("whoami")).includes(named));
  for (const words of [["whoami", "-q"], ["auth", "get-token"], ["whoami", "--error-format", "json"]]) {
    assert.ok(!(await shown(...words)).includes("not followed"), words.join(" "));
  }
}, { ignore: !panesAtHand });

testInWorld("get-token of a kubeconfig's entry looks for no folder's file", async (world) => {
  await world.login(ADA);
  const cwd = await folder(world, "web");
  await Deno.writeTextFile(`${cwd}/${FILE}`, "not JSON");
  const looked = async (...flags: string[]) => {
    const trace = `${world.home}/trace`;
    const line = ["-f", "-e", "trace=file", "-o", trace, world.binary, "auth", "get-token", ...flags];
    const { code, stderr } = await world.start("strace", line, { cwd }).finished;
    assert.equal(code, 0, stderr);
    return (await Deno.readTextFile(trace)).includes(FILE);
  };
  const v1 = ["-o", "client.authentication.k8s.io/v1"];
  for (const flags of [["--session", at(world, ADA)], ["--active-for", world.cloud.apiHost], []]) {
    assert.equal(await looked(...v1, ...flags), false, flags.join(" "));
  }
  assert.equal(await looked("--session", at(world, ADA)), false);
  assert.equal(await looked(), true, "a token by hand goes by the folder");
}, { ignore: !withStrace });

/** What a folder is made into, for commands in a mount namespace of their own. */
const SPOILED: Readonly<Record<string, { readonly spoil: string; readonly why: RegExp }>> = {
  "a read-only folder": {
    spoil: `mount --bind "$F" "$F"; mount -o remount,ro,bind "$F"`,
    why: /the file system is read-only/,
  },
  "a full disk": {
    spoil: `mount -t tmpfs -o size=64k tmpfs "$F"; cat /dev/zero > "$F/filler" 2>/dev/null || true`,
    why: /the disk is full/,
  },
};

for (const [what, { spoil, why }] of Object.entries(SPOILED)) {
  testInWorld(
    `${what}: use says so and leaves nothing, and what is trusted already goes on`,
    async (world) => {
      await world.login(ADA);
      const parent = await folder(world, "work");
      await world.ok(["use", "--project", "web"], { cwd: parent });
      const inner = await folder(world, "work/inner");
      const { code, stdout, stderr } = await world.start("unshare", [
        "-m",
        "bash",
        "-euc",
        `F=${inner}; ${spoil}
      cd "$F"
      "${world.binary}" use --project shop --error-format json || echo "ended with $?" >&2
      ls -A "$F" | grep -v filler >&2 || true
      "${world.binary}" whoami -o json`,
      ]).finished;
      assert.equal(code, 0, stderr);
      const [line = "", ...rest] = stderr.split("\n");
      assert.deepEqual(rest, ["ended with 1", ""]);
      const error = onlyPrintedError({ code: 1, stderr: `${line}\n` }, { code: "STORAGE", message: why });
      assert.ok(error.message.includes(`${inner}/${FILE}`), error.message);
      assert.equal(JSON.parse(stdout).scopeSource, `${parent}/${FILE}`);
      assert.deepEqual(await namesIn(inner), []);
    },
    { ignore: !canMount },
  );
}

testInWorld("without a home nothing is trusted, and use says what is missing", async (world) => {
  const cwd = await folder(world, "web");
  const env = { HOME: undefined, DATUMCTL_TOKEN: "opaque", DATUMCTL_API_HOSTNAME: world.cloud.apiHost };
  await Deno.writeTextFile(`${cwd}/${FILE}`, JSON.stringify({ project: "web" }));
  const { project } = JSON.parse(await world.ok(["whoami", "-o", "json"], { cwd, env }));
  assert.equal(project, null);
  for (const line of [["use", "--project", "web"], ["trust"]]) {
    onlyPrintedError(await world.datumctl([...line, "--error-format", "json"], { cwd, env }), {
      code: "STORAGE",
      message: /HOME is not set/,
    });
  }
  assert.deepEqual(await namesIn(cwd), [FILE]);
});

testInWorld("ten that write one folder's file at once leave one of theirs, trusted", async (world) => {
  const cwd = await folder(world, "web");
  const projects = Array.from({ length: 10 }, (_, at) => `web-${at}`);
  await Promise.all(projects.map((project) => world.ok(["use", "--project", project], { cwd })));
  const { followed, project } = JSON.parse(await world.ok(["use", "-o", "json"], { cwd }));
  assert.ok(followed && projects.includes(project), project);
  assert.deepEqual(await namesIn(cwd), [FILE]);
});
