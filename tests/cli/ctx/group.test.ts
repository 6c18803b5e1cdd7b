/** Proves organizations, projects, ctx, whoami and the reviews from source, against a cloud in this process. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { signInByHttp } from "../../cloud/browser.ts";
import { printedError } from "../../expect-error.ts";
import { scratchFolder } from "../../scratch.ts";
import { printedAddress, whenPrinted } from "../../when-printed.ts";
import { ADA, at, openSignedIn, openWorld, type World } from "../world.ts";

const OTHER_GROUP = "resourcemanager.datumapis.com/v1alpha";

/** Opens a world in which Ada has the project web of acme in use. */
async function openInUse(): Promise<World> {
  const world = await openSignedIn();
  await world.ok("ctx use acme/web");
  return world;
}

/** A command's JSON. */
async function json(world: World, words: string, env: Record<string, string> = {}) {
  return JSON.parse(await world.ok(`${words} -o json`, { env }));
}

/** Runs a command that must fail so, with nothing on stdout. */
async function fails(
  world: World,
  words: string,
  code: number,
  pattern: RegExp,
  env: Record<string, string> = {},
): Promise<void> {
  const ran = await world.run(words, { env });
  assert.deepEqual([ran.code, ran.stdout], [code, ""], ran.stderr);
  assert.match(ran.stderr, pattern);
}

const inUse = async (world: World) => (await world.sandbox.store.read(at(world, ADA)))?.inUse;

Deno.test("with nothing in use, what chooses it is named", async () => {
  await using world = await openSignedIn();
  for (const words of ["auth whoami", "auth can-i get cm"]) {
    await fails(world, words, 2, /No organization or project is in use\.\n.*ctx use.*update-kubeconfig/);
  }
  assert.deepEqual((await json(world, "ctx")).scopeSource, null);
  assert.equal(await world.ok("ctx"), "");
});

Deno.test("organizations in every format", async () => {
  await using world = await openSignedIn();
  assert.deepEqual(await json(world, "organizations list"), [
    { id: "acme", displayName: "Acme Corporation", type: "Standard" },
    { id: "initech", displayName: "Initech", type: "Standard" },
  ]);
  assert.equal(await world.ok("organizations ls -o name"), "acme\ninitech\n");
  assert.match(
    await world.ok("organizations list -o wide"),
    /^Name +ID +Type\nAcme Corporation +acme +Standard\n/,
  );
  assert.equal(await world.ok("get organizations -o name"), "acme\ninitech\n");
});

Deno.test("projects in every format", async () => {
  await using world = await openSignedIn();
  const projects = [
    { id: "data", displayName: "Data – Lager & Archiv", organization: "acme" },
    { id: "web", displayName: "Web shop", organization: "acme" },
  ];
  assert.deepEqual(parse(await world.ok("projects list --organization acme -o yaml")), projects);
  assert.deepEqual(await json(world, "projects list", { DATUM_ORGANIZATION: "acme" }), projects);
  assert.match(
    await world.ok("projects list --organization acme"),
    /^Name +ID\nData – Lager & Archiv +data\n/,
  );
  assert.equal(await world.ok("get projects --organization acme -o name"), "data\nweb\n");
});

Deno.test("projects are of one organization, which is named or picked", async () => {
  await using world = await openSignedIn();
  assert.match((await world.run("projects list --organization initech")).stderr, /no project/);
  await fails(world, "projects list", 2, /Projects of which organization\?.*\n.*acme, initech/);
  await fails(world, "get projects --project web", 1, /There is no resource "projects" in the project "web"/);
  assert.equal(await world.ok("projects list -o name", { keys: ["a", "c", "\r"] }), "data\nweb\n");
});

Deno.test("ctx use asks the server first", async () => {
  await using world = await openSignedIn();
  await fails(world, "ctx use acme/nothing", 1, /no project "nothing" in the organization "acme"/);
  await fails(world, "ctx use initech/web", 1, /no project "web" in the organization "initech"/);
  await fails(world, "ctx use nobody", 5, /no organization "nobody", or you may not see it/);
  world.cloud.setControlPlanes({ unknownId: "bad-request" });
  await fails(world, "ctx use nobody/web", 1, /no organization "nobody", or you may not see it/);
  assert.equal(await inUse(world), undefined);
});

