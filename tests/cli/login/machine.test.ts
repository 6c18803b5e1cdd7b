/** Proves what a machine's login keeps, refuses and says: key files, personal access tokens, the CI system's own token. */

import assert from "node:assert/strict";
import { githubVariables } from "../../cloud/variables.ts";
import { printedError } from "../../expect-error.ts";
import type { Options } from "../run-line.ts";
import { keyFile, openWorld, type World } from "../world.ts";

/** The flags that name a world's cloud to a machine. */
const at = ({ cloud }: World) =>
  `--hostname ${cloud.authHost} --api-hostname ${cloud.apiHost} --certificate-authority ${cloud.caFile} --keyring file`;

const sessions = async ({ sandbox }: World) => (await sandbox.store.list()).sessions;

/** A failed run: its exit code and words; nothing was stored. */
async function refused(world: World, words: string, options: Options = {}) {
  const before = (await sessions(world)).length;
  const { code, stdout, stderr } = await world.run(words, options);
  assert.notEqual(code, 0, words);
  assert.equal(stdout, "");
  assert.equal((await sessions(world)).length, before, "nothing is stored");
  return { code, stderr };
}

/** Every text in the session folder. */
async function stored({ sandbox }: World): Promise<string> {
  let all = "";
  for await (const { name, isFile } of Deno.readDir(sandbox.store.folders.sessions)) {
    if (isFile) all += await Deno.readTextFile(`${sandbox.store.folders.sessions}/${name}`);
  }
  return all;
}

const claims = async (world: World, options: Options = {}) =>
  JSON.parse(await world.ok("auth get-token --claims", options)).claims;

// ---- service accounts ----

Deno.test("a service account signs in with nobody asked, and its key file is not needed again", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  const { client_email: email, client_id: id } = JSON.parse(await Deno.readTextFile(path));
  const { code, stdout, stderr } = await world.run(`login ${at(world)} --credentials ${path}`, { keys: [] });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `Signed in as ${email} at ${world.cloud.apiHost}.\n`);
  assert.match(stderr, new RegExp(`${path} can be deleted now`));
  assert.match(
    stderr,
    /Next: datumctl auth update-kubeconfig --project PROJECT_ID\n.*datumctl projects list\n$/,
  );
  assert.doesNotMatch(stderr, /https:/, "no address to open");
  await Deno.remove(path);
  const [session] = await sessions(world);
  assert.deepEqual([String(session?.kind), session?.user, session?.name], [
    "service-account",
    { subject: id, email },
    `${email}@${world.cloud.apiHost}`,
  ]);
  assert.doesNotMatch(await stored(world), /PRIVATE KEY/);
  world.cloud.resetCounts();
  assert.equal((await claims(world)).sub, id);
  assert.equal(world.cloud.counts().total, 0, "the token that proved the key is the first to be used");
  assert.equal((await claims(world, { env: {} })).sub, id);
  await world.ok("auth get-token --force-refresh");
  assert.deepEqual([world.cloud.counts()["token:jwt-bearer"], world.cloud.counts().total], [1, 1]);
  assert.match(
    await world.ok("organizations list -o name"),
    /acme\ninitech/,
    "several organizations are in sight",
  );
});

Deno.test("a service account's own parameters are sealed with its key, and sent with each request", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  const flags = "--token-param tenant=a --resource https://api.example.com/";
  await world.ok(`login ${at(world)} --credentials ${path} ${flags}`);
  const [session] = await sessions(world);
  assert.ok(session !== undefined);
  const { credentials } = await world.sandbox.store.open(session, { timeout: 5_000 });
  const { tokenSource } = credentials;
  assert.ok(tokenSource?.kind === "service-account");
  assert.deepEqual([tokenSource.tokenParams, tokenSource.resources], [{ tenant: "a" }, [
    "https://api.example.com/",
  ]]);
  await world.ok("auth get-token --force-refresh");
});

