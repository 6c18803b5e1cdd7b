/** Remembers a session's failure for ten seconds, because kubectl runs a failing plugin five times. */

import { AppError, type ErrorCode, isErrorCode } from "../errors.ts";
import { printable } from "../text.ts";
import type { Clock } from "../system/clock.ts";
import { isTrusted, readTextFile, replaceQuickly } from "../system/files.ts";
import { acquireLock } from "../system/locks.ts";
import { isObject, parseJson } from "../encoding.ts";
import { REMEMBERED } from "./recent-failure.ts";

// Five runs of the plugin; each may wait ten seconds for the network or for another process.
const TOLD_OF_OUTAGE = 60_000;
const LONGEST_WAIT = 5000;
const LONGEST_TEXT = 4000;

// Found again at once without asking anybody, and true of one entry or moment only. For these the file names who was told
// but holds no message, so that a signed-out session's name stays in no file.
const FOUND_AGAIN: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "NOT_SIGNED_IN",
  "WRONG_HOST",
  "NO_ID_TOKEN",
  "NO_WORKLOAD_TOKEN",
]);

// Two codes for one cause: of many processes, one hears nothing from the issuer, and the others wait for that one.
const OUTAGES: ReadonlySet<ErrorCode> = new Set(["NETWORK", "BUSY"]);

interface Remembered {
  readonly at: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** Whose failure it was, where one file serves several. */
  readonly of?: string | undefined;
  /** The processes that have shown it to their person. */
  readonly told: readonly string[];
}

/** The cause of an error that adds to a failure what is true of this moment only: the failure alone is remembered. */
export class RememberedAs extends Error {
  override readonly name = "RememberedAs";
  readonly failure: AppError;

  constructor(failure: AppError) {
    super("remembered as");
    this.failure = failure;
  }
}

/** The last failure of one session. Nothing here fails: without it, an error is only repeated. */
export interface FailureMemory {
  /** The failure of the last ten seconds; undefined for one that is found again at once. */
  recent(): Promise<AppError | undefined>;
  remember(error: AppError): Promise<void>;
  /**
   * True for the first call on behalf of a parent process, named by a fingerprint: the failure is shown to it once. A
   * failure that is given is remembered in the same step.
   */
  firstFor(parent: string, error?: AppError): Promise<boolean>;
}

/**
 * Opens the memory in a file.
 *
 * @param of fingerprint of what fails, where that can differ from one call to the next: a variable's value. The failure of
 * another one is ignored.
 */
export function openFailureMemory(path: string, now: Clock, of?: string): FailureMemory {
  const read = async (): Promise<Remembered | undefined> => {
    const text = await readTextFile(path).catch(() => undefined);
    // A file that another user wrote is ignored.
    const found = text !== undefined && isTrusted(path) ? parse(text) : undefined;
    if (found === undefined || found.of !== of) return undefined;
    const age = now() - found.at;
    return age >= 0 && age < (OUTAGES.has(found.code) ? TOLD_OF_OUTAGE : REMEMBERED) ? found : undefined;
  };
  const isRecent = ({ at }: Remembered) => now() - at < REMEMBERED;
  const withFailure = (last: Remembered | undefined, error: AppError): Remembered => {
    const { code, message, hint = "" } = error.cause instanceof RememberedAs ? error.cause.failure : error;
    const texts = FOUND_AGAIN.has(code) ? { message: "", hint: "" } : { message, hint };
    // Of many that fail at once, some give up waiting and some hear the issuer: each parent is told once.
    const before = last !== undefined && (isRecent(last) || OUTAGES.has(code)) ? last : undefined;
    const same = before?.code === code && before.message === texts.message && before.hint === texts.hint;
    if (same && isRecent(before)) return before;
    return { at: now(), code, ...texts, of, told: before?.told ?? [] };
  };
  const update = async (
    change: (before: Remembered | undefined) => Remembered | undefined,
  ): Promise<void> => {
    try {
      using _lock = await acquireLock(`${path}.lock`, { timeout: LONGEST_WAIT, guards: path });
      const after = change(await read());
      // Without a sync: many may wait for this lock, and a power cut costs ten seconds' worth.
      if (after !== undefined) await replaceQuickly(path, JSON.stringify(after) + "\n");
    } catch (thrown) {
      // A full disk or a busy lock must not hide the failure itself.
      if (!(thrown instanceof AppError)) throw thrown;
    }
  };
  return {
    async recent() {
      const found = await read();
      if (found === undefined || !isRecent(found) || FOUND_AGAIN.has(found.code)) return undefined;
      return new AppError(found.code, found.message, { hint: found.hint || undefined });
    },
    async remember(error) {
      await update((last) => {
        const next = withFailure(last, error);
        return next === last ? undefined : next;
      });
    },
    async firstFor(parent, error) {
      let first: boolean | undefined;
      await update((last) => {
        const next = error === undefined ? last : withFailure(last, error);
        first = !next?.told.includes(parent);
        if (next !== undefined && first) return { ...next, told: [...next.told.slice(-63), parent] };
        return next === last ? undefined : next;
      });
      // Where the lock was not had in time, the file as it is decides.
      return first ?? !(await read())?.told.includes(parent);
    },
  };
}

function parse(text: string): Remembered | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { at, code, message, hint, told, of } = value;
  if (
    !isErrorCode(code) || typeof at !== "number" || typeof message !== "string" || typeof hint !== "string"
  ) {
    return undefined;
  }
  if (!Array.isArray(told) || !told.every((parent) => typeof parent === "string")) return undefined;
  const texts = { message: printable(message, LONGEST_TEXT), hint: printable(hint, LONGEST_TEXT) };
  return { at, code, ...texts, told, of: typeof of === "string" ? of : undefined };
}
