/** Proves that profiles are tried before they are kept, that nothing of another session is lost, and that no secret shows. */

import assert from "node:assert/strict";
import { testWithCloudfleet } from "../cloudfleet-world.ts";

testWithCloudfleet(
  "a wrong secret is refused by the profile's name, and nothing is stored",
  async (world) => {
    const { organizationId, administrator: { id } } = world.cloudfleet;
    const added = await world.run(`auth add-profile token ci ${organizationId} ${id}`, {
      stdin: "wrong-secret\n",
    });
    assert.equal(added.code, 4);
    assert.match(added.stderr, /profile "ci".*refused the credential.*Nothing was stored\./);
    assert.doesNotMatch(added.stderr, /wrong-secret/);
    assert.equal(await world.ok("auth list-profiles -o json"), "[]\n");
    assert.doesNotMatch(await world.everything(), /wrong-secret/);
  },
);

testWithCloudfleet("a wrong secret for a profile that is there leaves it as it was", async (world) => {
  await world.addAdministrator("ci");
  const { organizationId, administrator: { id } } = world.cloudfleet;
  const before = await world.ok("auth list-profiles -o json");
  const added = await world.run(`auth add-profile token ci ${organizationId} ${id}`, {
    stdin: "wrong-secret\n",
  });
  assert.equal(added.code, 4);
  assert.equal(await world.ok("auth list-profiles -o json"), before);
  await world.ok("auth get-token --session ci --force-refresh");
});

testWithCloudfleet(
  "an issuer that cannot be reached is an outage; unasked, the profile is kept",
  async (world) => {
    const { organizationId, administrator: { id, secret } } = world.cloudfleet;
    await world.cloudfleet.setFaults({ down: ["issuer"] });
    const words = `auth add-profile token ci ${organizationId} ${id}`;
    const refused = await world.run(words, { stdin: secret });
    assert.equal(refused.code, 6, refused.stderr);
    assert.match(refused.stderr, /Nothing was stored.*\n.*--skip-validation/);
    assert.equal(await world.ok("auth list-profiles -o name"), "");
    assert.match(await world.ok(`${words} --skip-validation`, { stdin: secret }), /, not tested\./);
    await world.cloudfleet.setFaults({});
    await world.ok("tokens list");
  },
);

testWithCloudfleet("a secret on the command line works, with a warning", async (world) => {
  const { organizationId, administrator: { id, secret } } = world.cloudfleet;
  const added = await world.run(`auth add-profile token ci ${organizationId} ${id} ${secret} -q`);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stderr, /warning: The secret was on the command line/);
  assert.ok(!`${added.stdout}${added.stderr}`.includes(secret));
});

testWithCloudfleet("on a terminal the secret is asked for and not shown", async (world) => {
  const { organizationId, administrator: { id, secret } } = world.cloudfleet;
  const added = await world.run(`auth add-profile token ci ${organizationId} ${id}`, {
    keys: [...secret, "\r"],
  });
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stderr, new RegExp(`^Type or paste the secret of the token ${id} `));
  assert.ok(!`${added.stdout}${added.stderr}`.includes(secret));
});

