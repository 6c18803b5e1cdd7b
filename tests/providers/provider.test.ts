/** Proves which provider a command line means, which flags it knows, and what an OpenID issuer of one's own needs. */

import assert from "node:assert/strict";
import { oidcTarget } from "../../src/providers/oidc/target.ts";
import { chosenProvider, type ProviderChoice } from "../../src/providers/choose.ts";
import type { Session } from "../../src/sessions/session.ts";
import { DATUM } from "../../src/providers/datum/facts.ts";
import { PERSON, SERVICE_ACCOUNT } from "../../src/providers/kinds.ts";
import { OIDC } from "../../src/providers/oidc/facts.ts";
import { STUDIO } from "../../src/providers/studio/facts.ts";
import { CLOUDS } from "../clouds.ts";
import { expectError, expectRejection } from "../expect-error.ts";

const chosen = async (
  { variable, studioUrl, ...choice }:
    & Partial<ProviderChoice>
    & { readonly variable?: string; readonly studioUrl?: string },
) => {
  const env: Record<string, string | undefined> = {
    DATUMCTL_PROVIDER: variable,
    DATACHAIN_STUDIO_URL: studioUrl,
  };
  const provider = await chosenProvider(CLOUDS, {
    flag: undefined,
    flags: {},
    renewed: undefined,
    env: (name) => env[name],
    ...choice,
  });
  return String(provider.facts);
};

const SESSION: Session = {
  schemaVersion: 1,
  name: "ada@login.example.com",
  provider: OIDC,
  kind: PERSON,
  issuer: "https://login.example.com/realms/main",
  authHost: "login.example.com",
  apiHost: "login.example.com",
  clientId: "kubernetes",
  user: { subject: "1" },
  scopes: [],
  keyStore: "file",
  credentials: "",
};

Deno.test("a flag that another provider knows is wrong usage, and names that one", async () => {
  const issuer = "https://login.example.com";
  for (
    const flags of [{ redirectUri: "x" }, { clientSecretFile: "x" }, { deviceAuthorizationEndpoint: "x" }]
  ) {
    const { message, hint } = await expectRejection(chosen({ flags }), "USAGE");
    assert.match(message, /^--[a-z-]+ is not for the provider datum\.$/);
    assert.match(hint ?? "", /--provider oidc/);
    assert.equal(await chosen({ flags: { ...flags, issuer } }), "oidc");
  }
  for (const flags of [{ hostname: "x", issuer }, { apiHostname: "x", issuer }]) {
    await expectRejection(chosen({ flags }), {
      code: "USAGE",
      hint: /^Leave out --issuer, or --(?:api-)?hostname, .*datum/,
    });
  }
  await expectRejection(chosen({ flag: "datum", flags: { issuer } }), {
    code: "USAGE",
    message: /^--issuer is not for/,
  });
});

Deno.test("the way out of flags that contradict each other is one that works, and a variable is named", async () => {
  await expectRejection(chosen({ flags: { hostname: "x", team: ["a"], clientId: "1" } }), {
    code: "USAGE",
    hint: "Leave out --client-id, or --team, which is for the provider studio.",
  });
  await expectRejection(chosen({ flag: "oidc", flags: { hostname: "x", name: "a" } }), {
    code: "USAGE",
    hint: /--provider studio$/,
  });
  const flags = { hostname: "x", clientId: "1", prompt: "login", redirectUri: "y" };
  await expectRejection(chosen({ flags }), {
    code: "USAGE",
    hint: /^Leave out --hostname, or --redirect-uri, .*oidc/,
  });
  await expectRejection(chosen({ variable: "foo" }), {
    code: "USAGE",
    message: /^DATUMCTL_PROVIDER: the provider "foo" is not known/,
  });
  assert.doesNotMatch(
    (await expectRejection(chosen({ flag: "foo", variable: "foo" }), "USAGE")).message,
    /DATUMCTL_PROVIDER/,
  );
});

Deno.test("an issuer that is none is told before what else is missing", () => {
  expectError(() => oidcTarget({ issuer: "foo" }), { code: "USAGE", message: /^The issuer foo / });
});

const studio = { flag: "studio" };

Deno.test("a flag of another cloud is refused at Studio, and that cloud is named", async () => {
  for (const name of ["clientId", "apiHostname", "listenPort", "prompt", "credentials", "workload"]) {
    const { message, hint } = await expectRejection(chosen({ ...studio, flags: { [name]: "x" } }), "USAGE");
    assert.match(message, /^--[a-z-]+ is not for the provider studio\.$/);
    assert.match(hint ?? "", /--provider datum/);
  }
  await expectRejection(chosen({ ...studio, flags: { redirectUri: "x" } }), {
    code: "USAGE",
    hint: /--provider oidc/,
  });
});

