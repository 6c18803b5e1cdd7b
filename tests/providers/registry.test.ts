/** Proves which code of the clouds a call of get-token loads before it needs any. */

import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

/** The modules that an entry loads with itself, by their paths from the repository's root. */
async function loadedWith(entry: string): Promise<Set<string>> {
  const loaded = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (loaded.has(path)) return;
    loaded.add(path);
    const source = await Deno.readTextFile(new URL(path, ROOT));
    for (const [, from = ""] of source.matchAll(/^(?:import|export) (?!type\b)[^;]*?from "(\.[^"]+)";/gms)) {
      await visit(new URL(from, new URL(path, ROOT)).pathname.slice(ROOT.pathname.length));
    }
  };
  await visit(entry);
  return loaded;
}

Deno.test("get-token loads the clouds' facts and none of their code", async () => {
  const loaded = await loadedWith("main.ts");
  assert.ok(loaded.has("src/plugin/get-token.ts"), "the walk goes deep");
  const clouds = [...loaded].filter((path) => path.startsWith("src/providers/"));
  const names = ["cloudfleet", "datum", "oidc", "studio"];
  assert.deepEqual(
    clouds.sort(),
    [
      ...names.flatMap((name) => [`src/providers/${name}/facts.ts`, `src/providers/${name}/provider.ts`]),
      "src/providers/kinds.ts",
      "src/providers/registry.ts",
    ].sort(),
  );
});
