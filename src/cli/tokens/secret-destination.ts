/** Where a new secret goes instead of the screen: a file or a profile, made ready before the secret exists. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { kindOf } from "../../system/files.ts";
import { prepareReplacement } from "../../system/replacement.ts";

/** A file or profile that is ready to take one secret. Exactly one of its two methods must be called. */
export interface SecretDestination {
  /** In words, for "its secret is in …". */
  readonly where: string;
  /** Stores the secret. */
  save(token: { readonly id: string; readonly secret: string }): Promise<void>;
  /** Removes what was made ready. */
  discard(): Promise<void>;
}

/**
 * A file (0600) that contains nothing but the secret. A folder, link or device is never replaced.
 *
 * @throws {AppError} `STORAGE` when it cannot be written; `USAGE` when something exists there that may not be replaced
 */
export async function secretFile(path: string, replace: boolean): Promise<SecretDestination> {
  if (path === "-" || path === "") {
    throw new AppError("USAGE", "--secret-file takes the path of a file.", {
      hint: "Without it, the secret goes to standard output: -o json",
    });
  }
  const there = await kindOf(path);
  // The file would replace the link, not the file that the link leads to.
  if (there !== undefined && there !== "file") {
    throw new AppError("USAGE", `--secret-file: ${printable(path)} is not a plain file.`, {
      hint: "Name a file that does not exist yet.",
    });
  }
  if (there !== undefined && !replace) {
    throw new AppError("USAGE", `--secret-file: ${printable(path)} already exists.`, {
      hint: "Name another file, or replace it: --force",
    });
  }
  const file = await prepareReplacement(path, 8192);
  return {
    where: printable(path),
    save: async ({ secret }) => void await file.commit(`${secret}\n`),
    discard: () => file.discard(),
  };
}

/** What is said when a secret was made and could not be stored. */
export interface LostSecret {
  /** "The token ID was created". */
  readonly done: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
}

/**
 * Stores a secret in all its destinations.
 *
 * @throws {AppError} the first failure, with what was done and what to do
 */
export async function saveSecret(
  destinations: readonly SecretDestination[],
  token: { readonly id: string; readonly secret: string },
  { done, remedy }: LostSecret,
): Promise<void> {
  const saved: string[] = [];
  const failures: [where: string, error: AppError][] = [];
  for (const destination of destinations) {
    try {
      await destination.save(token);
      saved.push(destination.where);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      failures.push([destination.where, thrown]);
    }
  }
  const [first] = failures;
  if (first === undefined) return;
  const [, error] = first;
  const rest = saved.length === 0 ? "" : ` It is in ${saved.join(" and ")}.`;
  const lacking = failures.map(([where]) => where).join(" and ");
  throw new AppError(
    error.code,
    `${done}, but its secret could not be kept in ${lacking}: ${error.message}${rest}`,
    {
      hint: saved.length === 0 ? remedy : `Take it from there, or else: ${remedy}`,
      retryable: false,
      cause: error,
    },
  );
}
