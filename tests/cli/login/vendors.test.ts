/** The lines of docs/issuers.md for each maker's issuer, run at a stand-in that plays what that issuer sends, to the end. */

import assert from "node:assert/strict";
import { json } from "../../oauth/issuer.ts";
import { type IssuerWorld, openIssuerWorld } from "../issuer-world.ts";
import type { PeopleIssuer } from "../people-issuer.ts";

const page = await Deno.readTextFile(new URL("../../../docs/issuers.md", import.meta.url));
const section = /^## Issuer by issuer\n([^]*?)^## /m.exec(page)?.[1] ?? assert.fail("no such section");

/** The words of the line below a maker's name, behind `datumctl login`. */
function lineOf(vendor: string): string[] {
  const [, line = ""] =
    new RegExp(`^\\*\\*${vendor}\\*\\*[^]*?\`\`\`sh\\n(.*)\\n\`\`\``, "m").exec(section) ?? [];
  const words = line.split(" ");
  assert.deepEqual(words.slice(0, 3), ["datumctl", "login", "--issuer"], vendor);
  return words.slice(2);
}

type Answer = Readonly<Record<string, unknown>>;

interface Vendor {
  readonly name: string;
  /** How its issuer differs from the usual one; the issuer's address in question. */
  readonly bend?: (issuer: PeopleIssuer, address: string) => void;
  /** What it answers to a refresh token that is over. */
  readonly dead: readonly [status: number, body: Answer];
  /** It gives none unless asked in a way of its own. */
  readonly noRefreshToken?: true;
  /** It sends none to a refresh. */
  readonly keepsRefreshToken?: true;
  /** What must be sent to get a code. */
  readonly asks?: (asked: URLSearchParams) => boolean;
}

/** Members laid over the token answers. */
function withTokens(issuer: PeopleIssuer, more: Answer): void {
  issuer.bends.set("token", (answer) => ({ ...answer, ...more }));
}

/** A device grant that refuses requests without PKCE, as Keycloak does for clients that must use it. */
function demandsPkce(issuer: PeopleIssuer): void {
  const missing = (name: string) =>
    json({ error: "invalid_request", error_description: `Missing parameter: ${name}` }, { status: 400 });
  issuer.answers.set(
    "device",
    (asked) => asked.has("code_challenge_method") ? undefined : missing("code_challenge_method"),
  );
}

