/** One call of `auth get-token`: finds the session, gets its token, records who got it, prints it. */

import { AppError, checkErrorFormat, toAppError } from "../errors.ts";
import { printable, printableValue } from "../text.ts";
import { unverifiedClaims } from "../oauth/jwt.ts";
import { chooseSession, type ChosenSession, namingVariable } from "../sessions/choose.ts";
import { lazyFailureMemory } from "../sessions/failure-memory.ts";
import { freshToken } from "../sessions/fresh-token.ts";
import type { FailureMemory } from "../sessions/last-failure.ts";
import { ENV_PREFIX, OF_CREDENTIALS_FILE } from "../sessions/name.ts";
import { fingerprintOfVariables } from "../sessions/open.ts";
import { refuseOtherApi, refuseOtherServer } from "../sessions/served-servers.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/store.ts";
import { type FreshToken, mendedBySignIn, type TokenLimits } from "../sessions/token.ts";
import type { Environment } from "../system/environment.ts";
import { type ParentProcess, startedAfter } from "../system/parent-process.ts";
import { type GetTokenFlags, type GetTokenRequest, getTokenRequest } from "./arguments.ts";
import type { GetTokenContext } from "./context.ts";
import { openDeliveries } from "./deliveries.ts";
import { chooseForm, type Form, formatExecCredential } from "./exec-credential.ts";
import type { HandedOut, LaunchedCall } from "./hand-off.ts";
import { printAnswer } from "./print.ts";
import { isOfEntry, isUnnamed, otherHostTold } from "./right-session.ts";

// client-go sets no limit of its own for its plugin; a person should not wait longer than this.
const LONGEST_CALL_MS = 9_500;

/** True when remarks beside the token reach a person who wants them. */
export function remarksWanted(flags: GetTokenFlags, env: Environment): boolean {
  return !flags.quiet && chooseForm(flags, env).output === "token";
}

/**
 * Prints a fresh token, or says why there is none. stdout gets one text at the end; stderr stays silent on
 * success. Returns the exit code.
 */
export async function runGetToken(flags: GetTokenFlags, context: GetTokenContext): Promise<number> {
  const form = chooseForm(flags, context.env);
  let call: Call | undefined;
  let answer: string;
  try {
    const request = checkedRequest(flags, form, context.env);
    if (meansFile(flags)) return await writeFile(flags, request, form, context);
    call = await resolve(request, form, context);
    await refuseRecentFailure(call);
    const token = await tokenOrSignIn(call, context);
    if (token.warning !== undefined && form.output === "token" && !request.quiet) {
      context.writeErr(`warning: ${token.warning}\n`);
    }
    answer = answerWith(token, call, context.store.host.now());
    if (request.handOff !== undefined) await leaveForLauncher(token, call, context);
  } catch (thrown) {
    return await report(toAppError(thrown), { flags, form, failures: call?.failures }, context);
  }
  return printAnswer(answer, context);
}

function meansFile({ write, watch, mode, keep }: GetTokenFlags): boolean {
  return write !== undefined || watch === true || mode !== undefined || keep === true;
}

/** The same token in a file instead; what that takes is loaded only now. Returns the exit code. */
async function writeFile(
  flags: GetTokenFlags,
  request: GetTokenRequest,
  form: Form,
  context: GetTokenContext,
): Promise<number> {
  const { checkedTokenFile, writeTokenFile } = await import("./token-file.ts");
  const file = checkedTokenFile(flags);
  const { session, store } = await findSession(request, form, context);
  const accept = (sealed: Session) => refuseWrongSession(sealed, request, form, context);
  return await writeTokenFile(file, { session, store, request, accept }, context);
}

/** Reports an error in a line that {@link runGetToken} cannot be given, in the form that the line asks for. */
export async function reportWrongGetToken(
  error: AppError,
  flags: GetTokenFlags,
  context: GetTokenContext,
): Promise<number> {
  return await report(error, { flags, form: chooseForm(flags, context.env), failures: undefined }, context);
}

/** The request that the flags make. @throws {AppError} `USAGE` when they, or the variables beside them, are wrong. */
function checkedRequest(flags: GetTokenFlags, { wrong }: Form, env: Environment): GetTokenRequest {
  if (wrong !== undefined) throw wrong;
  const format = flags.errorFormat === undefined ? env("DATUMCTL_ERROR_FORMAT") : undefined;
  if (format !== undefined) checkErrorFormat(format, "DATUMCTL_ERROR_FORMAT");
  return getTokenRequest(flags);
}

/** The request, its session, and the memory of its failures. */
interface Call extends Resolved {
  readonly request: GetTokenRequest;
  readonly form: Form;
  readonly failures: FailureMemory | undefined;
}

/** The session that a request means, as far as that can be told. */
interface Resolved {
  /** Undefined when neither the request nor anything else names a session. */
  readonly name: string | undefined;
  /** The store that holds the session's files, or would. */
  readonly store: SessionStore;
  readonly session: Session | undefined;
  /** What was thrown when there is no session. */
  readonly absence?: unknown;
}