Deno.test("a service account that sees several organizations is not asked which", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  const { code, stderr } = await world.run(`login ${at(world)} --credentials ${path}`, { keys: [] });
  assert.equal(code, 0, stderr);
  assert.equal(await world.ok("organizations list -o name"), "acme\ninitech\n");
  for (const organization of ["acme", "initech"]) {
    const env = { DATUM_ORGANIZATION: organization };
    assert.match(await world.ok("auth whoami", { env }), /deployer-\d+@acme/);
    await world.ok(`auth update-kubeconfig --organization ${organization}`);
  }
  assert.match(await world.ok("auth get-token"), /^ey/);
});

Deno.test("a key that comes by a pipe or a folder's name is USAGE that names standard input", async () => {
  await using world = await openWorld();
  const pipe = `${world.sandbox.folder}/pipe`;
  assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
  for (const path of [pipe, world.sandbox.folder]) {
    const { code, stderr } = await refused(world, `login ${at(world)} --credentials ${path}`);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--credentials: \S+ is too large or not a plain file\.\n.*: --credentials -/);
    const given = await refused(world, "auth get-token", { env: { DATUMCTL_CREDENTIALS_FILE: path } });
    assert.equal(given.code, 2, given.stderr);
    assert.match(given.stderr, /DATUMCTL_CREDENTIALS_FILE: .*\n.*login --credentials -/);
    const job = await refused(world, `login ${at(world)} --workload file:${path} --audience a`);
    assert.equal(job.code, 2, job.stderr);
  }
});

Deno.test("a machine's issuer that does not answer in time is NETWORK, and no session is promised", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  await world.cloud.setFaults({ issuer: { slow: 5_000 } });
  const words = `login ${at(world)} --timeout 1s --credentials ${path}`;
  const late = await refused(world, words, { env: { DATUMCTL_ERROR_FORMAT: "json" } });
  printedError(late, { code: "NETWORK", retryable: true, message: /not answered within 1 s/ });
  assert.doesNotMatch(late.stderr, /Nobody|session is kept/);
  await world.cloud.setFaults({ down: ["issuer"] });
  assert.doesNotMatch((await refused(world, words)).stderr, /session is kept/);
});

// ---- a lost key ----

Deno.test("for a machine whose key is lost the full line is named, and works", async () => {
  await using world = await openWorld();
  const { cloud, sandbox } = world;
  const pat = cloud.addPersonalAccessToken();
  const path = await keyFile(world);
  const rows = [
    ["pat", "--with-token", { stdin: pat }],
    ["account", `--credentials ${path}`, {}],
    ["job", "--workload github --audience ci", { env: githubVariables(world.cloud) }],
  ] as const;
  for (const [name, way, options] of rows) {
    const first = await world.run(`login ${at(world)} --profile ${name} ${way}`, options);
    assert.equal(first.code, 0, first.stderr);
    await Deno.remove((await sandbox.paths(name)).key);
    cloud.resetCounts();
    const told = await refused(world, `auth get-token --profile ${name}`, options);
    const line =
      `datumctl login --profile ${name} ${way.replace(path, "FILE")} --hostname ${cloud.authHost} ` +
      `--api-hostname ${cloud.apiHost}`;
    assert.ok(told.stderr.includes(line), told.stderr);
    for (const named of ["", ` --api-hostname ${cloud.apiHost}`]) {
      const unnamed = await refused(world, `login --profile ${name} ${way}${named}`, options);
      assert.equal(unnamed.code, 2, unnamed.stderr);
      assert.ok(unnamed.stderr.includes(`${line} --certificate-authority FILE\n`), unnamed.stderr);
    }
    assert.equal(cloud.counts().total, 0);
    const again = await world.run(`login --profile ${name} ${way} ${at(world)}`, options);
    assert.equal(again.code, 0, again.stderr);
  }
});

