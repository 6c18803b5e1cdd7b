/** All files that other people's installers read, made of the table of a release. */

import type { Released } from "../table.ts";
import { pkgbuild, srcinfo } from "./aur.ts";
import { containerfile } from "./container.ts";
import { formula } from "./homebrew.ts";
import { KREW_NAME, krewManifest } from "./krew.ts";
import { scoopManifest, wingetManifests } from "./windows.ts";

/** Their texts, by their paths below `packaging/`. */
export function packagingFiles(release: Released): ReadonlyMap<string, string> {
  return new Map([
    ["homebrew/datumctl.rb", formula(release)],
    [`krew/${KREW_NAME}.yaml`, krewManifest(release)],
    ["scoop/datumctl.json", scoopManifest(release)],
    ...[...wingetManifests(release)].map(([name, text]) => [`winget/${name}`, text] as const),
    ["aur/PKGBUILD", pkgbuild(release)],
    ["aur/.SRCINFO", srcinfo(release)],
    ["oci/Containerfile", containerfile(release)],
  ]);
}
