/** The one error type, its stable codes with their exit codes, and how an error is printed. */

import { printableLines } from "./text.ts";

/** How a code leaves the program, and whether the same call can succeed later without anybody doing anything. */
interface CodeMeaning {
  readonly exit: 1 | 2 | 4 | 5 | 6 | 130;
  readonly retryable: boolean;
}

/**
 * Every stable error code with its exit code. `help exit-codes` and docs/errors.md print them with their meanings, which are in
 * cli/code-meanings.ts: a start need not read them.
 *
 * Exit codes: 1 failed, 2 wrong usage, 4 sign-in needed, expired or rejected, 5 refused by the server,
 * 6 network or server unavailable, 130 interrupted.
 */
export const CODES = {
  USAGE: { exit: 2, retryable: false },
  NOT_SIGNED_IN: { exit: 4, retryable: false },
  SESSION_EXPIRED: { exit: 4, retryable: false },
  SESSION_REJECTED: { exit: 4, retryable: false },
  NO_ID_TOKEN: { exit: 4, retryable: false },
  NO_WORKLOAD_TOKEN: { exit: 4, retryable: false },
  WRONG_HOST: { exit: 4, retryable: false },
  KEYRING_LOCKED: { exit: 4, retryable: false },
  KEYRING_ITEM_MISSING: { exit: 4, retryable: false },
  KEYRING_TIMEOUT: { exit: 1, retryable: true },
  KEYRING_UNAVAILABLE: { exit: 1, retryable: false },
  IDENTITY_MISMATCH: { exit: 1, retryable: false },
  INVALID_TOKEN: { exit: 1, retryable: false },
  ISSUER_ERROR: { exit: 1, retryable: false },
  ACCESS_DENIED: { exit: 1, retryable: false },
  TIMEOUT: { exit: 1, retryable: true },
  CLOCK_SKEW: { exit: 1, retryable: false },
  STORAGE: { exit: 1, retryable: false },
  BUSY: { exit: 1, retryable: true },
  KUBECONFIG: { exit: 1, retryable: false },
  NOT_FOUND: { exit: 1, retryable: false },
  CONFLICT: { exit: 1, retryable: false },
  ALREADY_EXISTS: { exit: 1, retryable: false },
  INVALID: { exit: 1, retryable: false },
  INCOMPLETE: { exit: 1, retryable: true },
  FORBIDDEN: { exit: 5, retryable: false },
  NETWORK: { exit: 6, retryable: true },
  UNTRUSTED_CERTIFICATE: { exit: 1, retryable: false },
  INTERRUPTED: { exit: 130, retryable: false },
  INTERNAL: { exit: 1, retryable: false },
} as const satisfies Record<string, CodeMeaning>;

/** A stable, upper-case word that names what went wrong. */
export type ErrorCode = keyof typeof CODES;

/** True for an {@link ErrorCode}. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(CODES, value);
}

/** What an {@link AppError} can carry beside its code and message. */
export interface AppErrorOptions {
  /** The next step, as one sentence or a command line. */
  readonly hint?: string | undefined;
  /** What was caught underneath; never printed. */
  readonly cause?: unknown;
  /** Whether the same call can succeed later, where that is not what the code says. */
  readonly retryable?: boolean | undefined;
}

/**
 * An error with a sentence for a person and a code for a program.
 *
 * The message says what failed and with which thing; the hint says what to do. Neither ever holds a token,
 * code, verifier, key or other secret.
 *
 * @example
 * ```ts
 * import { AppError } from "./errors.ts";
 * const error = new AppError("NOT_SIGNED_IN", "No session is stored here.", { hint: "Sign in: datumctl login" });
 * console.assert(error.exitCode === 4 && !error.retryable);
 * ```
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** True exactly when the same call can succeed later. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? CODES[code].retryable;
  }

  /** The process's exit code for this error. */
  get exitCode(): number {
    return CODES[this.code].exit;
  }
}

/** Throws, where an expression must stand: `value ?? fail(error)`. */
export function fail(error: AppError): never {
  throw error;
}

/** The error of what Ctrl-C or a signal stopped. */
export function interruptedError(): AppError {
  return new AppError("INTERRUPTED", "Interrupted.");
}

/** A failure that need not end what is under way. Anything else is thrown on: a fault of our own, and Ctrl-C. */
export function failureOrThrow(thrown: unknown): AppError {
  if (thrown instanceof AppError && thrown.code !== "INTERRUPTED") return thrown;
  throw thrown;
}

/** Anything thrown, as an {@link AppError}: a fault of our own becomes `INTERNAL` without its details. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const kind = thrown instanceof Error ? thrown.name : typeof thrown;
  return new AppError("INTERNAL", `Something went wrong inside datumctl (${kind}).`, {
    hint: "Run the same command with -v and report what it prints.",
    cause: thrown,
  });
}

/** How errors are printed: `--error-format`, `DATUMCTL_ERROR_FORMAT`. */
export const ERROR_FORMATS = ["human", "json", "yaml"] as const;

/** One of {@link ERROR_FORMATS}. */
export type ErrorFormat = typeof ERROR_FORMATS[number];

/** How errors are printed, read before the command line is understood, so that every error has that form. */
export function errorFormatOf(args: readonly string[], variable: string | undefined): ErrorFormat {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const at = own.findLastIndex((arg) => arg === "--error-format" || arg.startsWith("--error-format="));
  const flag = at < 0 ? undefined : own[at]?.split("=")[1] ?? own[at + 1];
  return ERROR_FORMATS.find((format) => format === (flag ?? variable)) ?? "human";
}

/** @throws {AppError} `USAGE` for an unknown format of errors. */
export function checkErrorFormat(text: string, source: "--error-format" | "DATUMCTL_ERROR_FORMAT"): void {
  if (ERROR_FORMATS.some((known) => known === text)) return;
  throw new AppError("USAGE", `${source} takes human, json or yaml.`);
}

/** Where in our own code a fault arose: the frames alone, because a message could hold what must not be seen. */
export function framesOf({ cause }: AppError): string {
  const lines = cause instanceof Error ? (cause.stack ?? "").split("\n") : [];
  return lines.filter((line) => /^\s+at /.test(line)).map((line) => `${line}\n`).join("");
}

/**
 * An error as it goes to stderr, its end of line included: two lines for a person, one line of JSON, or YAML.
 *
 * @example
 * ```ts
 * import { AppError, formatError } from "./errors.ts";
 * const text = formatError(new AppError("USAGE", "No such flag.", { hint: "See --help." }), "human");
 * console.assert(text === "error: No such flag.\nSee --help.\n");
 * ```
 */
export function formatError(error: AppError, format: ErrorFormat): string {
  const { code, message, hint = "", retryable } = error;
  switch (format) {
    case "human":
      return `error: ${printableLines(message)}\n${hint === "" ? "" : `${printableLines(hint)}\n`}`;
    case "json":
      return JSON.stringify({ error: { code, message, hint, retryable } }) + "\n";
    case "yaml":
      // A JSON string is a YAML string.
      return `error:\n  code: ${code}\n  message: ${JSON.stringify(message)}\n  hint: ${
        JSON.stringify(hint)
      }\n` +
        `  retryable: ${retryable}\n`;
  }
}
