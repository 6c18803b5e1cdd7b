/** Proves that a folder's file decides whom commands act as and on: in its order, and nowhere else. */

import assert from "node:assert/strict";
import { FOLDER_FILE } from "../../src/sessions/folders-above.ts";
import { printedError } from "../expect-error.ts";
import { inScratch, modeOf, namesIn } from "../scratch.ts";
import { type CloudfleetWorld, openCloudfleetWorld } from "./cloudfleet-world.ts";
import { openFolders } from "./folder-world.ts";
import { ADA, at, GRACE } from "./world.ts";

const posix = Deno.build.os !== "windows";

Deno.test("what use writes is trusted, names only, and decides in the folder and below it", async () => {
  await using it = await openFolders(GRACE);
  const { world, run, ok, whoami } = it;
  const web = await it.folder("web");
  const below = await it.folder("web/deep/er");
  await ok(it.home, `auth switch ${ADA}`);
  await ok(it.home, "ctx use acme");
  const grace = at(world, GRACE);
  const { stdout, stderr } = await run(web, `use --session ${grace} --organization acme --project web`);
  assert.equal(stdout, `Wrote ${web}/${FOLDER_FILE}: the session "${grace}", the project web of acme.\n`);
  assert.match(stderr, /^For kubectl as well: datumctl exec -- kubectl/);
  assert.deepEqual(await namesIn(web), [FOLDER_FILE, "deep"]);
  if (posix) assert.equal(await modeOf(`${web}/${FOLDER_FILE}`), 0o644);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(`${web}/${FOLDER_FILE}`)), {
    session: grace,
    organization: "acme",
    project: "web",
  });
  const file = `${web}/${FOLDER_FILE}`;
  const here = { session: grace, source: file, organization: "acme", project: "web", scopeSource: file };
  for (const folder of [web, below]) assert.deepEqual(await whoami(folder), here);
  const shown = await run(below, "ctx");
  assert.match(shown.stdout, new RegExp(`Project: +web\nSet by: +${file}\n`));
  assert.match(shown.stdout, new RegExp(`Session: +${grace}\nChosen by: +${file}\n`));
  const { source, scopeSource } = JSON.parse(await ok(below, "ctx -o json"));
  assert.deepEqual([source, scopeSource], [file, file]);
  assert.deepEqual(await whoami(it.home), {
    session: at(world, ADA),
    source: "the active session",
    organization: "acme",
    project: null,
    scopeSource: "login, ctx use or update-kubeconfig",
  });
  // A server is asked as that session and there.
  const asked = await run(below, "auth can-i get cm -v");
  assert.match(asked.stderr, /projects\/web\/control-plane/);
  assert.equal(await ok(web, "use -o name"), `${file}\n`);
});

Deno.test("a flag comes before a variable, that before the file, that before what is in use", async () => {
  await using it = await openFolders(GRACE);
  const { world, ok, whoami } = it;
  const [ada, grace] = [at(world, ADA), at(world, GRACE)];
  const web = await it.folder("web");
  await ok(web, `use --session ${grace} --project web`);
  const sources = async (words: string, env: Record<string, string> = {}) => {
    const { session, source, project, organization, scopeSource } = await whoami(web, words, { env });
    return [session, source, project ?? organization, scopeSource];
  };
  const file = `${web}/${FOLDER_FILE}`;
  assert.deepEqual(await sources(""), [grace, file, "web", file]);
  assert.deepEqual(await sources("", { DATUM_PROJECT: "x" }), [grace, file, "x", "DATUM_PROJECT"]);
  assert.deepEqual(await sources("", { DATUM_ORG: "x" }), [grace, file, "x", "DATUM_ORG"]);
  assert.deepEqual(await sources("--organization y", { DATUM_ORG: "x" }), [
    grace,
    file,
    "y",
    "--organization",
  ]);
  // Another session than the file's: what it chose with `ctx use`, not what the file chose for its own.
  await ok(it.home, `ctx use acme --profile ${ada}`);
  const inUse = ["acme", "login, ctx use or update-kubeconfig"];
  assert.deepEqual(await sources(`--profile ${ada}`), [ada, "--profile", ...inUse]);
  for (const name of ["DATUMCTL_PROFILE", "DATUM_SESSION"]) {
    assert.deepEqual(await sources("", { [name]: ada }), [ada, name, ...inUse]);
  }
  const token = { DATUMCTL_TOKEN: "opaque", DATUMCTL_API_HOSTNAME: world.cloud.apiHost };
  assert.deepEqual(await sources("", token), ["env:DATUMCTL_TOKEN", "DATUMCTL_TOKEN", null, null]);
  assert.deepEqual(await sources(`--profile ${grace}`), [grace, "--profile", "web", file]);
  // A file without a session is for every session.
  const plain = await it.folder("plain");
  await ok(plain, "use --organization acme --project shop");
  const shop = `${plain}/${FOLDER_FILE}`;
  for (const session of [ada, grace]) {
    const { project, scopeSource } = await whoami(plain, `--profile ${session}`);
    assert.deepEqual([project, scopeSource], ["shop", shop]);
  }
  const warned = await it.run(plain, "use --project web", { env: { DATUM_PROJECT: "x", DATUM_ORG: "y" } });
  assert.match(warned.stderr, /DATUM_PROJECT is set.*\n.*DATUM_ORG is set/);
});

