/** Proves that every command acts as what DATUMCTL_TOKEN and DATUMCTL_CREDENTIALS_FILE give, and that nothing of it is kept. */

import assert from "node:assert/strict";
import { addressVariables } from "../cloud/variables.ts";
import { openWorld, type World } from "./world.ts";

/** Where a world's cloud is, as variables. */
/** Writes a service account's key file. */
async function keyFile({ cloud, sandbox }: World): Promise<string> {
  const path = `${sandbox.folder}/../key-${crypto.randomUUID()}.json`;
  await Deno.writeTextFile(path, JSON.stringify(await cloud.addServiceAccount()), { mode: 0o600 });
  return path;
}

const withFile = async (world: World) => ({
  ...addressVariables(world.cloud),
  DATUMCTL_CREDENTIALS_FILE: await keyFile(world),
});

/** A ready token, and the variables that give it. */
async function withToken(world: World) {
  const token = (await world.ok("auth get-token", { env: await withFile(world) })).trimEnd();
  return { ...addressVariables(world.cloud), DATUMCTL_TOKEN: token };
}

const unsigned = (claims: Record<string, unknown>) =>
  `${btoa('{"alg":"RS256"}')}.${btoa(JSON.stringify(claims))}.c2ln`.replaceAll("=", "");

/** The files below the program's folder, with their text. */
async function kept(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) await visit(`${path}/${name}`);
      else found.set(`${path}/${name}`, await Deno.readTextFile(`${path}/${name}`));
    }
  };
  await visit(folder);
  return found;
}

for (
  const [variable, variables] of [["DATUMCTL_TOKEN", withToken], [
    "DATUMCTL_CREDENTIALS_FILE",
    withFile,
  ]] as const
) {
  Deno.test(`every command acts as what ${variable} gives, and no secret is written`, async () => {
    await using world = await openWorld();
    const env = await variables(world);
    const session = `env:${variable}`;
    const email = "deployer-1@acme.example.com";
    const scoped = { env: { ...env, DATUM_ORGANIZATION: "acme" } };

    const who = JSON.parse(await world.ok("whoami -o json", { env }));
    assert.deepEqual([who.source, who.session, who.storage], [variable, session, "none"]);
    assert.match(await world.ok("whoami", { env }), /Stored in: +nowhere: it comes from a variable\n/);
    const token = (await world.ok("auth get-token", { env })).trimEnd();
    const exec = JSON.parse(await world.ok("auth get-token -o client.authentication.k8s.io/v1", { env }));
    assert.equal(exec.kind, "ExecCredential");
    assert.equal(JSON.parse(await world.ok("auth get-token --claims", { env })).session, session);
    assert.match(await world.ok("auth whoami", scoped), new RegExp(`Username +${email}`));
    assert.equal(await world.ok("auth can-i get projects", scoped), "yes\n");
    assert.match(await world.ok("api-resources", scoped), /projects/);
    assert.match(await world.ok("organizations list -o name", { env }), /acme\ninitech/);
    assert.match(await world.ok("projects list --organization acme -o name", { env }), /web/);

    const written = await world.ok("auth update-kubeconfig --project web", { env });
    assert.match(written, new RegExp(`User: +${email}`));
    const kubeconfig = await Deno.readTextFile(world.kubeconfig);
    assert.match(kubeconfig, new RegExp(`--session=${session}\\n +- --active-for=${world.cloud.apiHost}\\n`));
    assert.match(kubeconfig, new RegExp(`name: "?datum-${session}@${world.cloud.apiHost}"?\\n`));
    assert.match(await world.ok("auth whoami", { env }), new RegExp(email), "by the kubeconfig's context");

    assert.equal(await world.ok("auth list -o json", { env }), "[]\n");
    for (
      const [words, code, sentence] of [
        ["logout", 4, new RegExp(`Nobody is signed in here\\.\\n.*${variable}`)],
        [`logout --profile ${session}`, 2, /is not stored\./],
        [`auth switch --profile ${session}`, 2, /is not stored\./],
        ["ctx use acme", 2, /is not stored\.\n.*DATUM_ORGANIZATION/],
        [`login --credentials x --profile ${session}`, 2, /key file x does not exist/],
      ] as const
    ) {
      const ran = await world.run(words, { env });
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, sentence);
    }
    for (const [path, text] of await kept(world.sandbox.folder)) {
      for (const secret of [token, exec.status.token, env.DATUMCTL_CERTIFICATE_AUTHORITY && "PRIVATE KEY"]) {
        assert.ok(!text.includes(secret), path);
      }
    }
    assert.deepEqual(
      [...(await kept(world.sandbox.folder)).keys()].filter((path) => path.endsWith(".json")),
      [],
      "and no session",
    );
  });
}

