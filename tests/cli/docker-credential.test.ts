/** Proves what Docker is answered: the secret of the profile that is for the registry, and nobody else's, and no other. */

import assert from "node:assert/strict";
import { AppError } from "../../src/errors.ts";
import { filesBelow } from "../scratch.ts";
import {
  ANOTHER,
  type DockerWorld,
  ORGANIZATION,
  registry,
  testWithDocker,
  TOKEN_ID,
} from "./docker-world.ts";

const NOT_FOUND = "credentials not found in native keychain\n";

/** The answer to `get`, which must be a good one. */
async function credentials({ docker }: DockerWorld, server: string, options = {}) {
  const { code, stdout, stderr } = await docker("get", server, options);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^[^\n]*\n$/);
  return JSON.parse(stdout) as Readonly<Record<string, string>>;
}

/** A call that must fail as Docker's helpers do: a line on stdout, exit 1. */
async function refused({ docker }: DockerWorld, action: string, stdin: string, words: RegExp, options = {}) {
  const { code, stdout, stderr } = await docker(action, stdin, options);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^[^\n]+\n$/, "one line");
  assert.match(stdout, words);
  assert.doesNotMatch(stdout + stderr, /the-secret-of/);
  return stderr;
}

testWithDocker("get answers with the token of the organization that is in the host's name", async (world) => {
  const ours = await world.addProfile("ci");
  const theirs = await world.addProfile("theirs", {
    organization: ANOTHER,
    tokenId: "2iKo4Asy51EUx2gpJFW76t",
  });
  for (
    const server of [
      registry(),
      `https://${registry()}/v2/`,
      registry(ORGANIZATION, "apac"),
      `${registry()}\n`,
    ]
  ) {
    assert.deepEqual(await credentials(world, server), {
      ServerURL: server.trim(),
      Username: TOKEN_ID,
      Secret: ours,
    });
  }
  assert.deepEqual(await credentials(world, registry(ANOTHER)), {
    ServerURL: registry(ANOTHER),
    Username: "2iKo4Asy51EUx2gpJFW76t",
    Secret: theirs,
  });
});

testWithDocker("no other host, port or scheme is given a secret", async (world) => {
  await world.addProfile("ci");
  for (
    const server of [
      `${registry()}.evil.example`,
      `${registry()}:5000`,
      `http://${registry()}`,
      `https://${registry()}@evil.example/`,
      `x.${registry()}`,
      `${ORGANIZATION}.europe.registry.cloudfleet.ai`,
      "docker.io",
      "https://index.docker.io/v1/",
      "a\u0000b",
      `${registry()} evil.example`,
    ]
  ) await refused(world, "get", server, new RegExp(`^${NOT_FOUND}$`));
  const told = await refused(world, "get", registry(ANOTHER), new RegExp(`^${NOT_FOUND}$`));
  assert.match(
    told,
    /no profile is for the organization dc78c04e-.*auth add-profile token NAME dc78c04e-\S+ TOKEN_ID\n$/,
  );
});

testWithDocker(
  "the profile that was chosen wins, then the variable, the active one and default",
  async (world) => {
    const secrets = {
      admin: await world.addProfile("admin"),
      reader: await world.addProfile("reader", { tokenId: "2iKo4Asy51EUx2gpJFW76t" }),
    };
    const secret = async (options = {}) => (await credentials(world, registry(), options)).Secret;
    assert.equal(await secret(), secrets.admin, "the active one");
    assert.equal(await secret({ env: { DATUMCTL_PROFILE: "reader" } }), secrets.reader);
    await world.ok(`auth configure-docker --profile admin`);
    assert.equal(await secret({ env: { DATUMCTL_PROFILE: "reader" } }), secrets.admin, "chosen");
    await world.ok("auth switch reader");
    assert.equal(await secret(), secrets.admin, "chosen");
    const flag = await world.run(["--profile", "reader", "docker-credential", "get"], { stdin: registry() });
    assert.equal(JSON.parse(flag.stdout).Secret, secrets.reader);

    await world.ok("auth configure-docker --remove");
    await world.sandbox.add({ name: "ada" });
    await world.ok("auth switch ada");
    await refused(
      world,
      "get",
      registry(),
      /^Several profiles .*: admin, reader\. Choose one: datumctl auth configure-docker/,
    );
    const fallback = await world.addProfile("default", { tokenId: "3iKo4Asy51EUx2gpJFW76t" });
    assert.equal(await secret(), fallback);
  },
);

testWithDocker(
  "no edited file makes a profile answer for a registry that it was not sealed for",
  async (world) => {
    const { sandbox } = world;
    await world.addProfile("ci");
    await world.sandbox.add({ name: "ada" });
    const pin = async (host: string, profile: string) => {
      const path = `${sandbox.store.folders.config}/config.json`;
      const config = JSON.parse(await Deno.readTextFile(path));
      await Deno.writeTextFile(path, JSON.stringify({ ...config, registries: { [host]: profile } }));
    };
    const edit = async (name: string, fields: Record<string, unknown>) => {
      const { file } = await sandbox.paths(name);
      await Deno.writeTextFile(
        file,
        JSON.stringify({ ...JSON.parse(await Deno.readTextFile(file)), ...fields }),
      );
    };
    await pin("evil.example", "ci");
    await refused(world, "get", "evil.example", /^The profile "ci" is not for the registry evil\.example\./);
    await pin(registry(ANOTHER), "ci");
    await refused(world, "get", registry(ANOTHER), /is not for the registry/);
    await edit("ci", { organization: ANOTHER, apiHost: "api.cloudfleet.ai" });
    await refused(world, "get", registry(ANOTHER), /is not for the registry/);
    await edit("ada", { provider: "cloudfleet", kind: "api-token", organization: ORGANIZATION });
    await pin(registry(), "ada");
    await refused(world, "get", registry(), /The profile "ada" is not for the registry/);
    await pin(registry(), "gone");
    await refused(
      world,
      "get",
      registry(),
      /^There is no profile "gone" here for .*auth configure-docker --registry/,
    );
  },
);

