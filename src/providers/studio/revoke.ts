/** Revokes Studio's tokens, and removes the copy that DataChain's own tools read. */

import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { type FlowLimits, limitHttp } from "../../http/open.ts";
import { issuerOf } from "../../sessions/credentials.ts";
import { type SupersededToken } from "../../sessions/source-credentials.ts";
import type { OpenedSession } from "../../sessions/open.ts";
import { isLive, type Session } from "../../sessions/session.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { exists } from "../../system/files.ts";
import type { ProviderContext } from "../context.ts";
import { NO_KNOWN_END, type Revocation } from "../provider.ts";
import { revokeStudioToken } from "./device-login.ts";
import { withdrawToken } from "./export.ts";

/**
 * Revokes a session's token, and first those that it replaced; one that Studio no longer knows is as good as revoked. With
 * `keep`, the first failure ends it.
 */
export async function revokeAtStudio(
  context: ProviderContext,
  { session, credentials }: OpenedSession,
  keep: boolean,
): Promise<Revocation> {
  const { accessToken: token = "", certificateAuthority, tokenSource } = credentials;
  const studio = issuerOf(credentials);
  const { host } = new URL(studio);
  using network = context.openNetwork(certificateAuthority, () => context.store.providers.trustLine(session));
  const revokeOne = async (given: { readonly host: string; readonly token: string }) => {
    const limits = limitsOf(context, new URL(given.host).host);
    using http = limitHttp({ fetch: network.fetch, now: context.now, log: context.out.debug }, limits);
    return await revokeStudioToken(http, given);
  };
  const older: AppError[] = [];
  for (const superseded of tokenSource === undefined ? [] : credentials.superseded ?? []) {
    const { issuer, token: theirs, name } = superseded;
    try {
      await revokeOne({ host: issuer, token: theirs });
      context.out.info(`The token "${printable(name)}" that was here before is revoked, too.`);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || context.interrupted.aborted) throw thrown;
      if (!isLive(superseded, context.now())) continue;
      if (keep) return { done: "", host, failure: thrown };
      older.push(olderStillValid(superseded, thrown));
    }
  }
  try {
    const revoked = await revokeOne({ host: studio, token });
    const done = revoked === "already"
      ? "Revoked or expired there already; removed here"
      : "Revoked and removed here";
    return { done, host, older };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || context.interrupted.aborted) throw thrown;
    if (!isLive(session, context.now())) {
      return { done: "Removed here; its token had expired already", host, older };
    }
    return { done: "", host, failure: thrown, older, until: session.expires };
  }
}

function limitsOf({ requestTimeout, interrupted }: ProviderContext, host: string): FlowLimits {
  return { timeout: requestTimeout, onTimeout: host, interrupted };
}

function olderStillValid({ issuer, name, expires }: SupersededToken, failure: AppError): AppError {
  const { host } = new URL(issuer);
  const until = expires ?? NO_KNOWN_END;
  return new AppError(
    failure.code,
    `The token "${
      printable(name)
    }", which was here before, is still valid at ${host} until ${until}: ${failure.message}`,
    { hint: `To end it for good, revoke it at ${host}.`, retryable: false },
  );
}

/**
 * Removes the token from the copy that DataChain's own tools read.
 *
 * @throws {AppError} `STORAGE` when it may still be there
 */
export async function removeExport(
  { project }: SessionStore,
  session: Session,
  opened: OpenedSession | undefined,
): Promise<void> {
  const path = (opened?.session ?? session).exportedTo;
  if (path === undefined) return;
  if (opened !== undefined) {
    return void await withdrawToken({ path, project }, opened.credentials.accessToken ?? "");
  }
  // Others may have written the file of an unopened session: only the path that every project has is believed.
  const copies = [`${project}/.datachain/config`, `${project}\\.datachain\\config`];
  if (project === undefined || (copies.includes(path) && await exists(path))) throw tokenStays(path);
}

function tokenStays(path: string): AppError {
  return new AppError(
    "STORAGE",
    `The token's copy in ${printable(path)} stays, because the session's own token could not be read.`,
    { hint: `Take the token out of ${printable(path)} yourself.` },
  );
}
