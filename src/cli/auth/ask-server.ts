/** Shows a server the tokens of a session before an entry for it is written. */

import { findAcceptedToken, type LearnedServer } from "../../kube/accepted-token.ts";
import type { EntryTarget } from "../../kubeconfig/target.ts";
import { offeredTokens } from "../../providers/datum/entry-target.ts";
import type { Session } from "../../sessions/session.ts";
import type { TokenKind } from "../../sessions/token.ts";
import { type CommandContext, requestLimits, tokenLimits } from "../context.ts";
import { explainRefusal } from "./refused-tokens.ts";

/**
 * Shows the server the token of that kind, else the session's tokens in their order.
 *
 * @throws {AppError} `SESSION_REJECTED` with what the server was shown; what asking it throws
 */
export async function askServer(
  cli: CommandContext,
  session: Session,
  target: EntryTarget,
  wantedKind: TokenKind | undefined,
): Promise<LearnedServer> {
  const offered = offeredTokens(session);
  return await findAcceptedToken({
    store: cli.store,
    openNetwork: cli.openNetwork,
    limits: requestLimits(cli),
    tokenLimits: () => tokenLimits(cli),
    session,
    target,
    kinds: wantedKind === undefined ? offered : [wantedKind],
    refused: (error, shown, known) =>
      explainRefusal(cli.providers, error, {
        session,
        serverKind: target.kind,
        shown,
        wantedKind,
        offered,
        known,
      }),
  });
}
