/** `logout`: taking back at the issuer what was granted, then forgetting it here. */

import { Command } from "@commander-js/extra-typings";
import { AppError, fail, failureOrThrow } from "../errors.ts";
import { printable, shellLine } from "../text.ts";
import { oauthClient } from "../oauth/client.ts";
import { revokeTokens } from "../oauth/revoke.ts";
import { revokeStudioToken } from "../providers/studio/device-login.ts";
import { endLocalPlace } from "../sessions/project-folder.ts";
import { CLOUDFLEET_API_URL } from "../providers/cloudfleet/operations.ts";
import { issuerOf, type SupersededToken } from "../sessions/credentials.ts";
import type { Session } from "../sessions/session.ts";
import { labelOf } from "../sessions/name.ts";
import { readConfig } from "../sessions/config.ts";
import { type OpenedSession, openSession } from "../sessions/open.ts";
import { trustLine } from "../sessions/login-line.ts";
import type { SessionPlace } from "../sessions/store.ts";
import { LOCK_WAIT, lockSession, readSession } from "../sessions/read.ts";
import { clearLeftovers, type Removal, removeSession } from "../sessions/remove.ts";
import { timedToken } from "../sessions/token-life.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { boundedSignal } from "../system/clock.ts";
import { exists } from "../system/files.ts";
import { type CommandDeps, type Deps, keyringBound } from "./context.ts";
import type { ExportPlace } from "../providers/studio/export.ts";
import { removeSessionEntries } from "./auth/update-kubeconfig.ts";
import {
  isLive,
  keyLeftBehind,
  meantSession,
  type PlacedSession,
  placedSessions,
  staysValid,
  whoAndWhere,
} from "./session-words.ts";

const EXAMPLES = `
Examples:
  datumctl logout
  datumctl logout ada@example.com
  datumctl logout --all
  datumctl logout --kubeconfig ~/.kube/config`;

