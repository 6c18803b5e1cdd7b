/** The world of Studio's commands tested from source: a Studio in this process, a home folder, project folders. */

import assert from "node:assert/strict";
import type { SessionStore } from "../../src/sessions/store.ts";
import { pause } from "../../src/system/clock.ts";
import { startStudio, type Studio, type StudioOptions } from "../cloud/studio.ts";
import { openSandbox, type Sandbox } from "../sessions/sandbox.ts";
import { printedCode, whenPrinted } from "../when-printed.ts";
import { good, type Options as LineOptions, type Ran, runLine } from "./run-line.ts";

/** How a command line is run. */
export type Options = LineOptions & {
  /** The folder that it runs in; the home unless given. */
  readonly folder?: string;
  /** What becomes of the code that is shown; it is confirmed unless given. */
  readonly onCode?: (code: string) => void;
};

/** Where Studio's commands run; dispose of it. */
export interface StudioWorld extends AsyncDisposable {
  readonly studio: Studio;
  readonly sandbox: Sandbox;
  /** The studio's host and port. */
  readonly host: string;
  readonly home: string;
  /** Makes a folder below the home. */
  folder(path: string): Promise<string>;
  run(words: readonly string[], options?: Options): Promise<Ran>;
  /** Runs it, and it must end well; its stdout. */
  ok(words: readonly string[], options?: Options): Promise<string>;
  /** `login` with these flags, in a world that names the studio by variables. */
  login(flags?: readonly string[], options?: Options): Promise<Ran>;
  /** The person's own place. */
  readonly store: SessionStore;
  placeOf(folder: string): SessionStore;
}

/** Opens a world. */
export async function openStudioWorld(options: StudioOptions = {}): Promise<StudioWorld> {
  const studio = await startStudio(options);
  const sandbox = await openSandbox();
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "studio-home-" }));
  const env = { HOME: home, PATH: Deno.env.get("PATH") ?? "" };
  const host = { ...sandbox.store.host, env: (name: string) => name === "HOME" ? home : undefined };
  const store = sandbox.store.with({ host });
  const run = async (words: readonly string[], options: Options = {}) => {
    const { folder = home, onCode = (code) => studio.approve(code), onStderr, ...rest } = options;
    return await whenPrinted(printedCode, onCode, (tell) =>
      runLine(words, {
        ...rest,
        sleep: (_, signal) => pause(10, signal),
        store: store.with({ host: { ...host, workingFolder: () => folder } }),
        env: { ...env, ...rest.env },
        onStderr(soFar) {
          onStderr?.(soFar);
          tell(soFar);
        },
      }));
  };
  return {
    studio,
    sandbox,
    host: new URL(studio.url).host,
    home,
    store,
    placeOf: (folder) => store.forProject(folder),
    async folder(path) {
      const folder = `${home}/${path}`;
      await Deno.mkdir(folder, { recursive: true });
      return folder;
    },
    run,
    async ok(words, options) {
      return good(await run(words, options), words).stdout;
    },
    login: (flags = [], options = {}) =>
      run([
        ...["auth", "login", "--certificate-authority", studio.caFile, "--keyring", "file"],
        ...["--browser-command", "true", ...flags],
      ], {
        ...options,
        env: { DATUMCTL_PROVIDER: "studio", DATACHAIN_STUDIO_URL: studio.url, ...options.env },
      }),
    async [Symbol.asyncDispose]() {
      await studio.close();
      await sandbox[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}

/** The stored session of that name, which must be there. */
export async function stored(store: SessionStore, name: string) {
  const session = await store.read(name);
  assert.ok(session !== undefined, `no session ${name}`);
  return session;
}
