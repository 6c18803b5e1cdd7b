/** Who a session is: another client, another realm, another person; and what becomes of the grant that one replaces. */

import assert from "node:assert/strict";
import { openIssuerWorld } from "../issuer-world.ts";
import { good } from "../run-line.ts";

const ADA = { sub: "u-1", email: "ada@example.com" };

Deno.test("a second client at one issuer is a session of its own, and the first one's entry goes on to work", async () => {
  await using world = await openIssuerWorld();
  const { host, issuer, kubeconfig } = world;
  const first = `ada@example.com@${host}`;
  await world.login("one", "kubernetes");
  await world.ok(["auth", "update-kubeconfig", "--server", "https://k8s.example.com", "--skip-validation"]);
  const entry = await Deno.readTextFile(kubeconfig);
  const { stderr } = await world.login("one", "other-audience");
  assert.match(stderr, new RegExp(`^Session: ${first}-2$`, "m"));
  assert.deepEqual(await world.names(), [first, `${first}-2`]);
  assert.equal((await world.session(first)).clientId, "kubernetes");
  assert.equal((await world.session(`${first}-2`)).clientId, "other-audience");
  assert.equal(await Deno.readTextFile(kubeconfig), entry);

  const lines = /args:\n((?: +- .*\n)+)/.exec(entry)?.[1] ?? assert.fail(entry);
  const args = lines.trimEnd().split("\n").map((line) => line.replace(/^ +- /, ""));
  const stdout = await world.ok([...args, "--force-refresh"]);
  const [, payload = ""] = JSON.parse(stdout).status.token.split(".");
  assert.equal(JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))).aud, "kubernetes");

  // Signing in again as either renews that one.
  await world.login("one", "kubernetes");
  await world.login("one", "other-audience");
  assert.deepEqual(await world.names(), [first, `${first}-2`]);
  assert.equal(issuer.of("revoke").length, 0);
});

Deno.test("the same e-mail in another realm is another person: six characters that are theirs everywhere", async () => {
  await using world = await openIssuerWorld();
  const { host } = world;
  const name = `ada@example.com@${host}`;
  await world.login("one", "kubernetes");
  await world.login("two", "kubernetes");
  const [, second = ""] = await world.names();
  assert.match(second, new RegExp(`^${name}-[0-9a-f]{6}$`));
  await world.login("two", "other");
  assert.deepEqual(await world.names(), [name, second, `${second}-2`]);
  await world.ok(["logout", "--all"]);

  await world.login("two", "kubernetes");
  await world.login("one", "kubernetes");
  const [, other = ""] = await world.names();
  assert.match(other, new RegExp(`^${name}-[0-9a-f]{6}$`));
  assert.notEqual(other, second, "who has them is the same on every machine");
});

Deno.test("login --profile NAME --client-id NEW replaces its client, and names the entries it touches", async () => {
  await using world = await openIssuerWorld();
  await world.login("one", "kubernetes", ["--profile", "work"]);
  await world.ok(["auth", "update-kubeconfig", "--server", "https://k8s.example.com", "--skip-validation"]);
  const { stderr } = await world.login("one", "new", ["--profile", "work"]);
  const { host } = world;
  assert.match(
    stderr,
    new RegExp(
      `^warning: The session "work" is of the client new instead of kubernetes from now on\\. Its kubeconfig entries ` +
        `now hand out that client's tokens: datum-work@${host}/one \\(context datum-server-k8s\\.example\\.com\\)\\.$`,
      "m",
    ),
  );
  assert.deepEqual(await world.names(), ["work"]);
  assert.equal((await world.session("work")).clientId, "new");
  const again = await world.login("one", "new", ["--profile", "work"]);
  assert.doesNotMatch(again.stderr, /instead of/);

  world.issuer.person = { sub: "u-2", email: "grace@example.com" };
  const mismatch = await world.signIn([
    ...["--profile", "work", "--issuer", world.issuer.at("one"), "--client-id", "kubernetes"],
  ]);
  assert.equal(mismatch.code, 1);
  assert.match(mismatch.stderr, /belongs to ada@example\.com/);
  assert.equal((await world.session("work")).clientId, "new");
});

