/** A folder for files that another program looks at: only this user can open it, and it goes when it is disposed of. */

import { storageError } from "./files.ts";

/** Such a folder. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
  /** Makes a folder in it, with files (0600) of those texts. @throws {AppError} `STORAGE`. */
  add(folder: string, files: readonly (readonly [name: string, text: string])[]): Promise<string>;
}

/** Makes a folder (0700) among the system's temporary ones. @throws {AppError} `STORAGE`. */
export async function makeScratchFolder(purpose: string): Promise<ScratchFolder> {
  let path: string;
  try {
    path = await Deno.makeTempDir({ prefix: `datumctl-${purpose}-` });
  } catch (thrown) {
    throw storageError("make a folder in", "the system's temporary folder", thrown);
  }
  return {
    path,
    async add(folder, files) {
      const inner = `${path}/${folder}`;
      try {
        await Deno.mkdir(inner, { mode: 0o700 });
        for (const [name, text] of files) {
          await Deno.writeTextFile(`${inner}/${fileName(name)}`, text, { mode: 0o600 });
        }
      } catch (thrown) {
        throw storageError("write in", inner, thrown);
      }
      return inner;
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    },
  };
}

/** A name that stays within its folder, and that Windows takes, too. */
function fileName(name: string): string {
  return name.replace(Deno.build.os === "windows" ? /[\\/:*?"<>|]/g : /\//g, "-");
}
