/** Proves that files which somebody planted in a project's `.datumctl` have no part in its sign-ins and sign-outs. */

import assert from "node:assert/strict";
import { fileNameOf } from "../../../src/sessions/name.ts";
import { assertMissing } from "../../scratch.ts";
import { openStudioWorld, type StudioWorld } from "../studio-world.ts";
import type { Ran } from "../run-line.ts";

const WORDS = "call +1 555 0100";
const THEIRS = /555 0100|mallory|evil|2099/;
const ENDED = { expires: "2020-01-01T00:00:00.000Z" };

const keyring = ({ sandbox }: StudioWorld) => [...sandbox.system.items.keys()];

/** Refused in the words that are ours, before anything was asked. */
function refused({ studio }: StudioWorld, folder: string, { code, stdout, stderr }: Ran): void {
  assert.deepEqual([code, stdout], [4, ""], stderr);
  assert.match(stderr, new RegExp(`${folder}/\\.datumctl is not used: you hold no key for it`));
  assert.doesNotMatch(stderr, THEIRS);
  assert.deepEqual(studio.requests(), []);
}

/** Puts a session's file into a folder, as a repository can hold one; the key is nobody's. */
async function plant(
  world: StudioWorld,
  folder: string,
  name: string,
  fields: Readonly<Record<string, unknown>>,
  file?: string,
): Promise<void> {
  const session = {
    schemaVersion: 1,
    name,
    provider: "studio",
    kind: "studio",
    issuer: world.studio.url,
    authHost: world.host,
    apiHost: world.host,
    clientId: "datumctl",
    user: { subject: world.host, name: WORDS, email: "mallory@evil.example" },
    scopes: [],
    keyStore: "file",
    expires: "2099-01-01T00:00:00.000Z",
    credentials: "x",
    ...fields,
  };
  await Deno.mkdir(`${folder}/.datumctl`, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/.datumctl/${file ?? `${await fileNameOf(name)}.json`}`,
    JSON.stringify(session),
  );
}

Deno.test("a file that another session seems to have left takes no living session's key", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  assert.equal((await world.login(["--local", "--name", "mine"], { folder })).code, 0);
  await plant(world, folder, `mine@${world.host}`, {}, "aaaaaaaaaaaaaaaa.json.leaving");
  const { code, stdout, stderr } = await world.run(["logout", "--local"], { folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Revoked and removed here: mine@/);
  assert.deepEqual(world.studio.tokens(), []);
  await assertMissing(`${folder}/.datumctl/aaaaaaaaaaaaaaaa.json.leaving`);
});

const PLANTED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "a live session of that host": {},
  "an ended one": ENDED,
  "one of another host": { issuer: "https://evil.example", apiHost: "evil.example" },
  "one of another kind": { kind: "user", provider: "datum", issuer: "https://evil.example" },
};

for (const [what, fields] of Object.entries(PLANTED)) {
  Deno.test(`a sign-in beside ${what} that does not open is refused, in none of its words`, async () => {
    await using world = await openStudioWorld();
    const folder = await world.folder("project");
    await plant(world, folder, "work", fields);
    for (const flags of [[], ["--profile", "work"], ["--profile", "work", "--force"]]) {
      refused(world, folder, await world.login(["--local", "--provider", "studio", ...flags], { folder }));
    }
    const unnamed = { DATACHAIN_STUDIO_URL: "" };
    refused(world, folder, await world.login(["--local"], { folder, env: unnamed }));
  });

  Deno.test(`with --force ${what} that does not open decides neither name nor key store, and says nothing`, async () => {
    await using world = await openStudioWorld();
    const folder = await world.folder("project");
    await plant(world, folder, "work", fields);
    await plant(world, folder, `mine@${world.host}`, fields);
    const words = ["login", "--local", "--force", "--name", "mine", "--browser-command", "true"];
    const { code, stdout, stderr } = await world.run([
      ...words,
      ...["--certificate-authority", world.studio.caFile],
    ], { folder, env: { DATUMCTL_PROVIDER: "studio", DATACHAIN_STUDIO_URL: world.studio.url } });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, THEIRS);
    const elsewhere = fields.issuer !== undefined;
    const [account = "", ...more] = keyring(world);
    assert.match(account, new RegExp(`^mine@${world.host}-(?:2|[0-9a-f]{6}) in ${folder}$`));
    assert.deepEqual(more, [], "the key is in the keyring, not in a file");
    assert.equal(await world.ok(["auth", "token"], { folder }), `${world.studio.tokens()[0]?.token}\n`);
    const left = (await world.placeOf(folder).list()).sessions.map(({ name }) => name);
    assert.equal(left.includes("work"), elsewhere, "what was said to be of this host is replaced");
  });
}

Deno.test("what is planted while the person confirms keeps nobody from signing in, and nothing of it is told", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  const { code, stdout, stderr } = await world.login(["--local", "--name", "mine"], {
    folder,
    onCode: async (code) => {
      await plant(world, folder, "work", {});
      await plant(world, folder, `mine@${world.host}`, {});
      world.studio.approve(code);
    },
  });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stdout + stderr, THEIRS);
  assert.deepEqual(world.studio.tokens().map(({ name }) => name), ["mine"]);
  assert.equal(await world.ok(["auth", "token"], { folder }), `${world.studio.tokens()[0]?.token}\n`);
});

for (
  const [kind, provider] of [["studio", "studio"], ["user", "datum"], ["api-token", "cloudfleet"]] as const
) {
  Deno.test(`a logout of what does not open names the folder, and none of its words: ${kind}`, async () => {
    await using world = await openStudioWorld();
    const folder = await world.folder("project");
    const exportedTo = "/evil/config";
    await plant(world, folder, "work", {
      kind,
      provider,
      exportedTo,
      clientId: "evil",
      apiHost: "evil.example",
    });
    await Deno.writeTextFile(`${folder}/.datumctl/config.json`, '{"schemaVersion":1}');
    const { code, stdout, stderr } = await world.run(["logout", "--local"], { folder });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `Removed here; not revoked: the session of ${folder}.\n`);
    assert.doesNotMatch(stderr, THEIRS);
    assert.deepEqual((await world.placeOf(folder).list()).sessions, []);
  });
}

Deno.test("several sessions of a folder are offered by their names", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  await plant(world, folder, "one", {});
  await plant(world, folder, "two", {});
  await Deno.writeTextFile(`${folder}/.datumctl/config.json`, '{"schemaVersion":1}');
  const { code, stderr } = await world.run(["logout", "--local"], { folder });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /Signed in: one, two/);
  assert.doesNotMatch(stderr, THEIRS);
  const picked = await world.run(["logout", "--local"], { folder, keys: ["\r"] });
  assert.match(picked.stderr, new RegExp(`one  in ${folder}`));
  assert.doesNotMatch(picked.stderr, THEIRS);
});

Deno.test("a logout without the key says that the token's copy in the folder stays", async () => {
  await using world = await openStudioWorld();
  const folder = await world.folder("project");
  assert.equal((await world.login(["--local", "--export-datachain"], { folder })).code, 0);
  for (const { name } of Deno.readDirSync(world.store.folders.sessions)) {
    if (name.endsWith(".key")) await Deno.remove(`${world.store.folders.sessions}/${name}`);
  }
  const { code, stdout, stderr } = await world.run(["logout", "--local"], { folder });
  assert.equal(code, 1, stderr);
  assert.equal(stdout, `Removed here; not revoked: the session of ${folder}.\n`);
  assert.match(stderr, new RegExp(`The token's copy in ${folder}/.datachain/config stays`));
});
