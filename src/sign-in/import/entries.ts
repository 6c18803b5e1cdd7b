/** The user entries of a kubeconfig that run other programs, and what each of them means. */

import { isObject } from "../../encoding.ts";
import { clustersServed } from "../../kubeconfig/cluster.ts";
import { contextsUsing, entriesByName, type Kubeconfig, ownUsers } from "../../kubeconfig/file.ts";
import type { KubeconfigEntry } from "../../kubeconfig/file.ts";
import type { Environment } from "../../system/environment.ts";
import { printable } from "../../text.ts";
import { authProvider, GOOGLE } from "./auth-provider.ts";
import { azureFlags, azureSignIn } from "./azure.ts";
import type { Finding, FoundEntry, Read } from "./found.ts";
import {
  cachedOf,
  type CachedSignIn,
  cachedSignIns,
  kubeloginCacheFolder,
  kubeloginFlags,
  kubeloginSignIn,
  tokensOf,
} from "./kubelogin.ts";
import { isVendors, VENDOR, type VendorSession, vendorSessionOf } from "./vendor.ts";

/** What stands in a user entry beside the plugin and wins over it, or is mixed with it. */
const OTHER_CREDENTIALS = [
  ...["token", "tokenFile", "username", "password"],
  ...["client-certificate", "client-certificate-data", "client-key", "client-key-data"],
];

