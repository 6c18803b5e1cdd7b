/** The vendor's words: its variables and `--credentials-file` do what ours do, and ours count first. */

import assert from "node:assert/strict";
import { runGetToken } from "../../src/plugin/get-token.ts";
import { readGetToken } from "../../src/plugin/arguments.ts";
import { parentOf } from "../sessions/sandbox.ts";
import { openCloudfleetWorld } from "./cloudfleet-world.ts";
import { ADA, GRACE, keyFile, openWorld, type World } from "./world.ts";
import { CLOUDS } from "../clouds.ts";

const who = async (world: World, env: Record<string, string>, words = "") => {
  const { session, source } = JSON.parse(await world.ok(`whoami -o json ${words}`, { env }));
  return [session, source];
};

const placeOf = ({ cloud }: World) => ({
  DATUMCTL_HOSTNAME: cloud.authHost,
  DATUMCTL_CERTIFICATE_AUTHORITY: cloud.caFile,
});

Deno.test("DATUM_SESSION names the session, after every word of ours", async () => {
  await using world = await openWorld();
  await world.sandbox.add({ name: "one", email: ADA });
  await world.sandbox.add({ name: "two", email: GRACE, subject: "2" });
  await world.ok("auth switch one");
  const vendors = { DATUM_SESSION: "two" };
  assert.deepEqual(await who(world, vendors), ["two", "DATUM_SESSION"]);
  assert.deepEqual(await who(world, { ...vendors, DATUMCTL_PROFILE: "one" }), ["one", "DATUMCTL_PROFILE"]);
  assert.deepEqual(await who(world, vendors, "--profile one"), ["one", "--profile"]);
  assert.deepEqual(await who(world, vendors, "--session one"), ["one", "--profile"]);
  const token = {
    ...vendors,
    ...placeOf(world),
    DATUMCTL_API_HOSTNAME: world.cloud.apiHost,
    DATUMCTL_TOKEN: "t",
  };
  assert.deepEqual(await who(world, token), ["env:DATUMCTL_TOKEN", "DATUMCTL_TOKEN"]);
  const { stderr } = await world.run("auth list", { env: vendors });
  assert.match(stderr, /^warning: DATUM_SESSION is set and takes precedence over the active session\.$/m);
  const missing = await world.run("whoami", { env: { DATUM_SESSION: "three" } });
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /no session three here/);
});

Deno.test("get-token reads the same words on its short way", async () => {
  await using world = await openWorld();
  await world.sandbox.add({ name: "one" });
  await world.sandbox.add({ name: "two", subject: "2" });
  await world.ok("auth switch one");
  const sessionOf = async (line: string, env: Record<string, string>) => {
    let out = "";
    const flags = readGetToken(["auth", "get-token", "--claims", ...line.split(" ").filter(Boolean)]);
    assert.ok(flags !== undefined);
    const code = await runGetToken(flags, {
      store: world.sandbox.store,
      providers: CLOUDS,
      env: (name) => env[name],
      parent: parentOf(1),
      errorFormat: "human",
      started: performance.now(),
      canAsk: () => false,
      writeOut: (text) => out += text,
      writeErr: (text) => assert.fail(text),
    });
    assert.equal(code, 0);
    return JSON.parse(out).session;
  };
  assert.equal(await sessionOf("", { DATUM_SESSION: "two" }), "two");
  assert.equal(await sessionOf("", { DATUM_SESSION: "two", DATUMCTL_PROFILE: "one" }), "one");
  assert.equal(await sessionOf("--session=one", { DATUM_SESSION: "two" }), "one");
});

Deno.test("DATUM_CREDENTIALS_FILE and the hosts of DATUM_… give an identity, after every word of ours", async () => {
  await using world = await openWorld();
  const { apiHost } = world.cloud;
  const file = { ...placeOf(world), DATUM_CREDENTIALS_FILE: await keyFile(world) };
  for (const variable of ["DATUM_API_HOSTNAME", "DATUM_API_HOST"]) {
    for (const host of [apiHost, `https://${apiHost}`]) {
      const env = { ...file, [variable]: host };
      assert.deepEqual(await who(world, env), ["env:DATUM_CREDENTIALS_FILE", "DATUM_CREDENTIALS_FILE"]);
      assert.match(
        await world.ok("auth get-token --claims", { env }),
        /"session": "env:DATUM_CREDENTIALS_FILE"/,
      );
    }
  }
  const ours = { ...file, DATUM_API_HOSTNAME: "api.elsewhere.example", DATUMCTL_API_HOSTNAME: apiHost };
  assert.match(await world.ok("organizations list -o name", { env: ours }), /acme/);
  const both = { ...ours, DATUMCTL_CREDENTIALS_FILE: await keyFile(world) };
  assert.deepEqual(await who(world, both), ["env:DATUMCTL_CREDENTIALS_FILE", "DATUMCTL_CREDENTIALS_FILE"]);
  await world.sandbox.add({ name: "one" });
  assert.deepEqual(await who(world, { ...ours, DATUM_SESSION: "one" }), ["one", "DATUM_SESSION"]);

  await world.ok("auth update-kubeconfig --project web", { env: ours });
  assert.match(await Deno.readTextFile(world.kubeconfig), /--session=env:DATUM_CREDENTIALS_FILE\n/);
  const wrong = await world.run("whoami", { env: { DATUM_CREDENTIALS_FILE: "/nowhere" } });
  assert.match(wrong.stderr, /The file \/nowhere of DATUM_CREDENTIALS_FILE does not exist/);
});

