/** Proves that sessions from variables need no home, and that what does need a folder says so and what to set. */

import assert from "node:assert/strict";
import { startCloudfleet } from "../cloud/cloudfleet.ts";
import { SessionStore } from "../../src/sessions/store.ts";
import { addressVariables } from "../cloud/variables.ts";
import { testHost } from "../host.ts";
import { runLine } from "./run-line.ts";
import { keyFile, openWorld, type World } from "./world.ts";
import { CLOUDS } from "../clouds.ts";

const V1 = "client.authentication.k8s.io/v1";
const EXEC = JSON.stringify({ apiVersion: V1, kind: "ExecCredential", spec: { interactive: true } });

/** Runs a command line where no variable names a home, a kubeconfig or a folder of ours. */
const run = (words: string, env: Readonly<Record<string, string>>) =>
  runLine(words.split(" "), {
    store: new SessionStore(testHost({}, { notice: (line) => assert.fail(line) }), CLOUDS),
    env,
  });

async function ok(words: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await run(words, env);
  assert.equal(code, 0, `${words}: ${stderr}`);
  assert.doesNotMatch(stderr, /HOME|DATUMCTL_CONFIG_DIR/, words);
  return stdout;
}

async function withFile(world: World) {
  return { ...addressVariables(world.cloud), DATUMCTL_CREDENTIALS_FILE: await keyFile(world) };
}

async function withToken(world: World) {
  return {
    ...addressVariables(world.cloud),
    DATUMCTL_TOKEN: (await ok("auth get-token", await withFile(world))).trimEnd(),
  };
}

for (const variables of [withToken, withFile]) {
  const variable = variables === withToken ? "DATUMCTL_TOKEN" : "DATUMCTL_CREDENTIALS_FILE";
  Deno.test(`without a home every command that stores nothing acts as what ${variable} gives`, async () => {
    await using world = await openWorld();
    const env = await variables(world);
    const scoped = { ...env, DATUM_ORGANIZATION: "acme" };
    assert.match(await ok("auth get-token", env), /^ey\S+\n$/);
    const given = { ...env, KUBERNETES_EXEC_INFO: EXEC };
    for (let twice = 0; twice < 2; twice++) {
      assert.equal(JSON.parse(await ok(`auth get-token -o ${V1}`, given)).kind, "ExecCredential");
    }
    assert.equal(JSON.parse(await ok("whoami -o json", env)).source, variable);
    assert.match(await ok("auth whoami", scoped), /deployer-1@acme\.example\.com/);
    assert.equal(await ok("auth can-i get projects", scoped), "yes\n");
    assert.match(await ok("api-resources", scoped), /projects/);
    assert.match(await ok("get --raw /version", scoped), /gitVersion/);
    assert.match(await ok("organizations list -o name", env), /acme\n/);
    const { code, stderr } = await run("auth whoami", env);
    assert.equal(code, 2, "there is no kubeconfig that says where");
    assert.match(stderr, /update-kubeconfig/);
  });
}

Deno.test("without a home an entry goes into the kubeconfig that is named", async () => {
  await using world = await openWorld();
  const env = await withToken(world);
  const words = "auth update-kubeconfig --project web --exec-command datumctl";
  await ok(`${words} --kubeconfig ${world.kubeconfig}`, env);
  assert.match(await Deno.readTextFile(world.kubeconfig), /--session=env:DATUMCTL_TOKEN/);
  const { code, stderr } = await run(words, env);
  assert.equal(code, 1);
  assert.match(stderr, /which kubeconfig is meant: HOME is not set\.\n.*--kubeconfig FILE/);
});

Deno.test("without a home Cloudfleet's commands act as its variables say", async () => {
  await using cloudfleet = await startCloudfleet();
  const { administrator } = cloudfleet;
  const env = {
    CLOUDFLEET_ISSUER: cloudfleet.issuer,
    CLOUDFLEET_API_URL: cloudfleet.apiUrl,
    DATUMCTL_CERTIFICATE_AUTHORITY: cloudfleet.caFile,
    CLOUDFLEET_ORGANIZATION_ID: cloudfleet.organizationId,
    CLOUDFLEET_ACCESS_TOKEN_ID: administrator.id,
    CLOUDFLEET_ACCESS_TOKEN_SECRET: administrator.secret,
  };
  assert.match(await ok("tokens list", env), new RegExp(administrator.id));
  assert.match(await ok("auth get-token --session env:CLOUDFLEET_ACCESS_TOKEN_ID", env), /^ey\S+\n$/);
});

Deno.test("without a home what a variable gives fails as it does with one, in either form", async () => {
  await using world = await openWorld();
  const token = `${btoa('{"alg":"RS256"}')}.${btoa('{"sub":"1","exp":1700000000}')}.c2ln`.replaceAll("=", "");
  const env = { ...addressVariables(world.cloud), DATUMCTL_TOKEN: token };
  const plain = await run("auth get-token", env);
  assert.deepEqual([plain.code, plain.stdout], [4, ""]);
  assert.match(plain.stderr, /^error: The session "env:DATUMCTL_TOKEN" has expired/);
  for (const words of ["", " --session=env:DATUMCTL_TOKEN"]) {
    const exec = await run(`auth get-token -o ${V1}${words}`, { ...env, KUBERNETES_EXEC_INFO: EXEC });
    assert.deepEqual([exec.code, exec.stderr], [4, plain.stderr]);
    assert.equal(JSON.parse(exec.stdout).reason, "SESSION_EXPIRED");
  }
});

Deno.test("what needs a folder is STORAGE that names the variable to set", async () => {
  await using world = await openWorld();
  const env = await withFile(world);
  const at = `--hostname ${world.cloud.authHost} --api-hostname ${world.cloud.apiHost}`;
  for (
    const [words, variables] of [
      ["auth get-token", {}],
      [`auth get-token -o ${V1}`, { KUBERNETES_EXEC_INFO: EXEC }],
      [`auth get-token -o ${V1} --session ada`, { KUBERNETES_EXEC_INFO: EXEC }],
      ["whoami", {}],
      ["whoami --profile ada", env],
      ["auth list", env],
      ["logout --all", {}],
      ["tokens list", {}],
      [`login ${at} --client-id ${world.cloud.clientId} --browser-command true`, env],
      [`login ${at} --credentials ${env.DATUMCTL_CREDENTIALS_FILE}`, {}],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(words, variables);
    assert.equal(code, 1, words);
    assert.equal(
      stderr,
      "error: Cannot tell where to keep sessions: HOME is not set.\n" +
        "Set DATUMCTL_CONFIG_DIR to a folder of your own.\n",
      words,
    );
    if (stdout !== "") assert.equal(JSON.parse(stdout).reason, "STORAGE");
  }
});
