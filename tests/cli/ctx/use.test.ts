/** Proves `ctx use` by display names and with `-`, against a cloud in this process. */

import assert from "node:assert/strict";
import type { Organization } from "../../cloud/kube-resources.ts";
import { openFolders } from "../folder-world.ts";
import { ADA, at, GRACE, openSignedIn, openWorld, type World } from "../world.ts";

const inUse = async (world: World) => (await world.sandbox.store.read(at(world, ADA)))?.inUse;

async function fails(world: World, words: readonly string[], code: number, pattern: RegExp): Promise<void> {
  const before = await inUse(world);
  const ran = await world.run(["ctx", "use", ...words]);
  assert.deepEqual([ran.code, ran.stdout], [code, ""], ran.stderr);
  assert.match(ran.stderr, pattern);
  assert.deepEqual(await inUse(world), before);
}

function organization(id: string, name: string, projects: Record<string, string>): Organization {
  const all = Object.entries(projects).map(([id, name]) => ({ id, name }));
  return { id, name, members: [ADA], projects: all };
}

Deno.test("ctx use takes display names, and says the ids", async () => {
  await using world = await openSignedIn();
  for (
    const [text, said] of [
      ["Acme Corporation", "the organization acme"],
      ["Acme Corporation/Web shop", "the project web of acme"],
      ["Initech", "the organization initech"],
      ["acme/Data – Lager & Archiv", "the project data of acme"],
      ["web shop", "the project web of acme"],
    ] as const
  ) assert.equal(await world.ok(["ctx", "use", text]), `Now in use: ${said}.\n`);
  assert.deepEqual(await inUse(world), { organization: "acme", project: "web" });
  await fails(
    world,
    ["Nobody/Web shop"],
    1,
    /No organization or project is called "Nobody\/Web shop"\.\n.*ctx list/,
  );
});

Deno.test("an id that exists wins; a name that looks like an id counts where no id does", async () => {
  await using world = await openWorld();
  world.cloud.setControlPlanes({
    organizations: [
      organization("acme", "Acme", { web: "shop" }),
      organization("other", "acme", { "web-2": "web", store: "shop-2" }),
    ],
  });
  await world.login(ADA);
  assert.match(await world.ok("ctx use acme"), /the organization acme\./);
  assert.match(await world.ok("ctx use acme/web"), /the project web of acme\./);
  assert.match(await world.ok("ctx use shop-2"), /the project store of other\./);
  await fails(world, ["acme/shop-2"], 1, /There is no project "shop-2" in the organization "acme"/);
  assert.match(await world.ok("ctx use acme/shop"), /the project web of acme\./);
  await fails(world, ["nobody"], 5, /There is no organization "nobody", or you may not see it/);
  await fails(world, ["acme/nothing"], 1, /There is no project "nothing" in the organization "acme"/);
});

Deno.test("a name that several have is wrong usage, and the ids are named", async () => {
  await using world = await openWorld();
  world.cloud.setControlPlanes({
    organizations: [organization("a", "One", { x: "Site" }), organization("b", "Two", { y: "Site" })],
  });
  await world.login(ADA);
  await fails(
    world,
    ["Site"],
    2,
    /"Site" is the name of several: a\/x, b\/y\.\nName one by its id: datumctl ctx use a\/x/,
  );
  assert.match(await world.ok("ctx use Two/Site"), /the project y of b/);
});

Deno.test("what is in use is where the choice begins, and who is in nothing is told so", async () => {
  await using world = await openSignedIn();
  await world.ok("ctx use acme/web");
  assert.match(await world.ok("ctx use", { keys: ["\u001b[B", "\r"] }), /the organization initech/);
  assert.match(await world.ok("ctx use", { keys: ["\r"] }), /the organization initech/);
  world.cloud.setControlPlanes({ organizations: [] });
  const { code, stderr } = await world.run("ctx use", { keys: ["\r"] });
  assert.deepEqual([code, stderr], [1, "error: There is nothing to choose: you are in no organization.\n"]);
});

