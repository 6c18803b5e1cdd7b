/** The world of commands that run in folders: people who are signed in, a home, and terminals that read remarks. */

import { FOLDER_FILE } from "../../src/sessions/folders-above.ts";
import { good, type Options, type Ran } from "./run-line.ts";
import { openSignedIn, type World } from "./world.ts";

/** Where commands run; dispose of it. */
export interface FolderWorld extends AsyncDisposable {
  readonly world: World;
  readonly home: string;
  /** Makes a folder below the home. */
  folder(path: string): Promise<string>;
  /** Runs a line in a folder, as on a terminal. */
  run(folder: string, words: string | readonly string[], options?: Options): Promise<Ran>;
  /** Runs it, and it must end well; its stdout. */
  ok(folder: string, words: string, options?: Options): Promise<string>;
  /** What `whoami -o json` says there, in so many of its members. */
  whoami(folder: string, words?: string, options?: Options): Promise<Record<string, unknown>>;
  /** Writes a folder's file, by hand. */
  write(folder: string, names: unknown): Promise<void>;
}

/** Opens a world in which Ada and the other named people are signed in. */
export async function openFolders(...others: readonly string[]): Promise<FolderWorld> {
  const world = await openSignedIn(...others);
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "datumctl-home-" }));
  const { store } = world.sandbox;
  const run: FolderWorld["run"] = (folder, words, options = {}) =>
    world.run(words, {
      keys: [],
      ...options,
      store: store.with({ host: { ...store.host, workingFolder: () => folder } }),
      env: { HOME: home, ...options.env },
    });
  const ok: FolderWorld["ok"] = async (folder, words, options) =>
    good(await run(folder, words, options), words).stdout;
  return {
    world,
    home,
    async folder(path) {
      await Deno.mkdir(`${home}/${path}`, { recursive: true });
      return `${home}/${path}`;
    },
    run,
    ok,
    async whoami(folder, words = "", options = {}) {
      const { session, source, organization, project, scopeSource } = JSON.parse(
        await ok(folder, `whoami -o json ${words}`, options),
      );
      return { session, source, organization, project, scopeSource };
    },
    write: (folder, names) =>
      Deno.writeTextFile(
        `${folder}/${FOLDER_FILE}`,
        typeof names === "string" ? names : JSON.stringify(names),
      ),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}
