/** Proves that API tokens are made, rotated and deleted without a secret being shown twice, lost silently or leaked. */

import assert from "node:assert/strict";
import { AppError } from "../../../src/errors.ts";
import { onlyPrintedError } from "../../expect-error.ts";
import { assertMissing, modeOf } from "../../scratch.ts";
import { type CloudfleetWorld, testWithCloudfleet } from "../cloudfleet-world.ts";

/** A world whose `default` is the administrator and whose `ci` is a token of the role User. */
async function withCi(world: CloudfleetWorld): Promise<{ readonly id: string; readonly secret: string }> {
  await world.addAdministrator();
  const ci = world.cloudfleet.addToken({ name: "ci", role: "User" });
  const { organizationId } = world.cloudfleet;
  await world.ok(`auth add-profile token ci ${organizationId} ${ci.id}`, { stdin: ci.secret });
  return ci;
}

const tokens = async (world: CloudfleetWorld): Promise<{ id: string; name: string; role: string }[]> =>
  JSON.parse(await world.ok("tokens list -o json"));

// ---- which profile acts ----

testWithCloudfleet("without any profile the way to one is named", async (world) => {
  await world.sandbox.add({ name: "ada" });
  for (
    const [words, message] of [
      ["tokens list", /No Cloudfleet profile is chosen.*\n.*auth add-profile token default/],
      ["tokens list --profile nobody", /no session nobody here.*\n.*auth add-profile token NAME/],
      ["clusters list --profile nobody", /auth add-profile/],
    ] as const
  ) {
    const { code, stderr } = await world.run(words);
    assert.equal(code, 4, stderr);
    assert.match(stderr, message);
  }
  const datum = await world.run("tokens list --profile ada");
  assert.equal(datum.code, 2);
  assert.match(datum.stderr, /"ada" belongs to the provider datum; it is not a Cloudfleet profile/);
});

testWithCloudfleet(
  "the flag, DATUMCTL_PROFILE, the variables, the active session, default: in that order",
  async (world) => {
    const { organizationId, addToken } = world.cloudfleet;
    const add = async (name: string) => {
      const { id, secret } = addToken({ name, role: "User" });
      await world.ok(`auth add-profile token ${name} ${organizationId} ${id}`, { stdin: secret });
      return id;
    };
    const [active, byDefault, variable, flag] = [
      await add("active"),
      await add("default"),
      await add("variable"),
      await add("flag"),
    ];
    const ambient = addToken({ name: "ambient", role: "User" });
    // The answer names who asked: a User may create nothing.
    const acting = async (words = "", env: Record<string, string> = {}) =>
      /the profile "([^"]+)" may not/.exec(
        (await world.run(`tokens ${words} create --name x --role User`, { env })).stderr,
      )
        ?.[1];
    const variables = {
      CLOUDFLEET_ORGANIZATION_ID: organizationId,
      CLOUDFLEET_ACCESS_TOKEN_ID: ambient.id,
      CLOUDFLEET_ACCESS_TOKEN_SECRET: ambient.secret,
    };
    const all = { ...variables, DATUMCTL_PROFILE: "variable" };
    assert.equal(await acting("--profile flag", all), "flag");
    assert.equal(await acting("", all), "variable");
    assert.equal(await acting("", variables), "env:CLOUDFLEET_ACCESS_TOKEN_ID");
    assert.equal(await acting(), "active");
    await world.sandbox.add({ name: "ada" });
    await world.ok("auth switch ada");
    assert.equal(await acting(), "default");
    assert.equal(new Set([active, byDefault, variable, flag]).size, 4);
  },
);

// ---- create ----

testWithCloudfleet("what a token cannot be made of is wrong usage, and none is made", async (world) => {
  await world.addAdministrator();
  const rows: [string, RegExp, string?][] = [
    ["", /needs a name/],
    ["--name x", /needs a role/],
    ["--name x --role ROLE", /"ROLE" is not a token role/],
    [".name: 7, .role: User", /a name that is not a text.*\n.*\.name:~ 1/],
    [".name: x, .role: User, .color: red", /no field "color"/],
    [".name x", /a key without a colon/],
    ["-f /nowhere", /-f: \/nowhere does not exist/],
    ["-f -", /not hold a JSON or YAML object/, "[1, 2]"],
    ["-f -", /not hold a JSON or YAML object/, "{name: ["],
    ["-f -", /no field "nmae"/, "nmae: x"],
    ["--name x --role User -o name", /-o takes table, json or yaml\./],
    ["--name x --role User --secret-file -", /--secret-file takes the path of a file/],
  ];
  for (const [words, message, stdin = ""] of rows) {
    const { code, stderr } = await world.run(`tokens create ${words}`, { stdin });
    assert.equal(code, 2, `${words}: ${stderr}`);
    assert.match(stderr, message);
  }
  const typed = await world.run("tokens create -f -", { keys: [] });
  assert.match(typed.stderr, /reads standard input, which is a terminal/);
  assert.equal((await tokens(world)).length, 1);
});