Deno.test("a key file comes by standard input too, and a later one takes its session's place", async () => {
  await using world = await openWorld();
  const key = await world.cloud.addServiceAccount({ email: null });
  const words = `login ${at(world)} --credentials - --profile ci`;
  const first = await world.run(words, { stdin: JSON.stringify(key) });
  assert.equal(first.stdout, `Signed in as ci at ${world.cloud.apiHost}.\n`, first.stderr);
  // The hosts are known by now.
  const again = await world.run("login --credentials - --profile ci", { stdin: JSON.stringify(key) });
  assert.equal(again.code, 0, again.stderr);
  const other = JSON.stringify(await world.cloud.addServiceAccount());
  const { code, stderr } = await refused(world, "login --credentials - --profile ci", { stdin: other });
  assert.equal(code, 1);
  assert.match(stderr, /session named "ci" already belongs to someone else/);
});

Deno.test("each fault of a key file has its own sentence, and none of the key is in it", async () => {
  await using world = await openWorld();
  const rows: [(key: Record<string, unknown>) => unknown, RegExp][] = [
    [() => "{", /is not JSON/],
    [
      (key) => ({ ...key, type: "service_account" }),
      /is of type "service_account", not "datum_service_account"/,
    ],
    [({ client_id: _, ...key }) => key, /has no "client_id"/],
    [
      (key) => ({ ...key, private_key: String(key.private_key).replaceAll("PRIVATE KEY", "EC PRIVATE KEY") }),
      /is an EC key, not an RSA one/,
    ],
    [
      (key) => ({ ...key, private_key: String(key.private_key).replaceAll("PRIVATE", "ENCRYPTED PRIVATE") }),
      /is encrypted with a passphrase/,
    ],
  ];
  for (const [change, sentence] of rows) {
    const path = await keyFile(world, change);
    const { code, stderr } = await refused(world, `login ${at(world)} --credentials ${path}`);
    assert.equal(code, 2, stderr);
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /MII|BEGIN/);
  }
  const { stderr } = await refused(world, `login ${at(world)} --credentials ${world.sandbox.folder}/none`);
  assert.match(stderr, /key file .*\/none does not exist/);
  const path = await keyFile(world, undefined, 0o644);
  await Deno.chmod(path, 0o644);
  const open = await world.run(`login ${at(world)} --credentials ${path}`);
  assert.equal(open.code, 0, open.stderr);
  assert.match(open.stderr, /^warning: Other users of this machine can read .*: chmod 600 it/m);
});

Deno.test("a key that was taken back is refused with exit 4; at an unreachable issuer it is NETWORK", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  await world.cloud.setFaults({ down: ["issuer"] });
  assert.equal((await refused(world, `login ${at(world)} --credentials ${path}`)).code, 6);
  await world.cloud.setFaults({});
  world.cloud.revokeServiceAccount(JSON.parse(await Deno.readTextFile(path)).client_id);
  const { code, stderr } = await refused(world, `login ${at(world)} --credentials ${path}`);
  assert.equal(code, 4, stderr);
  assert.match(stderr, /does not accept the key \S+, which may have been removed, have expired or belong to/);
});

Deno.test("a key file without a scope signs in, for a scope is asked for all the same", async () => {
  await using world = await openWorld();
  const key = JSON.stringify(await world.cloud.addServiceAccount({ scope: null }));
  const { code, stderr } = await world.run(`login ${at(world)} --credentials - --profile ci`, { stdin: key });
  assert.equal(code, 0, stderr);
});

Deno.test("an API host that cannot be told is asked for in words", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  const { code, stderr } = await refused(world, `login --hostname login.example.com --credentials ${path}`);
  assert.equal(code, 2);
  assert.match(stderr, /API host for login\.example\.com .*\n.*--api-hostname/);
});

// ---- personal access tokens ----

Deno.test("a personal access token comes by standard input, or is typed unseen", async () => {
  await using world = await openWorld();
  const pat = world.cloud.addPersonalAccessToken();
  const piped = await world.run(`login ${at(world)} --with-token`, { stdin: `${pat}\n` });
  assert.equal(piped.code, 0, piped.stderr);
  const [session] = await sessions(world);
  const ada = world.cloud.users.find(({ email }) => email === "ada@example.com")?.sub;
  assert.deepEqual([String(session?.kind), session?.user.subject], ["pat", ada], "the token's own word");
  const typed = await world.run(`login ${at(world)} --with-token`, { keys: [...pat, "\r"] });
  assert.equal(typed.code, 0, typed.stderr);
  assert.match(typed.stderr, /Type or paste the personal access token and press Enter \(it is not shown\)/);
  assert.ok(!`${piped.stderr}${typed.stderr}${await stored(world)}`.includes(pat));
  assert.equal((await sessions(world)).length, 1, "the same identity stays one session");
  world.cloud.resetCounts();
  await world.ok("auth get-token --force-refresh");
  assert.equal(world.cloud.counts().pat_exchange, 1);
});

