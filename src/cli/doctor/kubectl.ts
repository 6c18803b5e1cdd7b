/** Checks kubectl: which one there is, and whether its preferences let it run ours. */

import { failureOrThrow } from "../../errors.ts";
import {
  kubercPath,
  type KubercText,
  parsePluginPolicy,
  type PluginPolicy,
  pluginRemedy,
  readKuberc,
  refusesPlugin,
  wrongPolicy,
} from "../../kubeconfig/kuberc.ts";
import { withAllowlist, withOneMore } from "../../kubeconfig/kuberc-mend.ts";
import { isObject, parseJson } from "../../encoding.ts";
import { launcherPath } from "../../sessions/launcher.ts";
import { type OwnProgram, ownProgram, sourceLauncherPath } from "../../system/own-program.ts";
import { childEnvironment, findProgram, ProgramError, run } from "../../system/processes.ts";
import { printable, shellLine } from "../../text.ts";
import type { CommandContext } from "../context.ts";
import { type Check, checkNamed, type Edit, type Finding, type Said } from "./finding.ts";
import { editLine } from "./text-edit.ts";

const FOUND = checkNamed("kubectl.found");
const VERSION = checkNamed("kubectl.version");
const POLICY = checkNamed("kubectl.kuberc");

/** A program that prints its version takes some milliseconds; a dispatcher looks for others first. */
const PATIENCE = 10_000;

/**
 * The first kubectl that speaks client.authentication.k8s.io/v1, and those that read a policy for plugins.
 */
const SPEAKS_V1 = 22;
const READS_POLICY = 35;
const SETS_POLICY = 36;

/** The kubectl on PATH. */
interface Kubectl {
  readonly path: string;
  /** The minor version of its Kubernetes release; undefined where it does not say. */
  readonly minor: number | undefined;
}

/** Checks kubectl for the commands that our kubeconfig entries run. */
export async function checkKubectl(
  cli: CommandContext,
  commands: readonly string[],
  program: OwnProgram = ownProgram(),
): Promise<Finding[]> {
  const { findings, kubectl } = await findKubectl(cli, commands.length > 0);
  const known = await toldApart(cli, commands, program);
  return [...findings, ...await checkKuberc(cli, known, kubectl?.minor)];
}

/**
 * The programs that entries run, those of this program apart from others: anybody who writes an entry chooses
 * its program, and no line may ask a person to allow a stranger's.
 */
interface Programs {
  readonly own: readonly string[];
  readonly strange: readonly string[];
}

async function toldApart(
  { env, store: { folders } }: CommandContext,
  commands: readonly string[],
  program: OwnProgram,
): Promise<Programs> {
  // What an entry would run; from source, that is a launcher which is not there yet.
  if (commands.length === 0) return { own: program.sources === undefined ? [program.path] : [], strange: [] };
  const itself = await program.realPath(program.path);
  const [own, strange]: [string[], string[]] = [[], []];
  for (const command of commands) {
    const path = /[\\/]/.test(command) ? command : findProgram(command, env("PATH")) ?? command;
    const launches = folders.missing === undefined &&
      [launcherPath(folders), sourceLauncherPath(folders.config)].includes(command);
    (launches || await program.realPath(path) === itself ? own : strange).push(command);
  }
  return { own, strange };
}

async function findKubectl(
  { env, interrupted }: CommandContext,
  needed: boolean,
): Promise<{ readonly findings: readonly Finding[]; readonly kubectl?: Kubectl }> {
  const path = findProgram("kubectl", env("PATH"));
  if (path === undefined) {
    const said = {
      found: "there is no kubectl on PATH",
      meaning: needed
        ? "Entries for it are in the kubeconfig. Install it, or add its folder to PATH; datumctl get works without it."
        : "datumctl get, apply and the like work without it.",
      line: needed ? 'export PATH="$PATH:FOLDER"' : undefined,
    };
    return { findings: [needed ? FOUND.warning(said) : FOUND.note(said)] };
  }
  // Its own preferences could keep it from starting; nothing of the home is needed for its version.
  const variables = {
    ...childEnvironment(["PATH", "HOME", "SystemRoot"]),
    KUBERC: "off",
    KUBECTL_KUBERC: "false",
  };
  try {
    const { code, stdout } = await run(path, ["version", "--client", "--output=json"], {
      env: variables,
      timeout: PATIENCE,
      signal: interrupted,
    });
    const version = code === 0 ? versionIn(stdout) : undefined;
    const minor = Number(/^v1\.(\d+)\./.exec(version ?? "")?.[1] ?? Number.NaN);
    const kubectl = { path, minor: Number.isNaN(minor) ? undefined : minor };
    return { findings: [versionFinding(path, version, kubectl.minor)], kubectl };
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown;
    return {
      findings: [VERSION.fault({
        about: path,
        found: "it cannot be run, or does not end",
        meaning: "Another kubectl may stand behind it on PATH.",
        line: shellLine([path, "version", "--client"]),
      })],
      kubectl: { path, minor: undefined },
    };
  }
}

function versionIn(stdout: string): string | undefined {
  const json = parseJson(stdout);
  const client = isObject(json) ? json["clientVersion"] : undefined;
  const version = isObject(client) ? client["gitVersion"] : undefined;
  return typeof version === "string" ? printable(version, 40) : undefined;
}

