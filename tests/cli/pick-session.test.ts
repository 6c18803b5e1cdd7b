/** Proves how sessions are told apart in words: which variable comes first, which session of a person, who is active. */

import assert from "node:assert/strict";
import { testWithCloudfleet } from "./cloudfleet-world.ts";
import { openSandbox } from "../sessions/sandbox.ts";
import { runLine } from "./run-line.ts";
import { ADA, at, GRACE, openWorld } from "./world.ts";

Deno.test("DATUMCTL_PROFILE is told of where it takes precedence over the active session, and only there", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: "home" });
  await sandbox.add({ name: "work" });
  const run = (words: string, env: Record<string, string> = {}) =>
    runLine(words.split(" "), { store: sandbox.store, env });
  assert.equal((await run("auth switch home")).stderr, "");
  const env = { DATUMCTL_PROFILE: "work" };
  const warning = /^warning: DATUMCTL_PROFILE is set and takes precedence over the active session\.$/m;
  assert.match((await run("auth list", env)).stderr, warning);
  const switched = await run("auth switch home", env);
  assert.equal(switched.code, 0);
  assert.match(switched.stderr, warning);
  for (const words of ["auth switch work", "auth list"]) {
    assert.doesNotMatch((await run(words, env)).stderr, warning, words);
  }
});

Deno.test("of one person's sessions the name is told; a picker marks the active one", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  await world.login(GRACE);
  assert.equal(
    await world.ok(`auth switch ${at(world, ADA)}`),
    `Switched to ${ADA} at ${world.cloud.apiHost}.\n`,
  );
  await world.login(ADA, "--profile work");
  assert.equal(
    await world.ok(`auth switch ${at(world, ADA)}`),
    `Switched to ${ADA} at ${world.cloud.apiHost} (${at(world, ADA)}).\n`,
  );
  const { stderr } = await world.run("auth switch", { keys: ["\u0003"], columns: 200 });
  const marked = stderr.split("\n").filter((line) => / active\b/.test(line));
  assert.ok(
    marked.length > 0 && marked.every((line) => line.includes(ADA) && !line.includes("(work)")),
    stderr,
  );
  const left = await world.run("logout work");
  assert.match(left.stdout, /: ada@example\.com at \S+ \(work\)\.\n$/);
  assert.doesNotMatch(left.stderr, /No session is active/);
  const active = await world.run(`logout ${ADA}`);
  assert.match(active.stdout, /: ada@example\.com at [^ ()]+\.\n$/);
  assert.match(active.stderr, /No session is active now\. Make one active: datumctl auth switch\n/);
  assert.doesNotMatch((await world.run("logout")).stderr, /No session is active/);
});

Deno.test("an e-mail where a session's name belongs leads to the session of that person", async () => {
  await using world = await openWorld();
  await world.login(ADA);
  const named = async (flags: string) => await world.run(`whoami ${flags}`);
  for (const email of [ADA, ADA.toUpperCase()]) {
    const { code, stderr } = await named(`--profile ${email}`);
    assert.equal(code, 4);
    assert.ok(stderr.endsWith(`\nName the session: --profile ${at(world, ADA)}\n`), stderr);
  }
  await world.login(ADA, "--profile work");
  const several = await named(`--profile ${ADA}`);
  assert.ok(
    several.stderr.endsWith(`\nName one of its sessions: --profile ${at(world, ADA)}, or work\n`),
    several.stderr,
  );
  assert.match((await named("--profile nobody")).stderr, /datumctl login --profile nobody\n$/);
});

Deno.test("whoami tells that the variables of Cloudfleet give tokens and clusters another identity", async () => {
  await using sandbox = await openSandbox();
  await sandbox.add({ name: "ada" });
  const env = { CLOUDFLEET_ACCESS_TOKEN_ID: "a" };
  const run = (words: string) => runLine(words.split(" "), { store: sandbox.store, env });
  await run("auth switch ada");
  assert.match(
    (await run("whoami")).stderr,
    /^tokens and clusters go by the CLOUDFLEET_\* variables instead/m,
  );
  assert.equal((await run("whoami --profile ada")).stderr, "");
});

Deno.test("without a session, Studio's commands name Studio's sign-in", async () => {
  await using sandbox = await openSandbox();
  for (const words of ["auth token", "auth team"]) {
    const { code, stderr } = await runLine(words.split(" "), { store: sandbox.store });
    assert.equal(code, 4);
    assert.match(stderr, /\n.*datumctl login --provider studio\n$/, words);
  }
});

testWithCloudfleet(
  "a profile that a logout took is registered again by the line that is told",
  async (world) => {
    const { cloudfleet: { organizationId, issuer, apiUrl, userClientId } } = world;
    await world.ok(`auth add-profile user me ${organizationId} --client-id ${userClientId}`);
    const { code, stderr } = await world.run("logout --profile me");
    assert.equal(code, 0, stderr);
    const [, line = ""] = /^The profile is gone, too\. To register it again: datumctl (.*)$/m.exec(stderr) ??
      [];
    for (const part of [organizationId, issuer, apiUrl, userClientId]) assert.ok(line.includes(part), stderr);
    await world.ok(line.replace(/ FILE$/, ` ${cloudfleetCa(world.env)}`), { env: { CLOUDFLEET_ISSUER: "" } });
  },
);

function cloudfleetCa(env: Readonly<Record<string, string>>): string {
  return env.DATUMCTL_CERTIFICATE_AUTHORITY ?? "";
}

testWithCloudfleet(
  "what the variables lack is told as a variable, not as a flag that there is none of",
  async (world) => {
    const { organizationId, administrator: { id, secret } } = world.cloudfleet;
    const { code, stderr } = await world.run("clusters list", {
      env: {
        CLOUDFLEET_ISSUER: "",
        CLOUDFLEET_ORGANIZATION_ID: organizationId,
        CLOUDFLEET_ACCESS_TOKEN_ID: id,
        CLOUDFLEET_ACCESS_TOKEN_SECRET: secret,
      },
    });
    assert.equal(code, 2);
    assert.match(stderr, /\nSet the variable CLOUDFLEET_ISSUER to its URL\.\n$/);
  },
);
