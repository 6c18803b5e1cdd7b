/** Proves how a server will call somebody by the claims of their ID token. */

import assert from "node:assert/strict";
import { oidcFlags, seenAs } from "../../src/kube/api-server-setup.ts";

const MAPPING = { usernameClaim: "email", groupsClaim: "groups", prefix: "oidc:" };

Deno.test("a name, groups of a list or a single one, and what cannot be seen", () => {
  assert.deepEqual(seenAs({ email: "ada@example.com", groups: ["dev", 7, "ops"] }, MAPPING), {
    username: "oidc:ada@example.com",
    groups: ["oidc:dev", "oidc:ops"],
    unverified: false,
  });
  assert.deepEqual(seenAs({ groups: "dev" }, MAPPING), {
    username: undefined,
    groups: ["oidc:dev"],
    unverified: false,
  });
  assert.deepEqual(
    seenAs({ sub: "1", groups: ["x"] }, { ...MAPPING, usernameClaim: "sub", groupsClaim: undefined }),
    {
      username: "oidc:1",
      groups: [],
      unverified: false,
    },
  );
});

Deno.test("an address that is not verified is refused as a name, and as nothing else", () => {
  const claims = { email: "ada@example.com", email_verified: false, sub: "1" };
  assert.equal(seenAs(claims, MAPPING).unverified, true);
  assert.equal(seenAs(claims, { ...MAPPING, usernameClaim: "sub" }).unverified, false);
});

Deno.test("an issuer without RS256 has its algorithms named in flags", () => {
  const trusted = { issuer: "https://x.example", clientId: "c", ...MAPPING };
  assert.ok(
    oidcFlags({ ...trusted, algorithms: ["ES256", "EdDSA"] }, "ca.pem").includes(
      "--oidc-signing-algs=ES256,EdDSA",
    ),
  );
  const usual = oidcFlags({ ...trusted, algorithms: ["ES256", "RS256"] }, "ca.pem");
  assert.ok(!usual.some((flag) => flag.includes("signing-algs") || flag.includes("ca-file")));
});
