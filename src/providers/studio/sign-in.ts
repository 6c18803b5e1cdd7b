/** The sign-in at DataChain Studio: one token for each host, for the user or for a project folder. */

import { AppError } from "../../errors.ts";
import { printable, shellLine } from "../../text.ts";
import { pollStudioToken, requestStudioDevice } from "./device-login.ts";
import { isStudio } from "./facts.ts";
import type { StudioTable } from "./config-file.ts";
import {
  chosenStudioHost,
  defaultTeam,
  STUDIO_CLIENT_NAME,
  studioDays,
  studioScopes,
  studioTeams,
  studioTokenName,
} from "./token-fields.ts";
import { beginProjectFolder, endProjectFolder } from "../../sessions/project-folder.ts";
import { isLive, type Session } from "../../sessions/session.ts";
import { labelOf } from "../../sessions/new-name.ts";
import type { SessionStore } from "../../sessions/store.ts";
import { activateAfterSignIn, type SavedSession } from "../../sessions/save.ts";
import { parseTimeout } from "../../system/clock.ts";
import type { ProviderContext } from "../context.ts";
import { type ExportTarget, exportTargetFor, exportToken } from "./export.ts";
import type { LoginInput } from "../flags.ts";
import type { LoginCommand } from "../provider.ts";
import { saveToken, sessionsAt, signedInAlready, type StudioSavePlan } from "./save.ts";
import { endReplaced, openReplaced, ourSessions, type Replaced, takeBack } from "./replaced.ts";

const DAY = 24 * 3600_000;

/** What the flags ask of Studio. */
interface Asked {
  readonly tokenName: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly teams: readonly string[] | undefined;
  readonly expiresInDays: number;
}

/** The flags of `login` that only Studio knows. */
interface StudioInput extends LoginInput {
  /** `--name`: how the token is called there. */
  readonly name?: string | undefined;
  /** `--team`, as often as it was given. */
  readonly team?: readonly string[] | undefined;
  readonly expiresIn?: string | undefined;
  readonly force?: true | undefined;
  readonly exportDatachain?: true | undefined;
}

/** Signs in, stores the session, makes it active and says so; in place of the session of that host with `--force`. */
export async function signInAtStudio(
  context: ProviderContext,
  login: LoginCommand,
  input: StudioInput,
): Promise<void> {
  const asked: Asked = {
    tokenName: studioTokenName(input.name),
    scopes: studioScopes(input.scopes),
    teams: studioTeams(input.team ?? []),
    expiresInDays: studioDays(input.expiresIn),
  };
  const timeout = parseTimeout(input.timeout ?? "5m", "--timeout");
  const wantedName = login.wantedName();
  const store = input.local ? await context.store.forWorkingFolder() : context.store;
  const begun = input.local ? await beginProjectFolder(store) : false;
  try {
    // Before anybody signs in for nothing.
    await store.checkRoom();
    const plan = await planOf(context, login, store, wantedName, input);
    await signIn(context, login, store, plan, { asked, timeout, byCode: input.device });
  } catch (thrown) {
    // Only what is empty goes.
    if (begun) await endProjectFolder(store).catch(() => {});
    throw thrown;
  }
}

/** How the token will be kept, and where it is copied to. */
interface Plan extends StudioSavePlan {
  readonly exported: ExportTarget | undefined;
}

/**
 * Decides all that can be decided before anybody is asked.
 *
 * @throws {AppError} `USAGE` for a host that is signed in to
 */
async function planOf(
  context: ProviderContext,
  login: LoginCommand,
  store: SessionStore,
  wantedName: string | undefined,
  input: StudioInput,
): Promise<Plan> {
  const activeSession = await store.active();
  const { sessions } = await store.list();
  const force = input.force ?? false;
  const counted = await ourSessions(context, store, sessions, { wantedName, keyring: input.keyring, force });
  const studios = counted.filter(isStudio);
  const known = wantedName === undefined
    ? studios.find(({ name }) => name === activeSession) ?? (studios.length === 1 ? studios[0] : undefined)
    : studios.find(({ name }) => name === wantedName);
  const open = (session: Session) => openReplaced(context, store, session, input.keyring);
  const named = { flag: input.hostname, variable: context.env("DATACHAIN_STUDIO_URL") };
  const unnamed = input.hostname === undefined && named.variable === undefined;
  // What cannot be opened says nothing of where to sign in.
  const stored = unnamed && known !== undefined ? (await open(known)).opened?.session.issuer : undefined;
  const host = chosenStudioHost({ ...named, stored });
  const namesake = counted.find(({ name }) => name === wantedName);
  if (namesake !== undefined && (!isStudio(namesake) || namesake.issuer !== host)) {
    throw otherIdentity(namesake, host);
  }
  const signedIn = sessionsAt(host, counted).find((session) => isLive(session, context.now()));
  if (signedIn !== undefined && !force) throw signedInAlready(signedIn, store);
  const replaced: Replaced[] = [];
  for (const session of sessionsAt(host, sessions)) replaced.push(await open(session));
  const before = replaced.find(({ opened }) => opened !== undefined)?.opened?.session;
  const exported = input.exportDatachain
    ? await exportTargetFor(context.env, store.project, host)
    : undefined;
  return {
    host,
    replaced,
    force,
    wantedName,
    keyring: input.keyring,
    ...await login.keyStores(input.keyring),
    certificateAuthority: input.certificateAuthority === undefined
      ? before?.certificateAuthority
      : await login.readAuthority(input.certificateAuthority),
    browserCommand: input.browserCommand ?? before?.signIn?.browserCommand,
    exported,
    exportedTo: exported?.path,
  };
}

