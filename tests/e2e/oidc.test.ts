/** Proves sign-in to any OpenID issuer: refreshed, renewed, refused, and without what an issuer need not have. */

import assert from "node:assert/strict";
import { leadsTo } from "../cloud/browser.ts";
import {
  ADA,
  bad,
  CLIENT,
  EXEC,
  good,
  issuerFlags,
  native,
  signIn,
  testAtIssuer,
  walkAsAda,
} from "./issuer-stage.ts";
import type { Finished, World } from "./world.ts";

for (const path of ["", "/realms/main"]) {
  testAtIssuer(
    `oidc-provider as it comes signs in, refreshes and renews${
      path === "" ? "" : ", at an issuer with a path"
    }`,
    { path },
    async ({ world, issuer, login, session }) => {
      const out = good(await login());
      assert.match(out, new RegExp(`^Signed in as ${ADA} at ${issuer.host}\\.`));
      const [asked] = issuer.authorizations;
      assert.equal(asked?.get("prompt"), "consent", "without it there is no refresh token");
      assert.equal(asked?.get("code_challenge_method"), "S256");
      assert.match(asked?.get("redirect_uri") ?? "", /^http:\/\/127\.0\.0\.1:\d+\/callback$/);

      const first = JSON.parse(await world.ok(["auth", "get-token", "--token", "id", "--claims"]));
      assert.equal(first.claims.iss, issuer.issuer);
      const exec = JSON.parse(await world.ok(["auth", "get-token", "-o", EXEC]));
      const id = (await world.ok(["auth", "get-token", "--token", "id"])).trim();
      assert.equal(exec.status.token, id, "kubectl gets the ID token");
      const access = await world.ok(["auth", "get-token"]);
      assert.notEqual(await world.ok(["auth", "get-token", "--force-refresh"]), access);
      assert.equal(issuer.tokenRequests.at(-1)?.parameters.grant_type, "refresh_token");
      assert.equal(issuer.tokenRequests.at(-1)?.authorization, undefined, "a public client sends no secret");

      good(await signIn(world, issuer, ["--profile", session]));
      const listed = JSON.parse(await world.ok(["auth", "list", "-o", "json"]));
      assert.equal(listed.length, 1, "it was renewed, not made anew");
      assert.equal(listed[0].issuer, issuer.issuer);
      assert.equal(listed[0].provider, "oidc");
      // The stock configuration has no revocation: said, and removed all the same.
      const out2 = await world.datumctl(["logout", session]);
      bad(out2, 0, /no revocation endpoint/);
    },
  );
}

for (const method of ["client_secret_basic", "client_secret_post"] as const) {
  // Characters that Basic authentication must encode.
  const secret = "s3cret:+ %/=&-_.~*";
  testAtIssuer(`a confidential client authenticates by ${method}, also when it refreshes and is renewed`, {
    clients: [native({ token_endpoint_auth_method: method, client_secret: secret })],
    configuration: { clientAuthMethods: [method] },
  }, async ({ world, issuer, login, session }) => {
    const file = `${world.home}/secret.txt`;
    await Deno.writeTextFile(file, `${secret}\n`, { mode: 0o644 });
    bad(await login(), 1, /ISSUER|refused/, /invalid_client/);
    const outputs = [await login(["--client-secret-file", file])];
    bad(outputs[0] as Finished, 0, /Other users of this machine can read .*secret\.txt/);
    await Deno.remove(file);
    outputs.push(await world.datumctl(["auth", "get-token", "--force-refresh", "-v"]));
    outputs.push(await signIn(world, issuer, ["--profile", session, "-v"]));
    for (const finished of outputs) {
      good(finished);
      assert.ok(!`${finished.stdout}${finished.stderr}`.includes(secret));
    }
    for (const { authorization, parameters } of issuer.tokenRequests.slice(-3)) {
      if (method === "client_secret_post") assert.equal(parameters.client_secret, secret);
      else {
        assert.match(authorization ?? "", /^Basic /);
        assert.equal(parameters.client_secret, undefined);
      }
    }
    for (const path of await world.files()) {
      assert.ok(!(await Deno.readTextFile(path).catch(() => "")).includes(secret), path);
    }
    // Without the key the secret is gone, and the file is not trusted with where to go: the line to check has both.
    const [key] = (await world.files()).filter((path) => path.endsWith(".key"));
    await Deno.remove(key ?? "");
    const lost = await signIn(world, issuer, ["--profile", session]);
    bad(lost, 2, /The key of the session .* is lost/);
    const line = /datumctl login (.*)$/m.exec(lost.stderr)?.[1] ?? assert.fail(lost.stderr);
    assert.equal(
      line,
      `--profile ${session} --issuer ${issuer.issuer} --client-id ${CLIENT} --client-secret-file FILE ` +
        "--certificate-authority FILE",
    );
    const again = line.replace("--client-secret-file FILE", "--client-secret-file -").replace(
      "FILE",
      issuer.caFile,
    );
    good(await signIn(world, issuer, again.split(" "), { stdin: `${secret}\r\n` }));
    good(await world.datumctl(["auth", "get-token", "--force-refresh"]));
  });
}

/** Runs a command until it ends with that exit code. */
async function until(world: World, exit: number, args: readonly string[]): Promise<Finished> {
  for (const most = performance.now() + 60_000;;) {
    const finished = await world.datumctl(args);
    if (finished.code === exit) return finished;
    assert.equal(finished.code, 0, finished.stderr);
    assert.ok(performance.now() < most, `it never ended with ${exit}`);
  }
}