testWithCloudfleet("flags win over shorthand, shorthand over a file", async (world) => {
  await world.addAdministrator();
  const json = '{"name": "from-file", "role": "Administrator"}';
  await world.ok("tokens create -f - .name: from-shorthand", { stdin: json });
  await world.ok("tokens create -f - .name: from-shorthand --name from-flag --role user", { stdin: json });
  await world.ok("tokens create -f -", { stdin: "name: from-yaml\nrole: USER # lower or upper\n" });
  assert.deepEqual((await tokens(world)).slice(1).map(({ name, role }) => `${name} ${role}`), [
    "from-shorthand Administrator",
    "from-flag User",
    "from-yaml User",
  ]);
});

testWithCloudfleet("the secret of a new token is told once, in every form, and works", async (world) => {
  await world.addAdministrator();
  const { organizationId } = world.cloudfleet;
  const table = await world.run("tokens create .name: ci, .role: User");
  assert.equal(table.code, 0, table.stderr);
  const [, id = "", secret = ""] = /^Token ID: +(\S+)\n[^]*Secret: +(\S+)\n$/.exec(table.stdout) ?? [];
  assert.ok(!table.stderr.includes(secret));
  await world.ok(`auth add-profile token ci ${organizationId} ${id}`, { stdin: secret });
  const json = JSON.parse(await world.ok("tokens create --name x --role User -o json"));
  assert.deepEqual(Object.keys(json).sort(), ["id", "name", "role", "secret"]);
  assert.match(await world.ok("tokens create --name x --role User -o yaml"), /^secret: \S{32}$/m);
  const listed = await world.ok("tokens list -o json") + await world.ok(`tokens describe ${id} -o yaml`);
  assert.ok(!listed.includes(secret) && !listed.includes(json.secret));
});

testWithCloudfleet(
  "--secret-file takes the secret alone, for its owner alone, and nothing that is there",
  async (world) => {
    await world.addAdministrator();
    const path = `${world.sandbox.folder}/ci.secret`;
    const { stdout, stderr } = await world.run(
      `tokens create --name ci --role User --secret-file ${path} -o json`,
    );
    const secret = await Deno.readTextFile(path);
    assert.match(secret, /^\S{32}\n$/);
    assert.equal(await modeOf(path), 0o600);
    assert.ok(!`${stdout}${stderr}`.includes(secret.trim()));
    assert.deepEqual(JSON.parse(stdout).secretIn, [path]);
    const before = (await tokens(world)).length;
    const taken = await world.run(`tokens create --name ci --role User --secret-file ${path}`);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /already exists.*\n.*--force/);
    const nowhere = await world.run(`tokens create --name ci --role User --secret-file ${path}/x/y`);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /Cannot write/);
    assert.equal((await tokens(world)).length, before, "no token was made for a file that cannot be");
    assert.equal(await Deno.readTextFile(path), secret);
    await world.ok(`tokens create --name ci --role User --secret-file ${path} --force`);
    assert.notEqual(await Deno.readTextFile(path), secret);
    assert.deepEqual(
      [...Deno.readDirSync(world.sandbox.folder)].map(({ name }) => name).filter((name) =>
        name.startsWith("ci.")
      ),
      ["ci.secret"],
    );
  },
);