Deno.test("ctx use without anything to ask about asks no server", async () => {
  await using world = await openSignedIn();
  const before = world.cloud.counts();
  await fails(world, "ctx use /web", 2, /neither ORG nor ORG\/PROJECT/);
  await fails(world, "ctx use acme/", 2, /neither ORG nor ORG\/PROJECT/);
  await fails(world, "ctx use a/b/c --skip-validation", 2, /"a\/b\/c" is no id/);
  await fails(world, "ctx use Acme --skip-validation", 2, /"Acme" is no id.*\n.*Leave out --skip-validation/);
  await fails(world, "ctx use", 2, /no terminal to ask on\.\n.*ORG\[\/PROJECT\]/);
  assert.deepEqual(world.cloud.counts(), before);
  assert.equal(await inUse(world), undefined);
});

Deno.test("ctx use --skip-validation takes what it is given", async () => {
  await using world = await openSignedIn();
  await world.ok("ctx use initech --skip-validation");
  assert.deepEqual(await inUse(world), { organization: "initech" });
});

Deno.test("a picked project is used", async () => {
  await using world = await openSignedIn();
  const left = await world.run("ctx use", { keys: ["\u001b"] });
  assert.equal(left.code, 130);
  assert.match(
    await world.ok("ctx use", { keys: [..."web", "\r"], columns: 40 }),
    /the project web of acme/,
  );
  assert.deepEqual(await inUse(world), { organization: "acme", project: "web" });
});

Deno.test("what is in use is marked in the list and shown by ctx", async () => {
  await using world = await openInUse();
  const rows: { project: string; inUse: boolean }[] = await json(world, "ctx list");
  assert.deepEqual(rows.filter((row) => row.inUse).map((row) => row.project), ["web"]);
  assert.equal(await world.ok("ctx ls -o name"), "acme\nacme/data\nacme/web\ninitech\n");
  assert.match(await world.ok("ctx list"), /\n\* +acme +web +Web shop\n/);
  assert.equal(await world.ok("ctx -o name"), "acme/web\n");
});

Deno.test("a project of the organization in use, where an organization belongs, is told with it", async () => {
  await using world = await openInUse();
  await fails(world, "ctx use data", 1, /no organization "data".*\n.*datumctl ctx use acme\/data\n$/);
  await fails(world, "ctx use nobody", 5, /no organization "nobody".*\n.*datumctl ctx list/);
});

Deno.test("whoami tells overrides by flag and variable, and asks nobody", async () => {
  await using world = await openInUse();
  const before = world.cloud.counts();
  const told = async (words: string, env: Record<string, string> = {}) => {
    const { organization, project, platformWide, scopeSource } = await json(world, words, env);
    return [organization, project, platformWide, scopeSource];
  };
  assert.deepEqual(await told("whoami"), ["acme", "web", false, "login, ctx use or update-kubeconfig"]);
  assert.deepEqual(await told("whoami", { DATUM_PROJECT: "data" }), [null, "data", false, "DATUM_PROJECT"]);
  assert.deepEqual(await told("whoami", { DATUM_ORGANIZATION: "initech" }), [
    "initech",
    null,
    false,
    "DATUM_ORGANIZATION",
  ]);
  assert.deepEqual(await told("whoami --project site", { DATUM_PROJECT: "data" }), [
    null,
    "site",
    false,
    "--project",
  ]);
  assert.deepEqual(await told("whoami --platform-wide"), [null, null, true, "--platform-wide"]);
  assert.match(await world.ok("whoami"), /\nProject: +web\nSet by: +login, ctx use or update-kubeconfig\n/);
  await fails(world, "whoami --project a --organization b", 2, /cannot be used with/);
  assert.deepEqual(world.cloud.counts(), before);
});