async function signIn(
  context: ProviderContext,
  login: LoginCommand,
  store: SessionStore,
  plan: Plan,
  { asked, timeout, byCode }: { readonly asked: Asked; readonly timeout: number; readonly byCode: boolean },
): Promise<void> {
  const { host, exported } = plan;
  using http = login.open(timeout, plan.certificateAuthority);
  const device = await requestStudioDevice(http, { host, clientName: STUDIO_CLIENT_NAME, ...asked });
  await login.showCode(http, device, { byCode, browserCommand: plan.browserCommand });
  const token = await pollStudioToken(http, device, { sleep: context.sleep });
  const { tokenName: name } = device;
  const { scopes = [], teams, expiresInDays } = asked;
  const expires = context.now() + expiresInDays * DAY;
  const given = { token, name, scopes, team: defaultTeam(teams), expires };
  const { saved, replaced } = await saveToken(context, store, plan, given).catch(async (thrown) => {
    await takeBack(context, http, { host, token }, { name, expires: new Date(expires).toISOString() });
    throw thrown;
  });
  const { session } = saved;
  // The token is stored: a failure from here on is reported at the end and stops nothing.
  const inactive = await failureOf(activateAfterSignIn(store, session.name));
  const unexported = exported === undefined
    ? undefined
    : await failureOf(exportOf(context, exported, session, { url: host, token, team: session.team }));
  announce(context, login, saved, unexported === undefined ? exported : undefined, store);
  await endReplaced(context, http, store, replaced, session);
  await login.warnOfPrecedence({ inProject: store.project !== undefined });
  if (inactive !== undefined && unexported !== undefined) {
    context.out.important(`warning: ${unexported.message} ${unexported.hint ?? ""}`.trim());
  }
  const failure = inactive ?? unexported;
  if (failure !== undefined) throw failure;
  context.interrupted.throwIfAborted();
}

async function failureOf(step: Promise<void>): Promise<AppError | undefined> {
  try {
    await step;
    return undefined;
  } catch (thrown) {
    // Ctrl-C, too: what it leaves valid is still to be said.
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
}

/**
 * Writes the export.
 *
 * @throws {AppError} what stands against it, saying that the session is stored
 */
async function exportOf(
  { out }: ProviderContext,
  exported: ExportTarget,
  session: Session,
  table: StudioTable,
): Promise<void> {
  try {
    await exportToken(exported, table, out.info);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    throw new AppError(
      thrown.code,
      `The session "${session.name}" is signed in and stored, but not exported: ${thrown.message}`,
      { hint: thrown.hint, cause: thrown },
    );
  }
}

function announce(
  context: ProviderContext,
  login: LoginCommand,
  saved: SavedSession,
  exported: ExportTarget | undefined,
  { project }: SessionStore,
): void {
  const { out } = context;
  const { session } = saved;
  const { name = session.name } = session.user;
  const also = exported === undefined
    ? ""
    : `, and wrote it to ${printable(exported.path)} for DataChain's own tools`;
  out.success(`Signed in at ${session.apiHost} with the token "${printable(name)}"${also}.`);
  login.printKeyLocation(saved);
  if (project !== undefined) {
    out.info(
      `It is used in ${printable(project)} and its subfolders, and stored in ${
        printable(`${project}/.datumctl`)
      }.`,
    );
  }
  out.info(`The token lasts until ${session.expires}.`);
  if (session.team !== undefined) out.info(`Default team: ${session.team}`);
  login.printName(session, name);
  out.info("Next: datumctl auth token");
}

function otherIdentity(session: Session, host: string): AppError {
  return new AppError(
    "IDENTITY_MISMATCH",
    `The session "${session.name}" belongs to ${labelOf(session)} at ${
      printable(session.issuer)
    }, not to ${host}. No sign-in was started.`,
    {
      hint: `Choose another name: ${
        shellLine(["datumctl", "login", "--profile", "NAME", "--provider", "studio", "--hostname", host])
      }`,
    },
  );
}
