/** Runs the checks of `doctor`, each area bounded in time, and those that wait for others at once. */

import { type AppError, failureOrThrow } from "../../errors.ts";
import { contextsUsing, type OwnUser } from "../../kubeconfig/file.ts";
import { shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { type Area, checkNamed, type Finding, isTrouble } from "./finding.ts";
import { checkFiles, checkFolder } from "./files.ts";
import { checkIssuer, type IssuerToCheck } from "./issuer.ts";
import { checkKeyring, keyOf, type KeyringResult } from "./keyring.ts";
import { checkKubeconfig, readKubeconfigs } from "./kubeconfig.ts";
import { execOf, rewriteLine } from "./own-entry.ts";
import { checkKubectl } from "./kubectl.ts";
import { checkLauncher } from "./launcher.ts";
import { checkProgram } from "./program.ts";
import { checkServers } from "./servers.ts";
import { checkProxies } from "./proxies.ts";
import { checkRefresh, checkSessions, type RefreshChoice } from "./sessions.ts";
import { actingSessionOf, readStored, type SessionFile, type Stored } from "./stored.ts";

/** What was asked for. */
export interface DoctorChoice {
  /** No server is asked. */
  readonly offline: boolean;
  readonly refresh: RefreshChoice;
}

/** Looks at one issuer before anybody signs in there. */
export async function checkOneIssuer(
  cli: CommandContext,
  issuer: string,
  certificateAuthority: string | undefined,
): Promise<Area[]> {
  const trust = shellLine(["datumctl", "doctor", "--issuer", issuer, "--certificate-authority", "FILE"]);
  const [network, looked] = await Promise.all([
    guarded("network.checks", () => checkProxies(cli, false)),
    checkIssuer(cli, { issuer, certificateAuthority, trust, openId: true }),
  ]);
  return [{ title: "Network", findings: network }, { title: "Issuer", findings: looked.findings }];
}

/** Runs every check. */
export async function checkAll(cli: CommandContext, choice: DoctorChoice): Promise<Area[]> {
  const { offline } = choice;
  const folder = await checkFolder(cli);
  const usable = folder.verdict === "ok";
  const stored = usable ? await readStored(cli.store) : NOTHING;
  const project = usable ? await storedInProject(cli) : NOTHING;
  // What waits for nothing begins at once.
  const files = begun(usable ? guarded("files.checks", () => checkFiles(cli, stored)) : Promise.resolve([]));
  const network = begun(guarded("network.checks", () => checkProxies(cli, offline)));
  const found = [...stored.sessions, ...project.sessions];
  const keyring = await checkKeyring(cli, found).catch((thrown): KeyringResult => ({
    findings: [failedCheck("keyring.checks", failureOrThrow(thrown))],
    opened: new Map(),
  }));
  const sessions = trusted(found, keyring);
  const issuers = begun(checkIssuers(cli, await issuersOf(cli, sessions), offline));
  const acting = await actingSessionOf(cli, stored, inProject(project, sessions));
  // A kubeconfig entry means the same in every folder.
  const known = { sessions, active: stored.config?.activeSession };
  const { kubeconfig, findings: read } = await readKubeconfigs(cli);
  const entries = await checkKubeconfig(cli, kubeconfig, known);
  const rewrite = (user: OwnUser) =>
    rewriteLine({
      kubeconfig,
      user,
      exec: execOf(kubeconfig, user),
      context: contextsUsing(kubeconfig, user.name)[0],
      known,
    });
  const [servers, kubectl, launcher, people, asked] = await Promise.all([
    guarded("kubeconfig.servers", () => checkServers(cli, kubeconfig, entries.contexts, known, offline)),
    guarded("kubectl.checks", () => checkKubectl(cli, entries.commands)),
    guarded("launcher.checks", () => checkLauncher(cli, entries.users, rewrite)),
    guarded("sessions.checks", () => checkSessions(cli, sessions, acting, keyring.opened)),
    issuers,
  ]);
  const inUse = sessions.find(({ session }) => session.name === acting.name);
  const refusal = whyNotRefreshed(choice, inUse, keyring, asked, people);
  const refresh = await guarded(
    "sessions.refresh",
    () => checkRefresh(cli, inUse, { ...choice.refresh, refusal }),
  );
  return [
    { title: "datumctl", findings: await guarded("datumctl.checks", () => checkProgram(cli)) },
    { title: "Files", findings: [folder, ...await files] },
    { title: "Keyring", findings: keyring.findings },
    { title: "Sessions", findings: [...people, ...refresh] },
    { title: "Network", findings: await network },
    { title: "Issuer", findings: asked.findings },
    { title: "kubeconfig", findings: [...read, ...entries.findings, ...servers] },
    { title: "kubectl", findings: kubectl },
    { title: "Launcher", findings: launcher },
  ].filter(({ findings }) => findings.length > 0);
}

/** A check that is under way and awaited later: until then, nobody misses its failure. */
function begun<Result>(check: Promise<Result>): Promise<Result> {
  check.catch(() => {});
  return check;
}

/** What lies in no folder. */
const NOTHING: Stored = {
  sessions: [],
  config: undefined,
  brokenConfig: undefined,
  broken: [],
  open: [],
  writable: undefined,
  foreign: [],
  lockable: [],
};

/** What lies in the project folder that the process works in. */
async function storedInProject({ store }: CommandContext): Promise<Stored> {
  const local = await store.nearestProject().catch((thrown) => void failureOrThrow(thrown));
  return local === undefined ? NOTHING : await readStored(local);
}

/** The active session of the project folder, where one of our keys opened it. */
function inProject({ config }: Stored, sessions: readonly SessionFile[]): SessionFile | undefined {
  return sessions.find(({ session, store }) =>
    store.project !== undefined && session.name === config?.activeSession
  );
}

/** The sessions to go by: as they were sealed where they could be opened; a project folder's only then. */
function trusted(found: readonly SessionFile[], { opened }: KeyringResult): readonly SessionFile[] {
  return found.flatMap((stored) => {
    const session = opened.get(keyOf(stored))?.session;
    if (session === undefined) return stored.store.project === undefined ? [stored] : [];
    return [{ ...stored, session }];
  });
}

/** An area that fails as a whole is one finding, and hides no other area. */
async function guarded(check: string, run: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await run();
  } catch (thrown) {
    return [failedCheck(check, failureOrThrow(thrown))];
  }
}