Deno.test("what is named again replaces what stood there: the session apart from where it acts", async () => {
  await using it = await openFolders(GRACE);
  const { world, ok } = it;
  const [ada, grace] = [at(world, ADA), at(world, GRACE)];
  const web = await it.folder("web");
  const file = `${web}/${FOLDER_FILE}`;
  const content = async () => JSON.parse(await Deno.readTextFile(file));
  await ok(web, "use --organization acme --project web");
  await ok(web, `use --session ${ada}`);
  assert.deepEqual(await content(), { session: ada, organization: "acme", project: "web" });
  await ok(web, `use --profile ${grace} --organization beta`);
  assert.deepEqual(await content(), { session: grace, organization: "beta" });
  if (posix) await Deno.chmod(file, 0o664);
  const context = await it.run(web, "use --context staging");
  assert.deepEqual([context.code, context.stderr.split("\n")[0]], [
    0,
    "warning: The kubeconfig has no context staging. See which there are: kubectl config get-contexts",
  ]);
  assert.deepEqual(await content(), { session: grace, context: "staging" });
  if (posix) assert.equal(await modeOf(file), 0o664);
  // Two at once: one after the other, and nothing of either is lost.
  await Promise.all([ok(web, `use --session ${ada}`), ok(web, "use --project shop")]);
  assert.deepEqual(await content(), { session: ada, project: "shop" });
  assert.deepEqual(await namesIn(web), [FOLDER_FILE]);
  assert.equal((await it.run(web, "trust --list -o json")).stdout.match(/"trusted"/g)?.length, 1);
});

Deno.test("use without a name shows the nearest file, followed or not, and writes nothing", async () => {
  await using it = await openFolders();
  const { run, ok } = it;
  const web = await it.folder("web");
  const none = await run(web, "use");
  assert.deepEqual([none.code, none.stdout], [0, ""]);
  assert.match(none.stderr, /There is no \.datumctl\.json here or above\. Write one: datumctl use/);
  assert.equal(JSON.parse(await ok(web, "use -o json")).file, null);
  assert.deepEqual(await namesIn(web), []);
  await it.write(web, { organization: "acme" });
  assert.match(
    await ok(web, "use"),
    /Followed: +no, it is not trusted: datumctl trust\nOrganization: +acme\n/,
  );
  await ok(web, "trust");
  assert.match(await ok(web, "use"), /Followed: +yes\n/);
  assert.deepEqual(JSON.parse(await ok(web, "use -o json")), {
    file: `${web}/${FOLDER_FILE}`,
    followed: true,
    reason: null,
    session: null,
    organization: "acme",
    project: null,
    context: null,
  });
  await it.write(web, "{");
  assert.match(await ok(web, "use"), /Followed: +no, it is not JSON\n/);
});

Deno.test("use tells of a session that is gone, not of one that is damaged or the project folder's", async () => {
  await using it = await openFolders();
  const { run, ok } = it;
  const web = await it.folder("web");
  const ada = at(it.world, ADA);
  await ok(web, `use --session ${ada}`);
  const { file } = await it.world.sandbox.store.paths(ada);
  const stored = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, "x");
  const damaged = await run(web, "use");
  assert.deepEqual([damaged.code, damaged.stderr], [0, ""], "the next command tells");
  await Deno.remove(file);
  await Deno.mkdir(`${web}/.datumctl`, { mode: 0o700 });
  await Deno.writeTextFile(`${web}/.datumctl/${file.split("/").at(-1)}`, stored, { mode: 0o600 });
  await Deno.writeTextFile(`${web}/.datumctl/config.json`, '{"schemaVersion":1}', { mode: 0o600 });
  assert.equal((await run(web, "use")).stderr, "", "the project folder has it");
  await it.write(web, { session: "gone" });
  await ok(web, "trust");
  assert.match(
    (await run(web, "use")).stderr,
    /no session gone here.*\. Sign in: datumctl login --profile gone\n$/,
  );
});