Deno.test("two terminals with different variables do not disturb each other", async () => {
  await using world = await openInUse();
  const kubeconfig = () => Deno.readTextFile(world.kubeconfig).catch(() => "none");
  const before = await kubeconfig();
  const answers = await Promise.all(
    ["web", "data", "web", "data"].map((project) => json(world, "ctx", { DATUM_PROJECT: project })),
  );
  assert.deepEqual(answers.map(({ project }) => project), ["web", "data", "web", "data"]);
  assert.deepEqual(await inUse(world), { organization: "acme", project: "web" });
  assert.equal(await kubeconfig(), before);
  const warned = await world.run("ctx use acme/web", { env: { DATUM_PROJECT: "data" } });
  assert.match(warned.stderr, /DATUM_PROJECT is set in this terminal/);
});

Deno.test("update-kubeconfig and ctx use agree on what is in use", async () => {
  await using world = await openInUse();
  await world.ok("auth update-kubeconfig --organization acme");
  assert.deepEqual(await inUse(world), { organization: "acme" }, "no longer the project within it");
  await world.ok("auth update-kubeconfig --project data");
  assert.equal((await json(world, "ctx")).project, "data");
  await world.ok("auth update-kubeconfig --project web --no-switch");
  assert.equal((await json(world, "ctx")).project, "data");
  await world.ok("ctx use acme/web");
  await world.ok("auth update-kubeconfig --project web");
  assert.deepEqual(
    await inUse(world),
    { organization: "acme", project: "web" },
    "the organization stays known",
  );
});

