/** Proves what `doctor` asks and what it does not, from source: on a terminal, beside other people's folders. */

// deno-lint-ignore-file no-control-regex -- escapes are what is looked for

import assert from "node:assert/strict";
import { makeCertificates } from "../cloud/certificates.ts";
import { openSignedIn, openWorld, type World } from "./world.ts";
import type { Options } from "./run-line.ts";

interface Found {
  readonly check: string;
  readonly verdict: string;
  readonly about: string | null;
  readonly found: string;
  readonly line: string | null;
}

async function findings(world: World, words: string, options?: Options): Promise<readonly Found[]> {
  return JSON.parse((await world.run(`doctor ${words} -o json`, options)).stdout).checks;
}

const of = (found: readonly Found[], check: string) => found.filter((one) => one.check === check);

Deno.test("doctor on a terminal asks before it renews the session, and takes no for no", async () => {
  await using world = await openSignedIn();
  const ask = async (...keys: readonly string[]) => {
    world.cloud.resetCounts();
    const ran = await world.run("doctor -v", {
      keys,
      outIsTerminal: true,
      columns: 300,
      colour: true,
    });
    assert.match(
      ran.stderr,
      /Renew ada@example\.com@\S+ once, to see that its issuer does\?(?:\u001b\[0m)? \[y\/N\]/,
    );
    return { ...ran, tokens: world.cloud.counts().token ?? 0 };
  };
  const no = await ask("n", "\r");
  assert.equal(no.tokens, 0);
  assert.match(no.stdout, /it was not renewed for a trial/);
  assert.ok(no.stdout.includes("\u001b[32m✓ ok\u001b[0m"), "colour on a terminal");
  const yes = await ask("y", "\r");
  assert.equal(yes.tokens, 1);
  assert.match(yes.stdout, /the issuer renewed it/);
  assert.equal((await ask()).tokens, 0, "the end of the input is no");
  const stopped = await world.run("doctor", { keys: ["\u0003"], outIsTerminal: true });
  assert.equal(stopped.code, 130);
});

Deno.test("doctor asks nobody where something is wrong with the session, or with -q, --offline and -o json", async () => {
  await using world = await openSignedIn();
  const quiet = async (words: string) => {
    const { stderr } = await world.run(`doctor ${words}`, { keys: ["y", "\r"], outIsTerminal: true });
    assert.doesNotMatch(stderr, /Renew/, words);
  };
  for (const words of ["-q", "--offline", "-o json", "-o name"]) await quiet(words);
  await world.cloud.setFaults({ down: ["issuer"] });
  await quiet("");
});

Deno.test("doctor shows nothing of a project folder's session that no key of ours opens, and asks nobody about it", async () => {
  await using world = await openWorld();
  const project = `${world.sandbox.folder}/project`;
  const sessions = `${project}/.datumctl`;
  await Deno.mkdir(sessions, { recursive: true });
  await world.login("ada@example.com", "--profile stranger");
  for await (const { name } of Deno.readDir(`${world.sandbox.folder}/sessions`)) {
    if (name.endsWith(".json")) {
      await Deno.rename(`${world.sandbox.folder}/sessions/${name}`, `${sessions}/${name}`);
    }
  }
  await Deno.writeTextFile(`${sessions}/config.json`, '{"schemaVersion":1,"activeSession":"stranger"}');
  await Deno.writeTextFile(`${world.sandbox.folder}/config.json`, '{"schemaVersion":1}');
  world.cloud.resetCounts();
  const store = world.sandbox.store.with({
    host: { ...world.sandbox.store.host, workingFolder: () => project },
  });
  const found = await findings(world, "", { store });
  const [note] = of(found, "keyring.keys");
  assert.equal(note?.verdict, "note");
  assert.equal(note?.about, project);
  assert.ok(!JSON.stringify(found).includes("stranger"));
  assert.equal(world.cloud.counts().discovery ?? 0, 0);
});

Deno.test("doctor says who acts by a variable, and tells of an authority that a session remembers and that ended", async () => {
  await using world = await openSignedIn();
  const given = await findings(world, "--offline", { env: { DATUMCTL_TOKEN: "a-token" } });
  assert.equal(of(given, "sessions.acting")[0]?.found, "commands act as a session from DATUMCTL_TOKEN");
  const now = () => Date.now() + 60 * 24 * 3600_000;
  const [ended] = of(await findings(world, "--offline", { now }), "sessions.authority");
  assert.equal(ended?.verdict, "fault");
  assert.match(ended?.line ?? "", /^datumctl login --profile \S+ --certificate-authority FILE$/);
});

Deno.test("doctor allows no stranger's program for an entry with our arguments", async () => {
  await using world = await openSignedIn();
  const kuberc = `${world.sandbox.folder}/kuberc`;
  await Deno.writeTextFile(
    kuberc,
    "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: DenyAll\n",
  );
  await Deno.writeTextFile(
    world.kubeconfig,
    JSON.stringify({
      users: [{
        name: "u",
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1",
            command: "/bin/sh",
            args: ["auth", "get-token", "--session=ada"],
            interactiveMode: "Never",
          },
        },
      }],
    }),
  );
  const programs = `${world.sandbox.folder}/bin`;
  await Deno.mkdir(programs);
  await Deno.writeTextFile(
    `${programs}/kubectl`,
    `#!/bin/sh\necho '{"clientVersion":{"gitVersion":"v1.36.0"}}'\n`,
    { mode: 0o755 },
  );
  const found = await findings(world, "--offline", { env: { KUBERC: kuberc, PATH: programs } });
  const [policy, ...others] = of(found, "kubectl.kuberc");
  assert.deepEqual(others, []);
  assert.equal(policy?.found, "kubectl does not run /bin/sh");
  assert.equal(policy?.line, null);
});

Deno.test("doctor tells of a lock that a killed kubectl left, and of hostile names without their controls", async () => {
  await using world = await openSignedIn();
  const { caPem } = await makeCertificates(new Date());
  await Deno.writeTextFile(
    world.kubeconfig,
    JSON.stringify({
      "current-context": "a\u001b[2Jb; rm -rf /",
      clusters: [{
        name: "c",
        cluster: { server: "https://127.0.0.1:1", "certificate-authority-data": btoa(caPem) },
      }],
      users: [{
        name: "u\u202e",
        user: { exec: { command: "/gone\u001b", args: ["auth", "get-token", "--session=\u001b[31m"] } },
      }],
      contexts: [{ name: "x'\n$(touch /tmp/x)", context: { cluster: "c", user: "u\u202e" } }],
    }),
  );
  await Deno.writeTextFile(`${world.kubeconfig}.lock`, "");
  const hourAgo = new Date(Date.now() - 3600_000);
  await Deno.utime(`${world.kubeconfig}.lock`, hourAgo, hourAgo);
  const found = await findings(world, "--offline");
  assert.match(of(found, "kubeconfig.lock")[0]?.found ?? "", /^its lock is 60 min old$/);
  const { stdout } = await world.run("doctor --offline -v");
  assert.doesNotMatch(stdout + JSON.stringify(found), /[\u0000-\u0009\u000b-\u001f\u202e]/);
  for (const { line } of found) {
    assert.ok(line === null || !line.includes("$(touch") || /'[^']*\$\(touch/.test(line));
  }
});
