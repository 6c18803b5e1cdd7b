/** The packages for npm: one that people install, and one for each machine with the program in it. */

import { HELPER, NPM_HELPER } from "../../../src/cli/docker/helper-script.ts";
import { type Entry, tarGz, textEntry } from "../archives.ts";
import {
  DESCRIPTION,
  HOMEPAGE,
  LICENCE,
  NAME,
  notes,
  type Platform,
  programName,
  type Release,
} from "../table.ts";

/** A package as npm publishes it. */
export interface NpmTarball {
  /** Such as `datumctl-linux-x64-1.0.0.tgz`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const OS = { linux: "linux", darwin: "darwin", windows: "win32" } as const;
const CPU = { amd64: "x64", arm64: "arm64" } as const;

/** The package for a machine, by Node's names of it. */
export function npmPackageName({ os, arch }: Platform): string {
  return `@${NAME}/${OS[os]}-${CPU[arch]}`;
}

/** The package for a machine. npm passes over it on all others. */
export async function platformPackage(
  release: Release,
  platform: Platform,
  program: Uint8Array,
  papers: readonly Entry[],
): Promise<NpmTarball> {
  const manifest = {
    ...commonFields(release, npmPackageName(platform)),
    os: [OS[platform.os]],
    cpu: [CPU[platform.arch]],
    libc: platform.os === "linux" ? ["glibc"] : undefined,
    preferUnplugged: true,
  };
  return await tarball(release, `${NAME}-${OS[platform.os]}-${CPU[platform.arch]}`, manifest, [
    { path: `bin/${programName(platform)}`, bytes: program, mode: 0o755 },
    ...papers.filter(({ path }) => path !== "README.md"),
  ]);
}

/** The package that people install: it starts the program of the machine's package. */
export async function mainPackage(
  release: Release,
  platforms: readonly Platform[],
  papers: readonly Entry[],
): Promise<NpmTarball> {
  const manifest = {
    ...commonFields(release, NAME),
    keywords: ["kubernetes", "kubectl", "oidc", "login", "cli"],
    bin: { [NAME]: `bin/${NAME}.js`, [HELPER]: `bin/${HELPER}.js` },
    engines: { node: ">=18" },
    optionalDependencies: Object.fromEntries(
      platforms.map((platform) => [npmPackageName(platform), release.version]),
    ),
  };
  const launcher = await Deno.readFile(new URL("npm-launcher.js", import.meta.url));
  return await tarball(release, NAME, manifest, [
    { path: `bin/${NAME}.js`, bytes: launcher, mode: 0o755 },
    { ...textEntry(`bin/${HELPER}.js`, NPM_HELPER), mode: 0o755 },
    ...papers.filter(({ path }) => path === "README.md" || path === "LICENSE"),
  ]);
}

function commonFields(release: Release, name: string) {
  return {
    name,
    version: release.version,
    description: DESCRIPTION,
    homepage: HOMEPAGE,
    repository: { type: "git", url: `git+${HOMEPAGE}.git` },
    license: LICENCE,
    // npm refuses to publish a private package.
    private: release.trial,
    "//": notes(release),
  };
}

async function tarball(
  release: Release,
  name: string,
  manifest: object,
  files: readonly Entry[],
): Promise<NpmTarball> {
  const all = [textEntry("package.json", `${JSON.stringify(manifest, undefined, 2)}\n`), ...files];
  const entries = all.map((entry) => ({ ...entry, path: `package/${entry.path}` }));
  return { name: `${name}-${release.version}.tgz`, bytes: await tarGz(entries, release) };
}
