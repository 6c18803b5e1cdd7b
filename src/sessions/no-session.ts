/** What to do where there is no session to act as. */

import { AppError } from "../errors.ts";
import { HINTS, LOGIN } from "../hints.ts";
import { printable } from "../text.ts";
import { ENV_PREFIX, isCalled, isSessionName } from "./name.ts";
import type { FolderFile } from "./folder-file.ts";
import type { EntryWords } from "./providers.ts";
import type { SessionStore } from "./store.ts";

/** The error where a named session is not stored here, or none is active: with the line that mends it. */
export async function noSession(
  store: SessionStore,
  named: string | undefined,
  entry: EntryWords | undefined,
  file?: FolderFile,
): Promise<AppError> {
  if (named?.startsWith(ENV_PREFIX)) {
    const variable = printable(named.slice(ENV_PREFIX.length), 60);
    return new AppError("NOT_SIGNED_IN", `The variable ${variable} is not set.`, {
      hint: HINTS.NOT_SIGNED_IN.variableUnset,
    });
  }
  const { sessions } = await store.list();
  const names = sessions.map(({ name }) => name);
  const there = names.length === 0 ? "" : ` Stored here: ${names.join(", ")}.`;
  const namedBy = file === undefined ? "" : `, which ${file.path} names`;
  const theirs = named === undefined
    ? []
    : sessions.filter(({ user }) => isCalled(user, named)).map(({ name }) => name);
  if (named !== undefined && theirs.length > 0) {
    return new AppError(
      "NOT_SIGNED_IN",
      `There is no session ${printable(named, 200)} here${namedBy}; that is a user.`,
      {
        hint: `Name ${theirs.length > 1 ? "one of its sessions" : "the session"}: --profile ${
          theirs.join(", or ")
        }`,
      },
    );
  }
  if (named !== undefined) {
    const shown = isSessionName(named) ? named : "of that name";
    const login = isSessionName(named) ? await store.providers.signInOfName(named, entry) : LOGIN;
    return new AppError("NOT_SIGNED_IN", `There is no session ${shown} here${namedBy}.${there}`, {
      hint: names.length === 0
        ? `Sign in: ${login}`
        : file === undefined
        ? `Pick one of these, or sign in: ${login}`
        : `Sign in as it: ${login}, or act as one of these: --profile NAME`,
    });
  }
  return new AppError(
    "NOT_SIGNED_IN",
    names.length === 0 ? "Nobody is signed in here." : `No session is active.${there}`,
    {
      hint: names.length === 0 ? HINTS.NOT_SIGNED_IN.nobody : HINTS.NOT_SIGNED_IN.noneActive,
    },
  );
}