Deno.test("a kubeconfig that cannot be read costs a sign-in as another client nothing", async () => {
  await using world = await openIssuerWorld();
  await world.login("one", "kubernetes", ["--profile", "work"]);
  await Deno.writeTextFile(world.kubeconfig, "users: [\n");
  const { stderr } = await world.login("one", "new", ["--profile", "work"]);
  assert.match(stderr, /Which kubeconfig entries act as the session cannot be told: /);
  assert.match(stderr, /of the client new instead of kubernetes from now on\.$/m);
});

Deno.test("auth list tells realms and clients apart where there are two, and is as before where there are not", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  const columns = async () => (await world.ok(["auth", "list"])).split("\n")[0]?.split(/ {2,}/);
  await world.login("one", "kubernetes");
  assert.deepEqual(await columns(), ["Name", "Email", "Status"]);
  issuer.person = { sub: "u-2", email: "grace@example.com" };
  await world.login("one", "kubernetes");
  assert.deepEqual(await columns(), ["Name", "Email", "Status"]);
  await world.login("one", "other");
  assert.deepEqual(await columns(), ["Name", "Email", "Status", "Client"]);
  await world.login("two", "kubernetes");
  assert.deepEqual(await columns(), ["Name", "Email", "Status", "Issuer", "Client"]);
  const stdout = await world.ok(["auth", "list"]);
  for (const words of [issuer.at("one"), issuer.at("two"), "other", "kubernetes"]) {
    assert.ok(stdout.includes(words));
  }
});

Deno.test("auth list says of a session that is over that it has expired, of the active one too", async () => {
  await using world = await openIssuerWorld();
  const rows = async () => (await world.ok(["auth", "list"])).trimEnd().split("\n").slice(1);
  await world.login("one", "kubernetes", ["--profile", "refused"]);
  world.issuer.answers.set("token", () => Response.json({ error: "invalid_grant" }, { status: 400 }));
  assert.equal((await world.run(["auth", "get-token", "--force-refresh"])).code, 4);
  world.issuer.answers.clear();
  assert.match((await rows()).join(), /ada@example\.com +Expired \(active\)$/);
  world.issuer.withholds = true;
  world.issuer.person = { sub: "u-2", email: "grace@example.com" };
  await world.login("one", "kubernetes", ["--profile", "short"]);
  assert.match((await rows()).join("\n"), /^ada@.* Expired\ngrace@.* Active$/);
  world.sandbox.time += 2 * 3600_000;
  assert.match((await rows()).join("\n"), /^ada@.* Expired\ngrace@.* Expired \(active\)$/);
});

Deno.test("a renewed session's old grant is revoked where both ID tokens name sessions that differ", async () => {
  for (
    const { before, after, endsSessions, revoked, log } of [
      {
        before: "s-1",
        after: "s-2",
        endsSessions: true,
        revoked: ["refresh-2"],
        log: /"ada@.*" is revoked\./,
      },
      {
        before: "s-1",
        after: "s-1",
        endsSessions: true,
        revoked: [],
        log: /left to expire: both are of one session/,
      },
      {
        before: "s-1",
        after: undefined,
        endsSessions: true,
        revoked: [],
        log: /left to expire: the issuer does not say/,
      },
      {
        before: undefined,
        after: undefined,
        endsSessions: false,
        revoked: [],
        log: /left to expire: the issuer does not/,
      },
      {
        before: undefined,
        after: "s-1",
        endsSessions: false,
        revoked: [],
        log: /left to expire: the issuer does not say/,
      },
    ]
  ) {
    await using world = await openIssuerWorld();
    const { issuer } = world;
    issuer.endsSessions = endsSessions;
    issuer.person = { ...ADA, sid: before };
    await world.login("one", "kubernetes");
    issuer.person = { ...ADA, sid: after };
    const { stderr } = await world.login("one", "kubernetes", ["-v"]);
    assert.match(stderr, log);
    assert.deepEqual(issuer.of("revoke").map((form) => form.get("token")), revoked);
    assert.deepEqual(await world.names(), [`ada@example.com@${world.host}`]);
    await world.ok(["auth", "get-token", "--force-refresh"]);
  }
});

Deno.test("an issuer whose revocation ends the whole session would have ended the new one as well", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  issuer.endsSessions = true;
  issuer.person = { ...ADA, sid: "s-1" };
  await world.login("one", "kubernetes");
  await world.login("one", "kubernetes");
  await world.ok(["auth", "get-token", "--force-refresh"]);
  // What the rule keeps from happening.
  const body = new URLSearchParams({ token: "refresh-2" });
  await (await fetch(`${issuer.at("one")}/revoke`, { method: "POST", body })).body?.cancel();
  assert.equal((await world.run(["auth", "get-token", "--force-refresh"])).code, 4);
});

