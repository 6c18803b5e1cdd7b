/** Parameters of a person's own: where they are sent, that they are remembered, and which are refused. */

import assert from "node:assert/strict";
import { signInFromPlugin } from "../../../src/plugin/sign-in.ts";
import { AppError } from "../../../src/errors.ts";
import { BOUND } from "../../sessions/sandbox.ts";
import { openIssuerWorld } from "../issuer-world.ts";
import { CLOUDS } from "../../clouds.ts";

const FLAGS = [
  ...["--auth-param", "kc_idp_hint=github", "--auth-param", "audience=https://api.example.com?a=1&b=2"],
  ...["--token-param", "tenant=a b", "--resource", "https://one.example.com/", "--resource", "urn:two"],
];

/** Those of a request that are the person's. */
function theirs(parameters: URLSearchParams | undefined): string[] {
  const names = ["kc_idp_hint", "audience", "tenant", "resource"];
  return [...parameters ?? []].filter(([name]) => names.includes(name)).map(([name, value]) =>
    `${name}=${value}`
  );
}

const RESOURCES = ["resource=https://one.example.com/", "resource=urn:two"];
const AUTHORIZATION = ["kc_idp_hint=github", "audience=https://api.example.com?a=1&b=2", ...RESOURCES];
const TOKEN = ["tenant=a b", ...RESOURCES];

Deno.test("in a browser's sign-in they go to the page, with the code and with every refresh", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  await world.login("one", "kubernetes", [...FLAGS, "--profile", "work"]);
  assert.deepEqual(theirs(issuer.of("authorize")[0]), AUTHORIZATION);
  assert.deepEqual(theirs(issuer.of("token")[0]), TOKEN);
  for (let count = 1; count <= 2; count++) {
    await world.ok(["auth", "get-token", "--force-refresh"]);
    assert.deepEqual(theirs(issuer.of("token").at(-1)), TOKEN);
    assert.equal(issuer.of("token").at(-1)?.get("grant_type"), "refresh_token");
  }

  await world.signIn(["--profile", "work"]);
  assert.equal(issuer.of("authorize").length, 2);
  assert.deepEqual(theirs(issuer.of("authorize")[1]), AUTHORIZATION);
  assert.deepEqual(theirs(issuer.of("token").at(-1)), TOKEN);

  // A flag that is given again replaces its own kind, an empty one takes it back.
  await world.signIn(["--profile", "work", "--auth-param", "kc_idp_hint=google", "--resource", ""]);
  assert.deepEqual(theirs(issuer.of("authorize")[2]), ["kc_idp_hint=google"]);
  assert.deepEqual(theirs(issuer.of("token").at(-1)), ["tenant=a b"]);
  await world.signIn(["--profile", "work", "--auth-param", "", "--token-param", ""]);
  assert.deepEqual(theirs(issuer.of("authorize")[3]), []);
  await world.ok(["auth", "get-token", "--force-refresh"]);
  assert.deepEqual(theirs(issuer.of("token").at(-1)), []);
});

Deno.test("with a device code they go along with its request and its polls", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  const named = ["--issuer", issuer.at("one"), "--client-id", "kubernetes"];
  await world.ok(["login", "--keyring", "file", "--no-browser", ...named, ...FLAGS]);
  assert.deepEqual(theirs(issuer.of("device")[0]), AUTHORIZATION);
  assert.deepEqual(theirs(issuer.of("token")[0]), TOKEN);
  await world.ok(["auth", "get-token", "--force-refresh"]);
  assert.deepEqual(theirs(issuer.of("token").at(-1)), TOKEN);
});

Deno.test("what is edited in a session's file steers no request: it is sealed", async () => {
  await using world = await openIssuerWorld();
  await world.login("one", "kubernetes", [...FLAGS, "--profile", "work"]);
  const { file } = await world.sandbox.paths("work");
  const stored = JSON.parse(await Deno.readTextFile(file));
  assert.deepEqual(stored.signIn.authParams, {
    kc_idp_hint: "github",
    audience: "https://api.example.com?a=1&b=2",
  });
  stored.signIn = { tokenParams: { scope: "admin" }, authParams: { request_uri: "https://evil.example" } };
  await Deno.writeTextFile(file, JSON.stringify(stored));
  await world.ok(["auth", "get-token", "--force-refresh"]);
  const asked = world.issuer.of("token").at(-1);
  assert.deepEqual([theirs(asked), asked?.get("scope")], [TOKEN, null]);
  await world.signIn(["--profile", "work"]);
  assert.deepEqual(theirs(world.issuer.of("authorize").at(-1)), AUTHORIZATION);
});

