/** Proves what NO_PROXY keeps away from a proxy, beside a real curl and the Go library that kubectl reads it with. */

// deno-lint-ignore-file no-console -- what cannot be run here says so

import assert from "node:assert/strict";
import fc from "../fast-check.ts";
import { isExcepted, isOwnHost } from "../../src/system/no-proxy.ts";
import { findProgram } from "../../src/system/processes.ts";
import { inScratch } from "../scratch.ts";

const PAIRS = 500;

/** A list, and an address that is asked under it. */
interface Pair {
  readonly list: string;
  readonly url: string;
}

const LABELS = ["example", "corp", "a", "x", "auth"] as const;
const DOMAINS = [
  ...["example.com", "auth.example.com", "a.auth.example.com", "notexample.com", "com", "corp", "x.corp"],
  ...["xn--bcher-kva.example", "a.xn--bcher-kva.example"],
] as const;
const ADDRESSES_4 = ["10.1.2.3", "10.1.2.4", "10.200.0.1", "192.168.7.1", "203.0.113.9"] as const;
const ADDRESSES_6 = ["2001:db8::1", "2001:db8:1::1", "fd00::7"] as const;

const label = fc.constantFrom(...LABELS);
const domain = fc.oneof(
  fc.constantFrom(...DOMAINS),
  fc.tuple(label, fc.constantFrom(...DOMAINS)).map((parts) => parts.join(".")),
);
const port = fc.constantFrom("", "", "", ":443", ":8443", ":6443", ":");
const host = fc.oneof(
  { weight: 4, arbitrary: domain },
  { weight: 1, arbitrary: domain.map((name) => `${name}.`) },
  { weight: 2, arbitrary: fc.constantFrom(...ADDRESSES_4) },
  { weight: 1, arbitrary: fc.constantFrom(...ADDRESSES_6).map((address) => `[${address}]`) },
);
const url = fc.tuple(host, fc.constantFrom("", "", ":8443", ":6443")).map(([host, port]) =>
  new URL(`https://${host}${port}/`).href
);
const otherCase = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.boolean()).map(([text, upper]) => upper ? text.toUpperCase() : text);
const entry = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constantFrom("", "", ".", "*.", "*"),
      otherCase(domain),
      fc.constantFrom("", "", "", "."),
      port,
    )
      .map((parts) => parts.join("")),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...ADDRESSES_4), port).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.constantFrom(...ADDRESSES_6) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...ADDRESSES_6), port).map(([address, port]) =>
      `[${address}]${port}`
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...ADDRESSES_4), fc.integer({ min: 0, max: 34 })).map((parts) =>
      parts.join("/")
    ),
  },
  {
    weight: 1,
    // Between commas, so that kubectl sees them: curl 7.88 takes no such block, and later ones take the wrong addresses
    // for a block that ends within a byte (`Curl_cidr6_match`).
    arbitrary: fc.tuple(fc.constantFrom(...ADDRESSES_6), fc.integer({ min: 0, max: 130 })).map((parts) =>
      `,${parts.join("/")},`
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...["*", ".", "*.", "..", ":443", "localhost", "127.0.0.1", "::1", "bücher.example", ".BÜCHER.example"],
      ...[
        "bücher.example\t:443",
        "bücher.example/x",
        "bü cher.example:443",
        "b\u00fccher_.example",
        "bücher.example?",
      ],
      ...["10.1.2.3/", "10.1.2.3/x", "10.01.2.3", "10.1.2", "http://example.com", "*:443", "/8", "[", "a/b"],
    ),
  },
);
const list = fc.array(fc.tuple(entry, fc.constantFrom(",", ",", ", ", " ", " , ", ",,", "\t")), {
  minLength: 0,
  maxLength: 4,
}).map((parts) => parts.flat().join(""));

const proxiedByUs = ({ list, url }: Pair) =>
  !isOwnHost(new URL(url).hostname) && !isExcepted(new URL(url), list);

