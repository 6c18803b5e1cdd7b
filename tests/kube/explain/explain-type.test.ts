/** Proves which documents are asked for, and when what was kept of one is used. */

import assert from "node:assert/strict";
import type { ApiClient } from "../../../src/http/api-client.ts";
import type { ApiResource, Discovery, DiscoverySource } from "../../../src/kube/discovery.ts";
import { explainType } from "../../../src/kube/explain/explain-type.ts";
import type { ReadClient } from "../../../src/kube/read/read-client.ts";
import { expectRejection } from "../../expect-error.ts";
import { ERRORS } from "../live-server.ts";

const PREFIX = "/apis/resourcemanager.miloapis.com/v1alpha1/projects/web/control-plane";
const KIND = { group: "shop.example.com", version: "v1", kind: "Hat" };

const DOCUMENT = {
  paths: { "/apis/shop.example.com/v1/hats": { get: { "x-kubernetes-group-version-kind": KIND } } },
  components: {
    schemas: {
      Hat: {
        "x-kubernetes-group-version-kind": [KIND],
        description: "A hat.",
        properties: { size: { $ref: "#/components/schemas/Size" }, limit: { maximum: 1 } },
      },
      Size: { type: "integer", description: "Of a head." },
      Other: { description: "Of no hat." },
    },
  },
};

const HATS: ApiResource = {
  group: "shop.example.com",
  version: "v1",
  plural: "hats",
  singular: "hat",
  kind: "Hat",
  namespaced: true,
  verbs: [],
  shortNames: [],
  categories: [],
};

/** A server below a control plane's path, and a cache. */
function shop(address: string | undefined, resources: readonly ApiResource[] = [HATS]) {
  const asked: string[] = [];
  const kept = new Map<string, unknown>();
  const answer = (status: number, body: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return Promise.resolve({ status, headers: new Headers(), body: bytes });
  };
  const client: ReadClient = {
    ...ERRORS,
    send({ path }) {
      asked.push(path);
      if (path !== "/openapi/v3") return answer(200, DOCUMENT);
      if (address === undefined) return answer(404, { kind: "Status" });
      return answer(200, { paths: { "apis/shop.example.com/v1": { serverRelativeURL: address } } });
    },
    stream: () => Promise.reject(new Error("nothing is streamed")),
  };
  let isFresh = false;
  const kinds: DiscoverySource = {
    client: { baseUrl: `https://api.example.com${PREFIX}` } as ApiClient,
    read: ({ fresh = false } = {}) => {
      isFresh ||= fresh;
      const found: Discovery = { groups: [], resources: isFresh ? [HATS] : resources, missing: [] };
      return Promise.resolve(found);
    },
    get fromCache() {
      return !isFresh;
    },
  };
  const cacheOf = (name: string) =>
    Promise.resolve({
      read: () => Promise.resolve(kept.get(name)),
      write: (value: unknown) => Promise.resolve(void kept.set(name, value)),
    });
  const run = async (text = "hats.size") =>
    (await explainType({ client, kinds, cacheOf }, text, { recursive: false })).text;
  return { asked, kept, run };
}

const OWN = "/openapi/v3/apis/shop.example.com/v1";

Deno.test("a document's address is below the control plane, whether it says so or not", async () => {
  for (const address of [`${OWN}?hash=1`, `${PREFIX}${OWN}?hash=1`]) {
    const { asked, run } = shop(address);
    assert.match(
      await run(),
      /^GROUP: +shop\.example\.com\nKIND: +Hat\nVERSION: +v1\n\nFIELD: size <integer>/,
    );
    assert.deepEqual(asked, ["/openapi/v3", `${OWN}?hash=1`]);
  }
});

Deno.test("an address that leads elsewhere is not followed", async () => {
  for (const address of ["https://evil.example.com/openapi/v3/x", "/secrets", "//evil.example.com/"]) {
    const { asked, run } = shop(address);
    await run();
    assert.deepEqual(asked, ["/openapi/v3", OWN]);
  }
});

Deno.test("what explains a resource is kept while the document's hash is the same", async () => {
  const first = shop(`${OWN}?hash=1`);
  const text = await first.run();
  assert.equal(await first.run(), text);
  assert.deepEqual(first.asked, ["/openapi/v3", `${OWN}?hash=1`, "/openapi/v3"]);
  assert.doesNotMatch(JSON.stringify([...first.kept.values()]), /Of no hat/);
  const later = shop(`${OWN}?hash=2`);
  for (const [name, value] of first.kept) later.kept.set(name, value);
  assert.equal(await later.run(), text);
  assert.deepEqual(later.asked, ["/openapi/v3", `${OWN}?hash=2`]);
  for (const broken of [undefined, "x", { path: `${OWN}?hash=3` }, { path: `${OWN}?hash=3`, text: "{" }]) {
    const server = shop(`${OWN}?hash=3`);
    server.kept.set("shop.example.com/v1, Resource=hats", broken);
    assert.equal(await server.run(), text);
  }
});

Deno.test("without a hash nothing is kept", async () => {
  const { kept, run } = shop(OWN);
  await run();
  assert.equal(kept.size, 0);
});

Deno.test("a type that was not there before is looked for again", async () => {
  const { run } = shop(`${OWN}?hash=1`, []);
  assert.match(await run(), /FIELD: size/);
  await expectRejection(shop(`${OWN}?hash=1`, []).run("caps"), { code: "NOT_FOUND" });
});

Deno.test("a server without OpenAPI v3 is named", async () => {
  await expectRejection(shop(undefined).run(), {
    code: "NOT_FOUND",
    message: "The test does not describe its types with OpenAPI v3.",
  });
});
