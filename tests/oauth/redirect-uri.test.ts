/** Proves which redirect URIs can be listened on, and that a port comes into them without another byte changing. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { loopbackRedirect } from "../../src/oauth/redirect-uri.ts";
import { expectError } from "../expect-error.ts";

Deno.test("anything but http on loopback is wrong usage", () => {
  for (
    const uri of [
      ...[
        "",
        "callback",
        "https://127.0.0.1/",
        "http://192.0.2.1/",
        "http://localhost.example/",
        "http:///x",
      ],
      ...["http://user@localhost/", "http://localhost/#there", "http://localhost\t/", "http://localhost/\n"],
      ...[
        "urn:ietf:wg:oauth:2.0:oob",
        "http://evil.example\\@localhost/",
        "http://localhost:99999/",
        "http://[::2]/",
      ],
      "http://127.0.0.1.example/",
      "http://localhost/ü",
    ]
  ) {
    expectError(() => loopbackRedirect(uri), "USAGE", uri);
  }
});

Deno.test("a written port stays, a default one too; a free one is put in where there is none", () => {
  const of = (uri: string) => {
    const { hostname, port, withPort } = loopbackRedirect(uri);
    return [hostname, port, withPort(8000)];
  };
  assert.deepEqual(of("http://localhost"), ["localhost", undefined, "http://localhost:8000"]);
  assert.deepEqual(of("http://localhost?a=b"), ["localhost", undefined, "http://localhost:8000?a=b"]);
  assert.deepEqual(of("http://127.0.0.1:80/"), ["127.0.0.1", 80, "http://127.0.0.1:80/"]);
  assert.deepEqual(of("http://[::1]/cb"), ["[::1]", undefined, "http://[::1]:8000/cb"]);
  assert.deepEqual(of("http://[::1]:9/cb"), ["[::1]", 9, "http://[::1]:9/cb"]);
  assert.deepEqual(of("HTTP://LocalHost/%2f/../a"), [
    "localhost",
    undefined,
    "HTTP://LocalHost:8000/%2f/../a",
  ]);
});

Deno.test("no path or query is changed by the port that comes in", () => {
  fc.assert(fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
    const rest = `${path}?${query}`;
    assert.equal(loopbackRedirect(`http://localhost${rest}`).withPort(1), `http://localhost:1${rest}`);
    assert.equal(loopbackRedirect(`http://localhost:2${rest}`).withPort(1), `http://localhost:2${rest}`);
  }));
});
