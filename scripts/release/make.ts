/** Makes the files of a release from its programs. */

import {
  archiveName,
  packageName,
  type Platform,
  PLATFORMS,
  programName,
  type Release,
  type Released,
  sbomName,
  SUMS,
  sumsFile,
} from "./table.ts";
import { type Entry, tarGz, zip } from "./archives.ts";
import { type Contents, contentsFor } from "./contents.ts";
import { helperEntry } from "./helper.ts";
import { deb, installedFiles, rpm } from "./linux-packages.ts";
import { type NpmPackage, npmPackages } from "./packages.ts";
import { packagingFiles } from "./packaging/files.ts";
import { mainPackage, platformPackage } from "./packaging/npm.ts";
import { hostPlatform, type Programs } from "./programs.ts";
import { sbom } from "./sbom.ts";

/** What is made beside the archives, and of how many machines. */
export interface ReleaseScope {
  /** All of {@link PLATFORMS}, unless it is a part for tests: a part has no `packaging/`. */
  readonly platforms: readonly Platform[];
  /** Packages for RPM's distributions, which take rpmbuild. */
  readonly rpm: boolean;
}

/**
 * Writes a release into an empty folder: archives, packages, what it is made of, sums, and `packaging/`.
 *
 * @param say is told each file that was written.
 */
export async function makeRelease(
  release: Release,
  programs: Programs,
  folder: string,
  scope: ReleaseScope,
  say: (file: string) => void,
): Promise<Released> {
  const packages: readonly NpmPackage[] = await npmPackages();
  const contents = await contentsFor(
    programs.pathOf(hostPlatform(scope.platforms)),
    packages,
    release.date,
  );
  const whole = scope.platforms.length === PLATFORMS.length;
  const sums = new Map<string, string>();
  const write = async (path: string, bytes: Uint8Array) => {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(`${folder}/${path}`, bytes);
    say(path);
  };
  const publish = async (name: string, bytes: Uint8Array) => {
    await write(name, bytes);
    sums.set(name, await sha256(bytes));
  };
  for (const platform of scope.platforms) {
    const program = await Deno.readFile(programs.pathOf(platform));
    await Promise.all([
      archive(release, platform, program, contents).then((bytes) =>
        publish(archiveName(release, platform), bytes)
      ),
      ...linuxPackages(release, platform, program, contents, scope.rpm).map(async ({ name, bytes }) =>
        publish(name, await bytes)
      ),
      whole &&
      platformPackage(release, platform, program, contents.papers).then(({ name, bytes }) =>
        write(`packaging/npm/${name}`, bytes)
      ),
    ]);
  }
  await publish(sbomName(release), new TextEncoder().encode(await sbom(release, packages)));
  await write(SUMS, new TextEncoder().encode(sumsFile(sums)));
  const released: Released = {
    ...release,
    sums,
    completions: contents.completions.length > 0,
    manPages: contents.manPages.length > 0,
  };
  if (!whole) return released;
  const main = await mainPackage(release, scope.platforms, contents.papers);
  await write(`packaging/npm/${main.name}`, main.bytes);
  for (const [path, text] of packagingFiles(released)) {
    await write(`packaging/${path}`, new TextEncoder().encode(text));
  }
  return released;
}

async function archive(
  release: Release,
  platform: Platform,
  program: Uint8Array,
  { papers, completions, manPages }: Contents,
): Promise<Uint8Array> {
  const entries: readonly Entry[] = [
    { path: programName(platform), bytes: program, mode: 0o755 },
    helperEntry(platform.os),
    ...papers,
    ...completions,
    ...manPages,
  ];
  return platform.os === "windows" ? zip(entries, release) : await tarGz(entries, release);
}

function linuxPackages(
  release: Release,
  platform: Platform,
  program: Uint8Array,
  contents: Contents,
  withRpm: boolean,
): readonly { readonly name: string; readonly bytes: Promise<Uint8Array> }[] {
  const { os, arch } = platform;
  if (os !== "linux") return [];
  const packages = [{
    name: packageName(release, platform, "deb"),
    bytes: installedFiles(program, contents, "deb").then((files) => deb(release, arch, files)),
  }];
  if (!withRpm) return packages;
  const machine = arch === "amd64" ? "x86_64" : "aarch64";
  return [...packages, {
    name: packageName(release, platform, "rpm"),
    bytes: installedFiles(program, contents, "rpm").then((files) => rpm(release, machine, files)),
  }];
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
}
