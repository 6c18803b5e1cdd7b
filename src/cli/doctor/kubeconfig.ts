/** Checks the kubeconfig: whether kubectl can read it, and whether our entries in it lead anywhere. */

import { type AppError, failureOrThrow } from "../../errors.ts";
import { tooLargeToTell } from "../../kubeconfig/cluster.ts";
import { duplicateNames } from "../../kubeconfig/duplicate-names.ts";
import {
  contextsUsing,
  defaultKubeconfigs,
  entriesByName,
  entryNamed,
  type Kubeconfig,
  type KubeconfigFile,
  loadKubeconfig,
  type OwnUser,
  ownUsers,
} from "../../kubeconfig/file.ts";
import { withoutLaterDuplicates } from "../../kubeconfig/duplicate-entries.ts";
import { refuseDuplicateNames } from "../../kubeconfig/text.ts";
import { formatSpan } from "../../system/clock.ts";
import { modifiedAt } from "../../system/files.ts";
import { printable, shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { checkEntry } from "./entry.ts";
import { execOf, type KnownSessions, type OwnEntry, rewriteLine } from "./own-entry.ts";
import { checkNamed, type Finding, saidBy } from "./finding.ts";
import type { ServerToCheck } from "./servers.ts";
import { editLine } from "./text-edit.ts";

const FILE = checkNamed("kubeconfig.file");
const LOCK = checkNamed("kubeconfig.lock");
const DUPLICATES = checkNamed("kubeconfig.duplicates");
const CURRENT = checkNamed("kubeconfig.current-context");
const CONTEXT = checkNamed("kubeconfig.context");
const ENTRIES = checkNamed("kubeconfig.entries");
const CLUSTER_INFO = checkNamed("kubeconfig.cluster-info");

/** So many of our contexts are looked at; a kubeconfig may hold thousands. */
const MOST_CONTEXTS = 50;

/** What was found, and the programs that our entries run. */
export interface KubeconfigResult {
  readonly findings: readonly Finding[];
  readonly commands: readonly string[];
  readonly users: readonly OwnUser[];
  /** Their contexts. */
  readonly contexts: readonly ServerToCheck[];
}

/** Reads the kubeconfig in force. No server is asked. */
export async function readKubeconfigs(
  { env, now }: CommandContext,
): Promise<{ readonly kubeconfig: Kubeconfig; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const files: KubeconfigFile[] = [];
  for (const path of defaultKubeconfigs(env)) {
    try {
      const { files: [file] } = await loadKubeconfig([path]);
      if (file === undefined) continue;
      files.push(file);
      if (file.bytes !== undefined) findings.push(duplicatesIn(file), ...leftLock(path, now()));
    } catch (thrown) {
      findings.push(brokenFile(path, failureOrThrow(thrown)));
    }
  }
  const currentContext = files.map(({ config }) => config.data["current-context"])
    .find((name): name is string => typeof name === "string" && name !== "");
  return { kubeconfig: { files, currentContext }, findings };
}

function brokenFile(about: string, error: AppError): Finding {
  const said = saidBy(error);
  return FILE.fault({
    about,
    ...said,
    meaning: said.line === undefined
      ? "kubectl cannot read it either. Mend that place, or leave the file out of KUBECONFIG."
      : said.meaning,
    line: said.line ?? `\${EDITOR:-vi} ${shellLine([about])}`,
  });
}

/** A lock that a killed kubectl left keeps everybody from changing the file. */
function leftLock(path: string, now: number): Finding[] {
  const made = modifiedAt(`${path}.lock`);
  if (made === undefined || now - made < LONGEST_LOCK) return [];
  return [LOCK.warning({
    about: path,
    found: `its lock is ${formatSpan(now - made)} old`,
    meaning:
      "kubectl config and datumctl auth update-kubeconfig cannot change the file. If neither is running, remove " +
      "the lock.",
    line: shellLine(["rm", `${path}.lock`]),
  })];
}

/** kubectl holds a lock for moments. In milliseconds. */
const LONGEST_LOCK = 60_000;

/** A name that occurs twice: kubectl then refuses the whole file. */
function duplicatesIn({ path, config }: KubeconfigFile): Finding {
  if (duplicateNames(config.data).length === 0) return FILE.ok({ about: path, found: "kubectl can read it" });
  let found = "a name stands twice";
  try {
    refuseDuplicateNames(config);
  } catch (thrown) {
    found = failureOrThrow(thrown).message.replace(/^.*?: (.*?) It was left as it is\.$/s, "$1");
  }
  const mended = withoutLaterDuplicates(config);
  const line = mended === undefined ? undefined : editLine(path, config.text, mended);
  return DUPLICATES.fault({
    about: path,
    found,
    meaning: line === undefined
      ? "kubectl refuses the whole file. Give each its own name, or remove the one too many."
      : "kubectl refuses the whole file. The line removes each one that says the same a second time.",
    line: line ?? `\${EDITOR:-vi} ${shellLine([path])}`,
  });
}

/** Checks our entries, one by one. Where they lead is checked elsewhere, since servers take their time. */
export async function checkKubeconfig(
  cli: CommandContext,
  kubeconfig: Kubeconfig,
  known: KnownSessions,
): Promise<KubeconfigResult> {
  const users = distinctUsers(kubeconfig);
  const contexts = users.flatMap((user) =>
    contextsUsing(kubeconfig, user.name).map((context) => ({ user, context }))
  );
  const findings: Finding[] = [...currentContext(kubeconfig), ...brokenContexts(kubeconfig)];
  if (users.length === 0) {
    findings.push(ENTRIES.note({
      found: "kubectl has no entry of datumctl",
      meaning: "To use kubectl with a session: datumctl auth update-kubeconfig --project PROJECT_ID",
    }));
    return { findings, commands: [], users, contexts: [] };
  }
  const commands = new Set<string>();
  for (const user of users) {
    const exec = execOf(kubeconfig, user);
    if (typeof exec?.["command"] === "string") commands.add(exec["command"]);
    const first = contexts.find((one) => one.user === user)?.context;
    const entry = { kubeconfig, user, exec, context: first, known };
    findings.push(...await checkEntry(cli, entry), ...await clusterInfo(entry));
  }
  if (contexts.length > MOST_CONTEXTS) {
    findings.push(CONTEXT.skipped({
      found: `${contexts.length - MOST_CONTEXTS} more contexts were not looked at`,
    }));
  }
  return { findings, commands: [...commands], users, contexts: contexts.slice(0, MOST_CONTEXTS) };
}

/** Our user entries, each as kubectl finds it: the first of a name. */
function distinctUsers(kubeconfig: Kubeconfig): OwnUser[] {
  const found = new Map<string, OwnUser>();
  for (const user of ownUsers(kubeconfig)) if (!found.has(user.name)) found.set(user.name, user);
  return [...found.values()];
}

function currentContext(kubeconfig: Kubeconfig): Finding[] {
  const { currentContext: name } = kubeconfig;
  if (name === undefined || entryNamed(kubeconfig, "contexts", name) !== undefined) return [];
  return [CURRENT.warning({
    about: printable(name, 100),
    found: "it is the current context, and there is no such context",
    meaning: "kubectl without --context fails.",
    line: "kubectl config unset current-context",
  })];
}

/** Contexts of ours whose user or cluster is gone. */
function brokenContexts(kubeconfig: Kubeconfig): Finding[] {
  const [clusters, users] = [entriesByName(kubeconfig, "clusters"), entriesByName(kubeconfig, "users")];
  return [...entriesByName(kubeconfig, "contexts").values()].flatMap(({ name, fields }) => {
    const { user, cluster } = fields;
    const missing = typeof user === "string" && !users.has(user)
      ? `user entry ${printable(user, 200)}`
      : typeof cluster === "string" && !clusters.has(cluster)
      ? `cluster entry ${printable(cluster, 200)}`
      : undefined;
    if (missing === undefined || typeof user !== "string" || !user.startsWith("datum-")) return [];
    return [CONTEXT.fault({
      about: printable(name, 200),
      found: `its ${missing} is gone`,
      meaning:
        "kubectl asks for a password there, or does not know where to go. Without that context nothing is lost.",
      line: shellLine(["kubectl", "config", "delete-context", name]),
    })];
  });
}

/** Whether kubectl can tell its plugin which server asks. */
async function clusterInfo(entry: OwnEntry): Promise<Finding[]> {
  const { kubeconfig, user: { name }, exec } = entry;
  if (exec?.["provideClusterInfo"] !== true) return [];
  const large = await tooLargeToTell(kubeconfig, name, { cluster: "" });
  if (large === undefined) return [];
  return [CLUSTER_INFO.fault({
    about: printable(name, 200),
    found: `the authority of its cluster ${printable(large, 100)} is too large`,
    meaning:
      'kubectl ends with "argument list too long", because it tells its plugin the authority in a variable.',
    line: rewriteLine(entry),
  })];
}
