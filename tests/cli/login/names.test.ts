/** Names of people of many scripts, from their sign-in to kubectl and back. */

import assert from "node:assert/strict";
import { readGetToken } from "../../../src/plugin/arguments.ts";
import { fileNameOf } from "../../../src/sessions/name.ts";
import { kubectl, kubectlData } from "../../kube/kubectl.ts";
import { assertMissing } from "../../scratch.ts";
import { type IssuerWorld, openIssuerWorld } from "../issuer-world.ts";

/** People without an e-mail, by their user names; the last two look like the first and the second. */
const PEOPLE = [
  "ada",
  "иван",
  "αλέξης",
  "علي",
  "नेहा",
  "田中",
  "аdа",
  "иваn",
].map((preferred_username, at) => ({ sub: `u-${at}`, preferred_username }));

async function namesAfter(people: typeof PEOPLE): Promise<Record<string, string>> {
  await using world = await openIssuerWorld();
  for (const person of people) {
    world.issuer.person = person;
    await world.login("one", "kubernetes");
  }
  const { sessions } = await world.sandbox.store.list();
  assert.equal(sessions.length, people.length);
  const host = new RegExp(world.host, "g");
  return Object.fromEntries(
    sessions.map((
      { name, user },
    ) => [user.subject, name.replace(host, "HOST").replace(/-[0-9a-f]{6}$/, "-MARK")]),
  );
}

Deno.test("people of six scripts who sign in in either order have the same names, and look-alikes have others", async () => {
  const expected = {
    ...Object.fromEntries(
      PEOPLE.slice(0, 6).map(({ sub, preferred_username: name }) => [sub, `${name}@HOST`]),
    ),
    "u-6": "аdа@HOST-MARK",
    "u-7": "иваn@HOST-MARK",
  };
  assert.deepEqual(await namesAfter(PEOPLE), expected);
  assert.deepEqual(await namesAfter(PEOPLE.toReversed()), expected);
});

Deno.test("without an e-mail a person is called by preferred_username, then upn, then sub", async () => {
  await using world = await openIssuerWorld();
  const { issuer, host } = world;
  for (
    const [person, called] of [
      [
        { sub: "u-1", email: null, preferred_username: "ada@corp.example.com", upn: "x" },
        "ada@corp.example.com",
      ],
      [{ sub: "u-2", preferred_username: " ", upn: "grace@CORP" }, "grace@CORP"],
      [{ sub: "u-3", preferred_username: 7, upn: "" }, "u-3"],
      [{ sub: "u-4", email: "e@example.com", preferred_username: "p" }, "e@example.com"],
    ] as const
  ) {
    issuer.person = person;
    const { stdout } = await world.login("one", "kubernetes");
    assert.equal(stdout, `Signed in as ${called} at ${host}.\n`);
    assert.equal(
      await world.ok(["whoami", "-o", "name"]),
      `${called}@${host}\n`,
    );
    assert.match(await world.ok(["whoami"]), new RegExp(`^User: +${called}$`, "m"));
  }
  // The user name is asked for again, and names the session to a command.
  issuer.person = { sub: "u-1", preferred_username: "ada@corp.example.com" };
  assert.equal((await world.signIn(["--profile", `ada@corp.example.com@${host}`])).code, 0);
  assert.equal(issuer.of("authorize").at(-1)?.get("login_hint"), "ada@corp.example.com");
  await world.ok(["auth", "switch", "Ada@corp.example.com"]);
  assert.match(await world.ok(["auth", "list"]), /^ada@corp\.example\.com +Active$/m);
});

Deno.test("what the ID token lacks of a person's names, or has empty, the issuer's userinfo tells", async () => {
  await using world = await openIssuerWorld();
  const { issuer, host } = world;
  issuer.bends.set(".well-known/openid-configuration", (metadata) => ({
    ...metadata,
    userinfo_endpoint: `${issuer.at("one")}/userinfo`,
  }));
  const more: Record<string, unknown> = {};
  issuer.answers.set("userinfo", () => Response.json(more));
  for (
    const [token, userinfo, called] of [
      [{ sub: "u-1" }, { email: "ada@example.com" }, "ada@example.com"],
      [{ sub: "u-2", email: "" }, { email: "bea@example.com" }, "bea@example.com"],
      [{ sub: "u-3", email: "", preferred_username: "cleo" }, { email: " " }, "cleo"],
      [{ sub: "u-4", upn: "dora@CORP" }, { preferred_username: "dora" }, "dora"],
      [{ sub: "u-5", preferred_username: "eve" }, { upn: "eve@CORP" }, "eve"],
    ] as const
  ) {
    issuer.person = token;
    for (const name of Object.keys(more)) delete more[name];
    Object.assign(more, { sub: token.sub }, userinfo);
    const { stdout } = await world.login("one", "kubernetes");
    assert.equal(stdout, `Signed in as ${called} at ${host}.\n`);
  }
});

