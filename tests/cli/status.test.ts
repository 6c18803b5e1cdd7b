/** Proves what `status` tells of the session in force: the same as `whoami` and `ctx`, and that it asks no keyring. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { assertPrintable, onlyPrintedError } from "../expect-error.ts";
import { BOUND, edit, openSandbox, type Sandbox, type SessionOptions } from "../sessions/sandbox.ts";
import { scratchFolder } from "../scratch.ts";
import { commandLine, type Options, type Ran, runLine } from "./run-line.ts";
import { ADA, at, GRACE, openSignedIn } from "./world.ts";

const MINUTE = 60_000;
const NAME = "ada@example.com@api.example.com";

const iso = (time: number) => new Date(time).toISOString();

/** A sandbox whose active session is this one. */
async function openWith(options: SessionOptions = {}): Promise<Sandbox> {
  const sandbox = await openSandbox();
  const { session: { name } } = await sandbox.add({ name: NAME, ...options });
  await sandbox.store.activate(name);
  return sandbox;
}

/** Changes the public fields of the stored session. */
async function change(sandbox: Sandbox, fields: Readonly<Record<string, unknown>>): Promise<void> {
  await edit((await sandbox.paths(NAME)).file, (session) => ({ ...session, ...fields }));
}

function status(sandbox: Sandbox, line = "", options: Options = {}): Promise<Ran> {
  return commandLine(sandbox).run(`status ${line}`, options);
}