const VENDORS: readonly Vendor[] = [
  {
    name: "Keycloak",
    bend: demandsPkce,
    dead: [400, { error: "invalid_grant", error_description: "Session not active" }],
  },
  {
    name: "Dex",
    bend(issuer) {
      issuer.scopes = ["openid", "email", "groups", "profile", "offline_access"];
      withTokens(issuer, { token_type: "bearer" });
    },
    asks: (asked) => asked.get("scope")?.includes("groups") ?? false,
    dead: [400, {
      error: "invalid_request",
      error_description: "Refresh token is invalid or has already been claimed by another client.",
    }],
  },
  {
    name: "ZITADEL",
    dead: [400, { error: "invalid_request", error_description: "Errors.OIDCSession.RefreshTokenInvalid" }],
  },
  {
    // https://developers.google.com/identity/protocols/oauth2/native-app
    name: "Google",
    bend(issuer) {
      issuer.scopes = ["openid", "email", "profile"];
      issuer.refreshes = (asked) => asked.get("access_type") === "offline";
      issuer.bends.set(
        "device",
        ({ verification_uri: verification_url, ...rest }) => ({ ...rest, verification_url }),
      );
    },
    noRefreshToken: true,
    dead: [400, { error: "invalid_grant", error_description: "Token has been expired or revoked." }],
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    name: "Microsoft Entra ID, v2",
    bend(issuer) {
      withTokens(issuer, { ext_expires_in: 3599, scope: "openid profile email" });
      issuer.person = {
        sub: "u-1",
        email: undefined,
        preferred_username: "ada@corp.example.com",
        ver: "2.0",
      };
    },
    dead: [400, {
      error: "interaction_required",
      error_description:
        "AADSTS50076: Due to a configuration change made by your administrator, you must use MFA.",
      error_codes: [50076],
      suberror: "basic_action",
    }],
  },
  {
    name: "Microsoft Entra ID, v1",
    bend(issuer, address) {
      issuer.scopes = ["openid", "profile", "email"];
      issuer.bends.set(".well-known/openid-configuration", (answer) => ({ ...answer, issuer: address }));
      issuer.person = {
        sub: "u-1",
        upn: "ada@corp.example.com",
        unique_name: "ada@corp.example.com",
        iss: address,
      };
      withTokens(issuer, {
        ...{ expires_in: "3599", ext_expires_in: "3599", expires_on: "1790000000", not_before: "1780000000" },
        ...{ token_type: "Bearer", scope: "", resource: "https://graph.windows.net" },
      });
      issuer.bends.set("device", ({ verification_uri: verification_url, ...rest }) => ({
        ...{ ...rest, verification_url, expires_in: "900", interval: "1" },
        message: "To sign in, use a web browser",
      }));
    },
    dead: [400, {
      error: "invalid_grant",
      error_description: "AADSTS700082: The refresh token has expired.",
    }],
  },
  {
    // https://learn.microsoft.com/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-flows-scenarios
    name: "ADFS",
    bend(issuer) {
      issuer.scopes = ["openid", "profile", "email", "allatclaims", "user_impersonation"];
      issuer.rotates = false;
      issuer.person = { sub: "u-1", upn: "ada@corp.example.com" };
      issuer.bends.set("token", ({ refresh_token, ...rest }) => {
        const refreshed = issuer.of("token").at(-1)?.get("grant_type") === "refresh_token";
        return {
          ...rest,
          ...refreshed ? {} : { refresh_token },
          expires_in: "3600",
          refresh_token_expires_in: 28799,
        };
      });
    },
    keepsRefreshToken: true,
    dead: [400, {
      error: "invalid_grant",
      error_description: "MSIS9615: The refresh token received in 'refresh_token' parameter has expired.",
    }],
  },
  {
    // https://auth0.com/docs/secure/tokens/refresh-tokens
    name: "Auth0",
    bend(issuer, address) {
      issuer.bends.set(".well-known/openid-configuration", (answer) => ({ ...answer, issuer: address }));
      issuer.person = { sub: "auth0|1", email: "ada@example.com", iss: address };
    },
    dead: [403, { error: "invalid_grant", error_description: "Unknown or invalid refresh token." }],
  },
  {
    // https://developer.okta.com/docs/reference/error-codes/
    name: "Okta",
    dead: [400, { error: "invalid_grant", error_description: "The refresh token is invalid or expired." }],
  },
  {
    // https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
    name: "Amazon Cognito",
    bend(issuer) {
      issuer.scopes = ["openid", "email", "phone", "profile"];
      issuer.rotates = false;
      issuer.bends.set("token", ({ refresh_token, ...rest }) => {
        const refreshed = issuer.of("token").at(-1)?.get("grant_type") === "refresh_token";
        return { ...rest, ...refreshed ? {} : { refresh_token } };
      });
    },
    keepsRefreshToken: true,
    asks: (asked) => /^http:\/\/localhost:\d+\/callback$/.test(asked.get("redirect_uri") ?? ""),
    dead: [400, { error: "invalid_grant", error_description: "Refresh Token has been revoked" }],
  },
  {
    // https://docs.oracle.com/en-us/iaas/Content/APIGateway/Tasks/apigatewayusingjwttokens-identityprovider.htm
    name: "Oracle Identity Cloud Service",
    bend(issuer) {
      issuer.person = { sub: "ada@example.com", aud: ["ID", "https://identity.oraclecloud.com/"] };
    },
    dead: [400, { error: "invalid_grant", error_description: "The refresh token is invalid." }],
  },
];

/** The maker's stand-in, and its line with what stands for this machine's files, ports and issuer in place. */
async function opened({ name, bend }: Vendor, world: IssuerWorld): Promise<string[]> {
  const { issuer, sandbox } = world;
  const [flag = "", documented = "", ...rest] = lineOf(name);
  // A path that ends with a slash is part of the issuer's name.
  const address = issuer.at("one") + (documented.endsWith("/") ? "/" : "");
  bend?.(issuer, address);
  const secret = `${sandbox.folder}/secret.txt`;
  await Deno.writeTextFile(secret, "s3cret\n", { mode: 0o600 });
  const flags = rest.map((word) =>
    word === "secret.txt" ? secret : word.replace("localhost:8000", "localhost")
  );
  return [flag, address, ...flags];
}

