/** Proves which addresses are of a registry, and whose. */

import assert from "node:assert/strict";
import fc from "../../fast-check.ts";
import { organizationOf, registryOf } from "../../../src/providers/cloudfleet/registries.ts";
import { hostileText, RUNS } from "../../fuzz.ts";

const HOST = "acme.europe.registry.cloudfleet.dev";

/** What a client sends, and the registry that it means. */
const ADDRESSES: readonly (readonly [address: string, registry: string | undefined])[] = [
  [HOST, HOST],
  [`https://${HOST}`, HOST],
  [`https://${HOST}/`, HOST],
  [`https://${HOST}/v1/`, HOST],
  [`https://${HOST}/v2/`, HOST],
  [`HTTPS://${HOST.toUpperCase()}/v2/`, HOST],
  [`${HOST}/team/image`, HOST],
  [`${HOST}:443`, HOST],
  [`https://${HOST}:443/v2/`, HOST],
  [`${HOST}:5000`, `${HOST}:5000`],
  ["localhost:5000", "localhost:5000"],
  [`http://${HOST}`, undefined],
  [`http://${HOST}/v2/`, undefined],
  [`//${HOST}`, undefined],
  [`https:${HOST}`, undefined],
  [`https://user@${HOST}`, undefined],
  [`https://user:password@${HOST}/`, undefined],
  [`https://${HOST}@evil.example/`, undefined],
  [`https://${HOST}\\@evil.example/`, undefined],
  [`https://${HOST}?x`, undefined],
  [`https://${HOST}/?x`, undefined],
  [`https://${HOST}#x`, undefined],
  [`https://${HOST}.`, undefined],
  [`https://.${HOST}`, undefined],
  [`${HOST}:0`, undefined],
  [`${HOST}:`, undefined],
  [`${HOST}:443443`, undefined],
  [`${HOST} `, undefined],
  [` ${HOST}`, undefined],
  [`${HOST}\n`, undefined],
  [`${HOST}\nevil.example`, undefined],
  [`${HOST}\u0000`, undefined],
  ["аcme.europe.registry.cloudfleet.dev", undefined],
  ["acme.europe.registry.cloudfleet。dev", undefined],
  [`${"a".repeat(64)}.example`, undefined],
  [`${"a.".repeat(130)}example`, undefined],
  ["[::1]:5000", undefined],
  ["", undefined],
];

for (const [address, registry] of ADDRESSES) {
  Deno.test(`the address ${JSON.stringify(address).slice(0, 60)} is ${registry ?? "no registry's"}`, () => {
    assert.equal(registryOf(address), registry);
  });
}

Deno.test("a registry at Cloudfleet tells its organization, and no look-alike does", () => {
  assert.equal(organizationOf(HOST), "acme");
  assert.equal(organizationOf("acme.any-region.registry.cloudfleet.dev"), "acme");
  for (
    const host of [
      "europe.registry.cloudfleet.dev",
      "registry.cloudfleet.dev",
      `x.${HOST}`,
      `${HOST}.evil.example`,
      `${HOST}:5000`,
      "acme.europe.registry.cloudfleet.dev.",
      "acme.europe-registry.cloudfleet.dev",
      "acme.europe.registry.cloudfleet.ai",
      "acme.europe.registryXcloudfleet.dev",
      "acme.europe.registry.cloudfleet.device",
    ]
  ) assert.equal(organizationOf(host), undefined, host);
});

Deno.test("what is read as a registry is the host that a URL parser sees, too", () => {
  const address = fc.oneof(
    hostileText,
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    hostileText.map((text) => `https://${HOST}${text}`),
    hostileText.map((text) => `${text}${HOST}`),
  );
  fc.assert(
    fc.property(address, (address) => {
      const registry = registryOf(address);
      if (registry === undefined) return;
      const url = new URL(/^https:/i.test(address) ? address : `https://${address}`);
      assert.deepEqual([url.host, url.username, url.protocol], [registry, "", "https:"]);
    }),
    { numRuns: RUNS },
  );
});