Deno.test("what is no personal access token is refused unrepeated, and one that was taken back with exit 4", async () => {
  await using world = await openWorld();
  const words = `login ${at(world)} --with-token`;
  const none = await refused(world, words, { stdin: "eyJhbGciOiJIUzI1NiJ9.SECRET" });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /begin with dtmp_ or dtma_/);
  assert.doesNotMatch(none.stderr, /SECRET|eyJ/);
  assert.match((await refused(world, words)).stderr, /Standard input holds no personal access token/);
  const pat = world.cloud.addPersonalAccessToken({ kind: "organization" });
  world.cloud.revokePersonalAccessToken(pat);
  const gone = await refused(world, words, { stdin: pat });
  assert.equal(gone.code, 4, gone.stderr);
  assert.ok(!gone.stderr.includes(pat));
});

Deno.test("where tokens say nothing, a personal access token's session is told by its fingerprint", async () => {
  await using world = await openWorld();
  world.cloud.setMachines({ accessTokens: "opaque" });
  const words = `login ${at(world)} --with-token --profile bot`;
  assert.equal((await world.run(words, { stdin: world.cloud.addPersonalAccessToken() })).code, 0);
  const first = await world.sandbox.store.read("bot");
  assert.match(first?.user.subject ?? "", /^pat-[a-z2-7]{16}$/);
  const next = await world.run("login --with-token --profile bot", {
    stdin: world.cloud.addPersonalAccessToken(),
  });
  assert.equal(next.code, 0, next.stderr);
  assert.equal((await world.sandbox.store.read("bot"))?.user.subject, first?.user.subject);
  world.cloud.setMachines({ accessTokens: "jwt" });
  const other = world.cloud.addPersonalAccessToken({ email: "grace@example.com" });
  const { code, stderr } = await refused(world, "login --with-token --profile bot", { stdin: other });
  assert.equal(code, 1, stderr);
});

// ---- workloads ----

const AUDIENCE = "https://clusters.example.com";

Deno.test("a GitHub job's token is handed to the API server as it is, asked for each time", async () => {
  await using world = await openWorld();
  const env = githubVariables(world.cloud);
  const words = `login ${at(world)} --workload github --audience ${AUDIENCE}`;
  const { code, stdout, stderr } = await world.run(words, { env });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `Signed in as github@${world.cloud.apiHost} at ${world.cloud.apiHost}.\n`);
  assert.match(
    stderr,
    /Only the recipe is stored now; a token that a job gets is kept sealed until it expires, for that job only/,
  );
  assert.match(stderr, /their key in .*\nWhoever can read your files can use this session/);
  const [session] = await sessions(world);
  assert.deepEqual([String(session?.kind), session?.user.subject, session?.tokenExpires], [
    "workload",
    `github:${AUDIENCE}`,
    undefined,
  ]);
  assert.equal((await claims(world, { env })).aud, AUDIENCE);
  const another = { ...env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "another-job" };
  for (
    const [env, sentence] of [[{}, /permission id-token: write/], [
      another,
      /refused the credential/,
    ]] as const
  ) {
    const { code, stderr } = await refused(world, "auth get-token", { env });
    assert.equal(code, 4);
    assert.match(stderr, sentence);
  }
});

