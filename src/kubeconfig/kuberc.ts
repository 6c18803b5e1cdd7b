/** kubectl's preferences (kuberc): which credential plugins kubectl may run, and how to allow one more. */

import { failureOrThrow } from "../errors.ts";
import { type Environment, homeOf, onWindows } from "../system/environment.ts";
import { readSharedFile } from "../system/shared-file.ts";
import { readYaml } from "../splice/yaml-reader.ts";
import { isRecord, scalarText } from "../splice/yaml-text.ts";

/** What a kuberc says about credential plugins, when it does not allow all of them. */
export interface PluginPolicy {
  readonly file: string;
  readonly policy: "DenyAll" | "Allowlist";
  /** The commands that may run: names that are looked up on PATH, and paths. */
  readonly allowed: readonly string[];
  /** True when an entry has kubectl 1.36's field name: 1.35 then ignores the whole list. */
  readonly usesNewSpelling: boolean;
  /** True when the file holds other documents: `kubectl kuberc set` would drop them. */
  readonly severalDocuments: boolean;
}

/** The file that kubectl reads: `$KUBERC`, else `~/.kube/kuberc`; undefined when it reads none. */
export function kubercPath(env: Environment, windows = onWindows): string | undefined {
  const named = env("KUBERC");
  if (named === "off" || env("KUBECTL_KUBERC") === "false") return undefined;
  if (named !== undefined) return named;
  const home = homeOf(env, windows);
  return home === undefined ? undefined : windows ? `${home}\\.kube\\kuberc` : `${home}/.kube/kuberc`;
}

/**
 * Reads the policy for plugins. Undefined when all may run, when the file says nothing that kubectl follows, and
 * when it cannot be read, which kubectl itself reports better.
 */
export async function readPluginPolicy(env: Environment): Promise<PluginPolicy | undefined> {
  const file = kubercPath(env);
  if (file === undefined) return undefined;
  const bytes = await readSharedFile(file).catch((thrown) => void failureOrThrow(thrown));
  return bytes && parsePluginPolicy(new TextDecoder().decode(bytes), file);
}

/** A kuberc as it lies there. */
export interface KubercText {
  readonly file: string;
  readonly text: string;
}

/**
 * The text of the kuberc in force; undefined where there is none.
 *
 * @throws {AppError} `STORAGE` when it cannot be read.
 */
export async function readKuberc(env: Environment): Promise<KubercText | undefined> {
  const file = kubercPath(env);
  const bytes = file === undefined ? undefined : await readSharedFile(file, LARGEST);
  return file === undefined || bytes === undefined
    ? undefined
    : { file, text: new TextDecoder().decode(bytes) };
}

/** Preferences are written by hand. In bytes. */
const LARGEST = 1024 * 1024;

/** Commands that a kuberc allows, as far as they can be read. */
export interface WrongPolicy {
  /** Why kubectl refuses to start, as the end of a sentence. */
  readonly why: string;
  readonly allowed: readonly string[];
}

/** A policy with which kubectl 1.35 and later refuse every command, whatever it is; undefined for any other. */
export function wrongPolicy(text: string): WrongPolicy | undefined {
  const preference = preferenceIn(documentsIn(text));
  if (!isRecord(preference) || preference["apiVersion"] !== VERSIONS[0]) return undefined;
  const { credentialPluginPolicy: policy, credentialPluginAllowlist: list } = preference;
  // kubectl then reads nothing of the file.
  if (list !== undefined && list !== null && !Array.isArray(list)) return undefined;
  const entries = Array.isArray(list) ? list.map(commandIn) : [];
  const allowed = entries.filter((command) => command !== undefined);
  if (policy !== undefined && policy !== null && policy !== "" && !POLICIES.includes(policy)) {
    return { why: "its credentialPluginPolicy is none that kubectl knows", allowed };
  }
  if (policy === "Allowlist") {
    if (!Array.isArray(list)) return { why: "it says Allowlist and has no list", allowed };
    const unnamed = entries.length === 0 ? "its list is empty" : "an entry of its list names no program";
    return allowed.length === entries.length && allowed.length > 0 ? undefined : { why: unnamed, allowed };
  }
  const held = list !== undefined && list !== null;
  return held ? { why: "it has a list of plugins, but its policy is not Allowlist", allowed } : undefined;
}

