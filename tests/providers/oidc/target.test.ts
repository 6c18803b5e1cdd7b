/** Proves where people sign in at an OpenID Connect issuer, and what is missing. */

import assert from "node:assert/strict";
import { oidcTarget } from "../../../src/providers/oidc/target.ts";
import { expectError } from "../../expect-error.ts";

Deno.test("an issuer that is none is told before what else is missing", () => {
  expectError(() => oidcTarget({ issuer: "foo" }), { code: "USAGE", message: /^The issuer foo / });
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
