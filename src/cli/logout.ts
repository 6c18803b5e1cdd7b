/** `logout`: taking back at the issuer what was granted, then forgetting it here. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, fail, failureOrThrow } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { type FlowLimits, limitHttp, openHttp } from "../http/open.ts";
import { oauthClient } from "../oauth/client.ts";
import { revokeTokens } from "../oauth/revoke.ts";
import { isStudio } from "../providers/studio/facts.ts";
import { revokeStudioToken } from "../providers/studio/device-login.ts";
import { endProjectFolder } from "../sessions/project-folder.ts";
import { CLOUDFLEET } from "../providers/cloudfleet/facts.ts";
import { CLOUDFLEET_API_URL } from "../providers/cloudfleet/operations.ts";
import { issuerOf, type SupersededToken } from "../sessions/credentials.ts";
import { isLive, type Session } from "../sessions/session.ts";
import { labelOf } from "../sessions/name.ts";
import { type OpenedSession } from "../sessions/open.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type Removal } from "../sessions/remove.ts";
import { timedToken } from "../sessions/token.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { exists } from "../system/files.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "./context.ts";
import type { ExportTarget } from "../providers/studio/export.ts";
import { removeSessionEntries } from "./session-entries.ts";
import { keyLeftBehind, staysValid } from "./notices.ts";
import { pickSession, storedSessions } from "./pick-session.ts";
import type { StoredSession } from "../sessions/acting.ts";
import { whoAndWhere } from "./session-labels.ts";

const EXAMPLES = `
Examples:
  datumctl logout
  datumctl logout ada@example.com
  datumctl logout --all
  datumctl logout --kubeconfig ~/.kube/config`;

/** `logout`, also `auth logout`. */
export function logoutCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("logout")
    .description("Revoke a session at the issuer and remove it here")
    .argument("[user]", "e-mail or session name; asked for when there are several")
    .option("--all", "every session")
    .option("--local", "the session of the project folder that you are in")
    .option("--keep", "keep the session when the issuer cannot be reached")
    .option(
      "--kubeconfig <path>",
      "also remove the entries that datumctl wrote there for it, with their contexts",
    )
    .addHelpText("after", EXAMPLES);
  command.action((user, flags) => runLogout(contextOf(command), { user, ...flags }));
  return command;
}

/** The words of `logout`. */
export interface LogoutInput {
  readonly user?: string | undefined;
  readonly all?: true | undefined;
  /** Acts on the project folder's own sessions instead of the person's. */
  readonly local?: true | undefined;
  readonly keep?: true | undefined;
  readonly kubeconfig?: string | undefined;
}

/** Revokes and removes one session, or all. What failed is thrown, as one error, after every session was treated. */
export async function runLogout(cli: CommandContext, input: LogoutInput): Promise<void> {
  if (input.all && (input.user !== undefined || cli.choice.flag !== undefined)) {
    throw new AppError("USAGE", "--all takes no user.");
  }
  const local = await cli.store.nearestProject();
  const store = input.local ? local ?? fail(noLocalSession()) : cli.store;
  await store.clearLeftovers(keyringLimits(cli));
  const sessions = await storedSessions(cli, store);
  if (sessions.length === 0 && input.local) await endProjectFolder(store);
  const named = input.user !== undefined || cli.choice.flag !== undefined ||
    cli.choice.variable !== undefined;
  if (sessions.length === 0 && local !== undefined && !named && !input.all) throw onlyLocal(local);
  const others = named && !input.local && local !== undefined ? await storedSessions(cli, local) : [];
  const leaving = input.all ? sessions : [
    await pickSession(
      cli,
      [...sessions, ...others],
      input.user,
      "Log out which user?",
      "datumctl logout",
      store,
    ),
  ];
  if (leaving.length === 0) cli.out.line("Nobody was signed in.");
  const failures: AppError[] = [];
  const activeSession = async () => await store.active();
  const before = await activeSession();
  for (const session of leaving) failures.push(...await logOut(cli, session, sessions, input));
  if (leaving.length < sessions.length && before !== undefined && await activeSession() === undefined) {
    cli.out.info("No session is active now. Make one active: datumctl auth switch");
  }
  if (leaving.every(({ store }) => store.project === undefined)) tellWhatStays(cli, local);
  if (input.kubeconfig !== undefined && !await exists(input.kubeconfig)) {
    cli.out.warn(`There is no kubeconfig ${printable(input.kubeconfig)}: no entry was removed.`);
  }
  if (failures.length > 0) throw together(failures);
}