/** The `exec` of a user entry, as far as it is understood. */
interface Exec {
  /** The program's name, without its folder and `.exe`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly installHint: string;
}

/** What was read of an entry. */
interface ReadEntry {
  readonly tool: string;
  readonly read: Read;
  readonly tokens?: Finding["tokens"];
  readonly session?: string | undefined;
}

/** What the entries are looked at with. */
export interface EntryReader {
  readonly env: Environment;
  /** The sessions of the vendor's program. */
  readonly vendor: readonly VendorSession[];
  /** The names of our own sessions. */
  readonly ours: ReadonlySet<string>;
}

/** Entries of other programs, and the files of kubelogin's cache that none of them accounts for. */
export async function findEntries(kubeconfig: Kubeconfig, reader: EntryReader): Promise<Finding[]> {
  const caches = new Map<string, readonly CachedSignIn[]>();
  const cacheIn = async (folder: string) => {
    const known = caches.get(folder) ?? await cachedSignIns(folder);
    caches.set(folder, known);
    return known;
  };
  const own = new Map(ownUsers(kubeconfig).map((user) => [user.name, user]));
  const findings: Finding[] = [];
  const accounted = new Set<string>();
  for (const entry of entriesByName(kubeconfig, "users").values()) {
    const exec = execOf(entry.fields["exec"]);
    // The vendor's entries look like ours, but for their hint, and for what they name.
    const ours = own.get(entry.name);
    if (ours !== undefined && (exec === undefined || !isVendors(exec, reader.ours, ours.session))) continue;
    const found = await readEntry(entry, exec, reader, async (folder, signIn) => {
      const cached = cachedOf(await cacheIn(folder), signIn);
      if (cached !== undefined) accounted.add(cached.path);
      return cached;
    });
    if (found !== undefined) findings.push(findingOf(kubeconfig, entry, found));
  }
  const usual = kubeloginCacheFolder(reader.env);
  const left = usual === undefined ? [] : await cacheIn(usual);
  return [...findings, ...left.filter(({ path }) => !accounted.has(path)).map(unusedCache)];
}

async function readEntry(
  { name, fields, file }: KubeconfigEntry,
  exec: Exec | undefined,
  { env, vendor, ours }: EntryReader,
  cached: (
    folder: string,
    signIn: Extract<Read, { readonly signIn: unknown }>["signIn"],
  ) => Promise<CachedSignIn | undefined>,
): Promise<ReadEntry | undefined> {
  if (exec === undefined) {
    const provider = fields["auth-provider"];
    return provider === undefined || provider === null
      ? undefined
      : authProvider(provider, `${printable(file.path)}, the user entry ${printable(name, 100)}`);
  }
  const kubelogin = kubeloginArgs(exec);
  if (kubelogin !== undefined) {
    const flags = kubeloginFlags(kubelogin);
    if (exec.program === "kubelogin" && !flags.has("oidc-issuer-url") && isAzure(kubelogin)) {
      return { tool: "Azure/kubelogin", read: azureSignIn(azureFlags(kubelogin, exec.variables)) };
    }
    const read = kubeloginSignIn(flags, env);
    const folder = kubeloginCacheFolder(env, flags);
    if ("problem" in read || folder === undefined) return { tool: "kubelogin", read };
    const there = await cached(folder, read.signIn);
    const signIn = { ...read.signIn, email: there?.email };
    return { tool: "kubelogin", read: { ...read, signIn }, tokens: tokensOf(there) };
  }
  if (/^gke-gcloud-auth-plugin$/.test(exec.program)) {
    return { tool: "gke-gcloud-auth-plugin", read: { problem: GOOGLE } };
  }
  if (!isVendors(exec, ours)) return undefined;
  const session = vendorSessionOf(vendor, exec.args);
  return session === undefined
    ? { tool: VENDOR, read: { problem: "Datum's own datumctl keeps no session of that name" } }
    : { tool: VENDOR, read: session.read, tokens: session.tokens, session: session.name };
}

/** The arguments of kubelogin behind `get-token`, under any name of the program. */
function kubeloginArgs({ program, args: [first, second, ...rest], args }: Exec): string[] | undefined {
  if (program === "kubectl" && first === "oidc-login" && second === "get-token") return rest;
  const own = program === "kubelogin" || program === "kubectl-oidc_login";
  return own && first === "get-token" ? args.slice(1) : undefined;
}

function isAzure(args: readonly string[]): boolean {
  return args.some((arg) => /^(?:--(?:server-id|environment|tenant-id|login)|-[let])\b/.test(arg));
}

function execOf(exec: unknown): Exec | undefined {
  if (!isObject(exec)) return undefined;
  const { command, args, env, installHint } = exec;
  if (typeof command !== "string") return undefined;
  const words: readonly unknown[] = Array.isArray(args) ? args : [];
  const variables: readonly unknown[] = Array.isArray(env) ? env : [];
  return {
    program: command.replace(/^.*[\\/]/s, "").replace(/\.exe$/i, ""),
    args: words.filter((word): word is string => typeof word === "string"),
    variables: Object.fromEntries(
      variables.flatMap((one) => isObject(one) ? [[String(one.name), String(one.value)]] : []),
    ),
    installHint: typeof installHint === "string" ? installHint : "",
  };
}

function findingOf(
  kubeconfig: Kubeconfig,
  { name, fields, file }: KubeconfigEntry,
  { tool, read, tokens, session }: ReadEntry,
): Finding {
  const contexts = contextsUsing(kubeconfig, name);
  const entry: FoundEntry = {
    user: name,
    contexts,
    clusters: clustersServed(kubeconfig, name).map((cluster) => ({
      name: cluster.name,
      server: typeof cluster.fields["server"] === "string" ? cluster.fields["server"] : "",
    })),
    fields,
  };
  const found = { tool, name, place: file.path, entry, session };
  if ("problem" in read) return { ...found, problem: read.problem, notes: [] };
  const other = OTHER_CREDENTIALS.find((field) => fields[field] !== undefined && fields[field] !== null);
  const problem = other !== undefined
    ? `the entry has a ${other} too, which kubectl would go on to use`
    : entry.clusters.length === 0
    ? "no context leads from it to a cluster"
    : undefined;
  return { ...found, signIn: read.signIn, notes: read.notes, tokens, problem };
}

function unusedCache({ path, issuer, audiences: [client = ""], email }: CachedSignIn): Finding {
  return {
    tool: "kubelogin",
    name: path.replace(/^.*[\\/]/s, "").slice(0, 12),
    place: path,
    signIn: {
      login: { issuer, clientId: client, device: false },
      authority: { files: [], data: [] },
      email,
    },
    notes: [],
    problem: "no entry of the kubeconfig uses this token of its cache",
  };
}