Deno.test("what a variable gives goes to no other host than its entry was made for", async () => {
  await using world = await openWorld();
  const env = await withToken(world);
  const words =
    "auth get-token -o client.authentication.k8s.io/v1 --session=env:DATUMCTL_TOKEN --active-for=";
  assert.match(await world.ok(`${words}${world.cloud.apiHost}`, { env }), /ExecCredential/);
  const { code, stdout, stderr } = await world.run(`${words}api.example.com`, { env });
  assert.equal(code, 4, stderr);
  assert.match(stderr, /belongs to 127\.0\.0\.1:\d+, but this kubeconfig entry is for api\.example\.com/);
  assert.ok(!stdout.includes(env.DATUMCTL_TOKEN));
});

Deno.test("a key file is traded once by each command, however much that asks", async () => {
  await using world = await openWorld();
  const env = await withFile(world);
  await world.ok("ctx list", { env });
  assert.equal(world.cloud.counts()["token:jwt-bearer"], 1);
});

Deno.test("a token that has ended is exit 4 in one block that names the variable", async () => {
  await using world = await openWorld();
  const env = {
    ...addressVariables(world.cloud),
    DATUMCTL_TOKEN: unsigned({ sub: "1", exp: 1_700_000_000 }),
  };
  for (
    const words of [
      "auth get-token",
      "auth get-token -o client.authentication.k8s.io/v1",
      "organizations list",
    ]
  ) {
    const { code, stderr } = await world.run(words, { env });
    assert.equal(code, 4, words);
    assert.equal(
      stderr,
      'error: The session "env:DATUMCTL_TOKEN" has expired: its token expired on 2023-11-14T22:13:20.000Z.\n' +
        "Set DATUMCTL_TOKEN to a valid value.\n",
      words,
    );
  }
  assert.match(await world.ok("whoami", { env }), /Token expires: +2023-11-14T22:13:20\.000Z \(expired\)\n/);
});

Deno.test("a token that has ended is told once to each kubectl, which runs its plugin five times", async () => {
  await using world = await openWorld();
  const env = {
    ...addressVariables(world.cloud),
    DATUMCTL_TOKEN: unsigned({ sub: "1", exp: 1_700_000_000 }),
  };
  const credential = "auth get-token -o client.authentication.k8s.io/v1";
  const told: string[] = [];
  for (let run = 0; run < 5; run++) {
    const { code, stdout, stderr } = await world.run(credential, { env });
    assert.equal(code, 4);
    assert.match(stdout, /has expired: its token expired on 2023-11-14/);
    told.push(stderr);
    // Each is a process of its own, and reads the variable at another moment.
    world.sandbox.time += 400;
  }
  assert.match(told[0] ?? "", /^error: The session "env:DATUMCTL_TOKEN" has expired/);
  assert.deepEqual(told.slice(1), ["", "", "", ""]);
});

Deno.test("what one value of a variable failed with is not told of another", async () => {
  await using world = await openWorld();
  const good = await withToken(world);
  const credential = "auth get-token -o client.authentication.k8s.io/v1";
  const expired = { ...good, DATUMCTL_TOKEN: unsigned({ sub: "1", exp: 1_700_000_000 }) };
  assert.equal((await world.run(credential, { env: expired })).code, 4);
  assert.equal(JSON.parse(await world.ok(credential, { env: good })).status.token, good.DATUMCTL_TOKEN);
  const other = { ...good, DATUMCTL_TOKEN: unsigned({ sub: "1", exp: 1_700_000_001 }) };
  assert.match((await world.run(credential, { env: other })).stdout, /22:13:21/);

  const file = await withFile(world);
  await world.cloud.setFaults({ down: ["issuer"] });
  assert.equal((await world.run(credential, { env: file })).code, 6);
  await world.cloud.setFaults({});
  world.cloud.resetCounts();
  assert.equal(
    (await world.run(credential, { env: file })).code,
    6,
    "but of the same it is, for ten seconds",
  );
  assert.equal(world.cloud.counts().total, 0);
});

