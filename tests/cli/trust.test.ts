/** Proves that a file that came with a folder decides nothing until it is trusted, and where it is named. */

import assert from "node:assert/strict";
import { digestOf } from "../../src/sessions/folder-file.ts";
import { FOLDER_FILE } from "../../src/sessions/folders-above.ts";
import { printedError } from "../expect-error.ts";
import { openFolders } from "./folder-world.ts";
import { ADA, at, GRACE } from "./world.ts";

const NAMED = /not followed/;

Deno.test("an untrusted file decides nothing, and one line names it on a terminal alone", async () => {
  await using it = await openFolders(GRACE);
  const { world, run, ok } = it;
  const clone = await it.folder("clone");
  await ok(it.home, `auth switch ${ADA}`);
  await ok(it.home, "ctx use acme");
  await it.write(clone, { session: at(world, GRACE), project: "web" });
  const { stdout, stderr } = await run(clone, "whoami");
  assert.match(stdout, /Chosen by: +the active session/);
  assert.match(stdout, /Set by: +login, ctx use or update-kubeconfig/);
  const line = `warning: ${clone}/${FOLDER_FILE} is not followed: it is not trusted. ` +
    "Look at it, then: datumctl trust\n";
  assert.equal(stderr, line);
  for (const words of ["ctx", "auth can-i get cm", "whoami --profile " + at(world, ADA)]) {
    assert.equal((await run(clone, words)).stderr, line, words);
  }
  for (
    const [words, options] of [
      ["whoami -q", {}],
      ["whoami --error-format json", {}],
      ["whoami --error-format yaml", {}],
      ["whoami", { env: { DATUMCTL_ERROR_FORMAT: "json" } }],
      ["whoami", { keys: undefined }],
      ["auth get-token", {}],
      ["version", {}],
    ] as const
  ) assert.doesNotMatch((await run(clone, words, options)).stderr, NAMED, words);
  await ok(clone, "trust");
  assert.equal((await it.whoami(clone)).session, at(world, GRACE));
  await it.write(clone, { session: at(world, GRACE), project: "shop" });
  const changed = await run(clone, "whoami");
  assert.match(changed.stdout, /Chosen by: +the active session/);
  assert.match(changed.stderr, /it has changed since it was trusted/);
});

Deno.test("a folder whose name steers terminals is named without what does", async () => {
  await using it = await openFolders();
  const clone = await it.folder("x\u001b]0;title\u0007\nerror: no\u202e");
  await it.write(clone, { project: "web" });
  for (const words of ["whoami", "use", "trust", "ctx use acme"]) {
    const { stdout, stderr } = await it.run(clone, words);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u202e]/, words);
    assert.doesNotMatch(stderr, /^error: no/m, words);
  }
});

Deno.test("an empty name trusts nothing", async () => {
  await using it = await openFolders();
  await it.write(it.home, { project: "web" });
  for (const words of ["trust", "trust --remove"]) {
    const ran = await it.run(it.home, [...words.split(" "), "", "--error-format", "json"]);
    printedError(ran, { code: "USAGE", message: /name is empty/ }, words);
  }
  assert.deepEqual(JSON.parse(await it.ok(it.home, "trust --list -o json")), []);
});

Deno.test("trust says what it lets count; it is listed and taken back, of gone files too", async () => {
  await using it = await openFolders();
  const { run, ok } = it;
  const web = await it.folder("web");
  const below = await it.folder("web/below");
  const file = `${web}/${FOLDER_FILE}`;
  const refused = async (folder: string, words: string, expected: Parameters<typeof printedError>[1]) =>
    printedError(await run(folder, `${words} --error-format json`), expected);
  await refused(web, "trust", {
    code: "NOT_FOUND",
    message: /no \.datumctl\.json here or in a folder above/,
  });
  await refused(web, "trust --remove", "NOT_FOUND");
  assert.deepEqual(JSON.parse(await ok(web, "trust --list -o json")), []);
  assert.match((await run(web, "trust --list")).stderr, /No \.datumctl\.json is trusted/);
  await it.write(web, { organization: "acme", project: "web" });
  assert.equal(await ok(below, "trust"), `Trusted ${file}: the project web of acme.\n`);
  assert.match(
    await ok(it.home, "trust --list"),
    /^File +State +Names\n\S+ +trusted +the project web of acme\n$/,
  );
  await it.write(web, { project: "shop" });
  const state = async () => JSON.parse(await ok(it.home, "trust --list -o json"))[0];
  assert.deepEqual(await state(), { file, state: "changed" });
  await ok(it.home, `trust ${file}`);
  assert.deepEqual(await state(), { file, state: "trusted" });
  await Deno.remove(file);
  assert.deepEqual(await state(), { file, state: "gone" });
  assert.equal(await ok(it.home, `trust --remove ${file}`), `No longer trusted: ${file}\n`);
  await refused(it.home, `trust --remove ${file}`, { code: "NOT_FOUND", hint: /datumctl trust --list$/ });
  await it.write(web, { project: "shop" });
  assert.equal((await it.whoami(web)).project, null);
  await ok(it.home, `trust ${web}/`);
  assert.equal((await it.whoami(web)).project, "shop");
  assert.equal(await ok(below, "trust --remove"), `No longer trusted: ${file}\n`);
  assert.equal((await it.whoami(web)).project, null);
  await refused(web, "trust --list --remove", "USAGE");
  await refused(web, "trust -o json", "USAGE");
  await Deno.writeTextFile(`${web}/other.json`, "{}");
  await refused(web, `trust ${web}/other.json`, { code: "USAGE", message: /is not a \.datumctl\.json/ });
});