Deno.test("status, whoami and ctx tell the same session and the same scope", async () => {
  await using world = await openSignedIn(GRACE);
  const { cloud, sandbox } = world;
  const token = (await world.ok("auth get-token")).trim();
  const agree = async (what: string, options: Options = {}, flags = "") => {
    const told = async (command: string) => {
      const { session, organization, project, platformWide, own, server, scopeSource } = JSON.parse(
        await world.ok(`${command} -o json ${flags}`, options),
      );
      return { session, organization, project, platformWide, own, server, scopeSource };
    };
    const status = await told("status");
    assert.deepEqual(status, await told("whoami"), what);
    assert.deepEqual(status, await told("ctx"), what);
    const who = async (command: string) => {
      const { user, source, host } = JSON.parse(await world.ok(`${command} -o json ${flags}`, options));
      return { user, source, host };
    };
    assert.deepEqual(await who("status"), await who("whoami"), what);
    return status;
  };
  assert.equal((await agree("nothing is in use")).scopeSource, null);
  await world.ok("auth update-kubeconfig --organization acme --skip-validation");
  await edit((await sandbox.paths(at(world, GRACE))).file, (session) => ({ ...session, inUse: undefined }));
  const byContext = await agree("the kubeconfig's context");
  assert.deepEqual([byContext.session, byContext.organization], [at(world, GRACE), "acme"]);
  assert.match(byContext.scopeSource, /^the kubeconfig's context /);
  await world.ok("ctx use acme/web");
  assert.equal((await agree("ctx use")).project, "web");
  assert.equal((await agree("--profile", {}, `--profile ${at(world, ADA)}`)).session, at(world, ADA));
  for (
    const [env, wanted] of [
      [{ DATUMCTL_PROFILE: at(world, ADA) }, { session: at(world, ADA) }],
      [{ DATUM_SESSION: at(world, ADA) }, { session: at(world, ADA) }],
      [{ DATUM_PROJECT: "shop" }, { project: "shop", organization: null }],
      [{ DATUM_ORGANIZATION: "acme" }, { organization: "acme", project: null }],
      [{ DATUM_ORG: "acme", DATUM_PROJECT: "shop" }, { organization: "acme", project: "shop" }],
      [{ DATUMCTL_TOKEN: token, DATUMCTL_API_HOSTNAME: cloud.apiHost }, { session: "env:DATUMCTL_TOKEN" }],
    ] as const
  ) {
    const told = await agree(JSON.stringify(env), { env });
    for (const [field, value] of Object.entries(wanted)) assert.equal(told[field as "session"], value, field);
  }
  await Deno.writeTextFile(`${sandbox.folder}/kubeconfig`, "users: [{name: datumctl");
  const broken = await world.run("status -o json", { env: { DATUM_PROJECT: "" } });
  assert.deepEqual([broken.code, broken.stderr], [0, ""], "what is in use counts before a broken kubeconfig");
});

Deno.test("a trusted .datumctl.json counts as for whoami and ctx; an untrusted one is never named", async () => {
  await using sandbox = await openWith();
  await sandbox.add({ name: "other", subject: "2", email: "grace@example.com" });
  await using home = await scratchFolder();
  const folder = `${await Deno.realPath(home.path)}/shop`;
  await Deno.mkdir(folder);
  const file = `${folder}/.datumctl.json`;
  // On a terminal, where other commands name a file that they pass by.
  const run = (line: string) =>
    runLine(line.split(" "), {
      store: sandbox.store.with({ host: { ...sandbox.store.host, workingFolder: () => folder } }),
      env: { HOME: home.path, KUBECONFIG: `${home.path}/none` },
      keys: [],
    });
  const told = async (command: string) => {
    const { code, stdout, stderr } = await run(`${command} -o json`);
    assert.equal(code, 0, `${command}: ${stderr}`);
    const { session, source, organization, project, scopeSource } = JSON.parse(stdout);
    return command === "ctx"
      ? { session, organization, project, scopeSource }
      : { session, source, organization, project, scopeSource };
  };
  await Deno.writeTextFile(file, JSON.stringify({ session: "other", organization: "acme", project: "web" }));
  for (const flags of ["", " --short", " -o json"]) {
    const { code, stdout, stderr } = await run(`status${flags}`);
    assert.deepEqual([code, stderr], [0, ""], "untrusted");
    assert.match(stdout, /ada@example\.com/);
  }
  assert.match((await run("whoami")).stderr, /\.datumctl\.json is not followed/);
  assert.equal((await run("trust")).code, 0);
  const status = await told("status");
  assert.deepEqual([status.session, status.source, status.project], ["other", file, "web"]);
  assert.deepEqual(status, await told("whoami"));
  const { source: _, ...scope } = status;
  assert.deepEqual(scope, await told("ctx"));
  const { stdout } = await run("status --short");
  assert.equal(stdout, "grace@example.com acme/web renews itself\n");
});

Deno.test("a kubeconfig that cannot be read is none", async () => {
  await using sandbox = await openWith();
  for (const text of ["datumctl: [", "\u0000d\u0000a", "get-token\n\t{"]) {
    await Deno.writeTextFile(`${sandbox.folder}/kubeconfig`, text);
    const { code, stdout, stderr } = await status(sandbox, "-o json");
    assert.deepEqual([code, stderr, JSON.parse(stdout).scopeSource], [0, "", null], text);
  }
});

Deno.test("how long: a token, a session that ends, one that is renewed, one that is over", async () => {
  await using sandbox = await openWith();
  const { time } = sandbox;
  const [soon, over] = [iso(time + 42 * MINUTE), iso(time - MINUTE)];
  for (
    const [fields, code, state, short, words] of [
      [{ tokenExpires: soon }, 0, "valid", " 42m", "42m, renews itself"],
      [{ tokenExpires: over, expires: soon }, 0, "valid", " 42m", "42m"],
      [{ tokenExpires: over }, 0, "renewable", " renews itself", "renews itself"],
      [{ tokenExpires: undefined }, 0, "renewable", " renews itself", "renews itself"],
      [{ tokenExpires: "soon" }, 0, "renewable", " renews itself", "renews itself"],
      [{ tokenExpires: over, expires: over }, 4, "expired", " expired", "expired"],
      [{ tokenExpires: soon, expires: iso(time) }, 4, "expired", " expired", "expired"],
      [
        { tokenExpires: soon, renewalRefused: over },
        4,
        "expired",
        " expired",
        "cannot be renewed: sign in again",
      ],
      [{ user: { subject: "" } }, 4, "expired", " not signed in", "not signed in"],
    ] as const
  ) {
    await change(sandbox, {
      tokenExpires: undefined,
      expires: undefined,
      renewalRefused: undefined,
      ...fields,
    });
    const what = JSON.stringify(fields);
    const line = await status(sandbox, "--short");
    assert.deepEqual([line.code, line.stderr], [code, ""], what);
    assert.ok(line.stdout.endsWith(`${short}\n`), `${what}: ${line.stdout}`);
    const object = JSON.parse((await status(sandbox, "-o json")).stdout);
    assert.deepEqual([object.signedIn, object.state], [code === 0, state], what);
    assert.equal(object.secondsLeft, short === " 42m" ? 42 * 60 : null, what);
    const lines = await status(sandbox);
    assert.match(lines.stdout, new RegExp(`\nLife left: +${words}\n$`), what);
    assert.match(lines.stderr, code === 0 ? /^$/ : /datumctl login --profile /, what);
  }
});

Deno.test("a token whose end nobody knows, and a key that makes tokens", async () => {
  await using sandbox = await openSandbox();
  const opaque = await status(sandbox, "--short", { env: { DATUMCTL_TOKEN: "opaque" } });
  assert.deepEqual(opaque, { code: 0, stdout: "DATUMCTL_TOKEN\n", stderr: "" });
  const part = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const ended = `${part({ alg: "RS256" })}.${part({ sub: "ada", exp: sandbox.time / 1000 - 1 })}.c2ln`;
  const over = await status(sandbox, "--short", { env: { DATUMCTL_TOKEN: ended } });
  assert.deepEqual(over, { code: 4, stdout: "ada expired\n", stderr: "" });
  const wrong = await status(sandbox, "--short", { env: { DATUMCTL_TOKEN: "two words" } });
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
});

Deno.test("without a session: exit 4, and what to do, on stderr alone", async () => {
  await using sandbox = await openSandbox();
  for (const flags of ["", "--short", "--format {user}", "-o json", "--profile nobody"]) {
    const { code, stdout, stderr } = await status(sandbox, flags);
    assert.deepEqual([code, stdout], [4, ""], flags);
    assert.match(stderr, /^error: .*\nSign in: datumctl login/, flags);
  }
  const inJson = await status(sandbox, "--error-format json");
  assert.equal(onlyPrintedError(inJson).code, "NOT_SIGNED_IN");
});

Deno.test("a file of ours that is broken is named, and is no sign-out: exit 1", async () => {
  for (
    const [path, text] of [
      ["session", "{"],
      ["session", "[]"],
      ["session", '{"schemaVersion":99}'],
      ["config", "nothing"],
      ["config", '{"schemaVersion":99}'],
    ] as const
  ) {
    await using sandbox = await openWith();
    const file = path === "config" ? `${sandbox.folder}/config.json` : (await sandbox.paths(NAME)).file;
    await Deno.writeTextFile(file, text);
    for (const flags of ["", "--short"]) {
      const { code, stdout, stderr } = await status(sandbox, flags);
      assert.deepEqual([code, stdout], [1, ""], text);
      assert.ok(stderr.startsWith("error: ") && stderr.includes(file), `${text}: ${stderr}`);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  }
});

Deno.test("a keyring that is locked is not asked", async () => {
  await using sandbox = await openWith({ keyStore: "system" });
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "It is locked.");
  sandbox.system.calls.length = 0;
  for (const flags of ["", "--short", "-o json"]) assert.equal((await status(sandbox, flags)).code, 0, flags);
  assert.deepEqual(sandbox.system.calls, []);
});

Deno.test("a project folder's session: with a key file all of it, with a keyring only its name", async () => {
  for (const keyStore of ["file", "system"] as const) {
    await using sandbox = await openWith();
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "datumctl-project-" }));
    try {
      const local = sandbox.store.forProject(folder);
      const { session, credentials } = await sandbox.store.open(
        await sandbox.store.read(NAME) ?? assert.fail(),
        BOUND,
      );
      await local.save({ session: { ...session, name: "local", local: true }, credentials }, {
        keyStores: [keyStore],
      }, BOUND);
      await local.activate("local");
      sandbox.system.calls.length = 0;
      const run = (line: string) =>
        runLine(line.split(" "), {
          store: sandbox.store.with({ host: { ...sandbox.store.host, workingFolder: () => folder } }),
          env: { HOME: folder },
        });
      const { code, stdout } = await run("status --format {session}|{user}|{host}|{scope}|{state}");
      const known = keyStore === "file" ? "ada@example.com|api.example.com||renewable" : "|||unopened";
      assert.deepEqual([code, stdout], [0, `local|${known}\n`]);
      assert.deepEqual(sandbox.system.calls, []);
      const lines = (await run("status")).stdout;
      assert.ok(lines.includes(`Chosen by:   the project folder ${folder}\n`), lines);
      const whoami = JSON.parse((await run("whoami -o json")).stdout);
      const told = JSON.parse((await run("status -o json")).stdout);
      assert.deepEqual([told.session, told.source], [whoami.session, whoami.source]);
      if (keyStore === "system") continue;
      // Somebody else's folder: its file names a key that is not here.
      await Deno.remove(`${sandbox.folder}/sessions`, { recursive: true });
      const foreign = await run("status --short");
      assert.deepEqual([foreign.code, foreign.stdout], [4, ""]);
      assert.match(
        foreign.stderr,
        /^error: The session "local" in \S+ is not used: you hold no key for it\./,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
});

Deno.test("--format: placeholders, doubled braces, and nothing else in braces", async () => {
  await using sandbox = await openWith();
  await change(sandbox, { inUse: { organization: "acme", project: "web" } });
  const filled = async (format: string) =>
    await runLine(["status", "--format", format], { store: sandbox.store });
  for (
    const [format, wanted] of [
      ["{user}", "ada@example.com"],
      ["{session}", NAME],
      ["{organization}:{project}", "acme:web"],
      ["{scope} {host}", "acme/web api.example.com"],
      ["{state}", "renewable"],
      ["{{user}} {{{user}}}", "{user} {ada@example.com}"],
      ["$& $1 %n \\n", "$& $1 %n \\n"],
      ["", ""],
    ] as const
  ) assert.deepEqual(await filled(format), { code: 0, stdout: `${wanted}\n`, stderr: "" });
  for (
    const format of ["{x}", "{}", "{", "a}", "{user", "{{user}", "{constructor}", "{ user }", "{\u001b[31m}"]
  ) {
    const { code, stdout, stderr } = await filled(format);
    assert.deepEqual([code, stdout], [2, ""], format);
    assert.match(
      stderr,
      /^error: --format (?:does not know|has a [{}] that) .*\nIt takes \{user\}, /,
      format,
    );
    assertPrintable(stderr);
  }
});

Deno.test("the flags that exclude each other are USAGE", async () => {
  await using sandbox = await openWith();
  for (const flags of ["--short --format x", "--short -o json", "--format x -o json", "-o wide2", "more"]) {
    assert.equal((await status(sandbox, flags)).code, 2, flags);
  }
});

Deno.test("texts from files are printable, and an id that cannot be one is refused", async () => {
  await using sandbox = await openWith();
  await change(sandbox, { user: { subject: "1", email: "a\u001b[31m\u202eb\nc%n$(x)`x`\\" } });
  const { stdout } = await status(sandbox, "--format {user}");
  assert.equal(stdout, "a [31m b c%n$(x)`x`\\\n");
  await change(sandbox, { inUse: { organization: "$(touch x)" } });
  for (const command of ["status --short", "whoami"]) {
    const { code, stdout } = await commandLine(sandbox).run(command);
    assert.deepEqual([code, stdout], [2, ""], command);
  }
});