Deno.test("without anything in use, the kubeconfig's own context counts", async () => {
  await using world = await openSignedIn();
  await world.ok("auth update-kubeconfig --project web");
  await world.sandbox.store.update(at(world, ADA), () => ({ inUse: undefined }));
  const { project, scopeSource } = await json(world, "ctx");
  assert.equal(project, "web");
  assert.match(scopeSource, /^the kubeconfig's context datum-project-web-/);
  assert.match(await world.ok("auth whoami"), /^ATTRIBUTE +VALUE\nUsername +ada@example\.com\n/);
  const none = { KUBECONFIG: `${world.sandbox.folder}/none` };
  await fails(world, "auth whoami", 2, /No organization or project/, none);
});

Deno.test("a broken kubeconfig hides no more than itself", async () => {
  await using world = await openSignedIn();
  const broken = { KUBECONFIG: `${world.sandbox.folder}/broken` };
  await Deno.writeTextFile(broken.KUBECONFIG, "{");
  const told = await world.run("whoami", { env: broken });
  assert.equal(told.code, 0);
  assert.match(told.stderr, /warning: Cannot use the kubeconfig/);
  await fails(world, "auth whoami", 1, /Cannot use the kubeconfig/, broken);
});

Deno.test("the earlier name of the service's group is found out and remembered", async () => {
  await using world = await openWorld();
  world.cloud.setControlPlanes({ groups: "datumapis" });
  assert.equal((await world.login(ADA)).code, 0);
  assert.equal(await world.ok("organizations list -o name"), "acme\ninitech\n");
  assert.equal((await world.sandbox.store.read(at(world, ADA)))?.controlPlaneApi, OTHER_GROUP);
  assert.equal(await world.ok("projects list --organization acme -o name"), "data\nweb\n");
  await world.ok("ctx use acme/web");
  assert.match(await world.ok("auth whoami"), /Username +ada@/);
});

/** The exit code and the error's code of a command that must fail. */
async function codes(world: World, words: string): Promise<[exit: number, code: string]> {
  const ran = await world.run(`${words} --error-format json`);
  assert.equal(ran.stdout, "");
  return [ran.code, printedError(ran).code];
}

for (const rejection of ["unauthorized", "anonymous"] as const) {
  Deno.test(`a token that was revoked is refreshed once (${rejection})`, async () => {
    await using world = await openInUse();
    world.cloud.setControlPlanes({ rejection });
    await world.cloud.revokeAccessTokens(ADA);
    world.cloud.resetCounts();
    assert.match(await world.ok("auth whoami"), /Username +ada@/);
    assert.equal(world.cloud.counts()["token:refresh_token"], 1);
  });

  Deno.test(`a fresh token that is refused ends with 4 (${rejection})`, async () => {
    await using world = await openInUse();
    world.cloud.setControlPlanes({ rejection, acceptedTokens: "id" });
    world.cloud.resetCounts();
    assert.deepEqual(await codes(world, "auth can-i get cm"), [4, "SESSION_REJECTED"]);
    assert.equal(world.cloud.counts()["token:refresh_token"], 1, "after one refresh");
  });
}

Deno.test("a project that may not be seen ends with 5, and where to look is named", async () => {
  await using world = await openInUse();
  assert.deepEqual(await codes(world, "auth whoami --project nothing"), [5, "FORBIDDEN"]);
  const unseen = await world.run("auth whoami --project nothing");
  assert.match(unseen.stderr, /\n.*datumctl auth can-i --list --project nothing\..*datumctl ctx list\n$/);
  const entry = await world.run("auth update-kubeconfig --project nothing");
  assert.deepEqual([entry.code, entry.stdout], [5, ""], entry.stderr);
  assert.match(entry.stderr, /the project "nothing".*\n.*datumctl ctx list.*--skip-validation[^\n]*\n$/);
});

Deno.test("a project that a server calls a bad request is INVALID", async () => {
  await using world = await openInUse();
  world.cloud.setControlPlanes({ unknownId: "bad-request" });
  assert.deepEqual(await codes(world, "auth whoami --project nothing"), [1, "INVALID"]);
});

Deno.test("who is in no organization may not list its projects", async () => {
  await using world = await openSignedIn("zoe@example.com");
  assert.deepEqual(await codes(world, "projects list --organization acme"), [5, "FORBIDDEN"]);
});

Deno.test("an ordinary API server is acted on through the kubeconfig's context, and the platform by its flag", async () => {
  await using world = await openWorld();
  const { cloud } = world;
  assert.equal((await world.login(ADA)).code, 0);
  assert.match(await world.ok("auth whoami --platform-wide"), /Username +ada@/);
  cloud.setControlPlanes({ acceptedTokens: "id" });
  const { code, stderr } = await whenPrinted(
    printedAddress,
    (address) => signInByHttp(cloud, address, ADA),
    (onStderr) =>
      world.run(
        `login --issuer ${cloud.issuer} --client-id ${cloud.clientId} ` +
          `--certificate-authority ${cloud.caFile} --keyring file --browser-command true --profile plain`,
        { onStderr },
      ),
  );
  assert.equal(code, 0, stderr);
  assert.match(
    (await world.run("auth whoami")).stderr,
    /^error: The session "plain" has no API server in use\.\n.*datumctl auth update-kubeconfig --server URL; or .* --context NAME\n$/,
  );
  const refused = await world.run("auth whoami --project web");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /to the provider oidc, which has no organizations or projects/);
  await world.ok(`auth update-kubeconfig --server https://${cloud.apiHost}`);
  assert.match(await world.ok("auth whoami"), /cloud\.example\/token-kind +\[id\]/);
  assert.equal(await world.ok("auth can-i list ns"), "yes\n");
  assert.match(
    await world.ok("whoami"),
    /\nAPI server: +https:\/\/127.*\nSet by: +the kubeconfig's context datum-/,
  );
});

Deno.test("every example of docs/identity.md runs", async () => {
  await using world = await openWorld();
  assert.equal((await world.login(ADA)).code, 0);
  await world.ok("ctx use acme/web");
  const text = await Deno.readTextFile(new URL("../../../docs/identity.md", import.meta.url));
  const lines = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(([, block = ""]) =>
    block.trim().split("\n")
  );
  await using folder = await scratchFolder();
  const { store } = world.sandbox;
  const there = store.with({ host: { ...store.host, workingFolder: () => folder.path } });
  const ids = { "my-org-id": "acme", "my-project-id": "web", "my-other-project": "data" };
  for (const line of lines) {
    const [, name, value = "", words] = /^(?:([A-Z_]+)=(\S+) )?datumctl (.*)$/.exec(
      Object.entries(ids).reduce((text, [id, real]) => text.replaceAll(id, real), line.replaceAll("'", "")),
    ) ?? [];
    assert.ok(words !== undefined, `no command line: ${line}`);
    await world.ok(words, { store: there, env: name === undefined ? {} : { [name]: value } });
  }
  assert.ok(lines.length > 10);
});
