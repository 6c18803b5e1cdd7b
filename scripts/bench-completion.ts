/** The bench of completion: what a press of TAB costs beside a bare start, and beside `version`. */

import { type Candidate, once, takeTurns } from "./bench-measure.ts";
import { printTimes, ratioVerdict, type Verdict } from "./bench-verdicts.ts";

/** What is measured, and with which programs. */
export interface CompletionBench {
  readonly hello: string;
  readonly datumctl: string;
  /** With a session, signed in. */
  readonly env: Readonly<Record<string, string>>;
  readonly rounds: number;
}

/** Lines whose words the program knows, and lines whose values it looks up in files. */
const WORDS = ["datumctl ", "datumctl get -", "datumctl get -o "];
const VALUES = ["datumctl auth switch ", "datumctl ctx use ", "datumctl get "];

/** Measures what is kept: the lists of the session's organizations, projects and types are filled first. */
export async function benchCompletion({ hello, datumctl, env, rounds }: CompletionBench): Promise<Verdict[]> {
  for (const line of ["ctx use acme/web", "ctx list", "get namespaces"]) {
    await once({ name: line, command: [datumctl, ...line.split(" ")], env, online: true });
  }
  // With an empty standard input, so that all are started and fed alike.
  const bare: Candidate = { name: "bare hello", command: [hello], env, typed: "" };
  const version: Candidate = { name: "version", command: [datumctl, "version"], env, typed: "" };
  const tab = (typed: string): Candidate => ({
    name: `TAB behind "${typed}"`,
    command: [datumctl, "__complete", "zsh"],
    env,
    typed,
  });
  const [words, values] = [WORDS.map(tab), VALUES.map(tab)];
  const candidates = [bare, version, ...words, ...values];
  const seen = await takeTurns(candidates, rounds);
  printTimes("A press of TAB", candidates, seen, bare.name);
  return [
    ...words.map(({ name }) => ratioVerdict(`${name} ÷ hello`, seen, [name], [bare.name], 3)),
    ...values.map(({ name }) => ratioVerdict(`${name} ÷ version`, seen, [name], [version.name], 1)),
  ];
}
