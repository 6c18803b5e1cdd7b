/** `logout`: taking back at the issuer what was granted, then forgetting it here. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError, fail, failureOrThrow } from "../errors.ts";
import { capital, printable } from "../text.ts";
import { NO_KNOWN_END, type Revocation } from "../providers/provider.ts";
import { revokeSignIn } from "../sign-in/revoke.ts";
import { endProjectFolder } from "../sessions/project-folder.ts";
import type { Session } from "../sessions/session.ts";
import { labelOf } from "../sessions/new-name.ts";
import { type OpenedSession } from "../sessions/open.ts";
import type { SessionStore } from "../sessions/store.ts";
import { checkpoint } from "../system/checkpoint.ts";
import { exists } from "../system/files.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "./context.ts";
import { removeSessionEntries } from "./session-entries.ts";
import { keyLeftBehind } from "./notices.ts";
import { pickSession, storedSessions } from "./pick-session.ts";
import type { StoredSession } from "../sessions/acting.ts";
import { whoAndWhere } from "./session-labels.ts";
import { valueArgument, valueOption } from "./complete/declare.ts";

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
    .addArgument(
      valueArgument("session", "[user]", "e-mail or session name; asked for when there are several"),
    )
    .option("--all", "every session")
    .option("--local", "the session of the project folder that you are in")
    .option("--keep", "keep the session when the issuer cannot be reached")
    .addOption(
      valueOption(
        "file",
        "--kubeconfig <path>",
        "also remove the entries that datumctl wrote there for it, with their contexts",
      ),
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
  const { opened } = revocation;
  const code = await cli.providers.of(opened?.session ?? session).load();
  const failures: AppError[] = [];
  const tell = failure === undefined ? out.success : out.line;
  const failed = (thrown: unknown) => void failures.push(failureOrThrow(thrown));
  if (opened === undefined && store.project !== undefined) {
    // Others may have written the file: nothing it says is shown.
    const folder = `the session of ${printable(store.project)}`;
    if (removal.leftBehind === undefined) tell(`${revocation.done}: ${folder}.`);
    else {
      const done = `${capital(folder)} is removed`;
      failures.push(await keyLeftBehind(done, { session, store }, removal.leftBehind));
    }
    await code.removeTraces?.(store, session, opened).catch(failed);
    return failures;
  }
  if (removal.leftBehind === undefined) {
    const done = failure === undefined ? revocation.done : "Removed here";
    tell(`${done}: ${whoAndWhere(session, sessions)}.`);
    const valid = code.staysValid?.(session) ?? (opened && code.afterLogout?.(opened));
    if (valid !== undefined) out.info(valid);
  } else {
    const done = `${labelOf(session)} is signed out here`;
    failures.push(await keyLeftBehind(done, { session, store }, removal.leftBehind));
  }
  if (failure !== undefined) failures.push(stillValid(session, revocation, failure));
  failures.push(...revocation.older ?? []);
  await code.removeTraces?.(store, session, opened).catch(failed);
  if (input.kubeconfig !== undefined) {
    await removeSessionEntries(cli, session, input.kubeconfig).catch(failed);
  }
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

/** What became of a session at its issuer. */
interface Revoked extends Revocation {
  /** The session as it was sealed; undefined where its key is lost, or is somebody else's. */
  readonly opened: OpenedSession | undefined;
}

async function revoke(
  cli: CommandContext,
  store: SessionStore,
  session: Session,
  keep: true | undefined,
): Promise<Revoked> {
  let opened: OpenedSession;
  try {
    opened = await store.open(session, keyringLimits(cli));
  } catch (thrown) {
    if (keep) throw thrown;
    // Without the key the tokens can be neither used nor revoked by anybody who has only these files.
    cli.out.warn(`${failureOrThrow(thrown).message} Its tokens could not be revoked.`);
    return { done: "Removed here; not revoked", host: "", opened: undefined };
  }
  const code = await cli.providers.of(opened.session).load();
  const revocation = code.revoke === undefined
    ? await revokeSignIn(cli, opened)
    : await code.revoke(cli, opened, keep ?? false);
  return { ...revocation, opened };
}

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
