/** Proves that files which somebody planted in a project's `.datumctl` have no part in its sign-ins and sign-outs. */

import assert from "node:assert/strict";
import { fileNameOf } from "../../src/sessions/session.ts";
import { openStudioWorld, type StudioWorld } from "./studio-world.ts";

const WORDS = "call +1 555 0100";

/** Puts a session's file into a folder, as a repository can hold one; the key is nobody's. */
async function plant(
  world: StudioWorld,
  folder: string,
  name: string,
  fields: Readonly<Record<string, unknown>> = {},
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
  await assert.rejects(
    Deno.stat(`${folder}/.datumctl/aaaaaaaaaaaaaaaa.json.leaving`),
    Deno.errors.NotFound,
  );
});