Deno.test("ctx use - goes back, and forth again; the list marks it", async () => {
  await using world = await openSignedIn();
  await fails(
    world,
    ["-"],
    1,
    /Nothing else was in use before in the session "ada@.*\n.*ctx use ORG\[\/PROJECT\]/,
  );
  await world.ok("ctx use initech");
  await fails(world, ["-"], 1, /Nothing else was in use before/);
  await world.ok("ctx use acme/web");
  await world.ok("ctx use acme/web");
  for (
    const [said, mark] of [["the organization initech", "initech"], [
      "the project web of acme",
      "acme/web",
    ]] as const
  ) {
    assert.equal(await world.ok("ctx use -"), `Now in use: ${said}.\n`);
    const rows: { organization: string; project: string | null; inUse: boolean }[] = JSON.parse(
      await world.ok("ctx list -o json"),
    );
    const marked = rows.filter((row) => row.inUse).map((
      { organization, project },
    ) => [organization, project]);
    assert.deepEqual(marked.map((ids) => ids.filter((id) => id !== null).join("/")), [mark]);
  }
});

Deno.test("ctx use - knows what update-kubeconfig changed, and each session its own", async () => {
  await using world = await openSignedIn(GRACE);
  await world.ok("auth switch ada@example.com");
  await world.ok("ctx use acme/data");
  await world.ok("auth update-kubeconfig --project web");
  assert.match(await world.ok("ctx use -"), /the project data of acme/);
  assert.match(await world.ok("ctx use -"), /the project web\./);
  assert.deepEqual(await inUse(world), { project: "web" });
  const theirs = await world.run("ctx use - --profile grace@example.com@" + world.cloud.apiHost);
  assert.match(theirs.stderr, /Nothing else was in use before in the session "grace@/);
});

Deno.test("the line for kubectl works as it is printed, for a session that is not the active one too", async () => {
  await using world = await openSignedIn(GRACE);
  const { store } = world.sandbox;
  for (const flags of ["", ` --profile ${at(world, ADA)}`]) {
    const { stderr } = await world.run(`ctx use acme/data${flags}`);
    const [, line = ""] = /^For kubectl as well: datumctl (.*)$/m.exec(stderr) ?? [];
    assert.equal(line, `auth update-kubeconfig --project data${flags}`);
    await world.ok(line);
  }
  assert.deepEqual((await store.read(at(world, ADA)))?.inUse, { organization: "acme", project: "data" });
});

Deno.test("in a folder whose file names another session, the line for kubectl names the one that was meant", async () => {
  await using it = await openFolders(GRACE);
  const web = await it.folder("web");
  await it.ok(web, `auth switch ${ADA}`);
  await it.ok(web, `use --session ${at(it.world, GRACE)}`);
  const ada = `--profile ${at(it.world, ADA)}`;
  const { stderr } = await it.run(web, `ctx use acme/data ${ada}`);
  assert.ok(stderr.includes(`datumctl auth update-kubeconfig --project data ${ada}\n`), stderr);
  await it.ok(web, `auth update-kubeconfig --project data ${ada}`);
});

Deno.test("ctx use - asks the server, except with --skip-validation", async () => {
  await using world = await openSignedIn();
  await world.ok("ctx use gone/site --skip-validation");
  await world.ok("ctx use acme");
  await fails(world, ["-"], 5, /There is no organization "gone"/);
  const before = world.cloud.counts();
  assert.match(await world.ok("ctx use - --skip-validation"), /the project site of gone/);
  assert.deepEqual(world.cloud.counts(), before);
});

Deno.test("a session's file that others edited leads ctx use - nowhere", async () => {
  await using world = await openSignedIn();
  await world.ok("ctx use acme");
  const { file } = await world.sandbox.paths(at(world, ADA));
  const session = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify({ ...session, inUseBefore: { organization: "../../evil" } }));
  const before = world.cloud.counts();
  await fails(world, ["-"], 2, /cannot be the id of an organization/);
  await fails(world, ["-", "--skip-validation"], 2, /cannot be the id of an organization/);
  assert.deepEqual(world.cloud.counts(), before);
});
