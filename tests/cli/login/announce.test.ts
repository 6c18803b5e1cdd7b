/** Proves that what is asked for comfort after a sign-in does not hold it, whatever the API host does. */

import assert from "node:assert/strict";
import { openSandbox } from "../../sessions/sandbox.ts";
import { startDrippingApi } from "../dripping-api.ts";
import { runLine } from "../run-line.ts";

Deno.test("an API host that answers a blank at a time holds no sign-in longer than one request may take", async () => {
  await using sandbox = await openSandbox();
  await using api = await startDrippingApi();
  const caFile = `${sandbox.folder}/ca.pem`;
  await Deno.writeTextFile(caFile, api.caPem);
  const began = performance.now();
  const words = ["login", "--with-token", "--hostname", "auth.example.com", "--keyring", "file"];
  const { code, stderr } = await runLine(
    [...words, "--api-hostname", api.host, "--certificate-authority", caFile, "--request-timeout", "1s"],
    { store: sandbox.store, stdin: "dtmp_abcdefgh\n" },
  );
  assert.equal(code, 0, stderr);
  assert.ok(api.dripped() > 0, "it was asked");
  assert.ok(performance.now() - began < 10_000);
  assert.match(stderr, /Next: datumctl auth update-kubeconfig/);
});
