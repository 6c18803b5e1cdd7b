/** The launcher: the shell script that kubectl may run instead of this program, and that hands out a stored credential. */

import { shellQuote } from "../text.ts";
import type { Folders } from "../system/environment.ts";
import { ensurePrivateFolder, readTextFile, tighten } from "../system/files.ts";
import { writeProgram } from "../system/own-program.ts";

/** What is written into a launcher. */
export interface Launcher {
  /** The absolute path of the program that it becomes when no stored credential will do. */
  readonly program: string;
  /** The folder of the stored credentials. */
  readonly folder: string;
}

/** Grows with each change of {@link launcherText}, so that a newer program replaces an older launcher. */
export const LAUNCHER_VERSION = 2;

/** Where the launcher is. */
export function launcherPath({ config }: Pick<Folders, "config">): string {
  return `${config}/bin/datumctl-credential`;
}

/**
 * The script. It starts no process, and reads the stored credential with `.`, since a shell's `read` asks the system for
 * each byte. It prints with `echo`, which every shell has in itself: another program's arguments can be seen by others.
 * `-nt` compares the credential, whose time is the end of its use, with the parent's note, whose time is now.
 *
 * What a shell inherits must not show the token: `set` turns off what prints commands or exports variables, and `unset`
 * takes away functions, and variables that would be exported with their new values.
 */
export function launcherText({ program, folder }: Launcher): string {
  return `#!/bin/sh
# shellcheck shell=dash disable=SC1090
set +x +v +e +u +a +C
# datumctl-credential ${LAUNCHER_VERSION}: hands out the credential that datumctl stored, else becomes datumctl.
unset -f command echo read 2>/dev/null
unset credential server
program=${shellQuote(program)}
folder=${shellQuote(folder)}
handle=\${1-}
[ $# -eq 0 ] || shift
case $handle in *[!a-z2-7]* | '') exec "$program" "$@" ;; esac
file=$folder/$handle
note=$file.$((PPID % 64))
# Under sudo the folder can be somebody else's.
if { [ -O "$folder" ] && [ ! -L "$folder" ]; } 2>/dev/null; then
  before=''
  { [ ! -f "$note" ] || read -r before <"$note"; } 2>/dev/null
  # Who comes back may have been refused with what is stored.
  [ "$before" != "$PPID" ] || exec "$program" "$@" --hand-off="$handle" --handed-out
  if { echo "$PPID" >|"$note" && [ -f "$file" ] && [ ! -L "$file" ] && [ -O "$file" ] &&
    [ "$file" -nt "$note" ]; } 2>/dev/null; then
    credential='' server=''
    command . "$file" 2>/dev/null
    case $server in
      https://?*)
        case $KUBERNETES_EXEC_INFO in
          *'"proxy-url":'* | *'"tls-server-name":'* | *'"insecure-skip-tls-verify":'*) ;;
          '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"'"$server"[\\"/]*)
            echo "$credential"
            exit
            ;;
        esac
        ;;
    esac
  fi
fi
exec "$program" "$@" --hand-off="$handle"
`;
}

/** What stands in the launcher; undefined where there is none of ours. */
export async function readLauncher(
  folders: Folders,
): Promise<Launcher & { readonly version: number } | undefined> {
  if (folders.missing !== undefined) return undefined;
  const text = await readTextFile(launcherPath(folders)).catch(() => undefined) ?? "";
  const version = Number(/^# datumctl-credential (\d+):/m.exec(text)?.[1] ?? Number.NaN);
  const quoted = (name: string) => new RegExp(`^${name}='(.*)'$`, "m").exec(text)?.[1];
  const [program, folder] = [quoted("program"), quoted("folder")];
  if (Number.isNaN(version) || program === undefined || folder === undefined) return undefined;
  return { version, program: unquoted(program), folder: unquoted(folder) };
}

function unquoted(text: string): string {
  return text.replaceAll("'\\''", "'");
}

/**
 * Writes the launcher, but for one that is the same. One of a newer program stays where it leads to the same.
 *
 * @throws {AppError} `STORAGE`
 */
export async function installLauncher(folders: Folders, launcher: Launcher): Promise<void> {
  const there = await readLauncher(folders);
  const leadsThere = there?.program === launcher.program && there.folder === launcher.folder;
  if (leadsThere && there.version > LAUNCHER_VERSION) return;
  const bin = `${folders.config}/bin`;
  await ensurePrivateFolder(bin);
  await tighten(bin);
  await writeProgram(launcherPath(folders), launcherText(launcher), 0o755);
}

/** Replaces the launcher of an older program, as that of the same program and folder. */
export async function renewLauncher(folders: Folders): Promise<void> {
  const there = await readLauncher(folders);
  if (there !== undefined && there.version < LAUNCHER_VERSION) await installLauncher(folders, there);
}
