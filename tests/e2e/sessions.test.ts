/** Proves the main job with the compiled binary: sign in, list, switch, hand out tokens, sign out. */

import assert from "node:assert/strict";
import { openWorld } from "./world.ts";

Deno.test("login, list, whoami, switch and logout tell one story", async () => {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  const first = await world.login("ada@example.com");
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^Signed in as ada@example\.com at /);
  const second = await world.login("grace@example.com", ["--no-browser"]);
  assert.equal(second.code, 0, second.stderr);

  const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
  assert.deepEqual(
    listed.map(({ email, active }: { email: string; active: boolean }) => [email, active]),
    [["ada@example.com", false], ["grace@example.com", true]],
  );
  await world.ok(["auth", "switch", "ada@example.com"]);
  assert.equal(JSON.parse(await world.ok(["whoami", "-o", "json"])).user, "ada@example.com");

  const token = (await world.ok(["auth", "get-token"])).trimEnd();
  const before = world.cloud.counts();
  assert.equal((await world.ok(["auth", "get-token"])).trimEnd(), token, "a fresh token is handed out again");
  assert.deepEqual(world.cloud.counts(), before, "and costs no request");

  await world.ok(["logout", "--all"]);
  assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
  const after = await world.datumctl(["auth", "get-token"]);
  assert.equal(after.code, 4);
  assert.match(after.stderr, /datumctl login/);
});

Deno.test("with no variables but its own, as in a container without a home, it acts as what these give", async () => {
  await using world = await openWorld();
  assert.ok(world !== undefined);
  const { cloud, temporary, binary } = world;
  const key = `${temporary}/key.json`;
  await Deno.writeTextFile(key, JSON.stringify(await cloud.addServiceAccount()), { mode: 0o600 });
  const run = async (args: readonly string[], env: Record<string, string>) => {
    const { code, stdout, stderr } = await new Deno.Command(binary, {
      args: [...args],
      clearEnv: true,
      env,
      cwd: "/",
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const given = {
    DATUMCTL_HOSTNAME: cloud.authHost,
    DATUMCTL_API_HOSTNAME: cloud.apiHost,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile,
    DATUMCTL_CREDENTIALS_FILE: key,
  };
  const version = "client.authentication.k8s.io/v1";
  for (
    const [args, expected] of [
      [["auth", "get-token"], /^ey\S+\n$/],
      [["auth", "get-token", `--output=${version}`], /"kind": ?"ExecCredential"/],
      [["whoami"], /DATUMCTL_CREDENTIALS_FILE/],
      [["auth", "whoami", "--organization", "acme"], /deployer-1@acme/],
      [["api-resources", "--organization", "acme"], /projects/],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(args, given);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.match(stdout, expected);
  }
  const nobody = await run(["auth", "get-token"], {});
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /HOME is not set\.\nSet DATUMCTL_CONFIG_DIR/);
});
