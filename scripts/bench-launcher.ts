/** The bench of the launcher: what handing out a stored credential costs beside an empty shell, and a program that prints a file. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import { installLauncher, launcherPath } from "../src/sessions/launcher.ts";
import { findProgram } from "../src/system/processes.ts";
import { type Candidate, takeTurns } from "./bench-measure.ts";
import { printTimes, ratioVerdict, type Verdict } from "./bench-verdicts.ts";

const SERVER = "https://api.example.com";
const VERSION = "client.authentication.k8s.io/v1";
const HANDLE = "benchbenchbench2";

/** The sizes of a token in bytes, and how many empty shells it may cost. */
const SIZES = [[1_200, 2.5], [9_000, 3.5]] as const;

const READER = `package main

import "os"

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.Write(text)
}
`;

/** Measures the launcher in a folder of the bench's own. */
export async function benchLauncher(folder: string, rounds: number): Promise<Verdict[]> {
  const stored = `${folder}/datumctl`;
  await Deno.mkdir(stored, { recursive: true, mode: 0o700 });
  const folders = { config: folder, sessions: folder };
  await installLauncher(folders, { program: "/bin/false", folder: stored });
  const spec = { cluster: { server: `${SERVER}/x`, config: null }, interactive: false };
  const base = { PATH: Deno.env.get("PATH") ?? "" };
  const env = {
    ...base,
    KUBERNETES_EXEC_INFO: JSON.stringify({ kind: "ExecCredential", apiVersion: VERSION, spec }),
  };
  const reader = await buildReader(folder, base);
  const verdicts: Verdict[] = [];
  for (const [size, bound] of SIZES) {
    const file = `${stored}/${HANDLE}`;
    const status = { token: "x".repeat(size) };
    const credential = JSON.stringify({ kind: "ExecCredential", apiVersion: VERSION, status });
    await Deno.writeTextFile(file, `credential='${credential}'\nserver='${SERVER}'\n`, { mode: 0o600 });
    const later = new Date(Date.now() + 3600_000);
    await Deno.utime(file, later, later);
    const empty: Candidate = { name: "sh -c :", command: ["/bin/sh", "-c", ":"], env: base };
    const launcher: Candidate = {
      name: `the launcher, ${size} bytes`,
      command: [launcherPath(folders), HANDLE, "auth", "get-token"],
      env,
      // Each call is another kubectl's, though all are this process's.
      prepare: () => Deno.writeTextFileSync(`${file}.${Deno.pid % 64}`, "1\n"),
    };
    const candidates = [empty, launcher];
    if (reader !== undefined) {
      candidates.push({ name: "a Go program that prints a file", command: [reader, file], env: base });
    }
    const seen = await takeTurns(candidates, rounds);
    printTimes(`A stored credential of ${size} bytes`, candidates, seen, empty.name);
    verdicts.push(ratioVerdict(`${launcher.name} ÷ empty shell`, seen, [launcher.name], [empty.name], bound));
    const [, , go] = candidates;
    if (go !== undefined) {
      verdicts.push(ratioVerdict(`${launcher.name} ÷ Go's`, seen, [launcher.name], [go.name]));
    }
  }
  return verdicts;
}

/** Builds the program that prints a file; undefined, after one printed line, where Go is missing. */
async function buildReader(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const go = findProgram("go", Deno.env.get("PATH")) ?? findProgram("go", "/usr/local/go/bin");
  if (go === undefined) {
    console.log("left out: a Go program that prints a file, for Go is not at hand");
    return undefined;
  }
  const reader = `${folder}/reader`;
  await Deno.writeTextFile(`${reader}.go`, READER);
  const { success, stderr } = await new Deno.Command(go, {
    args: ["build", "-o", reader, `${reader}.go`],
    cwd: folder,
    clearEnv: true,
    env: { ...env, HOME: Deno.env.get("HOME") ?? folder, GO111MODULE: "off" },
  }).output();
  if (success) return reader;
  console.log(`left out: a Go program that prints a file: ${new TextDecoder().decode(stderr)}`);
  return undefined;
}
