/** The bench of `status`: what a prompt waits for, beside a bare start. */

import { type Candidate, once, takeTurns } from "./bench-measure.ts";
import { printTimes, ratioVerdict, type Verdict } from "./bench-verdicts.ts";

/** What is measured, and with which programs. */
export interface StatusBench {
  readonly hello: string;
  readonly datumctl: string;
  /** With a session, signed in. */
  readonly env: Readonly<Record<string, string>>;
  readonly rounds: number;
}

/** The bound is one of the fastest of fifty. */
const ROUNDS = 50;

/** Measures it with a project in use. */
export async function benchStatus({ hello, datumctl, env, rounds }: StatusBench): Promise<Verdict[]> {
  await once({ name: "ctx use", command: [datumctl, "ctx", "use", "acme/web"], env, online: true });
  const bare: Candidate = { name: "bare hello", command: [hello], env };
  const asked = ["status --short", "status"].map((line): Candidate => ({
    name: line,
    command: [datumctl, ...line.split(" ")],
    env,
  }));
  const candidates = [bare, ...asked];
  const seen = await takeTurns(candidates, Math.max(ROUNDS, rounds));
  printTimes("A prompt", candidates, seen, bare.name);
  // People wait for no prompt of theirs: their form takes the tables along.
  return [ratioVerdict("status --short ÷ hello", seen, ["status --short"], [bare.name], 1.3)];
}
