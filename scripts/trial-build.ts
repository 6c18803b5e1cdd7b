/** Stands in the place of `src/build.ts` in a build for trial and test. */

/** See `src/build.ts`. */
export const TRIAL_BUILD: boolean = true;
