/** Proves that the listing of what can be chosen comes to an end, whatever the API host does. */

import assert from "node:assert/strict";
import { openSandbox } from "../../sessions/sandbox.ts";
import { startDrippingApi } from "../dripping-api.ts";
import { runLine } from "../run-line.ts";

Deno.test("projects without an end are NETWORK after four times the time of a request", async () => {
  await using sandbox = await openSandbox();
  await using api = await startDrippingApi((path) => {
    if (path.endsWith("/v1alpha1")) return { kind: "APIResourceList" };
    if (!path.endsWith("/organizationmemberships")) return;
    return { items: ["acme", "initech"].map((name) => ({ spec: { organizationRef: { name } } })) };
  });
  const caFile = `${sandbox.folder}/ca.pem`;
  await Deno.writeTextFile(caFile, api.caPem);
  const login = ["login", "--with-token", "--hostname", "auth.example.com", "--keyring", "file"];
  const signedIn = await runLine(
    [...login, "--api-hostname", api.host, "--certificate-authority", caFile],
    { store: sandbox.store, stdin: "dtmp_abcdefgh\n" },
  );
  assert.equal(signedIn.code, 0, signedIn.stderr);
  const began = performance.now();
  const { code, stdout, stderr } = await runLine(["ctx", "list", "--request-timeout", "1s"], {
    store: sandbox.store,
  });
  assert.deepEqual([code, stdout], [6, ""], stderr);
  assert.match(stderr, /Not every organization listed its projects in time/);
  assert.equal(api.dripped(), 2);
  assert.ok(performance.now() - began < 12_000);
});