Deno.test("a renewal as another client revokes as the client that the old token was given to", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  issuer.person = { ...ADA, sid: "s-1" };
  await world.login("one", "kubernetes", ["--profile", "work"]);
  issuer.person = { ...ADA, sid: "s-2" };
  await world.login("one", "new", ["--profile", "work"]);
  assert.deepEqual(issuer.of("revoke").map((form) => [form.get("client_id"), form.get("token")]), [
    ["kubernetes", "refresh-2"],
  ]);
});

Deno.test("a revocation that fails costs the sign-in nothing", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  issuer.person = { ...ADA, sid: "s-1" };
  await world.login("one", "kubernetes");
  issuer.answers.set("revoke", () => new Response(null, { status: 503 }));
  issuer.person = { ...ADA, sid: "s-2" };
  const { stderr, stdout } = await world.login("one", "kubernetes", ["-v"]);
  assert.match(stdout, /^Signed in as ada@example\.com/);
  assert.match(stderr, /could not be revoked: /);
  const quiet = await world.login("one", "kubernetes");
  assert.doesNotMatch(quiet.stderr, /revoked|expire/);
});

Deno.test("a refresh token that the issuer gives again and again is not revoked", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  issuer.onlyToken = "refresh-for-ever";
  for (const sid of ["s-3", "s-4"]) {
    issuer.person = { ...ADA, sid };
    await world.login("one", "kubernetes");
  }
  assert.ok(issuer.of("revoke").every((form) => form.get("token") !== "refresh-for-ever"));
  await world.ok(["auth", "get-token", "--force-refresh"]);
});

Deno.test("a logout revokes the refresh token alone, and the access token where there is no other", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  const revoked = () => issuer.of("revoke").map((form) => form.get("token_type_hint"));
  await world.login("one", "kubernetes");
  await world.ok(["logout"]);
  assert.deepEqual(revoked(), ["refresh_token"]);
  issuer.withholds = true;
  await world.login("one", "kubernetes");
  await world.ok(["logout"]);
  assert.deepEqual(revoked(), ["refresh_token", "access_token"]);
});

Deno.test("what has run out is not called still valid by a logout whose issuer is down", async () => {
  await using world = await openIssuerWorld();
  const { issuer, sandbox } = world;
  const down = () => issuer.answers.set("revoke", () => new Response(null, { status: 503 }));
  await world.login("one", "kubernetes");
  down();
  const fresh = await world.run(["logout"]);
  assert.equal(fresh.code, 6);
  assert.match(
    fresh.stderr,
    /still valid at \S+ until it expires or is revoked there \(its access token: \d{4}-/,
  );

  issuer.answers.clear();
  await world.login("one", "kubernetes");
  down();
  sandbox.time += 2 * 3600_000;
  const later = await world.run(["logout"]);
  assert.equal(later.code, 6);
  assert.match(later.stderr, /still valid at \S+ until it expires or is revoked there: /);

  issuer.answers.clear();
  issuer.withholds = true;
  sandbox.time = Date.now();
  await world.login("one", "kubernetes");
  down();
  sandbox.time += 2 * 3600_000;
  const asked = issuer.of("revoke").length;
  const over = await world.ok(["logout"]);
  assert.match(over, /^Removed here; nothing of it was left to revoke: ada@example\.com/);
  assert.equal(issuer.of("revoke").length, asked, "nobody is asked about what has run out");
});

Deno.test("a session that the issuer refused to renew is not called still valid once its access token is over", async () => {
  await using world = await openIssuerWorld();
  const { issuer, sandbox } = world;
  await world.login("one", "kubernetes");
  issuer.answers.set("token", () => Response.json({ error: "invalid_grant" }, { status: 400 }));
  issuer.answers.set("revoke", () => new Response(null, { status: 503 }));
  assert.equal((await world.run(["auth", "get-token", "--force-refresh"])).code, 4);
  sandbox.time += 2 * 3600_000;
  const { stdout, stderr } = good(await world.run(["logout"]));
  assert.match(stdout, /nothing of it was left to revoke/);
  assert.doesNotMatch(stderr, /valid/);
});
