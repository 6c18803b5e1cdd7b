/** The npm packages of this project as Deno resolved them: versions, licences, and which of them the program embeds. */

import { ROOT } from "../compile.ts";

/** An npm package of `deno.lock`. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, from its package.json. */
  readonly licence: string;
  /** `sha512-` and base64, from `deno.lock`. */
  readonly integrity: string;
  /** Part of the program; the others are for builds and tests. */
  readonly embedded: boolean;
  /** What it depends on, as `name@version`. */
  readonly dependencies: readonly string[];
  /** Where Deno keeps it. */
  readonly folder: string;
}

/** What `deno info --json` tells of a package. */
interface Resolved {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

interface ModuleGraph {
  readonly modules: readonly { readonly npmPackage?: string; readonly kind: string }[];
  readonly npmPackages: Readonly<Record<string, Resolved>>;
}

interface Lock {
  readonly npm: Readonly<Record<string, Locked>>;
}

interface Locked {
  readonly integrity: string;
  /** The systems that it is for, where that is not all. */
  readonly os?: readonly string[];
  readonly optionalDependencies?: readonly string[];
}

/**
 * All packages of `deno.lock`, by name and version.
 *
 * @throws {Error} when one is not in Deno's cache, or has no licence.
 */
export async function npmPackages(): Promise<readonly NpmPackage[]> {
  const graph = await moduleGraph();
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const embedded = reachable(
    graph.modules.flatMap(({ npmPackage }) => npmPackage === undefined ? [] : [npmPackage]),
    graph.npmPackages,
  );
  const found = new Map<string, NpmPackage>();
  for (const [key, { integrity }] of Object.entries(lock.npm)) {
    const resolved = graph.npmPackages[key];
    if (resolved === undefined) throw new Error(`Deno does not know ${key} of deno.lock: run deno install.`);
    const { name, version, dependencies, localPath } = resolved;
    const id = `${name}@${version}`;
    found.set(id, {
      name,
      version,
      licence: await licenceIn(localPath, id) ?? await licenceOfParent(key, lock, graph),
      integrity,
      embedded: embedded.has(key),
      dependencies: dependencies.flatMap((one) => {
        const other = graph.npmPackages[one];
        return other === undefined ? [] : [`${other.name}@${other.version}`];
      }).sort(),
      folder: localPath,
    });
  }
  return [...found.values()].sort((a, b) => `${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1);
}

/** The whole texts of a package's licence and notices, one after the other. */
export async function licenceTexts({ folder }: NpmPackage): Promise<readonly string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .filter((name) => /^(?:licen[cs]e|notice|copying)(?:[.-].*)?$/i.test(name)).sort();
  return await Promise.all(names.map(async (name) => (await Deno.readTextFile(`${folder}/${name}`)).trim()));
}

async function moduleGraph(): Promise<ModuleGraph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--frozen", "main.ts"],
    cwd: ROOT,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`deno info failed:\n${new TextDecoder().decode(stderr).trim()}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function reachable(roots: readonly string[], packages: ModuleGraph["npmPackages"]): ReadonlySet<string> {
  const found = new Set<string>(roots);
  for (const key of found) for (const other of packages[key]?.dependencies ?? []) found.add(other);
  return found;
}

/** The licence in a package's package.json; undefined when the package is not in Deno's cache. */
async function licenceIn(folder: string, id: string): Promise<string | undefined> {
  try {
    const { license } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
    if (typeof license === "string" && license !== "") return license;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  throw new Error(`${id} names no licence in its package.json.`);
}

/** Deno fetches no part for another machine: such a part is licensed as the package that it is a part of. */
async function licenceOfParent(key: string, lock: Lock, { npmPackages }: ModuleGraph): Promise<string> {
  const parent = Object.keys(lock.npm).find((one) =>
    lock.npm[one]?.optionalDependencies?.includes(partName(key))
  );
  const resolved = parent === undefined ? undefined : npmPackages[parent];
  const licence = lock.npm[key]?.os === undefined || resolved === undefined
    ? undefined
    : await licenceIn(resolved.localPath, parent ?? key);
  if (licence === undefined) throw new Error(`${key} is not in Deno's cache: run deno install.`);
  return licence;
}

/** A dependency in `deno.lock` is named without its version where there is but one. */
function partName(key: string): string {
  return key.replace(/(?<=.)@.*$/, "");
}
