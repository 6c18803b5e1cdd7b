/** Proves that the list of what the program is made of is complete, valid CycloneDX, and the same each time. */

import assert from "node:assert/strict";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { ROOT } from "../../../scripts/compile.ts";
import { cachedProgram, type PinnedPackage, tarEntry } from "../../../scripts/npm-packages.ts";
import { npmPackages } from "../../../scripts/release/packages.ts";
import { sbom } from "../../../scripts/release/sbom.ts";
import { RELEASE } from "./example.ts";

/** CycloneDX' own library, which holds its schemas. */
const LIBRARY: PinnedPackage = {
  name: "@cyclonedx/cyclonedx-library",
  version: "10.3.0",
  integrity:
    "sha512-RIT28sp1U0PCHaaeF3yNRwk6Jig/XJ8UsYAVOMYaHQ+0VVOvsjcp0PTWQFLUqJFF8XMud+Kdq6G+wtDAh+QJFA==",
};

const SCHEMAS = ["bom-1.6", "spdx", "jsf-0.82", "cryptography-defs"].map((name) =>
  `${name}.SNAPSHOT.schema.json`
);

async function validator(): Promise<(document: unknown) => readonly string[]> {
  const path = await cachedProgram(LIBRARY, "schemas.json", (tar) => {
    const read = (name: string) =>
      JSON.parse(new TextDecoder().decode(tarEntry(tar, `package/res/schema/${name}`)));
    return new TextEncoder().encode(JSON.stringify(SCHEMAS.map(read)));
  });
  const [bom, ...others] = JSON.parse(await Deno.readTextFile(path));
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  // Formats of internationalized names, which nothing here uses.
  for (const name of ["idn-email", "iri-reference"]) ajv.addFormat(name, true);
  others.forEach((schema: object, at: number) =>
    ajv.addSchema(schema, `http://cyclonedx.org/schema/${SCHEMAS[at + 1]}`)
  );
  const validate = ajv.compile(bom);
  return (document) => {
    validate(document);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly scope: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly [{ readonly license?: { readonly id: string } }];
}

interface Document {
  readonly components: readonly [Component, ...Component[]];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

Deno.test("the SBOM is valid by CycloneDX' own schema, which finds a fault when there is one", async () => {
  const faults = await validator();
  const document: Document = JSON.parse(await sbom(RELEASE, await npmPackages()));
  assert.deepEqual(faults(document), []);
  const [first, ...rest] = document.components;
  assert.notDeepEqual(
    faults({ ...document, components: [{ ...first, licenses: [{ license: { id: "No-Such" } }] }, ...rest] }),
    [],
  );
});

Deno.test("the SBOM has every package of deno.lock with its version, licence and integrity", async () => {
  const { components, dependencies }: Document = JSON.parse(await sbom(RELEASE, await npmPackages()));
  const lock: { readonly npm: Record<string, { readonly integrity: string }> } = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.lock`),
  );
  // What stands behind an underscore are the peers of a package.
  const wanted = Object.entries(lock.npm).map(([key, { integrity }]) =>
    `${key.replace(/(?<=.)_.*$/, "")} ${Uint8Array.fromBase64(integrity.slice("sha512-".length)).toHex()}`
  );
  const [runtime, ...packages] = components;
  assert.equal(`${runtime.name} ${runtime.version}`, `deno ${Deno.version.deno}`);
  assert.deepEqual(
    packages.map(({ name, version, hashes }) => `${name}@${version} ${hashes[0]?.content}`).sort(),
    wanted.sort(),
  );
  for (const { name, licenses } of packages) assert.ok(licenses[0].license?.id, name);
  const known = new Set(components.map((one) => one["bom-ref"]));
  for (const { dependsOn = [] } of dependencies) for (const one of dependsOn) assert.ok(known.has(one), one);
});

Deno.test("the SBOM tells what the program embeds from what only builds and tests need", async () => {
  const { components }: Document = JSON.parse(await sbom(RELEASE, await npmPackages()));
  const scopes = new Map(components.map(({ name, scope }) => [name, scope]));
  for (const name of ["commander", "oauth4webapi", "yaml", "strip-ansi"]) {
    assert.equal(scopes.get(name), "required", name);
  }
  for (const name of ["oidc-provider", "fast-check", "fflate"]) {
    assert.equal(scopes.get(name), "excluded", name);
  }
});

Deno.test("the SBOM is the same for one commit and another for the next", async () => {
  const packages = await npmPackages();
  const first = await sbom(RELEASE, packages);
  assert.equal(await sbom(RELEASE, packages), first);
  assert.notEqual(await sbom({ ...RELEASE, commit: "f".repeat(40) }, packages), first);
});