Deno.test("a CI job's exchange sends those for tokens, at the sign-in and whenever it makes another", async () => {
  await using world = await openIssuerWorld();
  const { issuer, sandbox } = world;
  const claims = { iss: "https://ci", aud: "aud", exp: Math.floor(Date.now() / 1000) + 3600, iat: 1 };
  const token = `e30.${btoa(JSON.stringify(claims)).replace(/=+$/, "")}.c2ln`;
  await Deno.writeTextFile(`${sandbox.folder}/token`, token);
  const flags = [
    ...[
      "login",
      "--issuer",
      issuer.at("one"),
      "--workload",
      `file:${sandbox.folder}/token`,
      "--audience",
      "aud",
    ],
    ...["--exchange", "--client-id", "ci", "--keyring", "file"],
  ];
  await world.ok([...flags, "--token-param", "tenant=a b", "--resource", "https://one.example.com/"]);
  const expected = ["tenant=a b", "resource=https://one.example.com/"];
  assert.deepEqual(theirs(issuer.of("token")[0]), expected);
  await world.ok(["auth", "get-token", "--force-refresh"]);
  assert.equal(issuer.of("token").length, 2);
  assert.deepEqual(theirs(issuer.of("token")[1]), expected);
  for (
    const [more, says] of [
      [["--auth-param", "a=b"], /--auth-param is not for --workload/],
      [["--trust-audience", "b"], /--trust-audience is not for --workload/],
    ] as const
  ) {
    const ran = await world.run([...flags, ...more]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, says);
  }
  const plain = await world.run([...flags.filter((flag) => flag !== "--exchange"), "--resource", "urn:x"]);
  assert.match(plain.stderr, /is not for --workload without --exchange/);
});

Deno.test("what is set here anyway is refused, with the flag that says it; secrets are no parameters", async () => {
  await using world = await openIssuerWorld();
  const refused: readonly (readonly [text: string, says: RegExp])[] = [
    ["scope=openid", /cannot set scope\.\nName the scopes with --scopes\./],
    ["Scope=openid", /cannot set Scope\.\nName the scopes with --scopes\./],
    ["prompt=login", /--prompt/],
    ["client_id=x", /--client-id/],
    ["client_secret=x", /--client-secret-file/],
    ["redirect_uri=http://127.0.0.1/x", /--redirect-uri/],
    ["resource=urn:x", /--resource/],
    ["login_hint=ada", /--profile NAME/],
    ...[
      ...["state", "nonce", "code_challenge", "code_challenge_method", "response_type", "response_mode"],
      ...["grant_type", "code", "code_verifier", "refresh_token", "assertion", "client_assertion"],
      ...["device_code", "subject_token", "request", "request_uri"],
    ].map((name) => [`${name}=x`, /Leave it out: every sign-in has its own/] as const),
    ["password=x", /Secrets are not for these flags/],
    ["constructor", /is no parameter/],
    ["=x", /is no parameter/],
    ["a b=x", /is no parameter/],
    ["a=x\u202e", /is no parameter/],
    ["a=\n", /is no parameter/],
  ];
  for (const flag of ["--auth-param", "--token-param"]) {
    for (const [text, says] of refused) {
      const ran = await world.signIn([
        ...["--issuer", world.issuer.at("one"), "--client-id", "kubernetes", flag, text],
      ]);
      assert.equal(ran.code, 2, `${flag} ${text}: ${ran.stderr}`);
      assert.match(ran.stderr, says);
      assert.match(ran.stderr, new RegExp(flag));
    }
    const twice = await world.signIn([
      ...["--issuer", world.issuer.at("one"), "--client-id", "k", flag, "a=1", flag, "a=2"],
    ]);
    assert.match(twice.stderr, /sets a twice/);
  }
  for (const resource of ["one", "https://x.example/#a", "//x", "https://x\u202e"]) {
    const ran = await world.signIn([
      "--issuer",
      world.issuer.at("one"),
      "--client-id",
      "k",
      "--resource",
      resource,
    ]);
    assert.match(ran.stderr, /no absolute URI without a fragment/);
  }
  assert.deepEqual(world.issuer.asked, [], "nobody is asked in vain");
  const studio = await world.run(["login", "--provider", "studio", "--auth-param", "a=b"]);
  assert.match(studio.stderr, /--auth-param is not for the provider studio/);
});