Deno.test("use refuses what is no name, a session that is not here, and another's file in its way", async () => {
  await using it = await openFolders();
  const { run } = it;
  const web = await it.folder("web");
  const refused = async (words: string, expected: Parameters<typeof printedError>[1], env = {}) =>
    printedError(await run(web, `use --error-format json ${words}`, { env }), expected);
  await refused("--project Web", { code: "USAGE", message: /"Web" cannot be the id of a project/ });
  await refused("--organization a/b", "USAGE");
  await refused("--session nobody", { code: "NOT_SIGNED_IN", message: /no session nobody here/ });
  await refused("--session env:DATUMCTL_TOKEN", "USAGE", { DATUMCTL_TOKEN: "opaque" });
  await refused("--context a --project b", "USAGE");
  await refused("acme/web", {
    code: "USAGE",
    hint: /--organization ORG --project PROJECT\..* datumctl ctx use acme\/web$/,
  });
  assert.deepEqual(await namesIn(web), []);
  await it.write(web, { project: "theirs" });
  await refused("--session x --project web", "NOT_SIGNED_IN");
  await refused("--project web", {
    code: "STORAGE",
    message: /is there already, and it is not trusted\.$/,
    hint: /^Look at it, then: datumctl trust; or remove it/,
  });
  if (posix) {
    await Deno.remove(`${web}/${FOLDER_FILE}`);
    await Deno.writeTextFile(`${web}/target`, "kept");
    await Deno.symlink(`${web}/target`, `${web}/${FOLDER_FILE}`);
    await refused("--project web", { code: "STORAGE", message: /it is not a plain file\.$/ });
    assert.equal(await Deno.readTextFile(`${web}/target`), "kept");
  }
  const gone = await it.folder("odd\u001b[2J");
  printedError(await run(gone, "use --project web --error-format json"), {
    code: "STORAGE",
    message: /characters in its name that cannot be shown/,
  });
});

Deno.test("a session that the file names and that is not here is told of, and no other acts", async () => {
  await using it = await openFolders();
  const { world, run, ok } = it;
  const web = await it.folder("web");
  const file = `${web}/${FOLDER_FILE}`;
  await it.write(web, { session: "work", project: "web" });
  await ok(web, "trust");
  for (
    const words of [
      "whoami",
      "ctx",
      "get dnszones",
      "auth get-token -o token",
      "auth can-i get cm",
      "tokens list",
    ]
  ) {
    const ran = await run(web, `${words} --error-format json`);
    assert.equal(ran.stdout, "", words);
    printedError(ran, {
      code: "NOT_SIGNED_IN",
      message: `There is no session work here, which ${file} names. Stored here: ${at(world, ADA)}.`,
      hint: /^Sign in as it: datumctl login --profile work, or act as one of these: --profile NAME$/,
    }, words);
  }
  assert.match(
    (await run(web, "doctor --offline")).stdout,
    /names a session that is not here[^]*datumctl login --profile work\n$/,
  );
  await it.write(web, { session: ADA });
  await ok(web, "trust");
  printedError(await run(web, "whoami --error-format json"), {
    code: "NOT_SIGNED_IN",
    message: /which \S+ names; that is a user/,
  });
});

Deno.test("a context that the file names is acted on, and told of where it is not there", async () => {
  await using it = await openFolders();
  const { world, run, ok } = it;
  const web = await it.folder("web");
  const file = `${web}/${FOLDER_FILE}`;
  await ok(
    it.home,
    "auth update-kubeconfig --exec-command datumctl --skip-validation --project web --no-switch",
  );
  await ok(it.home, "ctx use acme");
  await ok(web, `use --context datum-project-web-${world.cloud.apiHost}`);
  const { project, scopeSource } = await it.whoami(web);
  assert.deepEqual([project, scopeSource], ["web", file]);
  assert.match((await run(web, "auth can-i get cm -v")).stderr, /projects\/web\/control-plane/);
  assert.equal((await it.whoami(web, "--organization acme")).scopeSource, "--organization");
  await ok(web, "use --context none");
  printedError(await run(web, "get cm --error-format json"), {
    code: "NOT_FOUND",
    message: /^There is no context "none" in .* It is named in .*\.datumctl\.json\.$/,
  });
});