async function resolve(request: GetTokenRequest, form: Form, context: GetTokenContext): Promise<Call> {
  const resolved = await resolveSession(request, form, context);
  const failures = form.output === "token" ? undefined : await failuresOf(resolved, context.store);
  return { ...resolved, request, form, failures };
}

async function resolveSession(
  request: GetTokenRequest,
  form: Form,
  context: GetTokenContext,
): Promise<Resolved> {
  try {
    const { session, store } = await findSession(request, form, context);
    return { name: session.name, store, session };
  } catch (absence) {
    const name = await nameOfAbsent(request, context, absence);
    return { name, store: context.store, session: undefined, absence };
  }
}

async function findSession(
  { session: flag, credentialsFile, activeFor, clientId }: GetTokenRequest,
  { output }: Form,
  { store, env }: GetTokenContext,
): Promise<ChosenSession> {
  // For an entry of the active session neither a variable that names one nor the project folder counts.
  const forActive = activeFor !== undefined;
  return await chooseSession(store, {
    flag,
    credentialsFile,
    ignoreProjectFolder: forActive,
    // What kubectl gets does not depend on a file that stands in a folder.
    folderFile: output === "token" ? () => store.folderFile() : undefined,
    variable: forActive || flag !== undefined ? undefined : namingVariable(env),
    entry: { activeFor, clientId },
  });
}

/** The name of a session that is not there: a person who signed out can sign in again under it. */
async function nameOfAbsent(
  { session, credentialsFile, activeFor }: GetTokenRequest,
  { store, env }: GetTokenContext,
  absence: unknown,
): Promise<string | undefined> {
  if (credentialsFile !== undefined) return OF_CREDENTIALS_FILE;
  const named = session ?? (activeFor === undefined ? namingVariable(env)?.session : undefined);
  if (named !== undefined || !mendedBySignIn(absence)) return named;
  return await store.active();
}

/** The failure memory of a session. Sessions of a project folder have none, because others can write in that folder. */
async function failuresOf(
  { name, store, session }: Resolved,
  usersStore: SessionStore,
): Promise<FailureMemory | undefined> {
  if (name === undefined || store.project !== undefined || usersStore.folders.missing !== undefined) {
    return undefined;
  }
  const { failure } = await usersStore.paths(name);
  return lazyFailureMemory(failure, usersStore.host.now, session && await fingerprintOf(session, store));
}

/** Tells apart sessions of one name: those of a variable's different values, and those of different CI jobs. */
async function fingerprintOf(session: Session, { host }: SessionStore): Promise<string | undefined> {
  const variables = await fingerprintOfVariables(session);
  if (variables !== undefined || session.kind.tokens !== "of a job") return variables;
  const { fingerprintOfSessionsJob } = await import("../sessions/ci-job.ts");
  return await fingerprintOfSessionsJob(host.env, session);
}

/** Throws what failed a moment ago, because kubectl runs a failing plugin several times. */
async function refuseRecentFailure({ request, form, failures }: Call): Promise<void> {
  const recent = request.forceRefresh ? undefined : await failures?.recent();
  if (recent === undefined) return;
  // The stored token may still be good: the renewal falls back on it.
  const outage = recent.code === "NETWORK" || recent.code === "BUSY";
  const signInHelps = form.info?.interactive && mendedBySignIn(recent);
  if (!outage && !signInHelps) throw recent;
}

/** A token; after a sign-in, when the session is gone or expired and a person can be asked. */
async function tokenOrSignIn(call: Call, context: GetTokenContext): Promise<FreshToken> {
  const { request, form, name, store, session } = call;
  try {
    if (session === undefined) throw call.absence;
    return await deliver(session, store, call, context);
  } catch (thrown) {
    if (!mendedBySignIn(thrown) || !form.info?.interactive || name === undefined) throw thrown;
    const { signInFromPlugin } = await import("./sign-in.ts");
    const log = request.verbose ? (line: string) => context.writeErr(`${line}\n`) : undefined;
    const signIn = { ...context, store, canAsk: context.canAsk(), log, activeFor: request.activeFor };
    return await signInFromPlugin(name, thrown, signIn, async () => {
      const again = { ...context, started: performance.now() };
      const found = await findSession(request, form, again);
      return await deliver(found.session, found.store, call, again);
    });
  }
}

/** A fresh token of a session, recorded when it goes to kubectl. */
async function deliver(
  found: Session,
  store: SessionStore,
  { request, form, failures }: Call,
  { parent, providers, env, started, writeErr }: GetTokenContext,
): Promise<FreshToken> {
  const accept = (sealed: Session) => refuseWrongSession(sealed, request, form, { providers, env });
  const limits = { deadline: started + LONGEST_CALL_MS };
  const { minimumLife, forceRefresh: force, requestTimeout } = request;
  // By hand the access token is the default; kubectl gets the one that its server accepts.
  const kind = request.token ?? (form.output === "token" ? "access" : undefined);
  const log = request.verbose ? (line: string) => writeErr(`${line}\n`) : undefined;
  refuseOtherHost(found, request);
  const handedOut = request.handedOut ? await readHandedOut(found, { request, store, parent }) : undefined;
  const token = await freshToken(
    store,
    handedOut?.session ?? found,
    { kind, minimumLife, force, accept },
    { ...limits, requestTimeout, failures, log },
  );
  // Another process may have replaced the session meanwhile.
  await accept(token.session);
  if (form.info === undefined) return token;
  const before = handedOut?.token === token.token ? handedOut.at : undefined;
  return await recordDelivery(token, before, store, parent, limits, accept);
}