/** What kubectl's library says; undefined, after a printed line, where there is no Go or its module cannot be had. */
async function proxiedByGo(pairs: readonly Pair[]): Promise<readonly boolean[] | undefined> {
  const go = findProgram("go", Deno.env.get("PATH"));
  if (go === undefined) {
    console.error("skipped: NO_PROXY beside Go's httpproxy, for there is no Go here");
    return undefined;
  }
  return await inScratch(async (folder) => {
    const run = (...args: string[]) =>
      new Deno.Command(go, {
        args,
        cwd: new URL("./httpproxy/", import.meta.url).pathname,
        env: { GOFLAGS: "-mod=readonly -buildvcs=false" },
        stdout: "null",
        stderr: "piped",
      }).output();
    const fetched = await run("mod", "download");
    if (!fetched.success) {
      const reason = new TextDecoder().decode(fetched.stderr).trim();
      console.error(`skipped: NO_PROXY beside Go's httpproxy, which cannot be fetched: ${reason}`);
      return undefined;
    }
    const built = await run("build", "-o", `${folder}/httpproxy`, ".");
    assert.ok(built.success, new TextDecoder().decode(built.stderr));
    const child = new Deno.Command(`${folder}/httpproxy`, {
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    })
      .spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(pairs)));
    await writer.close();
    const { success, stdout } = await child.output();
    assert.ok(success);
    return JSON.parse(new TextDecoder().decode(stdout)) as boolean[];
  });
}

/**
 * What curl does; undefined, after a printed line, where there is none. Every address leads to a port where nobody
 * listens, by way of a proxy that refuses or directly: the status of the proxy's answer tells the two apart.
 */
async function proxiedByCurl(pairs: readonly Pair[]): Promise<readonly boolean[] | undefined> {
  const curl = findProgram("curl", Deno.env.get("PATH"));
  if (curl === undefined) {
    console.error("skipped: NO_PROXY beside curl, for there is none here");
    return undefined;
  }
  const proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 418 }),
  );
  const proxied: boolean[] = [];
  try {
    for (const { list, url } of pairs) {
      const { stdout } = await new Deno.Command(curl, {
        args: [
          ...["--disable", "--silent", "--max-time", "20", "--output", "/dev/null"],
          ...["--write-out", "%{http_connect} %{exitcode}", "--connect-to", "::127.0.0.1:9", url],
        ],
        clearEnv: true,
        env: { https_proxy: `http://127.0.0.1:${proxy.addr.port}`, no_proxy: list },
        stdout: "piped",
        stderr: "null",
      }).output();
      const told = new TextDecoder().decode(stdout);
      // 56 and 7: the proxy refused, and the connection was.
      assert.match(told, /^(?:418 56|000 7)$/, JSON.stringify({ list, url }));
      proxied.push(told.startsWith("418"));
    }
  } finally {
    await proxy.shutdown();
  }
  return proxied;
}

Deno.test(`of ${PAIRS} lists and addresses, those are proxied that kubectl and curl both proxy`, async () => {
  const [separated] = await proxiedByCurl([{ list: "a example.com", url: "https://example.com/" }]) ?? [];
  const pairs = fc.sample(fc.record({ list, url }), { numRuns: PAIRS }).map(({ list, url }) => ({
    // To later versions of curl a blank ends the list.
    list: separated ? list.replaceAll(/[ \t]+/g, ",") : list,
    url,
  }));
  const go = await proxiedByGo(pairs);
  const curl = await proxiedByCurl(pairs);
  if (go === undefined || curl === undefined) return;
  const wrong = pairs.flatMap((pair, at) => {
    const expected = go[at] && curl[at];
    return proxiedByUs(pair) === expected ? [] : [{ ...pair, go: go[at], curl: curl[at] }];
  });
  assert.deepEqual(wrong, []);
  const count = (proxied: readonly boolean[]) => proxied.filter((each) => each).length;
  // Else the pairs would prove nothing.
  assert.ok(count(go) > 50 && count(curl) > 50 && count(pairs.map(proxiedByUs)) > 50);
  assert.ok(pairs.some((_, at) => go[at] && !curl[at]) && pairs.some((_, at) => !go[at] && curl[at]));
});
