/** The person's editor: which one it is, and a run of it on our terminal. */

import { AppError, interruptedError } from "../errors.ts";
import { printable } from "../text.ts";
import type { Environment } from "./environment.ts";
import { splitWords } from "./browser.ts";
import type { Host } from "./host.ts";
import { ProgramError, ProgramNotFound, runInForeground } from "./processes.ts";

/** The variables that name an editor, the first one that is set counts. */
const VARIABLES = ["KUBE_EDITOR", "VISUAL", "EDITOR"] as const;

/** The editor's command line without the file. */
export function editorOf(env: Environment, windows: boolean): string {
  for (const name of VARIABLES) {
    const value = env(name)?.trim() ?? "";
    if (value !== "") return value;
  }
  return windows ? "notepad" : "vi";
}

/**
 * The arguments of an editor with a file. A shell reads a command line with quotes, variables and the like.
 *
 * @throws {AppError} `USAGE` for a command line with an open quote.
 */
export function editorCommand(editor: string, path: string, windows: boolean): readonly string[] {
  if (!windows && /[^\w\s\-+=.,:/@%]/.test(editor)) {
    return ["/bin/sh", "-c", `${editor} "$@"`, editor, path];
  }
  const words = splitWords(editor, windows);
  if (words !== undefined) return [...words, path];
  throw new AppError("USAGE", "The editor's command line is empty, or one of its quotes is not closed.", {
    hint: `Correct ${VARIABLES.join(", ")}.`,
  });
}

/**
 * Opens a file in an editor, and waits until it is closed.
 *
 * @throws {AppError} `NOT_FOUND` where there is no such editor, `INVALID` where it fails or is killed, `INTERRUPTED`.
 */
export async function openInEditor(
  editor: string,
  path: string,
  windows: boolean,
  { interrupted, holdInterrupts }: Pick<Host, "holdInterrupts"> & { readonly interrupted: AbortSignal },
): Promise<void> {
  const [program = "", ...args] = editorCommand(editor, path, windows);
  const name = printable(editor, 100);
  let code: number;
  try {
    // A Ctrl-C that is typed in an editor is the editor's.
    using _held = holdInterrupts?.();
    code = await runInForeground(program, args, interrupted, "SIGTERM");
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    const is = thrown instanceof ProgramNotFound ? "is not installed" : "cannot be started";
    throw new AppError("NOT_FOUND", `The editor "${name}" ${is}.`, {
      hint: `Name another one in ${VARIABLES.join(", ")}.`,
      cause: thrown,
    });
  }
  if (code === 0) return;
  if (code === 130) throw interruptedError();
  throw new AppError(
    "INVALID",
    code > 128
      ? `The editor "${name}" was ended by a signal (exit code ${code}); nothing was changed.`
      : `The editor "${name}" failed (exit code ${code}); nothing was changed.`,
    { hint: "Save and leave it, or name another one in KUBE_EDITOR." },
  );
}
