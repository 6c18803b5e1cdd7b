/** Proves how old the list of what can be chosen may be, and that asking for it ends, whatever the API host does. */

import assert from "node:assert/strict";
import { openSandbox } from "../../sessions/sandbox.ts";
import { startDrippingApi } from "../dripping-api.ts";
import { namesIn } from "../../scratch.ts";
import { good, type Options, runLine } from "../run-line.ts";
import { ADA, at, GRACE, keyFile, openSignedIn, type World } from "../world.ts";

Deno.test("projects without an end are NETWORK after four times the time of a request", async () => {
  await using sandbox = await openSandbox();
  await using api = await startDrippingApi((path) => {
    if (path.endsWith("/v1alpha1")) return { kind: "APIResourceList" };
    if (!path.endsWith("/organizationmemberships")) return;
    return { items: ["acme", "initech"].map((name) => ({ spec: { organizationRef: { name } } })) };
  });
  const caFile = `${sandbox.folder}/ca.pem`;
  await Deno.writeTextFile(caFile, api.caPem);
  const login = ["login", "--with-token", "--hostname", "auth.example.com", "--keyring", "file"];
  const signedIn = await runLine(
    [...login, "--api-hostname", api.host, "--certificate-authority", caFile],
    { store: sandbox.store, stdin: "dtmp_abcdefgh\n" },
  );
  assert.equal(signedIn.code, 0, signedIn.stderr);
  const began = performance.now();
  const { code, stdout, stderr } = await runLine(["ctx", "list", "--request-timeout", "1s"], {
    store: sandbox.store,
  });
  assert.deepEqual([code, stdout], [6, ""], stderr);
  assert.match(stderr, /Not every organization listed its projects in time/);
  assert.equal(api.dripped(), 2);
  assert.ok(performance.now() - began < 12_000);
});

/** The requests that a command made to the API host, and what it said. */
async function listed(world: World, words: string, options: Options = {}) {
  const before = world.cloud.counts().api ?? 0;
  const ran = good(await world.run(words, options));
  return { ...ran, asked: (world.cloud.counts().api ?? 0) - before };
}

const MINUTE = 60_000;

Deno.test("the table is of the last list for ten minutes, and says how old it is", async () => {
  await using world = await openSignedIn();
  const first = await listed(world, "ctx list");
  assert.ok(first.asked > 0);
  assert.equal(first.stderr, "");
  const began = world.sandbox.store.host.now();
  const later = await listed(world, "ctx list", { now: () => began + 5 * MINUTE });
  assert.equal(later.asked, 0);
  assert.equal(later.stdout, first.stdout);
  assert.match(later.stderr, /^As it was [5-9] min ago\. To ask again: datumctl ctx list --refresh\n$/);
  assert.equal((await listed(world, "ctx list -q", { now: () => began + 5 * MINUTE })).stderr, "");
  const old = await listed(world, "ctx list", { now: () => began + 11 * MINUTE });
  assert.ok(old.asked > 0);
  assert.equal(old.stderr, "");
  const set = await listed(world, "ctx list", { now: () => began - 60 * MINUTE });
  assert.ok(set.asked > 0, "a clock that was set back");
});

Deno.test("--refresh and what programs read always ask the server", async () => {
  await using world = await openSignedIn();
  await listed(world, "ctx list");
  const { controlPlanes: { organizations } } = world.cloud;
  world.cloud.setControlPlanes({ organizations: organizations.filter(({ id }) => id === "initech") });
  assert.match((await listed(world, "ctx list")).stdout, /acme/);
  for (const flag of ["-o json", "-o yaml", "-o name"]) {
    const { asked, stdout } = await listed(world, `ctx list ${flag}`);
    assert.ok(asked > 0);
    assert.doesNotMatch(stdout, /acme/);
  }
  world.cloud.setControlPlanes({ organizations });
  assert.doesNotMatch((await listed(world, "ctx list")).stdout, /acme/, "as the formats before saw it");
  assert.match((await listed(world, "ctx list --refresh")).stdout, /acme +web/);
  const young = await listed(world, "ctx list");
  assert.equal(young.asked, 0);
  assert.match(young.stdout, /acme +web/);
});

Deno.test("what is in use and not in the young list makes it ask again", async () => {
  await using world = await openSignedIn();
  const { controlPlanes: { organizations } } = world.cloud;
  world.cloud.setControlPlanes({ organizations: organizations.filter(({ id }) => id === "initech") });
  await listed(world, "ctx list");
  world.cloud.setControlPlanes({ organizations });
  await world.ok("ctx use acme/web");
  assert.match((await listed(world, "ctx list")).stdout, /\n\* +acme +web/);
});

Deno.test("no session is shown another's list, and a logout leaves none behind", async () => {
  await using world = await openSignedIn(GRACE);
  const ada = `--profile ${at(world, ADA)}`;
  const grace = `--profile ${at(world, GRACE)}`;
  assert.match((await listed(world, `ctx list ${ada}`)).stdout, /initech/);
  const theirs = await listed(world, `ctx list ${grace}`);
  assert.ok(theirs.asked > 0);
  assert.doesNotMatch(theirs.stdout, /initech/);
  const files = async () => {
    const { sessions } = world.sandbox.store.folders;
    return (await namesIn(sessions)).filter((name) => name.includes(".listed-")).length;
  };
  const both = await files();
  await world.ok(`logout ${ADA}`);
  assert.equal(both - await files(), 3, "the organizations, and the projects of each");
  await world.login(ADA);
  assert.ok((await listed(world, "ctx list")).asked > 0);
});

Deno.test("a session from a variable has no young list: the next value is another identity", async () => {
  await using world = await openSignedIn();
  const key = await keyFile(world);
  const env = {
    DATUMCTL_CREDENTIALS_FILE: key,
    DATUMCTL_HOSTNAME: world.cloud.authHost,
    DATUMCTL_API_HOSTNAME: world.cloud.apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: world.cloud.caFile,
  };
  for (const _ of [1, 2]) assert.ok((await listed(world, "ctx list", { env })).asked > 1);
});

Deno.test("a young list that was damaged or tampered with is no list", async () => {
  await using world = await openSignedIn();
  const { sessions } = world.sandbox.store.folders;
  for (
    const text of [
      "",
      "{",
      '{"schemaVersion":1,"at":9e99,"value":[]}',
      '{"schemaVersion":1,"at":null,"value":7}',
    ]
  ) {
    await listed(world, "ctx list --refresh");
    for (const name of await namesIn(sessions)) {
      if (name.includes(".listed-")) await Deno.writeTextFile(`${sessions}/${name}`, text);
    }
    const { asked, stdout } = await listed(world, "ctx list");
    assert.ok(asked > 0, text);
    assert.match(stdout, /acme +web/);
  }
});