testWithCloudfleet(
  "--secret-file is no folder, link or device, with --force neither: refused before a token is made",
  async (world) => {
    await world.addAdministrator();
    const { folder } = world.sandbox;
    await Deno.mkdir(`${folder}/here`);
    await Deno.writeTextFile(`${folder}/theirs`, "theirs");
    await Deno.symlink(`${folder}/theirs`, `${folder}/link`);
    world.cloudfleet.resetCounts();
    for (const path of [`${folder}/here`, `${folder}/link`, "/dev/null"]) {
      for (const force of ["", " --force"]) {
        for (const words of ["create --name ci --role User", "regenerate T1 --yes"]) {
          const { code, stderr } = await world.run(`tokens ${words} --secret-file ${path}${force}`);
          assert.equal(code, 2, stderr);
          assert.match(stderr, /is not a plain file.*\n.*does not exist yet/);
        }
      }
    }
    assert.equal(world.cloudfleet.counts()["api"] ?? 0, 0);
    assert.equal(await Deno.readTextFile(`${folder}/theirs`), "theirs");
  },
);

testWithCloudfleet(
  "--save-profile keeps the token as a profile that works, and touches no other session",
  async (world) => {
    await world.addAdministrator();
    const { stdout, stderr } = await world.run("tokens create --name ci --role User --save-profile ci");
    assert.match(stdout, /Secret in: +the profile "ci"\n$/);
    const secrets = world.cloudfleet.secrets().map(({ value }) => value);
    assert.ok(secrets.every((value) => !`${stdout}${stderr}`.includes(value)));
    await world.ok("tokens list --profile ci");
    const before = (await tokens(world)).length;
    for (
      const [name, code, message] of [
        ["default", 1, /a session named "default" already exists/],
        ["a/b", 2, /cannot be a profile's name/],
        ["env:x", 2, /cannot be a profile's name/],
      ] as const
    ) {
      const refused = await world.run(`tokens create --name x --role User --save-profile ${name}`);
      assert.equal(refused.code, code, refused.stderr);
      assert.match(refused.stderr, message);
    }
    assert.equal((await tokens(world)).length, before);
  },
);

testWithCloudfleet("a User may look and not create, regenerate or delete", async (world) => {
  const { id } = await withCi(world);
  await world.ok("tokens list --profile ci");
  for (const words of ["create --name x --role User", `regenerate ${id} --yes`, `delete ${id} --yes`]) {
    const { code, stderr } = await world.run(`tokens ${words} --profile ci`);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /the profile "ci" may not do this.*The role User may not.*\n.*Administrator/);
  }
  await world.ok("auth get-token --session ci --force-refresh");
});

testWithCloudfleet(
  "a create whose answer is lost is not sent again, and what is known is said",
  async (world) => {
    await world.addAdministrator();
    for (const fault of [{ lostAnswer: true }, { thenStatus: 502 }]) {
      const before = (await tokens(world)).length;
      await world.cloudfleet.setFaults({ api: fault });
      world.cloudfleet.resetCounts();
      const ran = await world.run("tokens create --name x --role User --error-format json");
      await world.cloudfleet.setFaults({});
      onlyPrintedError(ran, {
        exitCode: 6,
        message: /Whether the token was created is not known/,
        hint: /datumctl tokens list/,
        retryable: false,
      });
      assert.equal(world.cloudfleet.counts()["api"], 1);
      assert.equal((await tokens(world)).length, before + 1);
    }
  },
);

testWithCloudfleet("a create that never reached the API is an outage like any other", async (world) => {
  await world.addAdministrator();
  await world.cloudfleet.setFaults({ down: ["api"] });
  const ran = await world.run("tokens create --name x --role User --error-format json");
  onlyPrintedError(ran, { exitCode: 6, retryable: true });
  assert.doesNotMatch(ran.stderr, /not known/);
});

testWithCloudfleet("an answer without the secret says that a token was made", async (world) => {
  await world.addAdministrator();
  for (
    const json of [{ id: "T1", name: "x" }, { id: "../x", secret: "s" }, { id: "T1", secret: "a\nb" }, []]
  ) {
    await world.cloudfleet.setFaults({ api: { json } });
    const { code, stderr } = await world.run("tokens create --name x --role User");
    assert.equal(code, 6);
    assert.match(stderr, /A token was created, but its secret cannot be read/);
  }
});

testWithCloudfleet("lists that are none are refused, and safe requests are repeated", async (world) => {
  await world.addAdministrator();
  for (const fault of [{ json: { tokens: [] } }, { body: "html" }, { json: [{ id: "a/b" }] }] as const) {
    await world.cloudfleet.setFaults({ api: fault });
    const { code, stderr } = await world.run("tokens list");
    assert.equal(code, 6, stderr);
    assert.match(stderr, /something other than expected/);
  }
  await world.cloudfleet.setFaults({ api: { status: 503, times: 2 } });
  await world.ok("tokens list");
});

// ---- describe, delete ----

testWithCloudfleet(
  "a token is described with its user in Kubernetes; an unknown one is named",
  async (world) => {
    const { id } = await withCi(world);
    assert.match(
      await world.ok(`tokens describe ${id}`),
      new RegExp(`Kubernetes user: +service-account-${id.toLowerCase()}\n`),
    );
    const missing = await world.run("tokens describe nFYyVdtg8K1aDujwk3YFh1");
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /There is no token nFYyVdtg8K1aDujwk3YFh1 at .*\n.*datumctl tokens list/);
    const odd = await world.run("tokens describe ../clusters");
    assert.equal(odd.code, 2);
  },
);

