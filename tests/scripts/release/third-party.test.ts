/** Proves that the licences of all that the program embeds are passed on. */

import assert from "node:assert/strict";
import { npmPackages } from "../../../scripts/release/packages.ts";
import { thirdPartyLicences } from "../../../scripts/release/third-party.ts";

Deno.test("THIRD-PARTY-LICENSES.txt has the whole licence of each embedded package, and of the runtime", async () => {
  const packages = await npmPackages();
  const text = await thirdPartyLicences(packages);
  const parts = text.split(/^=+$/m);
  const embedded = packages.filter((one) => one.embedded);
  assert.ok(embedded.length > 5, `only ${embedded.length} packages are embedded`);
  // What stands before the first line of equals signs is the header with the first title.
  assert.equal(parts.length - 1, embedded.length + 2);
  for (const { name, version } of embedded) assert.ok(text.includes(`\n${name} ${version}\n`), name);
  for (const part of parts.slice(1)) assert.match(part, /copyright/i);
  assert.match(text, /^Deno [\d.]+, the runtime$/m);
  assert.ok(!text.includes("oidc-provider"), "what only tests need is not listed");
});

Deno.test("an embedded package without the text of its licence stops the release", async () => {
  const folder = await Deno.makeTempDir();
  const bare = {
    name: "bare",
    version: "1.0.0",
    licence: "MIT",
    integrity: "sha512-",
    embedded: true,
    dependencies: [],
    folder,
  };
  try {
    await assert.rejects(thirdPartyLicences([bare]), /bare@1\.0\.0 comes without the text of its licence/);
  } finally {
    await Deno.remove(folder);
  }
});
