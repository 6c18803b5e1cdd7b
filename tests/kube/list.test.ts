/** Proves that a list is read to its end, part by part, and that one without an end is given up. */

import assert from "node:assert/strict";
import { listObjects } from "../../src/kube/list.ts";
import { expectRejection } from "../expect-error.ts";
import { openTestClient } from "../http/test-client.ts";

/** A client of a server that answers a list by its `continue` parameter. */
function clientOf(answer: (next: string | null, limit: string | null) => unknown) {
  let asked = 0;
  const client = openTestClient({
    baseUrl: "https://api.example.com/prefix",
    fetch: (input) => {
      asked += 1;
      const { searchParams, pathname } = new URL(input);
      assert.equal(pathname, "/prefix/api/v1/namespaces");
      return Promise.resolve(Response.json(answer(searchParams.get("continue"), searchParams.get("limit"))));
    },
  });
  return { client, asked: () => asked };
}

const PATH = "/api/v1/namespaces";

Deno.test("a list that does not end is given up", async () => {
  const { client, asked } = clientOf(() => ({ items: [{}], metadata: { continue: crypto.randomUUID() } }));
  await expectRejection(listObjects(client, PATH), { code: "INVALID", message: /does not end/ });
  assert.ok(asked() > 1 && asked() <= 200);
});

Deno.test("a list whose parts come to more than 64 MiB together is given up", async () => {
  const { client, asked } = clientOf(() => ({
    padding: "x".repeat(10 * 1024 * 1024),
    metadata: { continue: "more" },
  }));
  await expectRejection(listObjects(client, PATH), { code: "NETWORK", message: /more than 64 MiB/ });
  assert.equal(asked(), 7);
});

Deno.test("what is no object in a list is left out, and an answer without items is an empty list", async () => {
  assert.deepEqual(await listObjects(clientOf(() => ({ items: [1, null, "x", {}] })).client, PATH), [{}]);
  assert.deepEqual(await listObjects(clientOf(() => ({ items: "many", metadata: 3 })).client, PATH), []);
});

Deno.test("parts are asked for one after the other, with the token of the one before", async () => {
  const { client, asked } = clientOf((next, limit) => {
    assert.equal(limit, "500");
    const at = Number(next ?? 0);
    return { items: [{ at }], metadata: at < 3 ? { continue: String(at + 1) } : {} };
  });
  assert.deepEqual(await listObjects(client, PATH), [{ at: 0 }, { at: 1 }, { at: 2 }, { at: 3 }]);
  assert.equal(asked(), 4);
});