Deno.test("what takes precedence is told where somebody switches or chooses beneath it", async () => {
  await using it = await openFolders(GRACE);
  const { world, run, ok } = it;
  const web = await it.folder("web");
  const file = `${web}/${FOLDER_FILE}`;
  await ok(web, `use --session ${at(world, GRACE)} --project web`);
  assert.match(
    (await run(web, `auth switch ${ADA}`)).stderr,
    new RegExp(`the session ".*" of ${file} takes`),
  );
  assert.match((await run(web, "ctx use acme")).stderr, new RegExp(`${file} takes precedence over what`));
  assert.doesNotMatch(
    (await run(web, `ctx use acme --profile ${at(world, ADA)}`)).stderr,
    /takes precedence/,
  );
  assert.doesNotMatch((await run(it.home, `auth switch ${ADA}`)).stderr, /takes precedence/);
});

Deno.test("a token by hand follows the folder; kubectl's entries do not, pinned or not", async () => {
  await using it = await openFolders(GRACE);
  const { world, run, ok } = it;
  const [ada, grace] = [at(world, ADA), at(world, GRACE)];
  const web = await it.folder("web");
  await ok(web, `use --session ${grace}`);
  await ok(it.home, `auth switch ${ADA}`);
  const claims = async (words: string) => {
    const told = JSON.parse(await ok(web, `auth get-token --claims ${words}`));
    return told.session;
  };
  assert.equal(await claims(""), grace);
  assert.equal(await claims(`--session ${ada}`), ada);
  assert.equal(await claims(`--active-for=${world.cloud.apiHost}`), ada);
  const v1 = "-o client.authentication.k8s.io/v1";
  const given = async (words: string) => JSON.parse(await ok(web, `auth get-token ${words}`)).status.token;
  const token = async (name: string) =>
    (await ok(it.home, `auth get-token --token id --session ${name}`)).trim();
  for (const words of [v1, `${v1} --active-for=${world.cloud.apiHost}`, `${v1} --session ${ada}`]) {
    assert.equal(await given(`${words} --token id`), await token(ada), words);
  }
  // A new entry is pinned to the session that the folder means.
  await ok(web, "auth update-kubeconfig --exec-command datumctl --skip-validation --project web");
  assert.match(await Deno.readTextFile(world.kubeconfig), new RegExp(`--session=${grace}`));
  // What cannot be read stops nothing of kubectl's.
  await Deno.writeTextFile(`${world.sandbox.folder}/trusted.json`, "nonsense");
  assert.equal(await given(`${v1} --token id`), await token(ada));
  assert.equal((await run(web, "whoami")).code, 1);
  const mend = `mv ${world.sandbox.folder}/trusted.json ${world.sandbox.folder}/trusted.json.aside`;
  assert.ok((await run(web, "doctor --offline")).stdout.includes(mend));
  assert.equal((await run(it.home, "whoami")).code, 0);
});

Deno.test("the organization of a folder is the one whose projects are listed", async () => {
  await using it = await openFolders();
  const web = await it.folder("web");
  await it.ok(web, "use --organization beta --project web");
  const { stderr } = await it.run(web, "projects list -v");
  assert.match(stderr, /organizations\/beta\/control-plane/);
});

Deno.test("the commands of Cloudfleet act as the folder's profile, and of no other cloud's session", async () => {
  await using world = await openCloudfleetWorld();
  await world.addAdministrator("first");
  await world.addAdministrator("second");
  await inScratch(async (scratch) => {
    const folder = await Deno.realPath(scratch);
    const { store } = world.sandbox;
    const there = { store: store.with({ host: { ...store.host, workingFolder: () => folder } }) };
    const env = { CLOUDFLEET_ISSUER: "", CLOUDFLEET_API_URL: "" };
    await world.ok("use --session second", there);
    // The active one is gone, and there is no `default`: only the folder names one.
    await world.sandbox.store.remove(await stored(world, "first"), { timeout: 5000 });
    await world.ok("tokens list", { ...there, env });
    await world.sandbox.store.remove(await stored(world, "second"), { timeout: 5000 });
    await world.addAdministrator("default");
    printedError(await world.run("tokens list --error-format json", there), {
      code: "NOT_SIGNED_IN",
      message: /no session second here, which/,
    });
  });
});

async function stored({ sandbox: { store } }: CloudfleetWorld, name: string) {
  return await store.read(name) ?? assert.fail(name);
}