function noLocalSession(): AppError {
  return new AppError("NOT_SIGNED_IN", "No project folder here has a session of its own.", {
    hint: "Go to the project's folder, or log out of your own session: datumctl logout",
  });
}

function onlyLocal({ project = "" }: SessionStore): AppError {
  return new AppError("NOT_SIGNED_IN", `Only the project folder ${printable(project)} has a session here.`, {
    hint: "Log out of that folder's own session: datumctl logout --local",
  });
}

function tellWhatStays({ out }: CommandContext, local: SessionStore | undefined): void {
  if (local?.project === undefined) return;
  out.info(
    `The session of the project folder ${
      printable(local.project)
    } is kept. To end it: datumctl logout --local`,
  );
}

/** What failed on the way of one session; the rest of that way was gone all the same. */
async function logOut(
  cli: CommandContext,
  placed: StoredSession,
  sessions: readonly StoredSession[],
  input: LogoutInput,
): Promise<AppError[]> {
  try {
    const failures = await leave(cli, placed, sessions, input);
    if (placed.store.project !== undefined) await endProjectFolder(placed.store);
    return failures;
  } catch (thrown) {
    return [failureOrThrow(thrown)];
  }
}

async function leave(
  cli: CommandContext,
  { session: { name }, store }: StoredSession,
  sessions: readonly StoredSession[],
  input: LogoutInput,
): Promise<AppError[]> {
  const { out } = cli;
  using _lock = await store.lock(name);
  const session = await store.read(name);
  if (session === undefined) return [];
  const revocation = await revoke(cli, store, session, input.keep);
  const { failure } = revocation;
  if (failure !== undefined && input.keep) {
    throw new AppError(failure.code, `${labelOf(session)} stays signed in: ${failure.message}`, {
      hint: "Run the same command again later, or without --keep to remove the session here.",
    });
  }
  checkpoint("session revoked");
  const removal = await store.remove(session, keyringLimits(cli));
  if (revocation.unopened && store.project !== undefined) {
    return await tellUnopened(cli, { session, store }, revocation, removal);
  }
  const failures: AppError[] = [];
  if (removal.leftBehind === undefined) {
    const done = failure === undefined ? revocation.done : "Removed here";
    out.line(`${done}: ${whoAndWhere(session, sessions)}.`);
    const valid = await staysValid(cli, session) ?? revocation.registration;
    if (valid !== undefined) out.info(valid);
  } else {
    const done = `${labelOf(session)} is signed out here`;
    failures.push(await keyLeftBehind(done, { session, store }, removal.leftBehind));
  }
  if (failure !== undefined) failures.push(stillValid(session, revocation, failure));
  failures.push(...revocation.older ?? []);
  const failed = (thrown: unknown) => void failures.push(failureOrThrow(thrown));
  const { exportedTo } = revocation.sealed ?? session;
  if (exportedTo !== undefined) {
    await withdraw({ path: exportedTo, project: store.project }, revocation.token).catch(failed);
  }
  if (input.kubeconfig !== undefined) {
    await removeSessionEntries(cli, session, input.kubeconfig).catch(failed);
  }
  return failures;
}

/** How to register a Cloudfleet person's profile again, which went with its sign-in; undefined for any other session. */
function registration({ session, credentials }: OpenedSession): string | undefined {
  const { name, provider, kind, organization = "", issuer, clientId } = session;
  if (provider !== CLOUDFLEET || !kind.person) return undefined;
  const { url, ...operations } = credentials.api ?? {};
  const line = shellLine([
    ...["datumctl", "auth", "add-profile", "user", name, organization],
    ...["--issuer", issuer, "--client-id", clientId],
    ...(url === undefined || url === CLOUDFLEET_API_URL ? [] : ["--api-url", url]),
    ...Object.entries(operations).flatMap((
      [operation, request],
    ) => ["--operation", `${operation}=${request}`]),
    ...(credentials.certificateAuthority === undefined ? [] : ["--certificate-authority", "FILE"]),
  ]);
  return `The profile is gone, too. To register it again: ${line}`;
}