testWithCloudfleet("delete asks on a terminal and needs --yes elsewhere", async (world) => {
  const { id } = await withCi(world);
  const silent = await world.run(`tokens delete ${id}`);
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /--yes/);
  for (const keys of [["\r"], ["n", "\r"], ["y", "\u007f", "\r"], ["y", "e", "\r"], []]) {
    const { code, stderr } = await world.run(`tokens delete ${id}`, { keys });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /here that use it: ci\. \[y\/N\].*\nNothing was done/);
  }
  assert.equal((await world.run(`tokens delete ${id}`, { keys: ["\u0003"] })).code, 130);
  assert.equal((await tokens(world)).length, 2);
  const deleted = await world.run(`tokens delete ${id}`, { keys: ["Y", "\r"] });
  assert.equal(deleted.stdout, `Deleted the token ${id}.\n`);
  assert.match(deleted.stderr, /remove-profile ci/);
  const used = await world.run("tokens list --profile ci");
  assert.equal(used.code, 4);
  assert.match(used.stderr, /profile "ci".*refused the credential/);
  assert.equal((await world.run(`tokens delete ${id} --yes`)).code, 1);
});

// ---- regenerate ----

testWithCloudfleet("regenerate ends the old secret and says which profile still has it", async (world) => {
  const { id, secret } = await withCi(world);
  const { organizationId } = world.cloudfleet;
  assert.equal((await world.run(`tokens regenerate ${id}`)).code, 2);
  assert.equal((await world.run(`tokens regenerate ${id}`, { keys: ["n", "\r"] })).code, 1);
  await world.ok("auth get-token --session ci --force-refresh");
  const made = await world.run(`tokens regenerate ${id} --yes -q -o json`);
  assert.equal(made.code, 0, made.stderr);
  const { secret: next } = JSON.parse(made.stdout);
  assert.notEqual(next, secret);
  assert.match(
    made.stderr,
    new RegExp(`"ci" still has the old secret.*add-profile token ci ${organizationId} ${id}`),
  );
  const old = await world.run("auth get-token --session ci --force-refresh");
  assert.equal(old.code, 4);
  assert.match(old.stderr, /profile "ci"/);
  await world.ok(`auth add-profile token ci ${organizationId} ${id}`, { stdin: next });
  await world.ok("auth get-token --session ci --force-refresh");
});

testWithCloudfleet(
  "--update-profile gives every profile of the token the new secret, and shows it nowhere",
  async (world) => {
    const { id, secret } = await withCi(world);
    const { organizationId } = world.cloudfleet;
    await world.ok(`auth add-profile token ci-2 ${organizationId} ${id}`, { stdin: secret });
    const path = `${world.sandbox.folder}/ci.secret`;
    const { stdout, stderr } = await world.run(
      `tokens regenerate ${id} --update-profile --yes --secret-file ${path} --error-format json -v`,
    );
    assert.match(stdout, /Secret in: +the profile "ci", the profile "ci-2", \S+ci\.secret\n$/);
    const next = (await Deno.readTextFile(path)).trim();
    assert.ok(!`${stdout}${stderr}`.includes(next));
    world.cloudfleet.resetCounts();
    for (const name of ["ci", "ci-2"]) await world.ok(`auth get-token --session ${name}`);
    assert.equal(
      world.cloudfleet.counts()["minted"],
      2,
      "what was made with the old secret is not used any more",
    );
  },
);

