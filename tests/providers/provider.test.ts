/** Proves which provider a command line means, which flags it knows, and what an OpenID issuer of one's own needs. */

import assert from "node:assert/strict";
import { oidcTarget } from "../../src/providers/oidc/target.ts";
import {
  chosenProvider,
  type ProviderChoice,
  PROVIDERS,
  renewalTarget,
} from "../../src/providers/provider.ts";
import type { Session } from "../../src/sessions/session.ts";
import { expectError } from "../expect-error.ts";

const chosen = (choice: Partial<ProviderChoice>) =>
  chosenProvider({
    flag: undefined,
    flags: {},
    renewed: undefined,
    variable: undefined,
    studioUrl: undefined,
    ...choice,
  });

const SESSION: Session = {
  schemaVersion: 1,
  name: "ada@login.example.com",
  provider: "oidc",
  kind: "user",
  issuer: "https://login.example.com/realms/main",
  authHost: "login.example.com",
  apiHost: "login.example.com",
  clientId: "kubernetes",
  user: { subject: "1" },
  scopes: [],
  keyStore: "file",
  credentials: "",
};

Deno.test("a flag that another provider knows is wrong usage, and names that one", () => {
  const issuer = "https://login.example.com";
  for (
    const flags of [{ redirectUri: "x" }, { clientSecretFile: "x" }, { deviceAuthorizationEndpoint: "x" }]
  ) {
    const { message, hint } = expectError(() => chosen({ flags }), "USAGE");
    assert.match(message, /^--[a-z-]+ is not for the provider datum\.$/);
    assert.match(hint ?? "", /--provider oidc/);
    assert.equal(chosen({ flags: { ...flags, issuer } }), "oidc");
  }
  for (const flags of [{ hostname: "x", issuer }, { apiHostname: "x", issuer }]) {
    expectError(() => chosen({ flags }), {
      code: "USAGE",
      hint: /^Leave out --issuer, or --(?:api-)?hostname, .*datum/,
    });
  }
  expectError(() => chosen({ flag: "datum", flags: { issuer } }), {
    code: "USAGE",
    message: /^--issuer is not for/,
  });
});

Deno.test("the way out of flags that contradict each other is one that works, and a variable is named", () => {
  expectError(() => chosen({ flags: { hostname: "x", team: ["a"], clientId: "1" } }), {
    code: "USAGE",
    hint: "Leave out --client-id, or --team, which is for the provider studio.",
  });
  expectError(() => chosen({ flag: "oidc", flags: { hostname: "x", name: "a" } }), {
    code: "USAGE",
    hint: /--provider studio$/,
  });
  const flags = { hostname: "x", clientId: "1", prompt: "login", redirectUri: "y" };
  expectError(() => chosen({ flags }), {
    code: "USAGE",
    hint: /^Leave out --hostname, or --redirect-uri, .*oidc/,
  });
  expectError(() => chosen({ variable: "foo" }), {
    code: "USAGE",
    message: /^DATUMCTL_PROVIDER: the provider "foo" is not known/,
  });
  assert.doesNotMatch(
    expectError(() => chosen({ flag: "foo", variable: "foo" }), "USAGE").message,
    /DATUMCTL_PROVIDER/,
  );
});

Deno.test("an issuer that is none is told before what else is missing", () => {
  expectError(() => oidcTarget({ issuer: "foo" }), { code: "USAGE", message: /^The issuer foo / });
});

Deno.test("a flag of another cloud than Studio is refused there, and Studio's elsewhere; the right one is named", () => {
  const studio = { flag: "studio" };
  for (const name of ["clientId", "apiHostname", "listenPort", "prompt", "credentials", "workload"]) {
    const { message, hint } = expectError(() => chosen({ ...studio, flags: { [name]: "x" } }), "USAGE");
    assert.match(message, /^--[a-z-]+ is not for the provider studio\.$/);
    assert.match(hint ?? "", /--provider datum/);
  }
  expectError(() => chosen({ ...studio, flags: { redirectUri: "x" } }), {
    code: "USAGE",
    hint: /--provider oidc/,
  });
  for (const name of ["name", "team", "expiresIn", "local", "force", "exportDatachain"]) {
    for (
      const choice of [{ flag: "datum" }, { variable: "datum" }, { flags: { hostname: "auth.datum.net" } }]
    ) {
      const { hint } = expectError(
        () => chosen({ ...choice, flags: { ...choice.flags, [name]: "x" } }),
        "USAGE",
      );
      assert.match(hint ?? "", /--provider studio/);
    }
  }
  assert.equal(
    chosen({ ...studio, flags: { hostname: "anything.example", name: "x", force: true } }),
    "studio",
  );
});

Deno.test("Studio is meant by its own host, and by that of DATACHAIN_STUDIO_URL, however it is written", () => {
  for (const hostname of ["studio.datachain.ai", "https://Studio.DataChain.ai:443/", "STUDIO.datachain.AI"]) {
    assert.equal(chosen({ flags: { hostname } }), "studio");
  }
  const studioUrl = "https://studio.example.com:8443/";
  assert.equal(chosen({ flags: { hostname: "Studio.example.com:8443" }, studioUrl }), "studio");
  assert.equal(
    chosen({ flags: { hostname: "http://localhost:3000" }, studioUrl: "http://localhost:3000" }),
    "studio",
  );
  for (
    const hostname of ["studio.example.com", "studio.datachain.ai.example", "app.datachain.ai", "not a host"]
  ) {
    assert.equal(chosen({ flags: { hostname }, studioUrl }), "datum", hostname);
  }
  assert.equal(chosen({ flags: { hostname: "auth.datum.net" }, studioUrl: "nonsense/" }), "datum");
  assert.equal(
    chosen({ studioUrl }),
    "datum",
    "the variable alone says where Studio is, not that it is meant",
  );
});