/** What the launcher gave to the parent. */
async function readHandedOut(
  session: Session,
  call: Pick<LaunchedCall, "request" | "store" | "parent">,
): Promise<HandedOut | undefined> {
  const handOff = await import("./hand-off.ts");
  return await handOff.readHandedOut(session, call);
}

async function leaveForLauncher(
  token: FreshToken,
  call: Call,
  { started, parent }: GetTokenContext,
): Promise<void> {
  const { leaveHandOff } = await import("./hand-off.ts");
  await leaveHandOff(token, { ...call, parent, deadline: started + LONGEST_CALL_MS });
}

/**
 * Refuses a session that this call must not get a token of. It is judged by what was sealed, because an edited file must
 * not say where its token goes.
 */
async function refuseWrongSession(
  sealed: Session,
  request: GetTokenRequest,
  { output, info }: Form,
  { providers, env }: Pick<GetTokenContext, "providers" | "env">,
): Promise<void> {
  if (output !== "token") refuseOtherApi(sealed);
  refuseOtherHost(sealed, request);
  refuseOtherPluginHost(sealed, env);
  if (info?.server === undefined) return;
  await refuseOtherServer(providers, sealed, info.server, { unnamed: isUnnamed(request) });
}

/** @throws {AppError} `WRONG_HOST` for a session of another host or issuer than `--active-for` names. */
function refuseOtherHost(session: Session, request: GetTokenRequest): void {
  const { session: named, activeFor } = request;
  if (activeFor === undefined || isOfEntry(session, request)) return;
  const { name, apiHost, issuer } = session;
  const byIssuer = activeFor.includes("://");
  const wanted = printable(activeFor);
  const there = byIssuer ? printable(issuer) : apiHost;
  if (name.startsWith(ENV_PREFIX)) {
    const variable = byIssuer ? "CLOUDFLEET_ISSUER" : "DATUMCTL_API_HOSTNAME";
    throw new AppError(
      "WRONG_HOST",
      `The session from ${
        name.slice(ENV_PREFIX.length)
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

/** @throws {AppError} `WRONG_HOST` where a plug-in was told another host of the session: by an edited file, say. */
function refuseOtherPluginHost(session: Session, env: Environment): void {
  const told = otherHostTold(session, env);
  if (told === undefined) return;
  const { name, apiHost } = session;
  throw new AppError(
    "WRONG_HOST",
    `The session "${name}" belongs to ${apiHost}, but the plug-in was told ${printable(told)}.`,
    { hint: "Unset DATUM_API_HOST if you set it; else sign in again, for the session's file was edited." },
  );
}

/** Records which process gets the token. One that comes back for the same token may have got a 401 for it. */
async function recordDelivery(
  token: FreshToken,
  handedOut: number | undefined,
  store: SessionStore,
  parent: ParentProcess,
  limits: TokenLimits,
  accept: (sealed: Session) => Promise<void>,
): Promise<FreshToken> {
  if (store.folders.missing !== undefined) return token;
  const paths = await store.paths(token.session.name);
  const deliveries = openDeliveries(paths.deliveries, store.host.now);
  const before = await deliveries.record(parent.id, token.token, handedOut);
  if (before === undefined || await startedAfter(parent, before, store.host.now)) return token;
  const { recheckToken } = await import("./after-401.ts");
  const checked = await recheckToken(store, token, deliveries, limits, accept);
  if (checked.token !== token.token) await deliveries.record(parent.id, checked.token);
  return checked;
}

function answerWith(token: FreshToken, { request, form: { output } }: Call, now: number): string {
  if (request.claims) return describe(token, now);
  return output === "token" ? `${token.token}\n` : formatExecCredential(output, token);
}

/** What `--claims` prints: all that a token says, but not the token. */
function describe({ token, kind, session, expires }: FreshToken, now: number): string {
  // An opaque access token has no claims to read.
  const claims = unverifiedClaims(token);
  const description = {
    token: kind,
    session: session.name,
    audience: printableValue(claims?.aud ?? null),
    expires: new Date(expires).toISOString(),
    secondsLeft: Math.floor((expires - now) / 1000),
    claims: printableValue(claims ?? null),
  };
  return JSON.stringify(description, undefined, 2) + "\n";
}

/** A call that failed, as far as it came. */
interface FailedCall extends Pick<Call, "form" | "failures"> {
  readonly flags: GetTokenFlags;
}

async function report(
  error: AppError,
  { flags: { verbose = false }, form: { output }, failures }: FailedCall,
  context: GetTokenContext,
): Promise<number> {
  const { reportFailure } = await import("./report-failure.ts");
  const deadline = context.started + LONGEST_CALL_MS;
  return await reportFailure(error, { output, verbose, failures, deadline }, context);
}
