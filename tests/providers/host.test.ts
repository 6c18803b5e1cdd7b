/** Proves what counts as a host, and that nothing else gets through. */

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { parseHost } from "../../src/providers/host.ts";
import { allowError, expectError } from "../expect-error.ts";

Deno.test("hosts are read as people type them", () => {
  const good: readonly (readonly [string, string])[] = [
    ["auth.example.com", "auth.example.com"],
    ["AUTH.Example.COM", "auth.example.com"],
    ["https://auth.example.com", "auth.example.com"],
    ["HTTPS://auth.example.com/", "auth.example.com"],
    ["auth.example.com:443", "auth.example.com"],
    ["auth.example.com:8443", "auth.example.com:8443"],
    ["localhost:8443", "localhost:8443"],
    ["127.0.0.1:1", "127.0.0.1:1"],
    ["[::1]:8443", "[::1]:8443"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["a", "a"],
  ];
  for (const [text, host] of good) assert.equal(parseHost(text, "--hostname"), host, text);
});

Deno.test("what is more or less than a host and a port is wrong usage, and names the flag", () => {
  for (
    const text of [
      ...[
        "",
        " ",
        "http://a.example",
        "ftp://a",
        "https://",
        "a.example/path",
        "https://a.example/x",
        "a?b",
        "a#b",
      ],
      ...[
        "user@a.example",
        "@a.example",
        "user:pw@a.example",
        "a:b:c",
        "a:99999",
        "a:-1",
        "-a",
        "a b",
      ],
      ...[
        "a\nb",
        "a.example\n",
        "\ta.example",
        "a\u202eb",
        "a\\b",
        "a..",
        ".a",
        "a.example.",
        "*.example",
        "a;b",
        "a,b",
      ],
      ...[
        "javascript:alert(1)",
        "//a.example",
        "[::1",
        "a%00b",
        "a\u0000b",
        "$(x)",
        "a'b",
        "https://a.example?x",
        "::1",
      ],
    ]
  ) {
    expectError(
      () => parseHost(text, "--api-hostname"),
      { code: "USAGE", message: /^--api-hostname / },
      JSON.stringify(text),
    );
  }
});

Deno.test("whatever gets through is a host that is read as itself, and asks that very host", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."ab.:-/@[]%?#\\ 19\t") }),
    fc.webUrl(),
    fc.domain(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const host = allowError(() => parseHost(text, "--hostname"), "USAGE");
      if (host === undefined) return;
      assert.match(host, /^(?:[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/);
      assert.equal(parseHost(host, "--hostname"), host);
      assert.equal(new URL(`https://${host}`).href, `https://${host}/`);
    }),
    { numRuns: 3000 },
  );
});