Deno.test("trust refuses what could not be followed, with the reason", async () => {
  await using it = await openFolders();
  const rows: [unknown, RegExp][] = [
    ["{", /it is not JSON/],
    [{ porject: "web" }, /has the member "porject"/],
    [{ project: "Web" }, /"Web" cannot be the id of a project/],
    [{ project: "web", context: "x" }, /names a context and/],
    ["{}".padEnd(20_000), /too large/],
  ];
  for (const [content, message] of rows) {
    await it.write(it.home, content);
    const ran = await it.run(it.home, "trust --error-format json");
    printedError(ran, { code: "STORAGE", message });
    assert.deepEqual(JSON.parse(await it.ok(it.home, "trust --list -o json")), []);
  }
});

Deno.test("what another version trusted stops commands, and its trust can be taken back", async () => {
  await using it = await openFolders();
  const { run, ok } = it;
  const newer = JSON.stringify({ project: "web", region: "x" });
  await it.write(it.home, newer);
  const list = {
    schemaVersion: 1,
    trusted: [{ file: `${it.home}/${FOLDER_FILE}`, sha256: await digestOf(newer) }],
  };
  const path = `${it.world.sandbox.folder}/trusted.json`;
  await Deno.writeTextFile(path, JSON.stringify(list), { mode: 0o600 });
  for (const words of ["whoami", "ctx"]) {
    printedError(await run(it.home, `${words} --error-format json`), {
      code: "STORAGE",
      message: /cannot be followed: it has the member "region"/,
      hint: /datumctl trust --remove$/,
    });
  }
  assert.match(await ok(it.home, "use"), /Followed: +no, it has the member/);
  await ok(it.home, "trust --remove");
  assert.match(await ok(it.home, "whoami"), /the active session/);
});

Deno.test("the nearest of file and project session decides, as a whole", async () => {
  await using it = await openFolders(GRACE);
  const { world, ok, whoami } = it;
  const [ada, grace] = [at(world, ADA), at(world, GRACE)];
  const outer = await it.folder("outer");
  const inner = await it.folder("outer/inner");
  const deep = await it.folder("outer/inner/deep");
  // The project folder's session is a stored one, sealed with a key of the person's own.
  const { store } = world.sandbox;
  const project = store.forProject(inner);
  const session = await store.read(ada);
  assert.ok(session !== undefined);
  const { credentials } = await store.open(session, { timeout: 5000 });
  await Deno.mkdir(`${inner}/.datumctl`, { mode: 0o700 });
  const { credentials: _, keyStore: __, ...fields } = session;
  await project.save({ session: { ...fields, name: "local" }, credentials }, { keyStores: ["file"] }, {
    timeout: 5000,
  });
  await project.activate("local");
  await ok(outer, `use --session ${grace} --project web`);
  assert.equal((await whoami(outer)).session, grace);
  const { session: acting, source, project: actedOn } = await whoami(inner);
  assert.deepEqual([acting, source, actedOn], ["local", `the project folder ${inner}`, null]);
  await ok(deep, `use --session ${grace} --project shop`);
  assert.deepEqual([(await whoami(deep)).session, (await whoami(deep)).project], [grace, "shop"]);
  // In one folder, the file is what was said last and by hand.
  await ok(inner, `use --session ${grace}`);
  assert.equal((await whoami(inner)).session, grace);
  await ok(inner, "trust --remove");
  assert.equal((await whoami(inner)).session, "local");
});