for (
  const [what, sealed, edited] of [
    ["API", "--api-url https://api.elsewhere.example/v1", "apiHost"],
    ["issuer", "--issuer https://elsewhere.example", "issuer"],
  ] as const
) {
  testWithCloudfleet(
    `--update-profile gives the secret to no profile that is sealed for another ${what}`,
    async (world) => {
      const { id, secret } = await withCi(world);
      const { organizationId } = world.cloudfleet;
      const add = `auth add-profile token elsewhere ${organizationId} ${id} --skip-validation ${sealed}`;
      await world.ok(add, { stdin: "another-secret" });
      const { file } = await world.sandbox.paths("elsewhere");
      const own = JSON.parse(await Deno.readTextFile((await world.sandbox.paths("ci")).file));
      const before = JSON.stringify({ ...JSON.parse(await Deno.readTextFile(file)), [edited]: own[edited] });
      await Deno.writeTextFile(file, before);
      const { code, stderr } = await world.run(`tokens regenerate ${id} --update-profile --yes`);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /"elsewhere" is sealed for \S*elsewhere\.example, not for \S+; nothing was done/);
      assert.equal(await Deno.readTextFile(file), before);
      await world.ok(`auth add-profile token again ${organizationId} ${id}`, { stdin: secret });
    },
  );
}

testWithCloudfleet("a profile renews its own secret", async (world) => {
  await world.addAdministrator();
  const { id, secret } = world.cloudfleet.administrator;
  for (let round = 0; round < 2; round++) await world.ok(`tokens regenerate ${id} --update-profile --yes`);
  await world.ok("auth get-token --session default --force-refresh");
  const { organizationId } = world.cloudfleet;
  assert.equal(
    (await world.run(`auth add-profile token old ${organizationId} ${id}`, { stdin: secret })).code,
    4,
  );
});

testWithCloudfleet("--update-profile without a profile of that token does nothing", async (world) => {
  await world.addAdministrator();
  const { id, secret } = world.cloudfleet.addToken({ name: "x", role: "User" });
  const { code, stderr } = await world.run(`tokens regenerate ${id} --update-profile --yes`);
  assert.equal(code, 1);
  assert.match(stderr, /No profile here uses the token .*; nothing was done/);
  const { organizationId } = world.cloudfleet;
  await world.ok(`auth add-profile token x ${organizationId} ${id}`, { stdin: secret });
});

testWithCloudfleet(
  "a regenerate whose answer is lost can be run again, by the same profile too",
  async (world) => {
    await world.addAdministrator();
    const { id } = world.cloudfleet.administrator;
    await world.cloudfleet.setFaults({ api: { lostAnswer: true } });
    const lost = await world.run(`tokens regenerate ${id} --update-profile --yes --error-format json`);
    await world.cloudfleet.setFaults({});
    onlyPrintedError(lost, { exitCode: 6, message: /has a new secret is not known/, retryable: true });
    const refused = await world.run("auth get-token --session default --force-refresh");
    assert.equal(refused.code, 4, "the old secret is gone");
    await world.ok(`tokens regenerate ${id} --update-profile --yes`);
    await world.ok("auth get-token --session default --force-refresh");
  },
);

