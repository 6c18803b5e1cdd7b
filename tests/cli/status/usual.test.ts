/** Proves which cases of `status` are the usual one, and that any other is left to the rest before anything is printed. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ROOT } from "../../../scripts/compile.ts";
import { scratchFolder } from "../../scratch.ts";
import { edit, openSandbox, type Sandbox } from "../../sessions/sandbox.ts";

const NAME = "ada@example.com@api.example.com";
const USUAL = JSON.stringify(`${ROOT}src/cli/status/usual.ts`);

interface Case {
  readonly sandbox: Sandbox;
  /** The working folder, in the home. */
  readonly folder: string;
  readonly file: string;
}

/** Runs it as a process of its own: it reads the process's variables and folder. */
async function usual(
  { sandbox, folder }: Case,
  args: readonly string[],
  env: Record<string, string> = {},
  out = "/dev/stdout",
) {
  const script = `${folder}-script.ts`;
  await Deno.writeTextFile(
    script,
    `import { runUsualStatus } from ${USUAL};\nconsole.error(await runUsualStatus(["status", ...Deno.args]));\n`,
  );
  try {
    const flags = ["run", "--quiet", "--no-check", "--allow-all", "--config", `${ROOT}deno.json`];
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'out=$1; shift; exec "$@" >"$out"', "sh", out, Deno.execPath(), ...flags, script, ...args],
      cwd: folder,
      clearEnv: true,
      env: {
        HOME: dirname(folder),
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
        DATUMCTL_CONFIG_DIR: sandbox.folder,
        NO_COLOR: "1",
        ...env,
      },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { out: text(stdout), code: text(stderr) };
  } finally {
    await Deno.remove(script);
  }
}

async function withCase(run: (given: Case) => Promise<void>): Promise<void> {
  await using sandbox = await openSandbox();
  await using scratch = await scratchFolder();
  const folder = `${await Deno.realPath(scratch.path)}/work`;
  await Deno.mkdir(folder);
  await sandbox.add({ name: NAME });
  await sandbox.store.activate(NAME);
  const { file } = await sandbox.paths(NAME);
  await edit(file, (session) => ({ ...session, inUse: { organization: "acme", project: "web" } }));
  await run({ sandbox, folder, file });
}

Deno.test("the usual case is answered, with a template and without, and no session that is over", async () => {
  await withCase(async (given) => {
    const short = await usual(given, ["--short"]);
    assert.deepEqual(short, { out: "ada@example.com acme/web renews itself\n", code: "0\n" });
    const template = "{user} {session} {organization} {project} {scope} {life} {state} {host} {{}}";
    assert.deepEqual(await usual(given, ["--format", template]), {
      out: `ada@example.com ${NAME} acme web acme/web renews itself renewable api.example.com {}\n`,
      code: "0\n",
    });
    await edit(given.file, (session) => ({ ...session, inUse: { organization: "acme" } }));
    assert.equal((await usual(given, ["--short"])).out, "ada@example.com acme renews itself\n");
    await edit(given.file, (session) => ({ ...session, renewalRefused: "2020-01-01T00:00:00Z" }));
    assert.deepEqual(await usual(given, ["--short"]), NOTHING);
  });
});

const NOTHING = { out: "", code: "undefined\n" };

Deno.test("what stdout does not take is an error, and no other case: nothing is printed twice", async () => {
  await withCase(async (given) => {
    assert.match((await usual(given, ["--short"], {}, "/dev/full")).code, /^error: .*\n(?:.*\n)?1\n$/);
  });
});

Deno.test("what lies above the home decides nothing", async () => {
  await withCase(async (given) => {
    await Deno.writeTextFile(`${given.folder}/../.datumctl.json`, "{}");
    assert.equal((await usual(given, ["--short"], { HOME: given.folder })).code, "0\n");
    assert.deepEqual(await usual(given, ["--short"]), NOTHING);
  });
});

Deno.test("a flag or a variable that decides makes it another case", async () => {
  await withCase(async (given) => {
    for (
      const [args, env] of [
        [[], {}],
        [["--profile", NAME], {}],
        [["--format", "{x}"], {}],
        [["-o", "json"], {}],
        [["--short"], { DATUMCTL_PROFILE: NAME }],
        [["--short"], { DATUMCTL_ERROR_FORMAT: "xml" }],
        [["--short"], { DATUM_SESSION: NAME }],
        [["--short"], { DATUMCTL_TOKEN: "x" }],
        [["--short"], { DATUMCTL_CREDENTIALS_FILE: "x" }],
        [["--short"], { DATUM_CREDENTIALS_FILE: "x" }],
        [["--short"], { DATUM_PROJECT: "shop" }],
        [["--short"], { DATUM_ORGANIZATION: "acme" }],
        [["--short"], { DATUM_ORG: "acme" }],
        [["--short"], { DATUMCTL_CONFIG_DIR: "/nowhere" }],
      ] as const
    ) assert.deepEqual(await usual(given, args, env), NOTHING, JSON.stringify([args, env]));
  });
});

/** What makes it another case, each in a world of its own. */
const OTHERS: Readonly<Record<string, (given: Case) => Promise<void>>> = {
  "a project folder": ({ folder }) => Deno.mkdir(`${folder}/.datumctl`),
  "a file of the folder above": ({ folder }) => Deno.writeTextFile(`${folder}/../.datumctl.json`, "{}"),
  "a session file that others can read": ({ file }) => Deno.chmod(file, 0o644),
  "a folder that others can read": ({ sandbox }) => Deno.chmod(`${sandbox.folder}/sessions`, 0o755),
  "a file that is a link": async ({ file }) => {
    await Deno.rename(file, `${file}.elsewhere`);
    await Deno.symlink(`${file}.elsewhere`, file);
  },
  "a broken session": ({ file }) => Deno.writeTextFile(file, "{"),
  "a broken config.json": ({ sandbox }) => Deno.writeTextFile(`${sandbox.folder}/config.json`, "{"),
  "no active session": ({ sandbox }) =>
    Deno.writeTextFile(`${sandbox.folder}/config.json`, '{"schemaVersion":1}'),
  "another session's file": ({ file }) => edit(file, (session) => ({ ...session, name: "other" })),
  "an id that cannot be one": ({ file }) =>
    edit(file, (session) => ({ ...session, inUse: { project: "$(x)" } })),
  "nothing in use": ({ file }) => edit(file, (session) => ({ ...session, inUse: undefined })),
};

for (const [what, change] of Object.entries(OTHERS)) {
  Deno.test(`another case: ${what}`, async () => {
    await withCase(async (given) => {
      await change(given);
      assert.deepEqual(await usual(given, ["--short"]), NOTHING);
    });
  });
}
