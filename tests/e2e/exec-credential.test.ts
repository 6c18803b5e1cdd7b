/** Proves `get-token` as client-go calls it: which version is spoken, and what a failure says where. */

import assert from "node:assert/strict";
import { EXEC, execInfo, refused, signIn } from "./kubectl-stage.ts";
import { testInWorld } from "./world.ts";

testInWorld("the version in KUBERNETES_EXEC_INFO wins over -o, and -o token over all", async (world) => {
  await signIn(world, "ada@example.com");
  const token = await world.ok(["auth", "get-token"]);
  const read = async (flags: string[], env?: Record<string, string>) => {
    const { code, stdout, stderr } = await world.datumctl(
      ["auth", "get-token", ...flags],
      env ? { env } : {},
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "", "silent on success");
    assert.ok(stdout.endsWith("\n") && !stdout.slice(0, -1).includes("\n"), "one line, one newline");
    return stdout;
  };
  for (const version of ["v1", "v1beta1"]) {
    const spoken = JSON.parse(await read([`--output=${EXEC}/v1`], execInfo(`${EXEC}/${version}`)));
    assert.equal(spoken.kind, "ExecCredential");
    assert.equal(spoken.apiVersion, `${EXEC}/${version}`);
    assert.deepEqual(Object.keys(spoken).sort(), ["apiVersion", "kind", "status"]);
    assert.equal(`${spoken.status.token}\n`, token);
    assert.equal(JSON.parse(await read([], execInfo(`${EXEC}/${version}`))).apiVersion, `${EXEC}/${version}`);
    assert.equal(JSON.parse(await read(["-o", `${EXEC}/${version}`])).apiVersion, `${EXEC}/${version}`);
  }
  assert.equal(await read(["-o", "token"], execInfo(`${EXEC}/v1`)), token);
  assert.equal(await read([]), token);
});

testInWorld(
  "expirationTimestamp is RFC 3339, a minute or a sixth of the life before the token's end",
  async (world) => {
    await signIn(world, "ada@example.com");
    for (const [life, early] of [[3600, 60], [60, 10]] as const) {
      world.cloud.setTokenLife(life);
      await world.ok(["auth", "get-token", "--force-refresh"]);
      const { expires } = JSON.parse(await world.ok(["auth", "get-token", "--claims"]));
      const { status } = JSON.parse(await world.ok(["auth", "get-token", "-o", `${EXEC}/v1`]));
      assert.match(status.expirationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const difference = (Date.parse(expires) - Date.parse(status.expirationTimestamp)) / 1000;
      assert.ok(difference >= early && difference < early + 1, `${difference} s, not ${early} s`);
    }
  },
);

testInWorld("a KUBERNETES_EXEC_INFO that is none is wrong usage, with nothing handed out", async (world) => {
  await signIn(world, "ada@example.com");
  for (
    const [text, why] of [
      ["{", /not a JSON object/],
      ["[]", /kind/],
      ["null", /not a JSON object/],
      [JSON.stringify({ kind: "Pod", apiVersion: `${EXEC}/v1` }), /kind/],
      [JSON.stringify({ kind: "ExecCredential", apiVersion: `${EXEC}/v1alpha1` }), /v1alpha1/],
      [JSON.stringify({ kind: "ExecCredential", apiVersion: `${EXEC}/v2` }), /v2/],
      [JSON.stringify({ kind: "ExecCredential" }), /unknown output/],
    ] as const
  ) {
    const env = { KUBERNETES_EXEC_INFO: text };
    const asked = ["auth", "get-token", `--output=${EXEC}/v1`, "--error-format", "json"];
    const finished = await world.datumctl(asked, { env });
    refused(finished, 2);
    // Of stderr one parent gets one block only, as the next test shows.
    const status = JSON.parse(finished.stdout);
    assert.equal(status.kind, "Status");
    assert.equal(status.reason, "USAGE");
    assert.match(status.message, why);
  }
  refused(await world.datumctl(["auth", "get-token", "-o", `${EXEC}/v3`]), 2);
});

testInWorld("a failure is a Status on stdout, and one block on stderr for each parent", async (world) => {
  await signIn(world, "ada@example.com");
  const missing = ["auth", "get-token", `--output=${EXEC}/v1`, "--session=nobody@nowhere"];
  const env = execInfo(`${EXEC}/v1`);
  // The test is the parent of both; a shell is another one.
  const first = await world.datumctl(missing, { env });
  const second = await world.datumctl(missing, { env });
  const shell = await world.start("/bin/sh", ["-c", '"$0" "$@"; exit $?', world.binary, ...missing], { env })
    .finished;
  for (const finished of [first, second, shell]) {
    refused(finished, 4);
    const { kind, apiVersion, status, reason, code, message } = JSON.parse(finished.stdout);
    assert.deepEqual([kind, apiVersion, status, reason, code], [
      "Status",
      "v1",
      "Failure",
      "NOT_SIGNED_IN",
      401,
    ]);
    assert.match(message, /datumctl login --profile nobody@nowhere/);
  }
  for (const told of [first, shell]) assert.match(told.stderr, /^error: .*\n.*datumctl login.*\n$/);
  assert.equal(second.stderr, "");
  // The bare token is for a person, who gets words each time and nothing on stdout.
  for (let times = 0; times < 2; times++) {
    const bare = await world.datumctl(["auth", "get-token", "--session=nobody@nowhere"]);
    refused(bare, 4);
    assert.equal(bare.stdout, "");
    assert.match(bare.stderr, /^error: /);
  }
});
