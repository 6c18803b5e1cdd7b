/** Proves the widths of columns, page by page. */

import assert from "node:assert/strict";
import { alignColumns } from "../../src/kube/table-layout.ts";

Deno.test("a column is at least six wide, and its last cell as wide as it is", () => {
  assert.equal(
    alignColumns([["A", "B", "C"], ["a", "long-b", ""], ["", "", "c"]]),
    "A     B        C\na     long-b   \n               c\n",
  );
  assert.equal(alignColumns([["only"], [""]]), "only\n\n");
  assert.equal(alignColumns([]), "");
});

Deno.test("a column ends at a line without it, and is not narrower when it begins again", () => {
  assert.equal(
    alignColumns([["a", "x"], ["b"], ["long-long", "y"], ["c"], ["d", "z"]]),
    [
      "a     x\n",
      "b\n",
      "long-long   y\n",
      "c\n",
      "d           z\n",
    ].join(""),
  );
});
