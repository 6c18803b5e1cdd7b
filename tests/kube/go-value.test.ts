/** Proves that values are printed as Go's `%v` prints them. */

import assert from "node:assert/strict";
import { goValue } from "../../src/kube/go-value.ts";

Deno.test("goValue() prints what Go's %v prints", () => {
  assert.equal(
    goValue({ b: [1, "x", null, true, { c: 1e21 }, 1234567.5, 0.00001], a: {}, n: 9007199254740993n }),
    "map[a:map[] b:[1 x <nil> true map[c:1e+21] 1.2345675e+06 1e-05] n:9007199254740993]",
  );
});