testWithDocker("a profile of another API than Cloudfleet's own is not for its registries", async (world) => {
  await world.addProfile("staging", { words: ["--api-url", "https://api.staging.example/v1"] });
  await refused(world, "get", registry(), /The profile "staging" is not for the registry/);
});

testWithDocker("a locked keyring is told of, and nobody is asked to unlock it", async (world) => {
  const { sandbox } = world;
  const secret = await world.addProfile("ci", { words: ["--keyring", "system"] });
  assert.equal((await credentials(world, registry())).Secret, secret);
  sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.", { hint: "Unlock it." });
  await refused(world, "get", registry(), /^The keyring is locked\. Unlock it\.\n$/, { keys: ["y"] });
});

testWithDocker("docker login may store what it got from here, and nothing else", async (world) => {
  const secret = await world.addProfile("ci");
  const store = (fields: object) =>
    world.docker(
      "store",
      JSON.stringify({ ServerURL: registry(), Username: TOKEN_ID, Secret: secret, ...fields }),
    );
  const before = (await filesBelow(world.sandbox.folder)).length;
  assert.deepEqual(await store({}), { code: 0, stdout: "", stderr: "" });
  const fails = async (fields: object, words: RegExp) => {
    const { code, stdout } = await store(fields);
    assert.equal(code, 1);
    assert.match(stdout, words);
    assert.ok(!stdout.includes(secret) && !stdout.includes("another-secret"), stdout);
  };
  await fails(
    { Secret: "another-secret" },
    /^docker gets the credentials for .* from the profile "ci" of datumctl/,
  );
  await fails({ Username: "somebody" }, /others are not stored.*configure-docker --remove --registry/);
  await fails({ Username: "<token>", Secret: "another-secret" }, /others are not stored/);
  await fails({ ServerURL: "docker.io" }, /^datumctl stores no credentials for docker\./);
  await fails({ ServerURL: "" }, /^no credentials server URL\n$/);
  await fails({ Username: "" }, /^no credentials username\n$/);
  await refused(world, "store", "no JSON", /^no credentials server URL\n$/);
  assert.equal((await filesBelow(world.sandbox.folder)).length, before, "nothing was written");
});

testWithDocker("docker logout ends no session, and is told so", async (world) => {
  const secret = await world.addProfile("ci");
  await world.ok("auth configure-docker");
  const { code, stdout, stderr } = await world.docker("erase", registry());
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(
    stderr,
    /the profile "ci" stays.*configure-docker --remove --registry \S+.*auth remove-profile ci\n$/,
  );
  assert.equal((await credentials(world, registry())).Secret, secret);
  assert.deepEqual(await world.docker("erase", "docker.io"), { code: 0, stdout: "", stderr: "" });
  await refused(world, "erase", " ", /^no credentials server URL\n$/);
});

testWithDocker(
  "list names the chosen registries and the ids of their tokens, and opens nothing",
  async (world) => {
    const list = async () => JSON.parse(await world.ok("docker-credential list"));
    assert.deepEqual(await list(), {});
    await world.addProfile("ci", { words: ["--keyring", "system"] });
    await world.ok([
      "auth",
      "configure-docker",
      "--registry",
      registry(),
      "--registry",
      "registry.acme.example:5000",
    ]);
    world.sandbox.system.failure = new AppError("KEYRING_LOCKED", "The keyring is locked.");
    assert.deepEqual(await list(), { [registry()]: TOKEN_ID, "registry.acme.example:5000": TOKEN_ID });
    assert.doesNotMatch(JSON.stringify(await world.docker("list", "unused")), /the-secret-of/);
  },
);

testWithDocker("whatever comes in is bounded, and an action that is none is said", async (world) => {
  await world.addProfile("ci");
  await refused(world, "get", "", /^no credentials server URL\n$/);
  await refused(world, "get", "a".repeat(100_000), /^What came on standard input is too long/);
  await refused(world, "store", `{"ServerURL":"${"a".repeat(100_000)}`, /too long/);
  await refused(world, "frobnicate", "", /^docker-credential-datumctl: unknown action: frobnicate\n$/);
  assert.match(
    await world.ok("docker-credential version"),
    /^docker-credential-datumctl \(datumctl\) \d+\.\d+\.\d+\S*\n$/,
  );
  const silent = await world.run("docker-credential");
  assert.deepEqual([silent.code, silent.stdout], [2, ""]);
});

testWithDocker(
  "no project folder, key file or variable of a token stands in for a profile",
  async (world) => {
    await world.addProfile("ci");
    const env = { DATUMCTL_TOKEN: "a-bearer-token", DATUMCTL_CREDENTIALS_FILE: "/nowhere" };
    assert.match((await credentials(world, registry(), { env })).Secret ?? "", /^the-secret-of-ci/);
  },
);
