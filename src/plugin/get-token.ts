/** One call of `auth get-token`, from its arguments to what it prints. */

import {
  AppError,
  checkErrorFormat,
  type ErrorFormat,
  formatError,
  framesOf,
  toAppError,
} from "../errors.ts";
import { printable, printableValue } from "../text.ts";
import { unverifiedClaims } from "../oauth/jwt.ts";
import { type FailureMemory, openFailureMemory } from "../sessions/last-failure.ts";
import { openDeliveries } from "./deliveries.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import { fingerprintOfVariables } from "../sessions/open.ts";
import type { Session } from "../sessions/session.ts";
import { AMBIENT, matchesServer, OF_CREDENTIALS_FILE } from "../sessions/name.ts";
import { chooseSession, type ChosenSession, namingVariable } from "../sessions/choose.ts";
import { type AskingServer, refuseOtherServer } from "../sessions/served-servers.ts";
import type { SessionStore } from "../sessions/store.ts";
import type { Providers } from "../providers/registry.ts";
import { type FreshToken, mendedBySignIn, timeLeft } from "../sessions/token.ts";
import { boundedSignal } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import type { Host } from "../system/host.ts";
import type { TerminalUse } from "../system/terminal-use.ts";
import { ensurePrivateFolder } from "../system/files.ts";
import type { ParentProcess } from "../system/parent-process.ts";
import { type GetTokenFlags, type GetTokenRequest, getTokenRequest } from "./arguments.ts";
import {
  chooseOutput,
  EXEC_API_VERSIONS,
  type ExecInfo,
  formatExecCredential,
  formatStatus,
  readExecInfo,
  refuseOtherApi,
  type TokenOutput,
} from "./exec-credential.ts";

/** What a call needs of its surroundings. */
export interface GetTokenContext {
  readonly store: SessionStore;
  readonly providers: Providers;
  readonly env: Environment;
  readonly parent: ParentProcess;
  readonly errorFormat: ErrorFormat;
  /** When this call began, on the scale of `performance.now()`: 0 in a process that does nothing else. */
  readonly started: number;
  /** Standard input and standard error are terminals. */
  readonly canAsk: () => boolean;
  /** Who uses the terminal behind standard error; free unless told. */
  readonly terminalUse?: (() => Promise<TerminalUse>) | undefined;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Says more about a certificate that is not trusted: whose it is, and the line that trusts it. */
  readonly explainCertificate?: ((error: AppError, signal: AbortSignal) => Promise<AppError>) | undefined;
}

// client-go waits for its plugin without a bound of its own; a person should not wait longer than this.
const LONGEST_CALL_MS = 9_500;
const LONGEST_KEYRING_MS = 15_000;

/** Who is spoken to, and in which form. */
interface Form {
  readonly output: TokenOutput;
  readonly info?: ExecInfo | undefined;
  /** Why the form that was asked for cannot be had. */
  readonly wrong?: AppError | undefined;
}

/** Decided before anything else is looked at: what is wrong with the rest is told in this form, too. */
function formOf({ output, claims }: GetTokenFlags, env: Environment): Form {
  if (claims || output === "token") return { output: "token" };
  try {
    const text = env("KUBERNETES_EXEC_INFO");
    const info = text === undefined ? undefined : readExecInfo(text);
    return { output: chooseOutput(output, info), info };
  } catch (thrown) {
    const named = EXEC_API_VERSIONS.find((version) => version === output);
    return { output: named ?? "token", wrong: toAppError(thrown) };
  }
}

/** True when remarks beside the token are read by somebody who wants them. */
export function remarksWanted(flags: GetTokenFlags, env: Environment): boolean {
  return !flags.quiet && formOf(flags, env).output === "token";
}

/**
 * Prints a fresh token, or says why there is none. stdout gets one text at the end; stderr stays silent on
 * success. Returns the exit code.
 */
