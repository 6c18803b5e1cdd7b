/** The list of what the program is made of: CycloneDX 1.6, from `deno.lock`. */

import type { NpmPackage } from "./packages.ts";
import { DESCRIPTION, HOMEPAGE, LICENCE, NAME, type Release } from "./table.ts";

/**
 * The SBOM of a release, as JSON. Packages that the program embeds are `required`; those of builds and tests are
 * `excluded`, which CycloneDX calls what is not part of the product.
 */
export async function sbom(release: Release, packages: readonly NpmPackage[]): Promise<string> {
  const own = `pkg:generic/${NAME}@${release.version}`;
  const runtime = runtimeComponent();
  const components = packages.map(component);
  const embedded = packages.filter((one) => one.embedded).map(purl);
  const direct = embedded.filter((one) =>
    !packages.some((other) => other.embedded && other.dependencies.some((name) => purlOf(name) === one))
  );
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${await stableUuid([own, release.commit, ...packages.map(purl)].join("\n"))}`,
    version: 1,
    metadata: {
      timestamp: new Date(release.date * 1000).toISOString().replace(".000Z", "Z"),
      component: {
        "type": "application",
        "bom-ref": own,
        name: NAME,
        version: release.version,
        description: DESCRIPTION,
        licenses: [{ license: { id: LICENCE } }],
        purl: own,
        externalReferences: [{ type: "vcs", url: HOMEPAGE, comment: `commit ${release.commit}` }],
      },
    },
    components: [runtime, ...components],
    dependencies: [
      { ref: own, dependsOn: [runtime["bom-ref"], ...direct] },
      { ref: runtime["bom-ref"] },
      ...packages.map((one) => ({ ref: purl(one), dependsOn: one.dependencies.map(purlOf) })),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function component(one: NpmPackage) {
  const { name, version, licence, integrity, embedded } = one;
  return {
    "type": "library",
    "bom-ref": purl(one),
    name,
    version,
    scope: embedded ? "required" : "excluded",
    hashes: [{ alg: "SHA-512", content: hexadecimal(integrity) }],
    licenses: [licence.includes(" ") ? { expression: licence } : { license: { id: licence } }],
    purl: purl(one),
  };
}

function runtimeComponent() {
  const { deno, v8 } = Deno.version;
  return {
    "type": "platform",
    "bom-ref": `pkg:github/denoland/deno@v${deno}`,
    name: "deno",
    version: deno,
    description: `The base runtime, with V8 ${v8}`,
    scope: "required",
    licenses: [{ license: { id: "MIT" } }],
    purl: `pkg:github/denoland/deno@v${deno}`,
  };
}

function purl({ name, version }: NpmPackage): string {
  return purlOf(`${name}@${version}`);
}

/** The package URL of `name@version`; the `@` of a scope is written as `%40`. */
function purlOf(id: string): string {
  return `pkg:npm/${id.replace(/^@/, "%40")}`;
}

function hexadecimal(integrity: string): string {
  return Uint8Array.fromBase64(integrity.replace(/^sha512-/, "")).toHex();
}

/** A UUID (version 8) that follows from a text. RFC 9562, section 5.8 */
async function stableUuid(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const hex = digest.toHex();
  const variant = (parseInt(hex.charAt(16), 16) & 0x3 | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`;
}