Deno.test("a token source is kept outside its job too, and says that it was not tried", async () => {
  await using world = await openWorld();
  const { code, stdout, stderr } = await world.run(
    `login ${at(world)} --workload gitlab --audience ${AUDIENCE}`,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Set up gitlab@/);
  assert.match(stderr, /Not tested yet: The variable DATUMCTL_ID_TOKEN is not set\./);
  const token = await world.cloud.ciIssuers.gitlab.idToken(AUDIENCE);
  assert.equal(await world.ok("auth get-token", { env: { DATUMCTL_ID_TOKEN: token } }), `${token}\n`);
  for (const variable of ["GITHUB_ACTIONS", "GITLAB_CI"]) {
    const words = `login ${at(world)} --workload gitlab --audience ${AUDIENCE} --profile other`;
    const job = await refused(world, words, { env: { [variable]: "true" } });
    assert.equal(job.code, 4, "in a job it would only fail later");
  }
  const wrong = await world.cloud.ciIssuers.gitlab.idToken("another");
  const refusal = await refused(world, "auth get-token", { env: { DATUMCTL_ID_TOKEN: wrong } });
  assert.match(refusal.stderr, /names the audience "another", not/);
});

Deno.test("a variable of one's own, and a file that is read again when it was replaced", async () => {
  await using world = await openWorld();
  const { gitlab } = world.cloud.ciIssuers;
  const env = { KUBE_TOKEN: await gitlab.idToken(AUDIENCE) };
  const named = await world.run(`login ${at(world)} --workload gitlab:KUBE_TOKEN --audience ${AUDIENCE}`, {
    env,
  });
  assert.equal(named.code, 0, named.stderr);
  assert.equal(await world.ok("auth get-token", { env }), `${env.KUBE_TOKEN}\n`);
  const path = `${world.sandbox.folder}/token`;
  await Deno.writeTextFile(path, `${await gitlab.idToken(AUDIENCE)}\n`);
  const file = await world.run(`login ${at(world)} --workload file:${path} --audience ${AUDIENCE}`);
  assert.equal(file.code, 0, file.stderr);
  const next = await gitlab.idToken(AUDIENCE);
  await Deno.writeTextFile(path, `${next}\n`);
  assert.equal(await world.ok("auth get-token"), `${next}\n`);
  assert.equal((await sessions(world)).length, 2, "two token sources are two sessions");
  for (const { stderr } of [named, file]) {
    assert.match(stderr, /Nothing of this job is stored/);
    assert.doesNotMatch(stderr, /their key in/, "a token source alone opens nothing");
  }
  assert.doesNotMatch(await stored(world), /accessToken/);
});

Deno.test("a job's token that is not good by a wrong clock alone is CLOCK_SKEW, at its login and after", async () => {
  await using world = await openWorld();
  const { cloud, sandbox } = world;
  const path = `${sandbox.folder}/token`;
  const token = await cloud.ciIssuers.gitlab.idToken(AUDIENCE, { life: 300 });
  await Deno.writeTextFile(path, `${token}\n`);
  const words = `login ${at(world)} --workload file:${path} --audience ${AUDIENCE}`;
  for (const off of [600_000, -600_000]) {
    sandbox.time += off;
    const { code, stderr } = await refused(world, words);
    assert.equal(code, 1, stderr);
    const both = new RegExp(
      `^error: The clocks disagree: it is \\S+Z on this machine and \\S+Z at ${cloud.apiHost}, `,
    );
    assert.match(stderr, both);
    assert.match(
      stderr,
      /\nSet this machine's clock and run the command again\. See what mends it: datumctl doctor\n$/,
    );
    assert.ok(!stderr.includes(token));
    sandbox.time -= off;
  }
  assert.equal((await world.run(words)).code, 0);
  sandbox.time += 600_000;
  const { code, stderr } = await refused(world, "auth get-token");
  assert.equal(code, 1);
  assert.match(stderr, /The clocks disagree/);
  await Deno.writeTextFile(path, await cloud.ciIssuers.gitlab.idToken(AUDIENCE, { life: 900 }));
  await world.ok("auth get-token");
});

