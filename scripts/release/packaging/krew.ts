/** The manifest of kubectl's plugin manager, for an index of our own. https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/ */

import { stringify } from "yaml";
import { archiveOf, comments, HOMEPAGE, PLATFORMS, programName, type Released } from "../table.ts";

/** The plugin's name: kubectl finds it as `kubectl datum-login`. */
export const KREW_NAME = "datum-login";

/** `plugins/datum-login.yaml`. */
export function krewManifest(release: Released): string {
  const manifest = {
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: KREW_NAME },
    spec: {
      version: `v${release.version}`,
      homepage: HOMEPAGE,
      shortDescription: "Sign in to clouds, with fresh tokens for kubectl",
      description:
        "This plugin is datumctl: it signs people and machines in to Datum Cloud and other Kubernetes-style\n" +
        "clouds, or at any OpenID Connect issuer, and hands kubectl a fresh credential each time it asks.\n",
      caveats: "Begin with: kubectl datum-login login\n" +
        "The entries that it writes into a kubeconfig run the program itself, which stays where Krew put it\n" +
        'until the next upgrade: run "kubectl datum-login auth update-kubeconfig" again after that.\n' +
        "On Linux it needs glibc.\n",
      platforms: PLATFORMS.map((platform) => {
        const { os, arch } = platform;
        const { url, sha256 } = archiveOf(release, os, arch);
        return {
          selector: { matchLabels: { os, arch } },
          uri: url,
          sha256,
          bin: programName(platform),
          files: [programName(platform), "LICENSE", "THIRD-PARTY-LICENSES.txt"].map((from) => ({
            from,
            to: ".",
          })),
        };
      }),
    },
  };
  return comments(release, "# ") + stringify(manifest, { lineWidth: 0 });
}