/** `logout`, also `auth logout`. */
export function logoutCommand(deps: CommandDeps): Command {
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
  command.action((user, flags) => runLogout(deps(command), { user, ...flags }));
  return command as unknown as Command;
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
export async function runLogout(deps: Deps, input: LogoutInput): Promise<void> {
  if (input.all && (input.user !== undefined || deps.choice.flag !== undefined)) {
    throw new AppError("USAGE", "--all takes no user.");
  }
  const local = await deps.place.local?.(deps.place);
  const place = input.local ? local ?? fail(noLocalSession()) : deps.place;
  await clearLeftovers(place, keyringBound(deps));
  const sessions = await placedSessions(deps, place);
  if (sessions.length === 0 && input.local) await endLocalPlace(place);
  const named = input.user !== undefined || deps.choice.flag !== undefined ||
    deps.choice.variable !== undefined;
  if (sessions.length === 0 && local !== undefined && !named && !input.all) throw onlyLocal(local);
  const others = named && !input.local && local !== undefined ? await placedSessions(deps, local) : [];
  const leaving = input.all ? sessions : [
    await meantSession(
      deps,
      [...sessions, ...others],
      input.user,
      "Log out which user?",
      "datumctl logout",
      place,
    ),
  ];
  if (leaving.length === 0) deps.out.line("Nobody was signed in.");
  const failures: AppError[] = [];
  const activeSession = async () => (await readConfig(place)).activeSession;
  const before = await activeSession();
  for (const session of leaving) failures.push(...await logOut(deps, session, sessions, input));
  if (leaving.length < sessions.length && before !== undefined && await activeSession() === undefined) {
    deps.out.note("No session is active now. Make one active: datumctl auth switch");
  }
  if (leaving.every(({ place }) => place.project === undefined)) tellWhatStays(deps, local);
  if (input.kubeconfig !== undefined && !await exists(input.kubeconfig)) {
    deps.out.warn(`There is no kubeconfig ${printable(input.kubeconfig)}: no entry was removed.`);
  }
  if (failures.length > 0) throw together(failures);
}

function noLocalSession(): AppError {
  return new AppError("NOT_SIGNED_IN", "No project folder here has a session of its own.", {
    hint: "Go to the project's folder, or log out of your own session: datumctl logout",
  });
}

function onlyLocal({ project = "" }: SessionPlace): AppError {
  return new AppError("NOT_SIGNED_IN", `Only the project folder ${printable(project)} has a session here.`, {
    hint: "Log out of that folder's own session: datumctl logout --local",
  });
}

function tellWhatStays({ out }: Deps, local: SessionPlace | undefined): void {
  if (local?.project === undefined) return;
  out.note(
    `The session of the project folder ${
      printable(local.project)
    } is kept. To end it: datumctl logout --local`,
  );
}

/** What failed on the way of one session; the rest of that way was gone all the same. */
async function logOut(
  deps: Deps,
  placed: PlacedSession,
  sessions: readonly PlacedSession[],
  input: LogoutInput,
): Promise<AppError[]> {
  try {
    const failures = await leave(deps, placed, sessions, input);
    if (placed.place.project !== undefined) await endLocalPlace(placed.place);
    return failures;
  } catch (thrown) {
    return [failureOrThrow(thrown)];
  }
}

async function leave(
  deps: Deps,
  { session: { name }, place }: PlacedSession,
  sessions: readonly PlacedSession[],
  input: LogoutInput,
): Promise<AppError[]> {
  const { out } = deps;
  using _lock = await lockSession(place, name, LOCK_WAIT);
  const session = await readSession(place, name);
  if (session === undefined) return [];
  const revocation = await revoke(deps, place, session, input.keep);
  const { failure } = revocation;
  if (failure !== undefined && input.keep) {
    throw new AppError(failure.code, `${labelOf(session)} stays signed in: ${failure.message}`, {
      hint: "Run the same command again later, or without --keep to remove the session here.",
    });
  }
  checkpoint("session revoked");
  const removal = await removeSession(place, session, keyringBound(deps));
  if (revocation.unopened && place.project !== undefined) {
    return await tellUnopened(deps, { session, place }, revocation, removal);
  }
  const failures: AppError[] = [];
  if (removal.leftBehind === undefined) {
    const done = failure === undefined ? revocation.done : "Removed here";
    out.line(`${done}: ${whoAndWhere(session, sessions)}.`);
    const valid = staysValid(session) ?? revocation.registration;
    if (valid !== undefined) out.note(valid);
  } else {
    const done = `${labelOf(session)} is signed out here`;
    failures.push(await keyLeftBehind(done, { session, place }, removal.leftBehind));
  }
  if (failure !== undefined) failures.push(stillValid(session, revocation, failure));
  failures.push(...revocation.older ?? []);
  const failed = (thrown: unknown) => void failures.push(failureOrThrow(thrown));
  const { exportedTo } = revocation.sealed ?? session;
  if (exportedTo !== undefined) {
    await withdraw({ path: exportedTo, project: place.project }, revocation.token).catch(failed);
  }
  if (input.kubeconfig !== undefined) {
    await removeSessionEntries(deps, session, input.kubeconfig).catch(failed);
  }
  return failures;
}

/** How to register a Cloudfleet person's profile again, which went with its sign-in; undefined for any other session. */
function registration({ session, credentials }: OpenedSession): string | undefined {
  const { name, provider, kind, organization = "", issuer, clientId } = session;
  if (provider !== "cloudfleet" || kind !== "user") return undefined;
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
  { out }: Deps,
  { session, place }: PlacedSession,
  { done }: Revocation,
  { leftBehind }: Removal,
): Promise<AppError[]> {
  const { project = "" } = place;
  const failures: AppError[] = [];
  if (leftBehind === undefined) out.line(`${done}: the session of ${printable(project)}.`);
  else {
    const removed = `The session of ${printable(project)} is removed`;
    failures.push(await keyLeftBehind(removed, { session, place }, leftBehind));
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
  readonly failure?: AppError;
  /** Until when a token that was not revoked is good, where that is known. */
  readonly until?: string;
  /** The session as it was sealed; absent where its key is lost, and for a person's sign-in. */
  readonly sealed?: Session;
  /** Its key is lost, or is somebody else's. */
  readonly unopened?: true;
  /** How its profile is registered again, where that is a thing of its own. */
  readonly registration?: string | undefined;
  /** Studio's, for its copy to be found. */
  readonly token?: string | undefined;
  /** What is still valid of the tokens that this one took the place of. */
  readonly older?: readonly AppError[];
}

async function revoke(
  deps: Deps,
  place: SessionPlace,
  session: Session,
  keep: true | undefined,
): Promise<Revocation> {
  let opened: OpenedSession;
  try {
    opened = await openSession(place, session, keyringBound(deps));
  } catch (thrown) {
    if (keep) throw thrown;
    // Without the key the tokens can be neither used nor revoked by anybody who has only these files.
    deps.out.warn(`${failureOrThrow(thrown).message} Its tokens could not be revoked.`);
    return { done: "Removed here; not revoked", host: "", unopened: true };
  }
  const { credentials } = opened;
  const { host } = new URL(issuerOf(credentials));
  if (credentials.recipe !== undefined) {
    const { session: sealed } = opened;
    return sealed.kind === "studio"
      ? { ...await revokeAtStudio(deps, opened, keep), sealed }
      : { done: "Removed here", host, sealed, registration: registration(opened) };
  }
  const until = validUntil(opened, deps.now());
  const gone = { host, registration: registration(opened) };
  const over = { done: "Removed here; nothing of it was left to revoke", ...gone };
  if (until === undefined && credentials.refreshToken === undefined) return over;
  using network = deps.openNetwork(credentials.certificateAuthority, trustLine(opened.session));
  using bounded = boundedSignal(
    deps.requestTimeout,
    () => slow(host),
    deps.interrupted,
  );
  try {
    const { refreshToken, accessToken, clientId, clientSecret, metadata } = credentials;
    const revoked = await revokeTokens(
      { fetch: network.fetch, now: deps.now, signal: bounded.signal, log: deps.out.log },
      { metadata, client: oauthClient(clientId, clientSecret), refreshToken, accessToken },
    );
    if (revoked.kind === "revoked") return { done: "Revoked at the issuer and removed here", ...gone };
    if (until === undefined) return over;
    deps.out.warn(
      `${host} has no revocation endpoint: tokens stay valid until they expire.`,
    );
    return { done: "Removed here", ...gone };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || deps.interrupted.aborted) throw thrown;
    return until === undefined ? over : { done: "", ...gone, failure: thrown, until };
  }
}

/** Until when something of a sign-in is valid; undefined where all of it has run out, as far as that is known here. */
function validUntil({ session, credentials }: OpenedSession, now: number): string | undefined {
  const access = timedToken(credentials, "access");
  const ends = access === undefined || access.guessed ? undefined : new Date(access.expires).toISOString();
  const ended = access === undefined || (!access.guessed && access.expires <= now);
  const renews = credentials.recipe === undefined && credentials.refreshToken !== undefined &&
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
  deps: Deps,
  { session, credentials }: OpenedSession,
  keep: true | undefined,
): Promise<Revocation> {
  const { accessToken: token = "", certificateAuthority, recipe } = credentials;
  const studio = issuerOf(credentials);
  const { host } = new URL(studio);
  using network = deps.openNetwork(certificateAuthority, trustLine(session));
  const revokeOne = async (given: { readonly host: string; readonly token: string }) => {
    using bounded = boundedSignal(
      deps.requestTimeout,
      () => slow(new URL(given.host).host),
      deps.interrupted,
    );
    const exchange = { fetch: network.fetch, now: deps.now, signal: bounded.signal, log: deps.out.log };
    return await revokeStudioToken(exchange, given);
  };
  const older: AppError[] = [];
  for (const superseded of recipe === undefined ? [] : credentials.superseded ?? []) {
    const { issuer, token: theirs, name } = superseded;
    try {
      await revokeOne({ host: issuer, token: theirs });
      deps.out.note(`The token "${printable(name)}" that was here before is revoked, too.`);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || deps.interrupted.aborted) throw thrown;
      if (!isLive(superseded, deps.now())) continue;
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
    if (!(thrown instanceof AppError) || deps.interrupted.aborted) throw thrown;
    if (!isLive(session, deps.now())) {
      return { done: "Removed here; its token had expired already", host, token, older };
    }
    const until = session.expires === undefined ? {} : { until: session.expires };
    return { done: "", host, failure: thrown, token, older, ...until };
  }
}

/** Takes the token out of the copy that DataChain's own tools read. Throws `STORAGE` when it may still stand there. */
async function withdraw(copy: ExportPlace, token: string | undefined): Promise<void> {
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

function slow(host: string): AppError {
  return new AppError("NETWORK", `${host} did not answer in time.`);
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
