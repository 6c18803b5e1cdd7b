/** Proves whether somebody listens at an address. */

import assert from "node:assert/strict";
import { canConnect } from "../../src/system/reach.ts";

Deno.test("canConnect() is true where somebody listens, and false where nobody does", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const accepted = listener.accept();
  assert.equal(await canConnect("127.0.0.1", port, 60_000), true);
  const connection = await accepted;
  assert.equal(await connection.read(new Uint8Array(1)), null, "nothing is sent");
  connection.close();
  listener.close();
  // The port that was just closed may be another test's by now.
  assert.equal(await canConnect("127.0.0.1", 1, 60_000), false);
  assert.equal(await canConnect("[::1]", 1, 60_000), false);
  assert.equal(await canConnect("no-such-host.invalid", 1, 60_000), false);
});

Deno.test("canConnect() is false once it is given up", async () => {
  const aborted = AbortSignal.abort(new Error("no"));
  // Nobody answers for that block of addresses. RFC 5737.
  assert.equal(await canConnect("192.0.2.1", 1, 60_000, aborted), false);
  assert.equal(await canConnect("192.0.2.1", 1, 1), false);
});