/**
 * What is told of a session in a project's folder that its key did not open: it may be anybody's, and so may its words.
 * Where the copy of a token in that folder is, is known without them.
 */
async function tellUnopened(
  { out }: CommandContext,
  { session, store }: StoredSession,
  { done }: Revocation,
  { leftBehind }: Removal,
): Promise<AppError[]> {
  const { project = "" } = store;
  const failures: AppError[] = [];
  if (leftBehind === undefined) out.line(`${done}: the session of ${printable(project)}.`);
  else {
    const removed = `The session of ${printable(project)} is removed`;
    failures.push(await keyLeftBehind(removed, { session, store }, leftBehind));
  }
  const copies = [`${project}/.datachain/config`, `${project}\\.datachain\\config`];
  const copy = copies.find((path) => path === session.exportedTo);
  if (copy !== undefined && await exists(copy)) failures.push(tokenStays(copy));
  return failures;
}

/** Several failures as one error with the words of all: what cannot be reached weighs most. */
function together(failures: readonly AppError[]): AppError {
  const sorted = [...failures].sort((a, b) => Number(b.exitCode === 6) - Number(a.exitCode === 6));
  const [first] = sorted;
  if (first !== undefined && sorted.length === 1) return first;
  const words = (texts: readonly (string | undefined)[]) =>
    [...new Set(texts.filter((text) => text !== undefined))].join(" ");
  return new AppError(first?.code ?? "INTERNAL", words(sorted.map(({ message }) => message)), {
    hint: words(sorted.map(({ hint }) => hint)),
    retryable: sorted.every(({ retryable }) => retryable),
  });
}

/** What the issuer did, in words, or why it did nothing. */
interface Revocation {
  readonly done: string;
  /** The issuer's host and port. */
  readonly host: string;
  readonly failure?: AppError | undefined;
  /** Until when a token that was not revoked is good, where that is known. */
  readonly until?: string | undefined;
  /** The session as it was sealed; absent where its key is lost, and for a person's sign-in. */
  readonly sealed?: Session | undefined;
  /** Its key is lost, or is somebody else's. */
  readonly unopened?: true | undefined;
  /** How its profile is registered again, where that is a thing of its own. */
  readonly registration?: string | undefined;
  /** Studio's, for its copy to be found. */
  readonly token?: string | undefined;
  /** What is still valid of the tokens that this one took the place of. */
  readonly older?: readonly AppError[] | undefined;
}

async function revoke(
  cli: CommandContext,
  store: SessionStore,
  session: Session,
  keep: true | undefined,
): Promise<Revocation> {
  let opened: OpenedSession;
  try {
    opened = await store.open(session, keyringLimits(cli));
  } catch (thrown) {
    if (keep) throw thrown;
    // Without the key the tokens can be neither used nor revoked by anybody who has only these files.
    cli.out.warn(`${failureOrThrow(thrown).message} Its tokens could not be revoked.`);
    return { done: "Removed here; not revoked", host: "", unopened: true };
  }
  const { credentials } = opened;
  const { host } = new URL(issuerOf(credentials));
  if (credentials.tokenSource !== undefined) {
    const { session: sealed } = opened;
    return isStudio(sealed)
      ? { ...await revokeAtStudio(cli, opened, keep), sealed }
      : { done: "Removed here", host, sealed, registration: registration(opened) };
  }
  const until = validUntil(opened, cli.now());
  const gone = { host, registration: registration(opened) };
  const over = { done: "Removed here; nothing of it was left to revoke", ...gone };
  if (until === undefined && credentials.refreshToken === undefined) return over;
  using http = openHttp(cli, {
    ...limitsOf(cli, host),
    certificateAuthority: credentials.certificateAuthority,
    trust: () => cli.providers.trustLine(opened.session),
    log: cli.out.debug,
  });
  try {
    const { refreshToken, accessToken, clientId, clientSecret, metadata } = credentials;
    const client = oauthClient(clientId, clientSecret);
    const revoked = await revokeTokens(http, { metadata, client, refreshToken, accessToken });
    if (revoked.kind === "revoked") return { done: "Revoked at the issuer and removed here", ...gone };
    if (until === undefined) return over;
    cli.out.warn(
      `${host} has no revocation endpoint: tokens stay valid until they expire.`,
    );
    return { done: "Removed here", ...gone };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || cli.interrupted.aborted) throw thrown;
    return until === undefined ? over : { done: "", ...gone, failure: thrown, until };
  }
}