function failedCheck(check: string, { message, hint }: AppError): Finding {
  return checkNamed(check).fault({ found: message, meaning: hint });
}

/** The issuers of the sessions, each once, with what their sessions trust. */
async function issuersOf(cli: CommandContext, sessions: readonly SessionFile[]): Promise<IssuerToCheck[]> {
  const found = new Map<string, IssuerToCheck>();
  for (const { session } of sessions) {
    const { issuer, certificateAuthority } = session;
    const key = `${issuer}\n${certificateAuthority ?? ""}`;
    const openId = session.kind.person && (await cli.providers.of(session).load()).signInTarget !== undefined;
    if (found.get(key)?.openId === true) continue;
    found.set(key, {
      issuer,
      certificateAuthority,
      openId,
      trust: () => cli.providers.trustLine(session),
      deviceEndpoint: session.signIn?.deviceEndpoint,
    });
  }
  return [...found.values()];
}

interface AskedIssuers {
  readonly findings: readonly Finding[];
  /** The issuers that answered well. */
  readonly reached: ReadonlySet<string>;
}

async function checkIssuers(
  cli: CommandContext,
  issuers: readonly IssuerToCheck[],
  offline: boolean,
): Promise<AskedIssuers> {
  const reached = new Set<string>();
  if (issuers.length === 0) return { findings: [], reached };
  if (offline) return { findings: [checkNamed("issuer.reachable").skipped({ found: "--offline" })], reached };
  const results = await Promise.all(issuers.map(async (one) => {
    try {
      const { reached: well, findings } = await checkIssuer(cli, one);
      if (well) reached.add(one.issuer);
      return findings;
    } catch (thrown) {
      return [failedCheck("issuer.reachable", failureOrThrow(thrown))];
    }
  }));
  return { findings: results.flat(), reached };
}

/** Why the session in use is not renewed for a trial: what was found says already that it would fail. */
function whyNotRefreshed(
  { offline }: DoctorChoice,
  inUse: SessionFile | undefined,
  { opened }: KeyringResult,
  { reached }: AskedIssuers,
  people: readonly Finding[],
): string | undefined {
  if (inUse === undefined) return undefined;
  if (offline) return "--offline";
  const found = opened.get(keyOf(inUse));
  if (found === undefined) return "it could not be opened";
  if (!reached.has(inUse.session.issuer)) return "its issuer does not answer";
  const over = people.some((one) => one.about === inUse.session.name && isTrouble(one));
  if (over) return "it has to be signed in to again";
  const { credentials, session: { kind } } = found;
  if (kind.tokens === "given") return "its token was given once, and nothing renews it";
  const once = credentials.tokenSource === undefined && credentials.refreshToken === undefined;
  return once ? "it has no refresh token" : undefined;
}