/** A person with a name beyond ASCII, signed in, with a kubeconfig entry. */
async function withEntry(world: IssuerWorld): Promise<string> {
  world.issuer.person = { sub: "u-1", email: "аня.李+k8s@bücher.example", name: "Аня" };
  await world.login("one", "kubernetes");
  const name = `аня.李+k8s@bücher.example@${world.host}`;
  assert.deepEqual(await world.names(), [name]);
  const server = ["--server", "https://k8s.example.com", "--skip-validation"];
  await world.ok(["auth", "update-kubeconfig", ...server]);
  return name;
}

Deno.test("a kubeconfig entry of a name beyond ASCII is read by kubectl, and its words are get-token's", async () => {
  await using world = await openIssuerWorld();
  const name = await withEntry(world);
  const before = await Deno.readTextFile(world.kubeconfig);
  let args: readonly string[] = [...before.matchAll(/^ +- (--?\S+)$/gm)].map(([, word = ""]) => word);
  if (kubectl !== undefined) {
    const { users: [user] } = await kubectlData(before) as {
      users: readonly [{ name: string; user: { exec: { args: string[] } } }];
    };
    assert.equal(user.name, `datum-${name}@${world.host}/one`);
    args = user.user.exec.args;
  }
  assert.ok(args.includes(`--session=${name}`), args.join(" "));
  const flags = readGetToken(["auth", "get-token", ...args.filter((arg) => arg.startsWith("--"))]);
  assert.equal(flags?.session, name);
  const stdout = await world.ok(["auth", "get-token", ...args.filter((arg) => arg.startsWith("--"))]);
  assert.equal(JSON.parse(stdout).kind, "ExecCredential");
  // However a terminal has composed its letters.
  await world.ok(["auth", "get-token", "--session", name.normalize("NFD")]);
  await world.ok(["auth", "get-token"], { env: { DATUMCTL_PROFILE: name.normalize("NFD") } });
  await world.ok(["auth", "switch", name.normalize("NFD")]);

  // Written again, nothing changes; a logout takes it away.
  const again = ["auth", "update-kubeconfig", "--server", "https://k8s.example.com", "--skip-validation"];
  assert.match(await world.ok(again), /nothing to change/);
  await world.ok(["logout", name, "--kubeconfig", world.kubeconfig]);
  assert.doesNotMatch(await Deno.readTextFile(world.kubeconfig), /аня/);
});

Deno.test("the key of a name beyond ASCII is in its session's file of keys, or under its name in the keyring", async () => {
  await using world = await openIssuerWorld();
  const name = await withEntry(world);
  const { key } = await world.sandbox.paths(name);
  assert.ok(key.endsWith(`${await fileNameOf(name)}.key`));
  assert.equal((await Deno.readTextFile(key)).trim().length, 43);
  assert.equal((await world.signIn(["--profile", name, "--keyring", "system"])).code, 0);
  assert.ok(world.sandbox.system.items.has(name));
  await assertMissing(key);
  await world.ok(["logout", name]);
  assert.equal(world.sandbox.system.items.size, 0);
});

Deno.test("the line that mends a session of a name beyond ASCII comes out of a shell as it was meant", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using world = await openIssuerWorld();
  const name = await withEntry(world);
  const { key } = await world.sandbox.paths(name);
  await Deno.remove(key);
  const { stderr } = await world.run(["auth", "get-token"]);
  const line = /(datumctl login .*)$/m.exec(stderr)?.[1] ?? assert.fail(stderr);
  const ran = await new Deno.Command("sh", { args: ["-c", `datumctl() { printf '%s\\n' "$@"; }\n${line}`] })
    .output();
  assert.deepEqual(new TextDecoder().decode(ran.stdout).trim().split("\n"), ["login", "--profile", name]);
});

Deno.test("a name of before, whose letters became dashes, stays its session's", async () => {
  await using world = await openIssuerWorld();
  const { host, issuer, sandbox } = world;
  issuer.person = { sub: "u-1", email: "öl@example.com" };
  await world.login("one", "kubernetes", ["--profile", `l@example.com@${host}`]);
  await world.login("one", "kubernetes");
  assert.deepEqual(await world.names(), [`l@example.com@${host}`]);
  await world.ok(["auth", "get-token", "--force-refresh"]);
  assert.ok((await sandbox.paths(`l@example.com@${host}`)).file);
});