Deno.test("with --exchange the issuer's own token comes, by whichever grant it offers", async () => {
  await using world = await openWorld();
  const { cloud } = world;
  const env = githubVariables(world.cloud);
  const words = `login ${
    at(world)
  } --workload github --audience ${cloud.issuer} --exchange --client-id ${cloud.clientId}`;
  for (
    const [grants, asked] of [
      [["token-exchange", "jwt-bearer"], "token-exchange"],
      [["jwt-bearer"], "jwt-bearer"],
    ] as const
  ) {
    cloud.setMachines({ workloadGrants: grants });
    const { code, stderr } = await world.run(words, { env });
    assert.equal(code, 0, stderr);
    cloud.resetCounts();
    assert.equal((await claims(world, { env })).iss, cloud.issuer);
    assert.equal(cloud.counts()[`token:${asked}`], 1);
    await world.ok("auth get-token", { env });
    assert.equal(cloud.counts().total, 1, "and it is kept while it lasts");
    assert.equal((await refused(world, "auth get-token")).code, 4, "but for no other job");
  }
  cloud.setMachines({ workloadGrants: [] });
  const { code, stderr } = await refused(world, words, { env });
  assert.equal(code, 1);
  assert.match(stderr, /does not exchange tokens of other issuers\.\n.*--exchange/);
});

Deno.test("a client with a secret exchanges, at an issuer of one's own", async () => {
  await using world = await openWorld();
  const { cloud, sandbox } = world;
  const secret = `${sandbox.folder}/secret`;
  await Deno.writeTextFile(secret, `${cloud.workloadClient.clientSecret}\n`, { mode: 0o600 });
  const words = `login --issuer ${cloud.issuer} --certificate-authority ${cloud.caFile} --keyring file ` +
    `--workload github --audience ${cloud.issuer} --exchange --client-id ${cloud.workloadClient.clientId}`;
  const env = githubVariables(world.cloud);
  assert.equal((await refused(world, words, { env })).code, 4, "not without its secret");
  const { code, stderr } = await world.run(`${words} --client-secret-file ${secret}`, { env });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Next: datumctl auth update-kubeconfig --server/);
  const [session] = await sessions(world);
  assert.deepEqual([String(session?.provider), session?.apiHost], ["oidc", cloud.authHost]);
  assert.ok(!(await stored(world)).includes(cloud.workloadClient.clientSecret));
  assert.equal((await claims(world, { env })).iss, cloud.issuer);
});

// ---- flags ----

Deno.test("a flag that the way does not know is USAGE and named", async () => {
  await using world = await openWorld();
  const rows = [
    ["--credentials k --no-browser", "--no-browser is not for --credentials"],
    ["--credentials k --client-id 1", "--client-id is not for --credentials"],
    ["--credentials k --audience a", "--audience is not for --credentials"],
    ["--credentials k --auth-param a=b", "--auth-param is not for --credentials"],
    ["--with-token --token-param a=b", "--token-param is not for --with-token"],
    ["--with-token --exchange", "--exchange is not for --with-token"],
    ["--with-token --prompt login", "--prompt is not for --with-token"],
    ["--with-token --credentials k", "--credentials and --with-token cannot be combined"],
    ["--workload github --audience a --scopes b", "--scopes is not for --workload without --exchange"],
    ["--workload github --audience a --listen-port 1", "--listen-port is not for --workload"],
    ["--workload github", "--workload needs --audience"],
    ["--workload jenkins --audience a", '--workload does not know "jenkins"'],
    ["--workload github:x --audience a", '--workload does not know "github:x"'],
    ["--workload file: --audience a", '--workload does not know "file:"'],
    ["--workload gitlab:A-B --audience a", '--workload does not know "gitlab:A-B"'],
    ["--workload github --audience a --exchange --hostname auth.example.com", "needs --client-id"],
    [
      "--workload github --audience a --issuer https://x --hostname y",
      "--issuer and --hostname cannot be combined",
    ],
    [
      "--workload github --audience a --issuer https://x --provider datum",
      "--issuer and --provider datum cannot",
    ],
    ["--workload github --audience a --issuer x", "The issuer x"],
    ["--workload github --audience a --provider oidc", "needs --issuer"],
    ["--with-token --provider oidc", "--provider oidc is not for --with-token"],
    ["--audience a", "--audience can only be used with --workload"],
    ["--exchange", "--exchange can only be used with --workload"],
  ];
  for (const [flags = "", sentence = ""] of rows) {
    const { code, stderr } = await refused(world, `login ${flags}`);
    assert.equal(code, 2, `${flags}: ${stderr}`);
    assert.ok(stderr.includes(sentence), `${flags}: ${stderr}`);
    assert.doesNotMatch(
      stderr,
      /(?:credentials|with-token) without --exchange/,
      "which would be refused too",
    );
  }
});

