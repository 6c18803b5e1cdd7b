/** Proves which clouds the registry has, what it asks of them, and what a call of get-token loads of them. */

import assert from "node:assert/strict";
import { DATUM } from "../../src/providers/datum/facts.ts";
import { SERVICE_ACCOUNT } from "../../src/providers/kinds.ts";
import { STUDIO } from "../../src/providers/studio/facts.ts";
import { CLOUDS } from "../clouds.ts";
import { OIDC_SESSION as SESSION } from "./oidc-session.ts";

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
  for (const start of ["src/plugin/stored-token.ts", "src/program.ts"]) await loadsFactsOnly(start);
});

async function loadsFactsOnly(start: string): Promise<void> {
  const loaded = await loadedWith(start);
  assert.ok(loaded.has("src/plugin/exec-credential.ts"), "the walk goes deep");
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
}

Deno.test("a session is renewed where and as whom it was made; one that nobody signs in to is not", async () => {
  const { renewalTarget } = CLOUDS;
  const target = await renewalTarget(SESSION, { clientSecret: "secret" });
  assert.deepEqual([target?.issuer, target?.client.id, target?.client.secret], [
    SESSION.issuer,
    "kubernetes",
    "secret",
  ]);
  assert.equal(
    (await renewalTarget({ ...SESSION, provider: DATUM }, {}))?.issuer,
    "https://login.example.com",
  );
  assert.equal(await renewalTarget({ ...SESSION, kind: SERVICE_ACCOUNT }, {}), undefined);
  assert.equal(await renewalTarget({ ...SESSION, provider: STUDIO }, {}), undefined);
});

Deno.test("the clouds are those whose names stored sessions have, none left out", () => {
  const stored = ["datum", "oidc", "studio", "cloudfleet"];
  assert.deepEqual(CLOUDS.all.map(({ facts }) => String(facts)), stored);
  for (const name of stored) assert.equal(String(CLOUDS.provider(name)), name);
  for (const kind of ["user", "service-account", "api-token", "pat", "workload", "studio"]) {
    assert.equal(String(CLOUDS.kind(kind)), kind);
  }
});