Deno.test("names that JavaScript has a meaning for are names like any other", async () => {
  await using world = await openIssuerWorld();
  await world.login("one", "kubernetes", ["--auth-param", "constructor=x", "--auth-param", "__proto__=y"]);
  const asked = world.issuer.of("authorize")[0];
  assert.deepEqual([asked?.get("constructor"), asked?.get("__proto__")], ["x", "y"]);
});

Deno.test("an audience that is trusted is remembered, for refreshes and for the next sign-in", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  const other = "https://idcs.example.com/";
  issuer.person = { sub: "u-1", email: "ada@example.com", aud: ["kubernetes", other] };
  const named = ["--issuer", issuer.at("one"), "--client-id", "kubernetes", "--profile", "work"];
  const refused = await world.signIn(named);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /several audiences/);
  const wrong = await world.signIn([...named, "--trust-audience", "https://another.example.com/"]);
  assert.equal(wrong.code, 1);

  assert.equal((await world.signIn([...named, "--trust-audience", other])).code, 0);
  await world.ok(["auth", "get-token", "--force-refresh"]);
  assert.equal((await world.signIn(["--profile", "work"])).code, 0);
  const session = await world.session("work");
  assert.deepEqual(session.signIn?.trustedAudiences, [other]);
  const { credentials } = await world.sandbox.store.open(session, BOUND);
  assert.deepEqual(credentials.signIn?.trustedAudiences, [other]);

  // A token for one more than those is refused, and the session stays as it is.
  issuer.person = { ...issuer.person, aud: ["kubernetes", other, "https://third.example.com/"] };
  await world.signIn(["--profile", "work"]).then(({ code }) => assert.equal(code, 1));
  await world.ok(["auth", "get-token", "--force-refresh"]);
});

Deno.test("the line for a session whose key is lost has its parameters, quoted for a shell", async () => {
  await using world = await openIssuerWorld();
  await world.login("one", "kubernetes", [
    ...["--profile", "work", ...FLAGS, "--trust-audience", "https://x/", "--auth-param", "q=$(id); it's"],
  ]);
  const { key } = await world.sandbox.paths("work");
  await Deno.remove(key);
  const { stderr } = await world.signIn(["--profile", "work"]);
  assert.match(
    stderr,
    / --auth-param kc_idp_hint=github --auth-param 'audience=https:\/\/api\.example\.com\?a=1&b=2' --auth-param 'q=\$\(id\); it'\\''s' --token-param 'tenant=a b' --resource https:\/\/one\.example\.com\/ --resource urn:two --trust-audience https:\/\/x\//,
  );
});

Deno.test("the sign-in that kubectl's plugin begins by itself sends them, too", async () => {
  await using world = await openIssuerWorld();
  const { issuer, sandbox } = world;
  await world.login("one", "kubernetes", [...FLAGS, "--profile", "work"]);
  let back: Promise<unknown> | undefined;
  let shown = "";
  const over = new AppError("SESSION_EXPIRED", "The session has expired.");
  await signInFromPlugin("work", over, {
    store: sandbox.store,
    providers: CLOUDS,
    env: (name) => name === "BROWSER" ? "true" : undefined,
    canAsk: false,
    writeErr(text) {
      shown += text;
      const url = /http:\/\/\S+response_type=\S+/.exec(shown)?.[0];
      if (url !== undefined && shown.includes("Waiting")) {
        back ??= fetch(url).then((answer) => answer.body?.cancel());
      }
    },
  }, () => back === undefined ? Promise.reject(over) : Promise.resolve("a token"));
  await back;
  assert.deepEqual(theirs(issuer.of("authorize")[1]), AUTHORIZATION);
  assert.deepEqual(theirs(issuer.of("token")[1]), TOKEN);
});