const POLICIES: readonly unknown[] = ["AllowAll", "DenyAll", "Allowlist"];

function documentsIn(text: string): string[] {
  return text.split(/^---.*$/m).filter((part) => part.trim() !== "");
}

function preferenceIn(documents: readonly string[]): unknown {
  return documents.map(readYaml).find((value) =>
    isRecord(value) && value["kind"] === "Preference" && VERSIONS.includes(value["apiVersion"])
  );
}

/** {@link readPluginPolicy} for a text. Like kubectl, it takes the first document that is a Preference. */
export function parsePluginPolicy(text: string, file: string): PluginPolicy | undefined {
  const documents = documentsIn(text);
  const preference = preferenceIn(documents);
  // The first version has no policy.
  if (!isRecord(preference) || preference["apiVersion"] !== VERSIONS[0]) return undefined;
  const { credentialPluginPolicy: policy, credentialPluginAllowlist: list } = preference;
  const allowed = Array.isArray(list) ? list.map(commandIn) : [];
  // kubectl itself says what is wrong with such a list.
  if (!allowed.every((command) => command !== undefined)) return undefined;
  const said = {
    file,
    allowed,
    usesNewSpelling: Array.isArray(list) && list.some((entry) => entry["name"] === undefined),
    severalDocuments: documents.length > 1,
  };
  if (policy === "DenyAll" && list === undefined) return { ...said, policy };
  return policy === "Allowlist" && allowed.length > 0 ? { ...said, policy } : undefined;
}

const VERSIONS: readonly unknown[] = ["kubectl.config.k8s.io/v1beta1", "kubectl.config.k8s.io/v1alpha1"];

/** kubectl 1.35 calls it `name`; since 1.36 it is `command`. */
function commandIn(entry: unknown): string | undefined {
  const command = isRecord(entry) ? entry["command"] ?? entry["name"] : undefined;
  return typeof command === "string" && command !== "" ? command : undefined;
}

/**
 * True when kubectl would not run a command. It compares paths as they are written, and looks names up on PATH; it
 * follows no links.
 *
 * @param find looks a name up
 */
export function refusesPlugin(
  { policy, allowed }: PluginPolicy,
  command: string,
  find: (name: string) => string | undefined,
): boolean {
  if (policy === "DenyAll") return true;
  const lookUp = (name: string) => isPath(name) ? name : find(name) ?? name;
  const found = lookUp(command);
  return !allowed.some((entry) => entry === command || entry === found || lookUp(entry) === found);
}

function isPath(command: string): boolean {
  return /[\\/]/.test(command);
}

/** How to allow kubectl one more command. */
export interface PluginRemedy {
  /** The words of the command for kubectl 1.36 and later; undefined when it cannot express this. */
  readonly words: readonly string[] | undefined;
  /** For any kubectl, the lines that the file must hold: fields to replace, or one more entry. */
  readonly lines: readonly string[];
}

/** How to allow kubectl a command beside those it may run already. `kubectl kuberc set` replaces the list. */
export function pluginRemedy(
  { policy, allowed, usesNewSpelling, severalDocuments }: PluginPolicy,
  command: string,
): PluginRemedy {
  const all = [...allowed, command];
  const set = ["kubectl", "kuberc", "set", "--section", "credentialplugin", "--policy", "Allowlist"];
  // It splits entries at commas.
  const sayable = !severalDocuments && !all.some((one) => one.includes(","));
  // Every version reads `name`.
  const entryOf = (one: string) => `- name: ${scalarText(one)}`;
  return {
    words: sayable ? [...set, ...all.flatMap((one) => ["--allowlist-entry", `command=${one}`])] : undefined,
    lines: policy === "Allowlist" && !usesNewSpelling
      ? [entryOf(command)]
      : ["credentialPluginPolicy: Allowlist", "credentialPluginAllowlist:", ...all.map(entryOf)],
  };
}
