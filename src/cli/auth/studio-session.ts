/** Owns which DataChain Studio session a command acts as. */

import { AppError, printable } from "../../errors.ts";
import { chooseSession, type ChosenSession, listSessions } from "../../sessions/store.ts";
import type { Deps } from "../context.ts";

/**
 * The session that is in force, or that of the project folder; it must be Studio's. Throws `NOT_SIGNED_IN`, and `USAGE`
 * for one of another provider, with `instead` as what that one has.
 */
export async function studioSession(
  { place, choice }: Deps,
  words: string,
  { local, instead = "" }: { readonly local?: true | undefined; readonly instead?: string } = {},
): Promise<ChosenSession> {
  const here = local ? await place.local?.(place) : place;
  if (here === undefined) {
    throw new AppError("NOT_SIGNED_IN", "No project folder here has a session of its own.", {
      hint: "Sign in for this folder: datumctl login --local",
    });
  }
  const chosen = await chooseSession(here, choice);
  const { session } = chosen;
  if (session.kind === "studio") return chosen;
  const studios = (await listSessions(here)).sessions.filter(({ kind }) => kind === "studio");
  const hint = studios.length === 0
    ? "Sign in there: datumctl login --provider studio"
    : `Name one of Studio: ${words} --profile ${studios[0]?.name}`;
  throw new AppError(
    "USAGE",
    `${words} is for DataChain Studio, and the session "${
      printable(session.name)
    }" is of ${session.provider}.`,
    { hint: `${instead}${hint}` },
  );
}