testWithCloudfleet("what cannot be a profile is wrong usage before a secret is asked for", async (world) => {
  const { organizationId, administrator: { id, secret } } = world.cloudfleet;
  const rows: [string, RegExp][] = [
    [`no/name ${organizationId} ${id}`, /"no\/name" cannot be a profile's name/],
    [`env:ci ${organizationId} ${id}`, /"env:ci" cannot be a profile's name/],
    [`ci ../x ${id}`, /"\.\.\/x" cannot be the id of an organization/],
    [`ci ${organizationId} a/b`, /"a\/b" cannot be the id of a token/],
    [`ci ${organizationId} ${id} --issuer http://x.example`, /issuer .* is not an https URL/],
    [`ci ${organizationId} ${id} --api-url x`, /--api-url: the API's address x is not a URL/],
    [`ci ${organizationId} ${id} --operation x=y`, /"x" is not an operation/],
    [`ci ${organizationId} ${id} --keyring cloud`, /--keyring takes auto, system or file/],
  ];
  for (const [words, message] of rows) {
    const { code, stderr } = await world.run(`auth add-profile token ${words}`, { stdin: secret });
    assert.equal(code, 2, `${words}: ${stderr}`);
    assert.match(stderr, message);
  }
  const nowhere = await world.run(`auth add-profile token ci ${organizationId} ${id}`, {
    env: { CLOUDFLEET_ISSUER: "" },
    stdin: secret,
  });
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /issuer is not known.*\n.*--issuer URL, or the variable CLOUDFLEET_ISSUER/);
  for (const stdin of ["", "\n", "two\nlines\n"]) {
    const { code, stderr } = await world.run(`auth add-profile token ci ${organizationId} ${id}`, { stdin });
    assert.equal(code, 2);
    assert.match(stderr, /not a token's secret/);
  }
  assert.equal(await world.ok("auth list-profiles -o name"), "");
});

testWithCloudfleet("the first profile becomes the active session, later ones leave it", async (world) => {
  const { organizationId, addToken } = world.cloudfleet;
  await world.addAdministrator("admin");
  const ci = addToken({ name: "ci", role: "User" });
  await world.ok(`auth add-profile token ci ${organizationId} ${ci.id}`, { stdin: ci.secret });
  const profiles = JSON.parse(await world.ok("auth list-profiles -o json"));
  assert.deepEqual(
    profiles.map((
      { name, active, tokenId, secret }: Record<string, unknown>,
    ) => [name, active, tokenId, secret]),
    [["admin", true, world.cloudfleet.administrator.id, "********"], ["ci", false, ci.id, "********"]],
  );
  const table = await world.ok("auth list-profiles");
  assert.match(
    table,
    /^Name +Kind +Organization +Token ID +Secret +Status\nadmin +api-token .*\*{8} +Active\nci +api-token /,
  );
  const { stdout } = await world.run("auth list-profiles -o wide");
  assert.ok(!(stdout + await world.everything()).includes(ci.secret));
});

testWithCloudfleet(
  "a profile that is there gets its new secret without its place being named again",
  async (world) => {
    const { organizationId, administrator: { id }, caFile } = world.cloudfleet;
    const flags = ["--certificate-authority", caFile, "--operation", "list=GET /tokens"];
    await world.ok(["auth", "add-profile", "token", "ci", organizationId, id, ...flags], {
      stdin: world.cloudfleet.administrator.secret,
    });
    const { secret } = world.cloudfleet.regenerateToken(id);
    const forgotten = { CLOUDFLEET_ISSUER: "", CLOUDFLEET_API_URL: "", DATUMCTL_CERTIFICATE_AUTHORITY: "" };
    await world.ok(`auth add-profile token ci ${organizationId} ${id}`, { stdin: secret, env: forgotten });
    await world.ok("auth get-token --session ci --force-refresh", { env: forgotten });
    await world.ok("tokens list --profile ci", { env: forgotten });
  },
);

testWithCloudfleet(
  "a name that is another token's, issuer's or provider's is refused, and keeps what it has",
  async (world) => {
    const { organizationId, addToken, administrator: { id, secret } } = world.cloudfleet;
    await world.addAdministrator("admin");
    await world.sandbox.add({ name: "ada" });
    const other = addToken({ name: "other", role: "User" });
    const rows = [
      [`admin ${organizationId} ${other.id}`, other.secret],
      [`ada ${organizationId} ${other.id}`, other.secret],
      [`admin ${organizationId} ${id} --issuer ${world.cloudfleet.userIssuer}`, secret],
    ] as const;
    for (const [words, stdin] of rows) {
      const { code, stderr } = await world.run(`auth add-profile token ${words}`, { stdin });
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /A session named "ad(?:min|a)" already belongs to someone else or to another issuer/,
      );
    }
    await world.ok("auth get-token --session admin --force-refresh");
  },
);

testWithCloudfleet(
  "remove-profile takes the profile and its key, and says that the token stays",
  async (world) => {
    await world.addAdministrator("ci");
    await world.sandbox.add({ name: "ada" });
    const { id } = world.cloudfleet.administrator;
    world.cloudfleet.resetCounts();
    const removed = await world.run("auth remove-profile ci");
    assert.equal(removed.code, 0, removed.stderr);
    assert.match(
      removed.stderr,
      new RegExp(`token ${id} itself may still be valid.*datumctl tokens delete ${id}`),
    );
    assert.equal(world.cloudfleet.counts()["total"] ?? 0, 0, "nobody was asked");
    const left = await world.everything();
    assert.ok(!left.includes(id));
    const again = await world.run("auth remove-profile ci");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /There is no profile "ci" here/);
    const others = await world.run("auth remove-profile ada");
    assert.equal(others.code, 2);
    assert.match(
      others.stderr,
      /belongs to the provider datum; it is not a Cloudfleet profile.*\n.*datumctl logout ada/,
    );
  },
);

testWithCloudfleet("the variables are listed as a profile; partly set they are warned of", async (world) => {
  const { organizationId, administrator: { id, secret } } = world.cloudfleet;
  const env = {
    CLOUDFLEET_ORGANIZATION_ID: organizationId,
    CLOUDFLEET_ACCESS_TOKEN_ID: id,
    CLOUDFLEET_ACCESS_TOKEN_SECRET: secret,
  };
  const [listed] = JSON.parse(await world.ok("auth list-profiles -o json", { env }));
  assert.deepEqual([listed.name, listed.storage, listed.secret], [
    "env:CLOUDFLEET_ACCESS_TOKEN_ID",
    "none",
    "********",
  ]);
  const half = await world.run("auth list-profiles", { env: { ...env, CLOUDFLEET_ACCESS_TOKEN_SECRET: "" } });
  assert.equal(half.code, 0);
  assert.match(half.stderr, /warning: .*CLOUDFLEET_ACCESS_TOKEN_SECRET is missing/);
});

testWithCloudfleet(
  "a person's profile says who may sign in, and is registered before anybody does",
  async (world) => {
    const { organizationId, userIssuer, userClientId } = world.cloudfleet;
    const words = `auth add-profile user work ${organizationId} --issuer ${userIssuer}`;
    const missing = await world.run(words);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /needs --client-id/);
    const added = await world.run(`${words} --client-id ${userClientId}`);
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stderr, /Next: datumctl login --profile work/);
    assert.match(await world.ok("auth list-profiles"), /\nwork +user .* Active\n/);
    const asked = await world.run("tokens list --profile work");
    assert.equal(asked.code, 4);
    assert.match(
      asked.stderr,
      /Nobody has signed in to the profile "work" yet.*\n.*datumctl login --profile work/,
    );
    const token = await world.run("auth get-token --session work");
    assert.equal(token.code, 4);
  },
);