function versionFinding(about: string, version: string | undefined, minor: number | undefined): Finding {
  if (version === undefined) {
    return VERSION.warning({
      about,
      found: "it does not tell its version",
      meaning: "It may be another program of that name.",
      line: shellLine([about, "version", "--client"]),
    });
  }
  if (minor === undefined || minor >= SPEAKS_V1) return VERSION.ok({ about, found: version });
  return VERSION.fault({
    about,
    found: `it is ${version}`,
    meaning:
      `Entries of datumctl need kubectl 1.${SPEAKS_V1} or later. Install a newer one before it on PATH.`,
    line: 'export PATH="FOLDER:$PATH"',
  });
}

/** Checks kubectl's preferences: whether it reads them, and lets each command run. */
async function checkKuberc(
  { env }: CommandContext,
  programs: Programs,
  minor: number | undefined,
): Promise<Finding[]> {
  const file = kubercPath(env);
  if (minor !== undefined && minor < READS_POLICY) {
    return [POLICY.ok({ found: `kubectl 1.${minor} has no policy for plugins` })];
  }
  if (file === undefined) return [POLICY.ok({ found: "kubectl reads no preferences" })];
  let kuberc: KubercText | undefined;
  try {
    kuberc = await readKuberc(env);
  } catch (thrown) {
    return [POLICY.warning({
      about: file,
      found: failureOrThrow(thrown).message,
      meaning: "kubectl goes on without its preferences.",
      line: shellLine(["chmod", "u+r", file]),
    })];
  }
  return kuberc === undefined
    ? [POLICY.ok({ about: file, found: "there are no preferences" })]
    : kubercFindings(kuberc, programs, minor, (name) => findProgram(name, env("PATH")));
}

/** What a kuberc keeps kubectl from, and what mends it for that version. */
export function kubercFindings(
  kuberc: KubercText,
  { own: commands, strange }: Programs,
  minor: number | undefined,
  find: (name: string) => string | undefined,
): Finding[] {
  const { file, text } = kuberc;
  const wrong = wrongPolicy(text);
  const policy = parsePluginPolicy(text, file);
  const refused = policy === undefined ? [] : commands.filter((one) => refusesPlugin(policy, one, find));
  const allowed = [
    ...new Set([...(wrong ?? policy)?.allowed ?? [], ...wrong === undefined ? refused : commands]),
  ];
  if (wrong !== undefined) {
    return [POLICY.fault({
      about: file,
      found: wrong.why,
      meaning: "kubectl 1.35 and later refuse every command until that is mended, kuberc set as well.",
      ...byHand(kuberc, allowed, withAllowlist(text, allowed)),
    })];
  }
  if (policy?.usesNewSpelling && (minor === undefined || minor < SETS_POLICY)) {
    const check: Check["fault"] = minor === undefined ? POLICY.warning : POLICY.fault;
    return [check({
      about: file,
      found: "its list is written for kubectl 1.36 and later",
      meaning: "kubectl 1.35 reads `name` where later ones write `command`, and refuses every command.",
      ...byHand(kuberc, allowed, withAllowlist(text, allowed)),
    })];
  }
  if (policy === undefined) return [POLICY.ok({ about: file, found: "it lets plugins run" })];
  const others = strange.filter((one) => refusesPlugin(policy, one, find)).map((one) =>
    POLICY.warning({
      about: file,
      found: `kubectl does not run ${printable(one)}`,
      meaning:
        "An entry with the arguments of datumctl runs it, and it is not this program. Look at it before you " +
        "allow it.",
    })
  );
  if (refused.length === 0) {
    return others.length > 0 ? others : [POLICY.ok({ about: file, found: "it lets kubectl run datumctl" })];
  }
  const list = policy.policy === "Allowlist" ? ", and its list does not hold it" : "";
  return [
    POLICY.fault({
      about: file,
      found: `kubectl does not run ${refused.map((one) => printable(one)).join(", ")}: ` +
        `credentialPluginPolicy is ${policy.policy}${list}`,
      meaning: "Without it, kubectl gets no token.",
      ...mending(kuberc, policy, refused, minor),
    }),
    ...others,
  ];
}

/**
 * What allows the commands: kubectl's own line, which names all that was allowed before, else the lines to
 * add.
 */
function mending(
  kuberc: KubercText,
  policy: PluginPolicy,
  refused: readonly string[],
  minor: number | undefined,
): Pick<Said, "line" | "edit"> {
  const [first = "", ...others] = refused;
  const { words } = pluginRemedy({ ...policy, allowed: [...policy.allowed, ...others] }, first);
  if (words !== undefined && minor !== undefined && minor >= SETS_POLICY) return { line: shellLine(words) };
  const all = [...policy.allowed, ...refused];
  const more = policy.policy === "Allowlist" && !policy.usesNewSpelling && others.length === 0
    ? withOneMore(kuberc.text, first)
    : undefined;
  return byHand(kuberc, all, more ?? withAllowlist(kuberc.text, all));
}

/** The line that makes the file say so, where it is seen to; else what a person writes there. */
function byHand({ file, text }: KubercText, commands: readonly string[], after: string | undefined): {
  readonly line: string | undefined;
  readonly edit: Edit;
} {
  const mended = after === undefined ? undefined : parsePluginPolicy(after, file);
  const holds = mended !== undefined && !mended.severalDocuments && !mended.usesNewSpelling &&
    commands.every((one) => mended.allowed.includes(one));
  const lines = pluginRemedy(
    {
      file,
      policy: "DenyAll",
      allowed: commands.slice(0, -1),
      usesNewSpelling: false,
      severalDocuments: false,
    },
    commands.at(-1) ?? "datumctl",
  ).lines;
  return {
    line: holds && after !== undefined ? editLine(file, text, after) : undefined,
    edit: { file, lines },
  };
}
