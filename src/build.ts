/** What kind of build this is. */

/** True in a build for trial and test, whose base runtime is not Deno's own download. */
export const TRIAL_BUILD: boolean = false;