Deno.test("the vendor's API host leads to the auth host beside it, and to no other one's", async () => {
  await using world = await openWorld();
  const env = { DATUM_CREDENTIALS_FILE: await keyFile(world), DATUM_API_HOST: "api.staging.example" };
  assert.equal(JSON.parse(await world.ok("whoami -o json", { env })).host, "api.staging.example");
  const { stderr } = await world.run("auth get-token", { env });
  assert.match(stderr, /auth\.staging\.example/);
  const wrong = await world.run("whoami", { env: { ...env, DATUM_API_HOST: "api.x/y" } });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /DATUM_API_HOST/);
});

Deno.test("DATUM_ORG names an organization, after DATUM_ORGANIZATION", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const scope = (env: Record<string, string>) => world.ok("ctx", { env });
  assert.match(await scope({ DATUM_ORG: "acme" }), /acme.*DATUM_ORG\b/s);
  assert.match(
    await scope({ DATUM_ORG: "acme", DATUM_ORGANIZATION: "initech" }),
    /initech.*DATUM_ORGANIZATION/s,
  );
  assert.match(await world.ok("projects list -o name", { env: { DATUM_ORG: "acme" } }), /web/);
  const { stderr } = await world.run("ctx use acme", { env: { DATUM_ORG: "initech" } });
  assert.match(stderr, /DATUM_ORG is set in this terminal and takes precedence/);
});

Deno.test("--credentials-file acts as a service account for one command, before any variable", async () => {
  await using world = await openWorld();
  const file = await keyFile(world);
  const env = {
    ...placeOf(world),
    DATUMCTL_API_HOSTNAME: world.cloud.apiHost,
    DATUMCTL_TOKEN: "t",
    DATUM_SESSION: "x",
  };
  for (
    const words of [`whoami -o json --credentials-file ${file}`, `--credentials-file=${file} whoami -o json`]
  ) {
    const { session, source, storage } = JSON.parse(await world.ok(words, { env }));
    assert.deepEqual([session, source, storage], ["env:--credentials-file", "--credentials-file", "none"]);
  }
  assert.match(await world.ok(`organizations list -o name --credentials-file ${file}`, { env }), /acme/);
  assert.match(
    await world.ok(`auth get-token --claims --credentials-file ${file}`, { env }),
    /env:--credentials-file/,
  );
  assert.deepEqual(readGetToken(["--credentials-file", "k", "auth", "get-token"]), { credentialsFile: "k" });
  for (
    const [words, code, says] of [
      [
        `whoami --profile a --credentials-file ${file}`,
        2,
        /--profile and --credentials-file cannot be combined/,
      ],
      [`auth get-token --profile a --credentials-file ${file}`, 2, /cannot be combined/],
      [
        `auth update-kubeconfig --project web --credentials-file ${file}`,
        2,
        /is for one command.*\n.*DATUMCTL_CREDENTIALS_FILE/,
      ],
      [`logout --credentials-file ${file}`, 2, /is not stored/],
      ["whoami --credentials-file /nowhere", 2, /The file \/nowhere of --credentials-file does not exist/],
      [`login --credentials a --credentials-file ${file}`, 2, /name two keys/],
    ] as const
  ) {
    const ran = await world.run(words, { env });
    assert.equal(ran.code, code, `${words}: ${ran.stderr}`);
    assert.match(ran.stderr, says);
  }
  assert.equal(await world.ok("auth list -o name"), "");
  const { cloud: { authHost, apiHost, caFile } } = world;
  const flags =
    `--hostname ${authHost} --api-hostname ${apiHost} --certificate-authority ${caFile} --keyring file`;
  assert.match(
    await world.ok(`login ${flags} --credentials-file ${file} --profile robot`),
    /^Signed in as deployer/,
  );
  assert.equal(await world.ok("auth list -o name"), "robot\n");
});

Deno.test("Cloudfleet's commands act as the profile of --session or DATUM_SESSION, and as no key file", async () => {
  await using world = await openCloudfleetWorld();
  await world.addAdministrator("one");
  await world.addAdministrator("two");
  await world.sandbox.add({ name: "of-datum" });
  await world.ok("auth switch one");
  // The token of this one is deleted, so that its refusal tells that it acts.
  await world.ok("tokens create --name bad --role Administrator --save-profile bad");
  const listed: readonly { id: string; name: string }[] = JSON.parse(await world.ok("tokens list -o json"));
  await world.ok(`tokens delete ${listed.find(({ name }) => name === "bad")?.id} --yes`);
  const acts = async (line: string, env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await world.run(line, { env });
    assert.equal(code, 0, `${line}: ${stderr}`);
    return stdout;
  };
  for (const command of ["clusters list -o name", "tokens list -o name"]) {
    const [first, ...more] = command.split(" ");
    const second = more.join(" ");
    const wanted = await acts(command);
    for (const flag of ["--session", "--profile"]) {
      for (
        const line of [`${flag} two ${command}`, `${first} ${flag} two ${second}`, `${command} ${flag}=two`]
      ) {
        assert.equal(await acts(line, { DATUMCTL_PROFILE: "nobody", DATUM_SESSION: "nobody" }), wanted, line);
      }
    }
    assert.equal(await acts(command, { DATUM_SESSION: "of-datum" }), wanted);
    assert.equal(await acts(command, { DATUM_SESSION: "nobody" }), wanted);
    for (const line of [`--session bad ${command}`, `${command} --session bad`]) {
      assert.equal((await world.run(line)).code, 4, line);
    }
    assert.equal((await world.run(command, { env: { DATUM_SESSION: "bad" } })).code, 4);
    assert.equal(await acts(command, { DATUM_SESSION: "bad", DATUMCTL_PROFILE: "two" }), wanted);
    const { code, stderr } = await world.run(`${command} --credentials-file key.json`);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /--credentials-file is a service account's key, and no profile of Cloudfleet\.\n.*--profile/,
    );
  }
});