for (const vendor of VENDORS) {
  const { name, dead: [status, body], noRefreshToken, keepsRefreshToken, asks } = vendor;

  Deno.test(`the line for ${name} signs in and hands out both tokens, until the issuer says that it is over`, async () => {
    await using world = await openIssuerWorld();
    const { issuer } = world;
    const ran = await world.signIn(await opened(vendor, world));
    assert.equal(ran.code, 0, ran.stderr);
    assert.ok(asks?.(issuer.of("authorize")[0] ?? new URLSearchParams()) ?? true);
    assert.equal(/no refresh token/.test(ran.stderr), noRefreshToken === true, ran.stderr);
    await world.ok(["auth", "get-token"]);
    await world.ok(["auth", "get-token", "--token", "id", "--claims"]);
    if (noRefreshToken) return;
    for (let times = 0; times < 2; times++) await world.ok(["auth", "get-token", "--force-refresh"]);
    const sent = issuer.of("token").slice(1).map((form) => form.get("refresh_token"));
    assert.equal(new Set(sent).size, keepsRefreshToken ? 1 : 2);
    issuer.answers.set("token", () => json(body, { status }));
    const over = await world.run(["auth", "get-token", "--force-refresh"]);
    assert.equal(over.code, 4, over.stderr);
    const said = String(body.error_description).replace(/\.$/, "");
    assert.ok(over.stderr.includes(`${body.error}: ${said}`), over.stderr);
    assert.match(over.stderr, /\nSign in again: datumctl login --profile /);
  });
}

for (
  const vendor of VENDORS.filter(({ name }) =>
    ["Keycloak", "Google", "Microsoft Entra ID, v1"].includes(name)
  )
) {
  Deno.test(`the line for ${vendor.name} with --no-browser signs in with a device code`, async () => {
    await using world = await openIssuerWorld();
    const { issuer } = world;
    const words = (await opened(vendor, world)).filter((word, at, all) =>
      word !== "--redirect-uri" && all[at - 1] !== "--redirect-uri"
    );
    const ran = await world.signIn([...words, "--no-browser"]);
    assert.equal(ran.code, 0, ran.stderr);
    const [device, poll] = [issuer.of("device")[0], issuer.of("token")[0]];
    assert.equal(device?.get("code_challenge_method"), "S256");
    assert.match(poll?.get("code_verifier") ?? "", /^[\w-]{43}$/);
  });
}

Deno.test("an audience that is not trusted is named in the line that trusts it; that line works", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  issuer.person = { sub: "u-1", email: "ada@example.com", aud: ["ID", "https://identity.oraclecloud.com/"] };
  const named = ["--issuer", issuer.at("one"), "--client-id", "ID"];
  const refused = await world.signIn(named);
  assert.equal(refused.code, 1);
  const flags = /name them: (--trust-audience .*)\n/.exec(refused.stderr)?.[1] ?? assert.fail(refused.stderr);
  assert.equal((await world.signIn([...named, ...flags.split(" ")])).code, 0);
  await world.ok(["auth", "get-token", "--force-refresh"]);
});

Deno.test("a refused scope is told with the scopes to ask for; those work", async () => {
  await using world = await openIssuerWorld();
  const { issuer } = world;
  issuer.bends.set(".well-known/openid-configuration", ({ scopes_supported: _, ...rest }) => rest);
  issuer.scopes = ["openid", "profile", "email"];
  const named = ["--issuer", issuer.at("one"), "--client-id", "ID"];
  const refused = await world.signIn(named);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\nAsk without it: --scopes openid,profile,email\n/);
  assert.equal((await world.signIn([...named, "--scopes", "openid,profile,email"])).code, 0);
});

Deno.test("a discovery document's address, and blanks around an issuer, are told with the issuer to use", async () => {
  await using world = await openIssuerWorld();
  const issuer = world.issuer.at("one");
  for (
    const [given, fault] of [
      [`${issuer}/.well-known/openid-configuration`, /is the address of its discovery document/],
      [` ${issuer} `, /has blanks around it/],
    ] as const
  ) {
    const { code, stderr } = await world.signIn(["--issuer", given, "--client-id", "ID"]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, fault);
    assert.ok(stderr.endsWith(`Name the issuer itself: --issuer ${issuer}\n`), stderr);
  }
  assert.deepEqual(world.issuer.asked, []);
});

Deno.test("a host that has no discovery document is told with how an issuer with a path is named", async () => {
  await using world = await openIssuerWorld();
  world.issuer.answers.set("openid-configuration", () => json({}, { status: 404 }));
  const host = world.host;
  const { code, stderr } = await world.signIn(["--issuer", `http://${host}`, "--client-id", "ID"]);
  assert.equal(code, 1, stderr);
  assert.ok(stderr.includes(`datumctl login --issuer http://${host}/PATH --client-id ID`), stderr);
});
