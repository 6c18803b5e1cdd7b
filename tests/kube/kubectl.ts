/** Owns the real kubectl as an oracle: which one, and what it reads in a kubeconfig. */

function found(): string | undefined {
  const folders = [
    "/usr/lib/google-cloud-sdk/bin/kubectl.1.33",
    "/usr/local/bin/kubectl",
    "/usr/bin/kubectl",
  ];
  return folders.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** A kubectl on this machine, or undefined. */
export const kubectl: string | undefined = found();

if (kubectl === undefined) {
  // deno-lint-ignore no-console
  console.log("skipped: what compares with kubectl, for there is none on this machine");
}

/** Runs kubectl with nothing of the user's own in reach. */
export async function runKubectl(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(kubectl ?? "kubectl", {
    args: [...args],
    clearEnv: true,
    env: { HOME: "/nonexistent", PATH: "/usr/bin:/bin", ...env },
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
