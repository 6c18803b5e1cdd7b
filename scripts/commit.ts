/** The commit that a program is built from, and the date that everything built carries. */

/** A commit of this repository. */
export interface Commit {
  /** Its 40 hexadecimal digits, with `-dirty` behind them where files differ from it. */
  readonly id: string;
  /** When it was made, in seconds since 1970. */
  readonly date: number;
}

const FOLDER = new URL("../", import.meta.url);

/** What is checked out here; undefined where this is no repository, or there is no git. */
export async function headCommit(): Promise<Commit | undefined> {
  const [id, date] = (await git("log", "-1", "--format=%H %ct"))?.trim().split(" ") ?? [];
  if (id === undefined || date === undefined) return undefined;
  const changed = await git("status", "--porcelain");
  return { id: changed === "" ? id : `${id}-dirty`, date: Number(date) };
}

/**
 * The date of a build in seconds since 1970: `SOURCE_DATE_EPOCH` (reproducible-builds.org), else the commit's, else 1980,
 * the first year that every archive can hold.
 *
 * @throws {Error} when the variable is no number of seconds.
 */
export async function buildDate(): Promise<number> {
  const set = Deno.env.get("SOURCE_DATE_EPOCH");
  if (set === undefined || set === "") return (await headCommit())?.date ?? FIRST_DATE;
  if (!/^\d{1,10}$/.test(set)) throw new Error("SOURCE_DATE_EPOCH is a number of seconds since 1970.");
  return Math.max(Number(set), FIRST_DATE);
}

const FIRST_DATE = Date.UTC(1980, 0, 1, 12) / 1000;

async function git(...args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: [...args],
      cwd: FOLDER,
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
