/** What kind of build this is. */

/** True in a build for trial and test, whose base runtime is not Deno's own download. */
export const TRIAL_BUILD: boolean = false;

/** The commit that the program was built from, with `-dirty` behind it where files had changed; null when unknown. */
export const COMMIT: string | null = null;
