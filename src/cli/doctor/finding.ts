/** What one check of `doctor` found: a verdict, what it means, and the line that mends it. */

import type { AppError } from "../../errors.ts";

/**
 * How a check ended. A fault keeps something from working, a warning will or may; a note is worth knowing and
 * nothing is wrong; what was not looked at is skipped.
 */
export type Verdict = "ok" | "note" | "warning" | "fault" | "skipped";

/** Lines that a file must hold, where no command writes them. */
export interface Edit {
  readonly file: string;
  readonly lines: readonly string[];
}

/** What one check found about one thing. */
export interface Finding {
  /** The stable name of the check: `files.private`. */
  readonly check: string;
  readonly verdict: Verdict;
  /** The thing that was looked at: a file, a session, a context, a variable. */
  readonly about?: string | undefined;
  /** What was found, as a sentence. */
  readonly found: string;
  /** What follows from it, as a sentence or two. */
  readonly meaning?: string | undefined;
  /** The command line that mends it. */
  readonly line?: string | undefined;
  /** For a file that a person edits, beside the line or where there is none. */
  readonly edit?: Edit | undefined;
}

/** Checks that belong together. */
export interface Area {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** What a check says beside its verdict. */
export type Said = Omit<Finding, "check" | "verdict">;

/** A check that has a name: each way to end it makes a {@link Finding}. */
export type Check = Readonly<Record<Verdict, (said: Said) => Finding>>;

/** The ways to end the check of that name. */
export function checkNamed(check: string): Check {
  const ending = (verdict: Verdict) => (said: Said): Finding => ({ check, verdict, ...said });
  return {
    ok: ending("ok"),
    note: ending("note"),
    warning: ending("warning"),
    fault: ending("fault"),
    skipped: ending("skipped"),
  };
}

/** True for what makes the exit code 1. */
export function isTrouble({ verdict }: Pick<Finding, "verdict">): boolean {
  return verdict === "warning" || verdict === "fault";
}

/**
 * An error as a check's words. Its hint becomes the line where it ends with one, `Sign in again: datumctl
 * login`, else the meaning.
 */
export function saidBy({ message, hint = "" }: AppError): Said {
  const [, before = "", line] =
    /^([^:]*): ((?:datumctl|kubectl|sudo|systemctl|gnome-keyring-daemon|security) .+)$/
      .exec(hint) ?? [];
  if (line === undefined) return { found: message, meaning: hint === "" ? undefined : hint };
  return { found: message, meaning: `${before.replace(/[.,;]$/, "")}.`, line };
}
