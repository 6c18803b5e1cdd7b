/** Proves that many requests are sent a few at a time, and answered in order. */

import assert from "node:assert/strict";
import { mapConcurrent } from "../../src/http/map-concurrent.ts";

Deno.test("nothing is asked for nothing", async () => {
  assert.deepEqual(await mapConcurrent([], () => Promise.reject(new Error("asked"))), []);
});

Deno.test("the first failure is thrown", async () => {
  await assert.rejects(
    mapConcurrent([1, 2, 3], (item) => item === 2 ? Promise.reject(new Error("two")) : Promise.resolve(item)),
    /two/,
  );
});

Deno.test("eight are under way at a time, each item once, and the answers keep the items' order", async () => {
  const items = Array.from({ length: 30 }, (_, at) => at);
  const waiting: (() => void)[] = [];
  const asked: number[] = [];
  let most = 0;
  const answers = mapConcurrent(items, async (item) => {
    asked.push(item);
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      most = Math.max(most, waiting.length);
      // The last to come is answered first.
      if (waiting.length === 8 || asked.length === items.length) {
        waiting.splice(0).reverse().forEach((go) => go());
      }
    });
    return item * 2;
  });
  assert.deepEqual(await answers, items.map((item) => item * 2));
  assert.deepEqual(asked, items);
  assert.equal(most, 8);
});