export async function runGetToken(flags: GetTokenFlags, context: GetTokenContext): Promise<number> {
  const form = formOf(flags, context.env);
  const { output, info } = form;
  let failures: FailureMemory | undefined;
  let meant: MeantSession | undefined;
  let answer: string;
  try {
    if (form.wrong !== undefined) throw form.wrong;
    const format = flags.errorFormat === undefined ? context.env("DATUMCTL_ERROR_FORMAT") : undefined;
    if (format !== undefined) checkErrorFormat(format, "DATUMCTL_ERROR_FORMAT");
    const request = getTokenRequest(flags);
    meant = await meantSession(request, context);
    if (output !== "token") failures = await memoryOf(meant, context.store);
    if (failures !== undefined) {
      const recent = request.forceRefresh ? undefined : await failures.recent();
      // An outage takes nothing from a stored token that is still good: the renewal looks for it by itself. And
      // what a sign-in mends is left to the sign-in, where somebody can be asked.
      const kept = recent?.code === "NETWORK" || recent?.code === "BUSY" ||
        (info?.interactive && mendedBySignIn(recent));
      if (recent !== undefined && !kept) throw recent;
    }
    const token = await tokenOrSignIn(request, context, output, failures, info, meant);
    if (token.warning !== undefined && output === "token" && !request.quiet) {
      context.writeErr(`warning: ${token.warning}\n`);
    }
    answer = text(request, output, token, context.store.host.now());
  } catch (thrown) {
    return await report(toAppError(thrown), { flags, output, failures, meant }, context);
  }
  try {
    context.writeOut(answer);
    return 0;
  } catch (thrown) {
    // Nothing that the session did: neither remembered nor, of course, told on stdout.
    const error = toAppError(thrown);
    context.writeErr(formatError(error, context.errorFormat));
    return error.exitCode;
  }
}

/** Reports, in the form that was asked for, an error in a line that {@link runGetToken} cannot be given. */
export async function reportWrongGetToken(
  error: AppError,
  flags: GetTokenFlags,
  context: GetTokenContext,
): Promise<number> {
  const { output } = formOf(flags, context.env);
  return await report(error, { flags, output, failures: undefined, meant: undefined }, context);
}

/** A token; where its session is gone or expired and a person can be asked, after a sign-in. */
async function tokenOrSignIn(
  request: GetTokenRequest,
  context: GetTokenContext,
  output: TokenOutput,
  failures: FailureMemory | undefined,
  info: ExecInfo | undefined,
  meant: MeantSession,
): Promise<FreshToken> {
  const { name, store } = meant;
  const deliver = async (chosen: ChosenSession, call: GetTokenContext) => {
    const accept = acceptance(request, output, info?.server, context.providers);
    const token = await tokenOf(chosen, request, call, output, failures, accept);
    if (info === undefined || output === "token") return token;
    return await recordDelivery(token, meant, call, failures, accept);
  };
  try {
    return await deliver(await meant.chosen, context);
  } catch (thrown) {
    if (!mendedBySignIn(thrown) || output === "token" || !info?.interactive || name === undefined) {
      throw thrown;
    }
    const { signInFromPlugin } = await import("./sign-in.ts");
    const log = request.verbose ? (line: string) => context.writeErr(`${line}\n`) : undefined;
    return await signInFromPlugin(
      name,
      thrown,
      { ...context, store, canAsk: context.canAsk(), log, activeFor: request.activeFor },
      async () => {
        const again = { ...context, started: performance.now() };
        return await deliver(await choose(request, again), again);
      },
    );
  }
}

/** Notes who gets which token; for one that comes back for the same, looks whether it is still good. */
async function recordDelivery(
  token: FreshToken,
  { store }: MeantSession,
  { parent, started }: GetTokenContext,
  failures: FailureMemory | undefined,
  accept: (sealed: Session) => Promise<void>,
): Promise<FreshToken> {
  if (store.folders.missing !== undefined) return token;
  const { deliveries: path } = await store.paths(token.session.name);
  const deliveries = openDeliveries(path, store.host.now);
  const before = await deliveries.record(parent.id, token.token);
  if (before === undefined || await beganAfter(before, parent, store.host)) return token;
  const { recheckToken } = await import("./after-401.ts");
  const bound = { deadline: started + LONGEST_CALL_MS, keyringTimeout: LONGEST_KEYRING_MS, failures };
  const better = await recheckToken(store, token, deliveries, bound, accept);
  if (better.token !== token.token) await deliveries.record(parent.id, better.token);
  return better;
}

/** True where a process of that number and machine got a token before this one began. */
async function beganAfter(time: number, { start }: ParentProcess, { now }: Host): Promise<boolean> {
  const began = await start();
  return began !== undefined && now() - began.ago > time;
}

