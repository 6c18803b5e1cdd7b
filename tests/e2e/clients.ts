/** The Kubernetes clients of Python, JavaScript and Go, installed or built once into the cache, each with a script of a test. */

import { ROOT } from "../../scripts/compile.ts";
import { buildCache } from "../../scripts/npm-packages.ts";
import { buildOnce, findGo } from "../apiserver/program.ts";

/** The same in two languages. */
export interface ClientScripts {
  /** What names the script's file. */
  readonly name: string;
  readonly python: string;
  readonly javascript: string;
}

/** A program that uses a client library; its further arguments are the script's. */
export interface Client {
  readonly name: string;
  /** Whether it tells its plugin which server asks. */
  readonly tells: boolean;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The clients of Python and JavaScript that can be had here, with scripts to run. */
export async function scriptedClients({ name, python, javascript }: ClientScripts): Promise<Client[]> {
  const clients: Client[] = [];
  const packages = await installed("kubernetes==37.0.2", (folder) => [
    ...["python3", "-m", "pip", "install", "--quiet", "--target", folder, "kubernetes==37.0.2"] as const,
  ]);
  if (packages !== undefined) {
    const env = { PYTHONPATH: packages };
    clients.push({ name: "Python's client", tells: true, program: "python3", args: ["-c", python], env });
  }
  const modules = await installed("@kubernetes/client-node@1.3.0", (folder) => [
    ...["npm", "install", "--ignore-scripts", "--no-audit", "--prefix", folder] as const,
    "@kubernetes/client-node@1.3.0",
  ]);
  if (modules !== undefined) {
    const script = `${modules}/${name}.mjs`;
    await Deno.writeTextFile(script, javascript);
    clients.push({ name: "JavaScript's client", tells: false, program: "node", args: [script], env: {} });
  }
  return clients;
}

/** The program of client-go/; none where Go is missing. */
export async function goClient(): Promise<Client[]> {
  const go = await findGo();
  if (go === undefined) return [];
  const program = await buildOnce({
    go,
    module: `${ROOT}tests/e2e/client-go`,
    name: "client-go",
    flags: ["-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w"],
    cache: buildCache(),
  });
  return [{ name: "client-go", tells: true, program, args: [], env: {} }];
}

/** Installs a library once into the cache; undefined, after a printed line, where that cannot be. */
async function installed(
  named: string,
  install: (folder: string) => readonly [program: string, ...args: string[]],
): Promise<string | undefined> {
  const folder = `${buildCache()}/client-${named.replace(/\W+/g, "-")}`;
  if (await Deno.stat(folder).catch(() => undefined)) return folder;
  const making = `${folder}.${crypto.randomUUID()}`;
  await Deno.mkdir(making, { recursive: true });
  const [program, ...args] = install(making);
  const { success } = await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
    .output().catch(() => ({ success: false }));
  if (success) {
    // Another run may have been faster.
    await Deno.rename(making, folder).catch(() => Deno.remove(making, { recursive: true }));
    return folder;
  }
  await Deno.remove(making, { recursive: true });
  // deno-lint-ignore no-console
  console.error(`skipped: ${named}, which ${program} cannot install here`);
  return undefined;
}
