/** The lines of docs/issuers.md for vendors' issuers, each run at an issuer that wants what its vendor says. */

import assert from "node:assert/strict";
import { openIssuerWorld } from "../issuer-world.ts";
import type { PeopleIssuer } from "../people-issuer.ts";

const page = await Deno.readTextFile(new URL("../../../docs/issuers.md", import.meta.url));
const section = /^## Request parameters\n([^]*?)^## /m.exec(page)?.[1] ?? assert.fail("no such section");

/** The line below a vendor's name, as words; without `datumctl login` and the issuer's address. */
function flagsOf(vendor: string): string[] {
  const [, line = ""] =
    new RegExp(`^\\*\\*${vendor}\\*\\*[^]*?\`\`\`sh\\n([^]*?)\`\`\``, "m").exec(section) ?? [];
  const words = line.replaceAll("\\\n", " ").split(/\s+/).filter((word) => word !== "");
  assert.deepEqual(words.slice(0, 3), ["datumctl", "login", "--issuer"], vendor);
  return words.slice(4);
}

interface Vendor {
  readonly name: string;
  /** How its issuer differs from the usual one. */
  readonly bend?: (issuer: PeopleIssuer) => void;
  readonly authorization?: Readonly<Record<string, string>>;
  readonly token?: Readonly<Record<string, string>>;
  /** Its refreshes. */
  readonly refresh?: Readonly<Record<string, string>>;
}

const VENDORS: readonly Vendor[] = [
  {
    // https://developers.google.com/identity/protocols/oauth2/web-server#offline
    name: "Google",
    bend(issuer) {
      issuer.scopes = ["openid", "email", "profile"];
      issuer.refreshes = (asked) =>
        asked.get("access_type") === "offline" && asked.get("prompt") === "consent";
    },
    authorization: { access_type: "offline", prompt: "consent", scope: "openid profile email" },
  },
  {
    // https://auth0.com/docs/secure/tokens/access-tokens/get-access-tokens
    name: "Auth0",
    authorization: { audience: "https://api.example.com" },
  },
  {
    // https://www.keycloak.org/docs/latest/server_admin/#_client_suggested_idp
    name: "Keycloak",
    authorization: { kc_idp_hint: "github" },
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
    name: "Microsoft Entra ID",
    authorization: { domain_hint: "example.com" },
  },
  {
    // https://learn.microsoft.com/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-flows-scenarios
    name: "ADFS",
    authorization: { resource: "urn:kubernetes" },
    token: { resource: "urn:kubernetes" },
    refresh: { resource: "urn:kubernetes" },
  },
  {
    // https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
    name: "Amazon Cognito",
    bend: (issuer) => issuer.scopes = ["openid", "email", "phone", "profile"],
    authorization: { identity_provider: "Google" },
  },
];

for (const { name, bend, authorization = {}, token = {}, refresh = {} } of VENDORS) {
  Deno.test(`the line for ${name} signs in to a session that renews itself`, async () => {
    await using world = await openIssuerWorld();
    const { issuer, sandbox } = world;
    bend?.(issuer);
    const secret = `${sandbox.folder}/secret.txt`;
    await Deno.writeTextFile(secret, "s3cret\n", { mode: 0o600 });
    // The address that a vendor wants registered may be taken here.
    const flags = flagsOf(name).map((word) =>
      word === "secret.txt" ? secret : word.replace("localhost:8000", "localhost")
    );
    const named = ["--issuer", issuer.at("one"), ...flags, "--profile", "work"];
    const ran = await world.signIn(named);
    assert.equal(ran.code, 0, ran.stderr);
    assert.doesNotMatch(ran.stderr, /no refresh token/);
    assert.equal((await world.signIn(["--profile", "work"])).code, 0);
    const [first, second] = issuer.of("authorize");
    for (const asked of [first, second]) {
      for (const [key, value] of Object.entries(authorization)) assert.deepEqual(asked?.getAll(key), [value]);
    }
    await world.ok(["auth", "get-token", "--force-refresh"]);
    const [code, , last] = issuer.of("token");
    for (const [key, value] of Object.entries(token)) assert.deepEqual(code?.getAll(key), [value]);
    assert.equal(last?.get("grant_type"), "refresh_token");
    for (const [key, value] of Object.entries(refresh)) assert.deepEqual(last?.getAll(key), [value]);
    for (const key of Object.keys(authorization)) {
      if (!(key in refresh)) assert.equal(last?.get(key), null, `${key} is not for refreshes`);
    }
  });
}

Deno.test("without its line, Google's issuer gives a session that ends", async () => {
  await using world = await openIssuerWorld();
  world.issuer.scopes = ["openid", "email", "profile"];
  world.issuer.refreshes = (asked) =>
    asked.get("access_type") === "offline" && asked.get("prompt") === "consent";
  const { stderr } = await world.login("one", "ID");
  assert.match(stderr, /The issuer gave no refresh token: this session lasts until/);
});
