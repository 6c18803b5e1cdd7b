/** Proves that quantities are read and ordered as Kubernetes does it. */

import assert from "node:assert/strict";
import { quantityOf } from "../../src/kube/quantity.ts";

// The order of Kubernetes' resource.Quantity; what stands together is equal.
const QUANTITIES = [
  ["-1Gi"],
  ["-1", "-1000m"],
  ["0", "00", "0.0", "0Ki", "-", "k", "0e3"],
  ["1n", "0.0000000001", "1e-30", "0.5n"],
  ["1u", "1000n"],
  ["1m", "0.001"],
  ["100m", "0.1", ".1", "1e-1"],
  ["1", "1000m", "1.", "+1", "1e0", "0.001k"],
  ["1k", "1e3", "1E3"],
  ["1Ki", "1024"],
  ["1M"],
  ["1Mi"],
  ["1G"],
  ["1Gi"],
  ["1P"],
  ["1E", "1e18"],
  ["1Ei"],
  ["10Ei", "9223372036854775807Ki"],
  ["1e30"],
];

Deno.test("quantityOf() orders quantities as Kubernetes does, and knows which texts are none", () => {
  const sizes = QUANTITIES.map((equal) => new Set(equal.map(quantityOf)));
  for (const size of sizes) assert.equal(size.size, 1);
  const order = sizes.map((size) => [...size][0] as bigint);
  assert.deepEqual(order, order.toSorted((a, b) => a < b ? -1 : 1));
  for (
    const text of ["", "x", "1K", "1mi", "1 Mi", "1e1.5", "1Mi1", "1i", "--1", "1.1.1", "Pi", "e-30", "0x1"]
  ) {
    assert.equal(quantityOf(text), undefined, text);
  }
  assert.ok(quantityOf("1e999999999") !== undefined);
});
