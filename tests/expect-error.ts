/** Checks of the errors that work must end with, thrown here or printed by a command. */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { AppError, CODES, type ErrorCode } from "../src/errors.ts";

/** What the secrets of tests look like; no error may show one. */
const SECRETS =
  /(?<![A-Z]_)SECRET|GmRhmhcx|hunter2|q83vEjRWeJ|\b(?:access|refresh|secret|code)-\d|eyJ[\w-]{8}|BEGIN [A-Z ]*PRIVATE/;

/** Control characters, invisible and reordering ones, and the lines of a stack trace. Lines may end. */
const UNPRINTABLE = /[^\P{Cc}\n]|[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|^\s+at .*:\d+/mu;

/** What a test expects of an error; what is left out may be anything. */
export interface ExpectedError {
  /** Anything but `INTERNAL` where it is left out. */
  readonly code?: ErrorCode | undefined;
  readonly exitCode?: number | undefined;
  /** A text is the whole message, as the text of `hint` is the whole hint. */
  readonly message?: RegExp | string | undefined;
  readonly hint?: RegExp | string | undefined;
  /** Each matches the message and the hint, taken together. */
  readonly says?: RegExp | readonly RegExp[] | undefined;
  readonly retryable?: boolean | undefined;
}

/** What a failed command left; it ran with `--error-format json`. */
interface FailedRun {
  readonly code: number;
  readonly stderr: string;
}

/** Runs work that must throw an error as expected, and returns it. `about` says which row of a table it is. */
export function expectError(
  work: () => unknown,
  expected: ErrorCode | ExpectedError = {},
  about = "",
): AppError {
  let returned: unknown;
  try {
    returned = work();
  } catch (thrown) {
    return asExpected(thrown, expected, about);
  }
  assert.fail(`${prefix(about)}nothing was thrown, but this returned: ${inspect(returned)}`);
}

/** Waits for a promise that must fail with an error as expected, and returns that error. */
export async function expectRejection(
  work: Promise<unknown>,
  expected: ErrorCode | ExpectedError = {},
  about = "",
): Promise<AppError> {
  let value: unknown;
  try {
    value = await work;
  } catch (thrown) {
    return asExpected(thrown, expected, about);
  }
  assert.fail(`${prefix(about)}nothing was thrown, but this came: ${inspect(value)}`);
}

/** Runs work that may fail as expected, and in no other way; its value, or undefined where it failed. */
export function allowError<T>(work: () => T, expected: ErrorCode | ExpectedError): T | undefined {
  try {
    return work();
  } catch (thrown) {
    asExpected(thrown, expected);
    return undefined;
  }
}

/** The error on the last line of a command's stderr, which must be as expected and have its exit code. */
export function printedError(
  { code, stderr }: FailedRun,
  expected: ErrorCode | ExpectedError = {},
  about = "",
): AppError {
  const last = /^\{"error":.*\}\n$/m.exec(stderr)?.[0];
  assert.ok(last !== undefined && stderr.endsWith(last), `${prefix(about)}no error ends stderr: ${stderr}`);
  const { error: { code: name, message, ...more } } = JSON.parse(last);
  const error = asExpected(new AppError(name, message, more), expected, about);
  assert.equal(code, error.exitCode, `${prefix(about)}the exit code of ${stderr}`);
  return error;
}

/** {@link printedError} of a command that wrote nothing else to stderr. */
export function onlyPrintedError(
  run: FailedRun,
  expected: ErrorCode | ExpectedError = {},
  about = "",
): AppError {
  assert.match(run.stderr, /^[^\n]+\n$/, about);
  return printedError(run, expected, about);
}

/** Fails unless this is an error of ours as expected, safe to print and without a secret. */
export function assertAppError(
  thrown: unknown,
  expected: ErrorCode | ExpectedError = {},
): asserts thrown is AppError {
  asExpected(thrown, expected);
}

/** Fails for what does not belong on a terminal, a stack trace, or a secret. */
export function assertPrintable(text: string): void {
  assert.doesNotMatch(text, UNPRINTABLE);
  assert.doesNotMatch(text, SECRETS);
}

/** Fails when one of the texts stands in the error, its cause included. */
export function assertHides({ message, hint, cause }: AppError, texts: readonly string[]): void {
  const whole = inspect([message, hint, cause], { depth: 10 });
  for (const text of texts) assert.ok(!whole.includes(text), "a secret is told");
}

function asExpected(thrown: unknown, wanted: ErrorCode | ExpectedError, about = ""): AppError {
  const expected: ExpectedError = typeof wanted === "string" ? { code: wanted } : wanted;
  assert.ok(thrown instanceof AppError, `${prefix(about)}expected an AppError, got ${inspect(thrown)}`);
  const { code, exitCode, message, hint, retryable, cause } = thrown;
  const text = `${message}\n${hint ?? ""}`;
  const told = `${prefix(about)}${code}: ${text}`;
  assert.ok(code in CODES, told);
  if (expected.code !== undefined) assert.equal(code, expected.code, told);
  else if (code === "INTERNAL") assert.fail(`${told}\n${inspect(cause)}`);
  if (expected.exitCode !== undefined) assert.equal(exitCode, expected.exitCode, told);
  if (expected.retryable !== undefined) assert.equal(retryable, expected.retryable, told);
  assertText(message, expected.message, told);
  assertText(hint ?? "", expected.hint, told);
  const says = expected.says ?? [];
  for (const words of says instanceof RegExp ? [says] : says) {
    assert.match(`${message} ${hint ?? ""}`, words, told);
  }
  assertPrintable(text);
  assert.doesNotMatch(message, /\p{Cc}/u, "more than a line");
  return thrown;
}

function assertText(text: string, expected: RegExp | string | undefined, told: string): void {
  if (typeof expected === "string") assert.equal(text, expected, told);
  else if (expected !== undefined) assert.match(text, expected, told);
}

function prefix(about: string): string {
  return about === "" ? "" : `${about}: `;
}