Deno.test("without a host, what only Studio has means Studio; with another host it does not", () => {
  const flags = [{ team: ["a"] }, { expiresIn: "9" }, { local: true }, { scopes: "x, experiments" }];
  for (const flag of flags) {
    assert.equal(chosen({ flags: flag }), "studio");
    assert.equal(chosen({ flags: flag, variable: "studio" }), "studio");
  }
  for (const scopes of ["openid,email", "EXPERIMENTS2", ""]) {
    assert.equal(chosen({ flags: { scopes } }), "datum");
  }
  assert.equal(chosen({ flags: { scopes: "MODELS", hostname: "auth.datum.net" } }), "datum");
  expectError(() => chosen({ flags: { team: ["a"] }, renewed: SESSION }), "USAGE");
  expectError(() => chosen({ flags: { name: "a" } }), { code: "USAGE", hint: /--provider studio/ });
});

Deno.test("a known host of Studio comes before the variable and the session; an issuer before all but the flag", () => {
  const hostname = "studio.datachain.ai";
  assert.equal(chosen({ flags: { hostname }, variable: "datum", renewed: SESSION }), "studio");
  assert.equal(chosen({ flags: { hostname }, flag: "datum" }), "datum");
  assert.equal(chosen({ flags: { hostname: "anything.example" }, variable: "studio" }), "studio");
  expectError(() => chosen({ flags: { hostname, issuer: "https://a.example" } }), "USAGE");
});

Deno.test("the flag decides, then --issuer, then the session, then the variable, then it is Datum", () => {
  const issuer = "https://login.example.com";
  assert.equal(chosen({}), "datum");
  assert.equal(chosen({ variable: "oidc" }), "oidc");
  assert.equal(chosen({ variable: "datum", renewed: SESSION }), "oidc");
  assert.equal(chosen({ variable: "datum", flags: { issuer } }), "oidc");
  assert.equal(chosen({ flag: "datum", renewed: SESSION }), "datum");
  expectError(() => chosen({ variable: "nobody\u001b[2J" }), {
    code: "USAGE",
    message: /"nobody \[2J" is not known/,
  });
});

Deno.test("an issuer stays as it is written; its host, with the port, stands for it", () => {
  const target = oidcTarget({
    issuer: "https://LOGIN.example.com:8443/realms/Main/",
    clientId: "kubernetes",
  });
  assert.equal(target.issuer, "https://LOGIN.example.com:8443/realms/Main/");
  assert.deepEqual([target.authHost, target.apiHost], ["login.example.com:8443", "login.example.com:8443"]);
  assert.equal(target.redirectPath, "/callback");
  assert.equal(target.deviceEndpoint, undefined, "nothing is guessed");
  assert.equal(oidcTarget({ issuer: "http://[::1]:9/", clientId: "a" }).apiHost, "[::1]:9");
});

Deno.test("consent is asked for with offline_access, and only then", () => {
  const { promptFor } = oidcTarget({ issuer: "https://a.example", clientId: "a" });
  assert.equal(promptFor(["openid", "offline_access"]), "consent");
  assert.equal(promptFor(["openid", "email"]), undefined);
});

Deno.test("what an issuer lacks is told with the line to run", () => {
  expectError(() => oidcTarget({}), { code: "USAGE", hint: /datumctl login --issuer URL --client-id ID/ });
  expectError(() => oidcTarget({ issuer: "https://a.example" }), {
    code: "USAGE",
    hint: /--issuer https:\/\/a\.example --client-id ID/,
  });
  for (
    const issuer of [
      "a.example",
      "http://a.example",
      "https://a.example?b",
      "https://u@a.example",
      "https://a.example#b",
    ]
  ) {
    expectError(() => oidcTarget({ issuer, clientId: "a" }), "USAGE");
  }
});

Deno.test("a session is renewed where and as whom it was made; one that nobody signs in to is not", () => {
  const target = renewalTarget(SESSION, { clientSecret: "secret" });
  assert.deepEqual([target?.issuer, target?.client.id, target?.client.secret], [
    SESSION.issuer,
    "kubernetes",
    "secret",
  ]);
  assert.equal(
    renewalTarget({ ...SESSION, provider: "datum" }, {})?.issuer,
    "https://login.example.com",
  );
  assert.equal(renewalTarget({ ...SESSION, kind: "service-account" }, {}), undefined);
  assert.equal(renewalTarget({ ...SESSION, provider: "studio" }, {}), undefined);
});

Deno.test("the providers are those that a stored session can be of, none left out", () => {
  // The compiler refuses a record that lacks one, or has one more.
  const stored: Record<Session["provider"], true> = {
    datum: true,
    oidc: true,
    studio: true,
    cloudfleet: true,
  };
  assert.deepEqual(PROVIDERS.toSorted(), Object.keys(stored).toSorted());
});