/**
 * The memory of a session's failures; what a variable gives is another thing as soon as its value is, and a workload is
 * another one in each CI job. A project folder's session has none: the folder may be somebody else's, and what is told
 * of one must not be told of another.
 */
async function memoryOf(
  { name, store, chosen }: MeantSession,
  own: SessionStore,
): Promise<FailureMemory | undefined> {
  if (name === undefined || store.project !== undefined || own.folders.missing !== undefined) {
    return undefined;
  }
  const { failure } = await own.paths(name);
  const found = await chosen.catch(() => undefined);
  return openFailureMemory(failure, own.host.now, found && await fingerprintOf(found));
}

/** What a failure is of, where sessions of one name can be several. */
async function fingerprintOf({ session, store }: ChosenSession): Promise<string | undefined> {
  const given = await fingerprintOfVariables(session);
  if (given !== undefined || session.kind.tokens !== "of a job") return given;
  const { fingerprintOfSessionsJob } = await import("../sessions/ci-job.ts");
  return await fingerprintOfSessionsJob(store.host.env, session);
}

/** The session that a call means, as far as that can be told. */
interface MeantSession {
  /** Undefined where neither the call nor anything else names one. */
  readonly name: string | undefined;
  /** Where its files are, or would be. */
  readonly store: SessionStore;
  /** The session, or why there is none. */
  readonly chosen: Promise<ChosenSession>;
}

/** Decided once: what is remembered, noted and renewed is of the one session that the token is of. */
async function meantSession(
  request: GetTokenRequest,
  context: GetTokenContext,
): Promise<MeantSession> {
  const chosen = choose(request, context);
  try {
    const { session: { name }, store } = await chosen;
    return { name, store, chosen };
  } catch (thrown) {
    return { name: await missingName(request, context, thrown), store: context.store, chosen };
  }
}

async function choose(
  { session: flag, credentialsFile, activeFor, clientId }: GetTokenRequest,
  { store, env }: GetTokenContext,
): Promise<ChosenSession> {
  const own = activeFor !== undefined;
  const variable = own ? undefined : namingVariable(env);
  return await chooseSession(store, { flag, credentialsFile, own, variable, entry: { activeFor, clientId } });
}

/** Whose token was asked for in vain: somebody who signed out can sign in again. */
async function missingName(
  { session, credentialsFile, activeFor }: GetTokenRequest,
  { store, env }: GetTokenContext,
  thrown: unknown,
): Promise<string | undefined> {
  if (credentialsFile !== undefined) return OF_CREDENTIALS_FILE;
  const named = session ?? (activeFor === undefined ? namingVariable(env)?.session : undefined);
  if (named !== undefined || !mendedBySignIn(thrown)) return named;
  return await store.active();
}

async function tokenOf(
  { session, store }: ChosenSession,
  request: GetTokenRequest,
  { started, writeErr }: GetTokenContext,
  output: TokenOutput,
  failures: FailureMemory | undefined,
  accept: (sealed: Session) => Promise<void>,
): Promise<FreshToken> {
  refuseOtherPlace(session, request);
  const token = await freshToken(
    store,
    session,
    {
      // A bare token is the access token, as it always was; kubectl gets what its server accepted.
      kind: request.token ?? (output === "token" ? "access" : undefined),
      minimumLife: request.minimumLife,
      force: request.forceRefresh,
      accept,
    },
    {
      deadline: started + LONGEST_CALL_MS,
      requestTimeout: request.requestTimeout,
      keyringTimeout: LONGEST_KEYRING_MS,
      failures,
      log: request.verbose ? (line) => writeErr(`${line}\n`) : undefined,
    },
  );
  // Another process may have put another session there meanwhile.
  await accept(token.session);
  return token;
}

/** Refuses a session, as it was sealed: an edited file must not say where its token goes. */
function acceptance(
  request: GetTokenRequest,
  output: TokenOutput,
  server: AskingServer | undefined,
  providers: Providers,
): (sealed: Session) => Promise<void> {
  const unnamed = request.session === undefined && request.activeFor === undefined;
  return async (sealed) => {
    if (output !== "token") refuseOtherApi(sealed);
    refuseOtherPlace(sealed, request);
    if (server !== undefined) await refuseOtherServer(providers, sealed, server, { unnamed });
  };
}