testWithCloudfleet(
  "the first who signs in to a person's profile is its identity from then on",
  async (world) => {
    const { organizationId, userIssuer, userClientId } = world.cloudfleet;
    const add = ["auth", "add-profile", "user", "work", organizationId, "--issuer", userIssuer];
    const flags = ["--client-id", userClientId, "--operation", "list=GET /tokens"];
    await world.ok([...add, ...flags]);
    const signedIn = await world.login("work", "ada@example.com");
    assert.equal(signedIn.code, 0, signedIn.stderr);
    assert.match(signedIn.stdout, /^Signed in as ada@example\.com at /);
    const [profile] = JSON.parse(await world.ok("auth list-profiles -o json"));
    assert.deepEqual([profile.name, profile.kind, profile.organization, profile.email, profile.secret], [
      "work",
      "user",
      organizationId,
      "ada@example.com",
      null,
    ]);
    await world.ok("tokens list --profile work");
    await world.ok("auth get-token --session work --force-refresh");
    await world.ok("tokens create --name x --role User --profile work --save-profile x");
    await world.ok("tokens list --profile x");
    const other = await world.login("work", "grace@example.com");
    assert.equal(other.code, 1);
    assert.match(other.stderr, /"work" belongs to ada@example\.com/);
    const taken = await world.run([...add, ...flags]);
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /Somebody is already signed in to the profile "work"/);
    const again = await world.login("work", "ada@example.com");
    assert.equal(again.code, 0, again.stderr);
    await world.ok("tokens list --profile work");
  },
);

testWithCloudfleet(
  "login --provider cloudfleet without a profile says how one is registered",
  async (world) => {
    const { code, stderr } = await world.run("login --provider cloudfleet");
    assert.equal(code, 2);
    assert.match(stderr, /datumctl auth add-profile user NAME/);
  },
);

testWithCloudfleet(
  "an authority that is not trusted is named, and no word of the command line is repeated",
  async (world) => {
    const { organizationId, administrator: { id, secret } } = world.cloudfleet;
    const { code, stderr } = await world.run(`auth add-profile token ci ${organizationId} ${id} ${secret}`, {
      env: { DATUMCTL_CERTIFICATE_AUTHORITY: "" },
    });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /does not trust\. Nothing was stored\.\n.*the same command with --certificate-authority FILE/,
    );
    assert.ok(!stderr.includes(secret));
  },
);
