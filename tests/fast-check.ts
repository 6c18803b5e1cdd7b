/**
 * fast-check, with the same cases in each run: what a run says is then the code's doing. `DATUMCTL_FUZZ_SEED=random`, or a
 * number, makes others.
 */

import fc from "fast-check";

const SEED = 20_261_129;

const wanted = Deno.env.get("DATUMCTL_FUZZ_SEED");
if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted ?? SEED) });

export default fc;
