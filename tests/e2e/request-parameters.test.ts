/** Proves `--resource` and the parameters of a person's own at a certified OpenID provider that keeps RFC 8707. */

import assert from "node:assert/strict";
import { InvalidTarget } from "npm:oidc-provider@9.13.3/lib/helpers/errors.js";
import type { StockOptions } from "../cloud/stock-issuer.ts";
import { bad, good, testAtIssuer } from "./issuer-stage.ts";
import type { World } from "./world.ts";

const API = "https://api.example.com/v1";
const OTHER = "urn:other";

/** An issuer that gives tokens for these two, as JWTs that name them, and for nobody else. */
const OPTIONS: Partial<StockOptions> = {
  configuration: {
    features: {
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => {
          if (resource === API || resource === OTHER) {
            return { scope: "read", audience: resource, accessTokenTTL: 3600, accessTokenFormat: "jwt" };
          }
          throw new InvalidTarget();
        },
        useGrantedResource: () => false,
      },
    },
  },
};

/** Whom the access token at hand, or with `--force-refresh` a new one, is for. */
async function audienceOf(world: World, ...flags: readonly string[]): Promise<unknown> {
  const { claims } = JSON.parse(
    await world.ok(["auth", "get-token", "--claims", "--token", "access", ...flags]),
  );
  return claims?.aud;
}

testAtIssuer("in a browser, with the code, at refreshes and at the next sign-in", OPTIONS, async (stage) => {
  const { world, issuer, login, session } = stage;
  const own = ["--auth-param", "kc_idp_hint=github", "--token-param", "tenant=a b"];
  good(await login(["--resource", API, ...own]));
  assert.equal(await audienceOf(world), API);
  assert.equal(await audienceOf(world, "--force-refresh"), API);
  const asked = issuer.authorizations.at(-1);
  assert.deepEqual([asked?.get("resource"), asked?.get("kc_idp_hint"), asked?.get("tenant")], [
    API,
    "github",
    null,
  ]);
  const [code, refresh] = issuer.tokenRequests.map(({ parameters }) => parameters);
  assert.deepEqual([code?.grant_type, code?.resource], ["authorization_code", API]);
  assert.deepEqual([refresh?.grant_type, refresh?.resource], ["refresh_token", API]);

  // Nothing is named again: it was remembered.
  good(await login(["--profile", session]));
  assert.equal(await audienceOf(world), API);
  assert.equal(issuer.authorizations.at(-1)?.get("kc_idp_hint"), "github");
  // Another one is for another API, and an empty one takes it back.
  good(await login(["--profile", session, "--resource", OTHER]));
  assert.equal(await audienceOf(world, "--force-refresh"), OTHER);
  good(await login(["--profile", session, "--resource", ""]));
  assert.equal(issuer.authorizations.at(-1)?.get("resource"), null);
});

testAtIssuer(
  "a resource that the issuer does not know is its own refusal, and nothing is stored",
  OPTIONS,
  async (stage) => {
    const { world, login } = stage;
    bad(await login(["--resource", "urn:unknown"]), 1, /invalid_target/);
    assert.deepEqual(JSON.parse(await world.ok(["auth", "list", "-o", "json"])), []);
  },
);