Deno.test("a token that the server refuses is exit 4 in one block that names the variable", async () => {
  await using world = await openWorld();
  const env = {
    ...addressVariables(world.cloud),
    DATUMCTL_TOKEN: "opaque-and-unknown",
    DATUM_ORGANIZATION: "acme",
  };
  for (const words of ["auth whoami", "auth update-kubeconfig --project web", "api-resources"]) {
    const { code, stderr } = await world.run(words, { env });
    assert.equal(code, 4, `${words}: ${stderr}`);
    assert.match(stderr, /^error: .* does not accept .*\nSet DATUMCTL_TOKEN to a valid value\.\n$/);
    assert.doesNotMatch(stderr, /opaque-and-unknown/);
  }
});

Deno.test("what is no bearer token, no key file, no place and no authority is USAGE and named", async () => {
  await using world = await openWorld();
  const place = addressVariables(world.cloud);
  const pat = world.cloud.addPersonalAccessToken();
  const rows: [Record<string, string>, RegExp][] = [
    [{ ...place, DATUMCTL_TOKEN: "two words" }, /DATUMCTL_TOKEN holds no bearer token/],
    [
      { ...place, DATUMCTL_TOKEN: pat },
      new RegExp(
        "DATUMCTL_TOKEN holds a personal access token.*\\n.*: datumctl login --with-token " +
          `--hostname ${place.DATUMCTL_HOSTNAME} --api-hostname ${place.DATUMCTL_API_HOSTNAME} ` +
          `--certificate-authority ${place.DATUMCTL_CERTIFICATE_AUTHORITY}\n`,
      ),
    ],
    [{ DATUMCTL_TOKEN: pat }, /: datumctl login --with-token\n/],
    [
      { ...place, DATUMCTL_CREDENTIALS_FILE: "/nowhere" },
      /\/nowhere of DATUMCTL_CREDENTIALS_FILE does not exist/,
    ],
    [{ ...place, DATUMCTL_CREDENTIALS_FILE: world.cloud.caFile }, /is not JSON/],
    [{ DATUMCTL_TOKEN: "x", DATUMCTL_HOSTNAME: "login.example.com" }, /API host .*\n.*DATUMCTL_API_HOSTNAME/],
    [{ DATUMCTL_TOKEN: "x", DATUMCTL_HOSTNAME: "a b" }, /DATUMCTL_HOSTNAME/],
    [
      { ...place, DATUMCTL_TOKEN: "x", DATUMCTL_CERTIFICATE_AUTHORITY: "/none" },
      /DATUMCTL_CERTIFICATE_AUTHORITY/,
    ],
  ];
  for (const [env, sentence] of rows) {
    for (const words of ["auth get-token", "whoami"]) {
      const { code, stderr } = await world.run(words, { env });
      assert.equal(code, 2, stderr);
      assert.match(stderr, sentence);
      assert.ok(!stderr.includes(pat));
    }
  }
});

Deno.test("which identity counts: a flag, DATUMCTL_PROFILE, the token, the file, the active session", async () => {
  await using world = await openWorld();
  const email = "ada@example.com";
  await world.login(email, "--profile ada");
  const file = await withFile(world);
  const both = { ...await withToken(world), ...file };
  const session = async (words: string, env: Record<string, string>) =>
    JSON.parse(await world.ok(`whoami -o json ${words}`, { env })).session;
  assert.equal(await session("", {}), "ada");
  assert.equal(await session("", both), "env:DATUMCTL_TOKEN");
  assert.equal(await session("", file), "env:DATUMCTL_CREDENTIALS_FILE");
  assert.equal(await session("--profile ada", both), "ada");
  assert.equal(await session("", { ...both, DATUMCTL_PROFILE: "ada" }), "ada");
  assert.equal(
    await session("--profile env:DATUMCTL_CREDENTIALS_FILE", both),
    "env:DATUMCTL_CREDENTIALS_FILE",
  );
  const pinned = "auth get-token --session=ada --claims";
  assert.equal(JSON.parse(await world.ok(pinned, { env: both })).session, "ada");
  const gone = await world.run("auth get-token --session=env:DATUMCTL_TOKEN");
  assert.equal(gone.code, 4);
  assert.match(gone.stderr, /The variable DATUMCTL_TOKEN is not set/);
  for (const words of ["auth switch ada", "auth list"]) {
    assert.match(
      (await world.run(words, { env: file })).stderr,
      /DATUMCTL_CREDENTIALS_FILE is set and takes precedence over/,
    );
  }
});

Deno.test("an authority that is not trusted is trusted through a variable", async () => {
  await using world = await openWorld();
  const { DATUMCTL_CERTIFICATE_AUTHORITY: _, ...env } = await withFile(world);
  const { code, stderr } = await world.run("auth get-token", { env });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /name its certificate: DATUMCTL_CERTIFICATE_AUTHORITY=FILE/);
});
