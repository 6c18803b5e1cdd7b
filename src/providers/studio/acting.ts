/** The DataChain Studio session that `auth token` and `auth team` act as. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { isStudio } from "./facts.ts";
import { type OpenedSession } from "../../sessions/open.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { keyringLimits, type ProviderContext } from "../context.ts";
import { actingSession } from "../../sessions/acting.ts";

/** A session of Studio as it was sealed, and the store that it is in. */
export interface StudioSession extends OpenedSession {
  readonly store: SessionStore;
}

/**
 * The session that commands act as, or the project folder's with `local`; it must be Studio's. `instead` is the hint's
 * first sentence for a session of another provider.
 *
 * @throws {AppError} `NOT_SIGNED_IN`; `USAGE` for a session of another provider
 */
export async function studioSession(
  context: ProviderContext,
  words: string,
  { local, instead = "" }: { readonly local?: true | undefined; readonly instead?: string } = {},
): Promise<StudioSession> {
  const { store } = context;
  const here = local ? await store.nearestProject() : store;
  if (here === undefined) {
    throw new AppError("NOT_SIGNED_IN", "No project folder here has a session of its own.", {
      hint: "Sign in for this folder: datumctl login --local",
    });
  }
  const studios = (await here.list()).sessions.filter(isStudio);
  const hint = studios.length === 0
    ? "Sign in there: datumctl login --provider studio"
    : `Use a session of Studio: ${words} --profile ${studios[0]?.name}`;
  const choice = local ? { ...context.choice, folderFile: undefined } : context.choice;
  const chosen = await actingSession(here, choice, keyringLimits(context)).catch((thrown) => {
    const named = context.choice.flag ?? context.choice.variable;
    if (!(thrown instanceof AppError) || thrown.code !== "NOT_SIGNED_IN" || named !== undefined) throw thrown;
    throw new AppError(thrown.code, thrown.message, { hint, cause: thrown });
  });
  let { session } = chosen;
  if (isStudio(session)) {
    const opened = await chosen.store.open(session, keyringLimits(context));
    if (isStudio(opened.session)) return { ...opened, store: chosen.store };
    session = opened.session;
  }
  throw new AppError(
    "USAGE",
    `${words} is for DataChain Studio, but the session "${
      printable(session.name)
    }" belongs to the provider ${session.provider}.`,
    { hint: `${instead}${hint}` },
  );
}
