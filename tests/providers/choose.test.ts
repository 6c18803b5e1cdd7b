/** Proves which cloud a command line means, and which flags it knows. */

import assert from "node:assert/strict";
import { chosenProvider, type ProviderChoice } from "../../src/providers/choose.ts";
import { CLOUDS } from "../clouds.ts";
import { expectRejection } from "../expect-error.ts";
import { OIDC_SESSION as SESSION } from "./oidc-session.ts";

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

Deno.test("which provider counts: a flag, an issuer, a known host of Studio, the variable, the session", async () => {
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