testWithCloudfleet("a Ctrl-C while the API answers loses no secret", async (world) => {
  const { id } = await withCi(world);
  const interrupted = new AbortController();
  await world.cloudfleet.setFaults({ api: { slow: 200 } });
  world.cloudfleet.resetCounts();
  const running = world.run(`tokens regenerate ${id} --update-profile --yes`, {
    interrupted: interrupted.signal,
  });
  while ((world.cloudfleet.counts()["api"] ?? 0) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  interrupted.abort(new AppError("INTERRUPTED", "Interrupted."));
  const { code, stdout } = await running;
  assert.equal(code, 130);
  assert.match(stdout, /Secret in: +the profile "ci"/);
  await world.cloudfleet.setFaults({});
  await world.ok("auth get-token --session ci --force-refresh");
});

testWithCloudfleet(
  "a token that the API refuses is made anew once, then the profile is named",
  async (world) => {
    const { id } = await withCi(world);
    await world.cloudfleet.setFaults({ api: { status: 401, times: 1 } });
    await world.ok("tokens list");
    await world.cloudfleet.setFaults({ api: { status: 401, times: 1 } });
    await world.ok("tokens create --name x --role User");
    await world.cloudfleet.setFaults({ api: { status: 401, times: 1 } });
    await world.ok(`tokens regenerate ${id} --update-profile --yes`);
    await world.cloudfleet.setFaults({ api: { status: 401 } });
    const { code, stderr } = await world.run("tokens list");
    assert.equal(code, 4);
    assert.match(stderr, /fresh token of the profile "default".*\n.*add-profile token default/);
  },
);

testWithCloudfleet(
  "another request can be named for one command, or kept with the profile",
  async (world) => {
    await world.addAdministrator();
    const other = "regenerate=POST /tokens/{id}/secret";
    const { id } = world.cloudfleet.addToken({ name: "x", role: "User" });
    const { code, stderr } = await world.run(["tokens", "regenerate", id, "--yes", "--operation", other]);
    assert.equal(code, 1);
    assert.match(stderr, /There is no token .*\n.*--operation/);
    const { organizationId, administrator } = world.cloudfleet;
    await world.ok(
      [
        "auth",
        "add-profile",
        "token",
        "other",
        organizationId,
        administrator.id,
        "--operation",
        "list=GET /clusters",
      ],
      { stdin: administrator.secret },
    );
    assert.match(await world.ok("tokens list --profile other -o name"), /^3f1c2a9e-/);
    await world.ok(["tokens", "list", "--profile", "other", "--operation", "list=GET /tokens"]);
  },
);

testWithCloudfleet("a secret that could not be kept after all is told with the way back", async (world) => {
  await world.addAdministrator();
  const folder = `${world.sandbox.folder}/gone`;
  await Deno.mkdir(folder);
  await world.cloudfleet.setFaults({ api: { slow: 300 } });
  world.cloudfleet.resetCounts();
  const running = world.run(`tokens create --name x --role User --secret-file ${folder}/x --save-profile x`);
  while ((world.cloudfleet.counts()["api"] ?? 0) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Deno.remove(folder, { recursive: true });
  const { code, stdout, stderr } = await running;
  await world.cloudfleet.setFaults({});
  const id = (await tokens(world)).find(({ name }) => name === "x")?.id;
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    new RegExp(`The token ${id} was created, but its secret could not be kept in \\S+/gone/x: `),
  );
  assert.match(stderr, /It is in the profile "x"\.\n/);
  assert.match(
    stderr,
    new RegExp(`datumctl tokens regenerate ${id}, or delete it: datumctl tokens delete ${id}`),
  );
  await world.ok("tokens list --profile x");
});

testWithCloudfleet(
  "the variables' own secret is renewed with a warning that they hold the old one",
  async (world) => {
    const { organizationId, administrator: { id, secret } } = world.cloudfleet;
    const env = {
      CLOUDFLEET_ORGANIZATION_ID: organizationId,
      CLOUDFLEET_ACCESS_TOKEN_ID: id,
      CLOUDFLEET_ACCESS_TOKEN_SECRET: secret,
    };
    const { code, stdout, stderr } = await world.run(`tokens regenerate ${id} --yes -q -o json`, { env });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warning: CLOUDFLEET_ACCESS_TOKEN_SECRET holds the old secret/);
    const next = JSON.parse(stdout).secret;
    assert.equal((await world.run("tokens list", { env })).code, 4);
    await world.ok("tokens list", { env: { ...env, CLOUDFLEET_ACCESS_TOKEN_SECRET: next } });
  },
);

testWithCloudfleet("an answer about another id than was asked for is not taken", async (world) => {
  const { id } = await withCi(world);
  const file = `${world.sandbox.folder}/ci.secret`;
  await world.cloudfleet.setFaults({
    api: { json: { id: "T-other", secret: "another-secret-of-32-characters" } },
  });
  for (
    const words of [
      `tokens describe ${id}`,
      `tokens regenerate ${id} --yes --update-profile --secret-file ${file}`,
      `clusters kubeconfig ${id}`,
    ]
  ) {
    const ran = await world.run(`${words} --error-format json`);
    onlyPrintedError(ran, { code: "INVALID", message: new RegExp(`${id}, .* answered for T-other`) }, words);
    assert.ok(!`${ran.stdout}${ran.stderr}`.includes("another-secret"));
  }
  await world.cloudfleet.setFaults({});
  await assertMissing(file);

  await world.ok("auth get-token --session ci --force-refresh");
});