testAtIssuer("an issuer without refresh tokens: login says until when, then the session has expired", {
  configuration: { ttl: { IdToken: 4, AccessToken: 4 } },
}, async ({ world, issuer, login, session }) => {
  const finished = await login(["--scopes", "email"]);
  bad(finished, 0, /gave no refresh token: this session lasts until \d{4}-\d\d-\d\dT/);
  assert.equal(issuer.authorizations[0]?.get("scope"), "openid email");
  assert.equal(issuer.authorizations[0]?.get("prompt"), null, "nothing asks for a consent");
  const args = ["auth", "get-token", "-o", EXEC];
  bad(await until(world, 4, args), 4, /has expired: it came without a refresh token/, /login --profile/);
  // What an edited file says of the sign-in is not what was sealed.
  const [file = ""] = (await world.files()).filter((path) =>
    path.endsWith(".json") && path.includes("/sessions/")
  );
  const stored = JSON.parse(await Deno.readTextFile(file));
  assert.deepEqual(stored.signIn, { scopes: ["email"] });
  const signInOfAnother = { scopes: ["admin"], prompt: "none", redirectUri: "http://localhost:1/" };
  await Deno.writeTextFile(file, JSON.stringify({ ...stored, signIn: signInOfAnother }));
  good(await signIn(world, issuer, ["--profile", session]));
  assert.equal(issuer.authorizations[1]?.get("scope"), "openid email", "the scopes are remembered");
  assert.equal(issuer.tokenRequests.length, 2, "nothing was refreshed");
});

testAtIssuer("--prompt replaces the consent, and an empty one sends none", {}, async ({ issuer, login }) => {
  good(await login(["--prompt", "login"]));
  good(await login(["--prompt", ""]));
  assert.deepEqual(issuer.authorizations.map((asked) => asked.get("prompt")), ["login", null]);
});

testAtIssuer(
  "without ID tokens on refresh the old one serves until its end, then it is NO_ID_TOKEN",
  {
    configuration: { ttl: { IdToken: 6, AccessToken: 6 } },
    tokenAnswer: (grant) => grant === "refresh_token" ? { id_token: undefined } : {},
  },
  async ({ world, issuer, login }) => {
    good(await login());
    const args = ["auth", "get-token", "-o", EXEC];
    const before = JSON.parse(await world.ok(args)).status.token;
    await world.ok(["auth", "get-token", "--token", "access", "--force-refresh"]);
    assert.equal(JSON.parse(await world.ok(args)).status.token, before, "the old one is kept");
    bad(await until(world, 4, args), 4, /gives no new ID token/, /--token access/);
    const asked = issuer.tokenRequests.length;
    bad(await world.datumctl(args), 4);
    assert.equal(issuer.tokenRequests.length, asked);
    await world.ok(["auth", "get-token"]);
  },
);

testAtIssuer(
  "what cannot be an issuer, or is not the provider's, is refused before anybody signs in",
  {},
  async (stage) => {
    const { world, issuer, login } = stage;
    const run = (...args: string[]) => world.datumctl(["login", ...args], { timeout: 20_000 });
    bad(await run("--provider", "oidc"), 2, /needs --issuer/);
    bad(await run("--issuer", issuer.issuer), 2, /needs --client-id/);
    bad(await run("--issuer", "http://issuer.example", "--client-id", "a"), 2, /is not an https URL/);
    bad(
      await login(["--hostname", "auth.example.com"]),
      2,
      /--hostname is not for the provider oidc/,
      /datum/,
    );
    bad(
      await run("--redirect-uri", "http://localhost"),
      2,
      /--redirect-uri is not for the provider datum/,
      /oidc/,
    );
    bad(await login(["--redirect-uri", "http://192.0.2.1/"]), 2, /cannot be listened on/);
    bad(await login(["--client-secret-file", `${world.home}/none`]), 2, /does not exist/);
    bad(await run("--provider", "kanidm"), 2, /is not known/);
    const slash = issuerFlags({ ...issuer, issuer: `${issuer.issuer}/` });
    bad(await run(...slash), 1, /names "https:\/\/[^"]+[^/]", not "https:\/\/[^"]+\/"/);
    assert.equal(await world.ok(["auth", "list", "-o", "json"]), "[]\n");
    // The variable is a default: what is typed beats it.
    good(await login([], { env: { DATUMCTL_PROVIDER: "datum" } }));
  },
);

testAtIssuer("kubectl's plugin signs a session of any issuer in again, as it was signed in", {
  configuration: { ttl: { IdToken: 3, AccessToken: 3 } },
  clients: [native({ token_endpoint_auth_method: "client_secret_post", client_secret: "a-secret" })],
}, async ({ world, issuer, login, session }) => {
  good(await login(["--scopes", "email", "--client-secret-file", "-"], { stdin: "a-secret\n" }));
  await until(world, 4, ["auth", "get-token", "-o", EXEC]);
  const browser = `${world.home}/browser`;
  await Deno.writeTextFile(browser, '#!/bin/sh\necho "$1" > "$0.part"; mv "$0.part" "$0.opened"\n', {
    mode: 0o700,
  });
  const info = { kind: "ExecCredential", apiVersion: EXEC, spec: { interactive: true } };
  const plugin = world.start(
    world.binary,
    ["auth", "get-token", `--output=${EXEC}`, `--session=${session}`],
    {
      env: { BROWSER: browser, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    },
  );
  let url: string | undefined;
  for (const most = performance.now() + 30_000; url === undefined && performance.now() < most;) {
    url = await Deno.readTextFile(`${browser}.opened`).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await walkAsAda(issuer, await leadsTo(url?.trim() ?? assert.fail("no browser was opened")));
  const { status } = JSON.parse(good(await plugin.finished));
  assert.match(status.token, /^ey/);
  assert.equal(issuer.authorizations[1]?.get("scope"), "openid email");
  assert.equal(issuer.authorizations[1]?.get("prompt"), null);
});