function refuseOtherPlace(session: Session, { session: named, activeFor }: GetTokenRequest): void {
  if (activeFor === undefined || matchesServer(session, activeFor)) return;
  const { name, apiHost, issuer } = session;
  const byIssuer = activeFor.includes("://");
  const wanted = printable(activeFor);
  const there = byIssuer ? printable(issuer) : apiHost;
  if (name.startsWith(AMBIENT)) {
    const variable = byIssuer ? "CLOUDFLEET_ISSUER" : "DATUMCTL_API_HOSTNAME";
    throw new AppError(
      "WRONG_HOST",
      `The session from ${
        name.slice(AMBIENT.length)
      } belongs to ${there}, but this kubeconfig entry is for ${wanted}.`,
      { hint: `Set ${variable}=${wanted} if that is where it belongs.` },
    );
  }
  throw new AppError(
    "WRONG_HOST",
    `The ${named === undefined ? "active " : ""}session "${name}" belongs to ${there}, ` +
      `but this kubeconfig entry is for ${wanted}.`,
    {
      hint: named === undefined
        ? `Make a session at ${wanted} active: datumctl auth switch`
        : `Sign in at ${wanted} under another name, and write the entry again as that session: --profile NAME`,
    },
  );
}

function text(request: GetTokenRequest, output: TokenOutput, token: FreshToken, now: number): string {
  if (request.claims) return describe(token, now);
  return output === "token" ? `${token.token}\n` : formatExecCredential(output, token);
}

/** What a token says of itself, without the token. */
function describe(token: FreshToken, now: number): string {
  const claims = unverifiedClaims(token.token);
  return JSON.stringify(
    {
      token: token.kind,
      session: token.session.name,
      audience: printableValue(claims?.aud ?? null),
      expires: new Date(token.expires).toISOString(),
      secondsLeft: Math.floor((token.expires - now) / 1000),
      // An opaque access token says nothing of itself.
      claims: printableValue(claims ?? null),
    },
    undefined,
    2,
  ) + "\n";
}

/** The call that failed, as far as it came. */
interface FailedCall {
  readonly flags: GetTokenFlags;
  readonly output: TokenOutput;
  readonly failures: FailureMemory | undefined;
  readonly meant: MeantSession | undefined;
}

async function report(
  thrown: AppError,
  { flags, output, failures, meant }: FailedCall,
  context: GetTokenContext,
): Promise<number> {
  const { store, parent, errorFormat, writeOut, writeErr } = context;
  const error = await explained(thrown, context);
  const tell = () => {
    writeErr(formatError(error, errorFormat));
    if (error.code === "INTERNAL" && flags.verbose) writeErr(framesOf(error));
  };
  // Without a folder nobody remembers who was told.
  if (output === "token" || store.folders.missing !== undefined) {
    tell();
    if (output !== "token") writeOut(formatStatus(error));
    return error.exitCode;
  }
  const { sessions } = store.folders;
  // Without it nobody could remember who was told.
  await ensurePrivateFolder(sessions).catch(() => {});
  const memory = failures ?? openFailureMemory(`${sessions}/no-session.failure`, store.host.now);
  // A logout in a project's folder finds no words of its session elsewhere, and without a session nobody reads them:
  // kept is who was told, nothing more.
  const wordless = failures === undefined || meant?.store.project !== undefined;
  if (error.code !== "INTERRUPTED") await memory.remember(wordless ? new AppError(error.code, "") : error);
  const began = await parent.start();
  const first = await memory.firstFor(`${parent.id} ${began?.mark ?? ""}`);
  if (first && !await underFullScreen(context)) tell();
  writeOut(formatStatus(error));
  return error.exitCode;
}

/** True where a program above us shows a screen of its own, across which nothing is to be written. */
async function underFullScreen({ terminalUse }: GetTokenContext): Promise<boolean> {
  const use = await terminalUse?.();
  return use !== undefined && use.raw && !use.elsewhere;
}

async function explained(
  error: AppError,
  { explainCertificate, started }: GetTokenContext,
): Promise<AppError> {
  if (error.code !== "UNTRUSTED_CERTIFICATE" || explainCertificate === undefined) return error;
  using bounded = boundedSignal(timeLeft(started + LONGEST_CALL_MS), () => error);
  return await explainCertificate(error, bounded.signal);
}
