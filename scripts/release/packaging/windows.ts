/** The manifests of Windows' package managers: scoop, and winget with its three files. */

import { stringify } from "yaml";
import { helperName } from "../helper.ts";
import {
  archiveOf,
  comments,
  DESCRIPTION,
  HOMEPAGE,
  LICENCE,
  NAME,
  notes,
  type Platform,
  PLATFORMS,
  programName,
  type Released,
  releasePage,
  SUMS,
} from "../table.ts";

const MACHINES = PLATFORMS.filter(({ os }) => os === "windows");

/** `bucket/datumctl.json`. https://github.com/ScoopInstaller/Scoop/wiki/App-Manifests */
export function scoopManifest(release: Released): string {
  const names: Readonly<Record<Platform["arch"], string>> = { amd64: "64bit", arm64: "arm64" };
  const each = <T>(of: (platform: Platform) => T) =>
    Object.fromEntries(MACHINES.map((platform) => [names[platform.arch], of(platform)]));
  const manifest = {
    "##": notes(release),
    version: release.version,
    description: DESCRIPTION,
    homepage: HOMEPAGE,
    license: LICENCE,
    architecture: each(({ os, arch }) => {
      const { url, sha256 } = archiveOf(release, os, arch);
      return { url, hash: sha256 };
    }),
    bin: [`${NAME}.exe`, helperName("windows")],
    checkver: { github: HOMEPAGE },
    autoupdate: {
      architecture: each(({ os, arch }) => ({
        url: archiveOf(release, os, arch).url.replaceAll(release.version, "$version"),
      })),
      hash: { url: `$baseurl/${SUMS}` },
    },
  };
  return `${JSON.stringify(manifest, undefined, 4)}\n`;
}

/** The version of winget's schemas. */
const SCHEMA = "1.10.0";

/** The package's name in winget's index. */
export const WINGET_NAME = "Datumctl.Datumctl";

/** winget's files by their names. https://learn.microsoft.com/windows/package-manager/package/manifest */
export function wingetManifests(release: Released): ReadonlyMap<string, string> {
  const identity = { PackageIdentifier: WINGET_NAME, PackageVersion: release.version };
  const version = { ...identity, DefaultLocale: "en-US" };
  const installer = {
    ...identity,
    InstallerType: "zip",
    NestedInstallerType: "portable",
    NestedInstallerFiles: MACHINES.slice(0, 1).map((platform) => ({
      RelativeFilePath: programName(platform),
      PortableCommandAlias: NAME,
    })),
    Commands: [NAME],
    ReleaseDate: new Date(release.date * 1000).toISOString().slice(0, 10),
    Installers: MACHINES.map(({ os, arch }) => {
      const { url, sha256 } = archiveOf(release, os, arch);
      return {
        Architecture: arch === "amd64" ? "x64" : "arm64",
        InstallerUrl: url,
        InstallerSha256: sha256.toUpperCase(),
      };
    }),
  };
  const locale = {
    ...identity,
    PackageLocale: "en-US",
    Publisher: "The datumctl authors",
    PackageName: NAME,
    PackageUrl: HOMEPAGE,
    License: LICENCE,
    LicenseUrl: `${HOMEPAGE}/blob/v${release.version}/LICENSE`,
    ShortDescription: DESCRIPTION,
    Moniker: NAME,
    Tags: ["kubernetes", "kubectl", "oidc", "login", "cli"],
    ReleaseNotesUrl: releasePage(release),
  };
  return new Map([
    [`${WINGET_NAME}.yaml`, manifest(release, "version", version)],
    [`${WINGET_NAME}.installer.yaml`, manifest(release, "installer", installer)],
    [`${WINGET_NAME}.locale.en-US.yaml`, manifest(release, "defaultLocale", locale)],
  ]);
}

function manifest(release: Released, type: string, content: object): string {
  return `# yaml-language-server: $schema=https://aka.ms/winget-manifest.${type}.${SCHEMA}.schema.json\n` +
    comments(release, "# ") +
    stringify({ ...content, ManifestType: type, ManifestVersion: SCHEMA }, { lineWidth: 0 });
}
