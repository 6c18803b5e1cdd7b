/** How the bench measures: in turns, all at once, and the largest memory. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

/** One thing to measure: a program with its arguments and its whole environment. */
export interface Candidate {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Puts things in place before a turn; not measured. */
  readonly prepare?: () => void;
  /** It asks a server that needs this process meanwhile: to serve, or to read what the server logs. */
  readonly online?: true;
}

/** What was seen of one candidate, in milliseconds. */
export interface Seen {
  readonly median: number;
  readonly fastest: number;
}

/** One thing to measure that this process does itself. */
export interface Task {
  readonly name: string;
  /** How long it took, in milliseconds. */
  readonly run: () => Promise<number>;
}

/** Runs every candidate once a round, as {@link inTurns}. */
export function takeTurns(candidates: readonly Candidate[], rounds: number): Promise<Map<string, Seen>> {
  return inTurns(
    candidates.map((candidate) => ({ name: candidate.name, run: () => once(candidate) })),
    rounds,
  );
}

/** Runs every task once a round, each round beginning with another, after one round that does not count. */
export async function inTurns(tasks: readonly Task[], rounds: number): Promise<Map<string, Seen>> {
  const times = new Map<string, number[]>(tasks.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < tasks.length; turn++) {
      const task = tasks[(turn + round + 1) % tasks.length];
      if (task === undefined) continue;
      const took = await task.run();
      if (round >= 0) times.get(task.name)?.push(took);
    }
  }
  return new Map([...times].map(([name, taken]) => [name, summary(taken)]));
}

/** Runs a candidate once; how long it took in milliseconds. Throws with its words when it fails. */
export async function once(
  { name, command: [program = "", ...args], env, prepare, online }: Candidate,
): Promise<number> {
  prepare?.();
  // Synchronous where it can be: nothing of this process's own stands between the start and the end.
  const command = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const started = performance.now();
  const { success, stderr } = online ? await command.output() : command.outputSync();
  const took = performance.now() - started;
  if (!success) throw new Error(`${name} failed:\n${new TextDecoder().decode(stderr)}`);
  return took;
}

function summary(taken: readonly number[]): Seen {
  const sorted = taken.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
  return { median, fastest: sorted[0] ?? NaN };
}

/** How long `count` processes of each candidate take together, from the first one's start to the last one's end. */
export async function allAtOnce(
  candidates: readonly Candidate[],
  count: number,
  rounds: number,
): Promise<Map<string, Seen>> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, command: [program = "", ...args], env } of candidates) {
      const started = performance.now();
      const statuses = await Promise.all(Array.from({ length: count }, () =>
        new Deno.Command(program, {
          args,
          clearEnv: true,
          env: { ...env },
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn().status));
      const took = performance.now() - started;
      const failed = statuses.filter(({ success }) => !success).length;
      if (failed > 0) throw new Error(`${failed} of ${count} × ${name} failed`);
      times.set(name, [...times.get(name) ?? [], took]);
    }
  }
  return new Map([...times].map(([name, taken]) => [name, summary(taken)]));
}

// getrusage(2) of waited-for children; perl is on every Debian, which GNU time is not.
const PEAK = `system { $ARGV[0] } @ARGV; exit 1 if $?; my $usage = "\\0" x 144;
syscall($ENV{GETRUSAGE}, -1, $usage); print STDERR "peak ", (unpack("q*", $usage))[4];`;
const GETRUSAGE: Readonly<Record<string, string>> = { x86_64: "98", aarch64: "165" };

/** The largest resident size of each candidate and its children, in MiB; empty where it cannot be read. */
export async function peakMemory(
  candidates: readonly Candidate[],
  rounds: number,
): Promise<Map<string, number>> {
  const number = GETRUSAGE[Deno.build.arch];
  const peaks = new Map<string, number>();
  for (const { name, command, env } of candidates) {
    const taken: number[] = [];
    for (let round = 0; round < rounds; round++) {
      try {
        if (Deno.build.os !== "linux" || number === undefined) throw new Error("no such call here");
        const { stderr } = await new Deno.Command("perl", {
          args: ["-e", PEAK, ...command],
          clearEnv: true,
          env: { ...env, GETRUSAGE: number },
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).output();
        const peak = /peak (\d+)$/.exec(new TextDecoder().decode(stderr))?.[1];
        if (peak === undefined) throw new Error("perl did not tell");
        taken.push(Number(peak) / 1024);
      } catch (error) {
        console.log(`left out: peak memory (${error instanceof Error ? error.message : error})`);
        return new Map();
      }
    }
    peaks.set(name, summary(taken).median);
  }
  return peaks;
}
