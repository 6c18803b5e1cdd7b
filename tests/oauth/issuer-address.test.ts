/** Proves what issuer is taken to be meant by an address that is none. */

import assert from "node:assert/strict";
import { intendedIssuer } from "../../src/oauth/issuer-address.ts";

const MEANT: readonly [text: string, meant: string | undefined][] = [
  ["https://login.example.com/realms/main", undefined],
  ["https://login.example.com/", undefined],
  ["http://127.0.0.1:8080", undefined],
  [
    "https://login.example.com/realms/main/.well-known/openid-configuration",
    "https://login.example.com/realms/main",
  ],
  ["https://login.example.com/.well-known/openid-configuration", "https://login.example.com"],
  ["https://login.example.com:8443/.well-known/openid-configuration/", "https://login.example.com:8443"],
  // RFC 8414, 3.1: the path stands behind.
  [
    "https://login.example.com/.well-known/oauth-authorization-server/realms/main",
    "https://login.example.com/realms/main",
  ],
  [" https://login.example.com ", "https://login.example.com"],
  ["https://login.example.com\n", "https://login.example.com"],
  ["\u200bhttps://login.example.com\u00a0", "https://login.example.com"],
  [
    " https://login.example.com/dex/.well-known/openid-configuration\t",
    "https://login.example.com/dex",
  ],
  ["login.example.com/dex", "https://login.example.com/dex"],
  ["localhost:8443", "https://localhost:8443"],
  ["https://login.exa mple.com", undefined],
  ["kubernetes", undefined],
  ["", undefined],
  ["   ", undefined],
];
for (const [text, meant] of MEANT) {
  Deno.test(`issuerMeant(${JSON.stringify(text)})`, () => assert.equal(intendedIssuer(text), meant));
}