/** Until when something of a sign-in is valid; undefined where all of it has run out, as far as that is known here. */
function validUntil({ session, credentials }: OpenedSession, now: number): string | undefined {
  const access = timedToken(credentials, "access");
  const ends = access === undefined || access.guessed ? undefined : new Date(access.expires).toISOString();
  const ended = access === undefined || (!access.guessed && access.expires <= now);
  const renews = credentials.tokenSource === undefined && credentials.refreshToken !== undefined &&
    session.renewalRefused === undefined;
  if (!renews) return ended ? undefined : ends ?? NO_KNOWN_END;
  // The issuer alone knows when a refresh token ends.
  return ended || ends === undefined ? NO_KNOWN_END : `${NO_KNOWN_END} (its access token: ${ends})`;
}

/**
 * Takes Studio's token back, and first those that it took the place of; one that Studio does not know any more is as good
 * as taken back.
 */
async function revokeAtStudio(
  cli: CommandContext,
  { session, credentials }: OpenedSession,
  keep: true | undefined,
): Promise<Revocation> {
  const { accessToken: token = "", certificateAuthority, tokenSource } = credentials;
  const studio = issuerOf(credentials);
  const { host } = new URL(studio);
  using network = cli.openNetwork(certificateAuthority, () => cli.providers.trustLine(session));
  const revokeOne = async (given: { readonly host: string; readonly token: string }) => {
    const limits = limitsOf(cli, new URL(given.host).host);
    using http = limitHttp({ fetch: network.fetch, now: cli.now, log: cli.out.debug }, limits);
    return await revokeStudioToken(http, given);
  };
  const older: AppError[] = [];
  for (const superseded of tokenSource === undefined ? [] : credentials.superseded ?? []) {
    const { issuer, token: theirs, name } = superseded;
    try {
      await revokeOne({ host: issuer, token: theirs });
      cli.out.info(`The token "${printable(name)}" that was here before is revoked, too.`);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || cli.interrupted.aborted) throw thrown;
      if (!isLive(superseded, cli.now())) continue;
      if (keep) return { done: "", host, failure: thrown };
      older.push(olderStillValid(superseded, thrown));
    }
  }
  try {
    const revoked = await revokeOne({ host: studio, token });
    const done = revoked === "already"
      ? "Revoked or expired there already; removed here"
      : "Revoked and removed here";
    return { done, host, token, older };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || cli.interrupted.aborted) throw thrown;
    if (!isLive(session, cli.now())) {
      return { done: "Removed here; its token had expired already", host, token, older };
    }
    return { done: "", host, failure: thrown, token, older, until: session.expires };
  }
}

/** Takes the token out of the copy that DataChain's own tools read. Throws `STORAGE` when it may still stand there. */
async function withdraw(copy: ExportTarget, token: string | undefined): Promise<void> {
  if (token === undefined) throw tokenStays(copy.path);
  const { withdrawToken } = await import("../providers/studio/export.ts");
  await withdrawToken(copy, token);
}

function tokenStays(path: string): AppError {
  return new AppError(
    "STORAGE",
    `The token's copy in ${printable(path)} stays, because the session's own token could not be read.`,
    { hint: `Take the token out of ${printable(path)} yourself.` },
  );
}

function limitsOf({ requestTimeout, interrupted }: CommandContext, host: string): FlowLimits {
  return { timeout: requestTimeout, late: host, interrupted };
}

const NO_KNOWN_END = "it expires or is revoked there";

function stillValid(session: Session, { host, until }: Revocation, failure: AppError): AppError {
  const end = until ?? NO_KNOWN_END;
  return new AppError(
    failure.code,
    `${labelOf(session)} is still valid at ${host} until ${end}: ${failure.message}`,
    {
      hint: `It is removed here. To end it for good, revoke it at ${host}.`,
      // The session is gone: the same call would find nobody to log out.
      retryable: false,
    },
  );
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