Deno.test("the name of another kind of session is not taken, and a machine's session says how it is renewed", async () => {
  await using world = await openWorld();
  await world.login("ada@example.com", "--profile work");
  const path = await keyFile(world);
  const taken = await refused(world, `login ${at(world)} --credentials ${path} --profile work`);
  assert.equal(taken.code, 2);
  assert.match(taken.stderr, /"work" is of kind user/);
  assert.equal((await world.run(`login ${at(world)} --credentials ${path} --profile ci`)).code, 0);
  const asked = await refused(world, "login --profile ci");
  assert.equal(asked.code, 2, asked.stderr);
  assert.match(asked.stderr, /datumctl login --profile ci --credentials FILE/);
});

Deno.test("auth list and whoami tell of each kind what it is and how its token goes on", async () => {
  await using world = await openWorld();
  const path = await keyFile(world);
  const { client_email: email } = JSON.parse(await Deno.readTextFile(path));
  await world.run(`login ${at(world)} --credentials ${path} --profile key`);
  await world.run(`login ${at(world)} --with-token --profile token`, {
    stdin: world.cloud.addPersonalAccessToken(),
  });
  await world.run(`login ${at(world)} --workload github --audience a --profile job`);
  const wide = await world.ok("auth list -o wide");
  for (
    const row of [
      new RegExp(`${email} +${email} +key +service-account +\\S+ +key file +renews itself`),
      /token +token +pat +\S+ +key file +renews itself/,
      /job +Active +job +workload +\S+ +key file +when its CI job ends/,
    ]
  ) assert.match(wide, row);
  const whoami = async (name: string) => await world.ok(`whoami --profile ${name}`);
  assert.match(await whoami("key"), new RegExp(`User: +${email}\\n[^]*Kind: +service-account\\n`));
  assert.match(await whoami("key"), /Token expires: +\S+Z \(valid, renews itself\)\n/);
  assert.match(await whoami("token"), /Token expires: +\S+Z \(valid, renews itself\)\n/);
  assert.match(await whoami("job"), /User: +github:a\n[^]*Token expires: +when the CI job's token expires\n/);
});

Deno.test("a variable that comes before the new session is pointed out", async () => {
  await using world = await openWorld();
  const stdin = world.cloud.addPersonalAccessToken();
  const { stderr } = await world.run(`login ${at(world)} --with-token`, {
    stdin,
    env: { DATUMCTL_TOKEN: "x" },
  });
  assert.match(stderr, /warning: DATUMCTL_TOKEN is set and takes precedence over the active session\./);
});

// ---- the end ----

Deno.test("a machine's logout forgets it here and says what stays valid, and where that is ended", async () => {
  await using world = await openWorld();
  const { cloud } = world;
  await world.ok(`login ${at(world)} --credentials ${await keyFile(world)}`);
  await world.ok(`login ${at(world)} --with-token`, { stdin: cloud.addPersonalAccessToken() });
  await world.ok(`login ${at(world)} --workload github --audience ci-exchange`, {
    env: githubVariables(world.cloud),
  });
  const { code, stdout, stderr } = await world.run("logout --all");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^(?:Removed here: .+\n){3}$/);
  assert.match(
    stderr,
    new RegExp(`The key of \\S+ itself stays valid at ${cloud.authHost} until it is removed there\\.`),
  );
  assert.match(
    stderr,
    new RegExp(`personal access token itself stays valid at ${cloud.apiHost} until it is revoked`),
  );
  assert.equal(stderr.split("stays valid").length, 3, "the CI system's token ends by itself");
  assert.deepEqual(await sessions(world), []);
});