Deno.test("a flag of Studio's is refused elsewhere, and Studio is named", async () => {
  for (const name of ["name", "team", "expiresIn", "local", "force", "exportDatachain"]) {
    for (
      const choice of [{ flag: "datum" }, { variable: "datum" }, { flags: { hostname: "auth.datum.net" } }]
    ) {
      const { hint } = await expectRejection(
        chosen({ ...choice, flags: { ...choice.flags, [name]: "x" } }),
        "USAGE",
      );
      assert.match(hint ?? "", /--provider studio/);
    }
  }
  assert.equal(
    await chosen({ ...studio, flags: { hostname: "anything.example", name: "x", force: true } }),
    "studio",
  );
});

Deno.test("Studio is meant by its own host, and by that of DATACHAIN_STUDIO_URL, however it is written", async () => {
  for (const hostname of ["studio.datachain.ai", "https://Studio.DataChain.ai:443/", "STUDIO.datachain.AI"]) {
    assert.equal(await chosen({ flags: { hostname } }), "studio");
  }
  const studioUrl = "https://studio.example.com:8443/";
  assert.equal(await chosen({ flags: { hostname: "Studio.example.com:8443" }, studioUrl }), "studio");
  assert.equal(
    await chosen({ flags: { hostname: "http://localhost:3000" }, studioUrl: "http://localhost:3000" }),
    "studio",
  );
  for (
    const hostname of ["studio.example.com", "studio.datachain.ai.example", "app.datachain.ai", "not a host"]
  ) {
    assert.equal(await chosen({ flags: { hostname }, studioUrl }), "datum", hostname);
  }
  assert.equal(await chosen({ flags: { hostname: "auth.datum.net" }, studioUrl: "nonsense/" }), "datum");
  assert.equal(
    await chosen({ studioUrl }),
    "datum",
    "the variable alone says where Studio is, not that it is meant",
  );
});

Deno.test("without a host, what only Studio has means Studio; with another host it does not", async () => {
  const flags = [{ team: ["a"] }, { expiresIn: "9" }, { local: true as const }, { scopes: "x, experiments" }];
  for (const flag of flags) {
    assert.equal(await chosen({ flags: flag }), "studio");
    assert.equal(await chosen({ flags: flag, variable: "studio" }), "studio");
  }
  for (const scopes of ["openid,email", "EXPERIMENTS2", ""]) {
    assert.equal(await chosen({ flags: { scopes } }), "datum");
  }
  assert.equal(await chosen({ flags: { scopes: "MODELS", hostname: "auth.datum.net" } }), "datum");
  await expectRejection(chosen({ flags: { team: ["a"] }, renewed: SESSION }), "USAGE");
  await expectRejection(chosen({ flags: { name: "a" } }), { code: "USAGE", hint: /--provider studio/ });
});

Deno.test("a known host of Studio comes before the variable and the session; an issuer before all but the flag", async () => {
  const hostname = "studio.datachain.ai";
  assert.equal(await chosen({ flags: { hostname }, variable: "datum", renewed: SESSION }), "studio");
  assert.equal(await chosen({ flags: { hostname }, flag: "datum" }), "datum");
  assert.equal(await chosen({ flags: { hostname: "anything.example" }, variable: "studio" }), "studio");
  await expectRejection(chosen({ flags: { hostname, issuer: "https://a.example" } }), "USAGE");
});

Deno.test("the flag decides, then --issuer, then the session, then the variable, then it is Datum", async () => {
  const issuer = "https://login.example.com";
  assert.equal(await chosen({}), "datum");
  assert.equal(await chosen({ variable: "oidc" }), "oidc");
  assert.equal(await chosen({ variable: "datum", renewed: SESSION }), "oidc");
  assert.equal(await chosen({ variable: "datum", flags: { issuer } }), "oidc");
  assert.equal(await chosen({ flag: "datum", renewed: SESSION }), "datum");
  await expectRejection(chosen({ variable: "nobody\u001b[2J" }), {
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

Deno.test("a session is renewed where and as whom it was made; one that nobody signs in to is not", async () => {
  const { renewalTarget } = CLOUDS;
  const target = await renewalTarget(SESSION, { clientSecret: "secret" });
  assert.deepEqual([target?.issuer, target?.client.id, target?.client.secret], [
    SESSION.issuer,
    "kubernetes",
    "secret",
  ]);
  assert.equal(
    (await renewalTarget({ ...SESSION, provider: DATUM }, {}))?.issuer,
    "https://login.example.com",
  );
  assert.equal(await renewalTarget({ ...SESSION, kind: SERVICE_ACCOUNT }, {}), undefined);
  assert.equal(await renewalTarget({ ...SESSION, provider: STUDIO }, {}), undefined);
});

Deno.test("the clouds are those whose names stored sessions have, none left out", () => {
  const stored = ["datum", "oidc", "studio", "cloudfleet"];
  assert.deepEqual(CLOUDS.all.map(({ facts }) => String(facts)), stored);
  for (const name of stored) assert.equal(String(CLOUDS.provider(name)), name);
  for (const kind of ["user", "service-account", "api-token", "pat", "workload", "studio"]) {
    assert.equal(String(CLOUDS.kind(kind)), kind);
  }
});
