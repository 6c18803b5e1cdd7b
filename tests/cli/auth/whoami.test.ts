/** Proves how `auth whoami` shows what a server says of its user, whatever that is. */

import assert from "node:assert/strict";
import { formatUser } from "../../../src/cli/auth/whoami.ts";

Deno.test("what is no text in a server's groups and extra is left out", async () => {
  const wrong: readonly unknown[] = [{ toString: 1 }, null, 7, ["nested"], { toString: null, valueOf: null }];
  const userInfo = {
    username: "ada",
    uid: { toString: 1 },
    groups: ["system:authenticated", ...wrong, "staff"],
    extra: { kind: [...wrong, "access"], none: wrong, odd: { toString: 1 } },
  };
  assert.equal(
    await formatUser({ status: { userInfo } }),
    "ATTRIBUTE     VALUE\nUsername      ada\nGroups        [system:authenticated staff]\n" +
      "Extra: kind   [access]\nExtra: none   []\nExtra: odd    []\n",
  );
  for (const status of [null, [], { userInfo: 7 }, { userInfo: { groups: { toString: 1 }, extra: "x" } }]) {
    assert.match(await formatUser({ status }), /^ATTRIBUTE +VALUE\n/);
  }
});
