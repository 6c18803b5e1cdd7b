/** What each error code means, for `help exit-codes` and docs/errors.md. */

import { CODES, type ErrorCode, isErrorCode } from "../errors.ts";

const MEANINGS: Readonly<Record<ErrorCode, string>> = {
  USAGE: "the command line is wrong",
  NOT_SIGNED_IN: "no such session is stored here",
  SESSION_EXPIRED: "the issuer no longer renews the session",
  SESSION_REJECTED: "the server refuses a fresh token of the session",
  NO_ID_TOKEN: "the session has no valid ID token to hand out",
  NO_WORKLOAD_TOKEN: "the CI system gives this job no token",
  WRONG_HOST: "the session belongs to another host or issuer",
  KEYRING_LOCKED: "the keyring is locked or cannot be reached",
  KEYRING_ITEM_MISSING: "the keyring lacks the session's key",
  KEYRING_TIMEOUT: "the keyring did not answer in time",
  KEYRING_UNAVAILABLE: "no keyring can be used for a new session",
  IDENTITY_MISMATCH: "a different person signed in than the session belongs to",
  INVALID_TOKEN: "a check of what the issuer sent failed",
  ISSUER_ERROR: "the issuer refused the request",
  ACCESS_DENIED: "the sign-in was declined",
  TIMEOUT: "nobody answered in time",
  CLOCK_SKEW: "this machine's clock and the server's disagree",
  STORAGE: "a file cannot be read or written",
  BUSY: "another process holds a lock",
  KUBECONFIG: "the kubeconfig cannot be used as it is",
  NOT_FOUND: "what was named does not exist",
  CONFLICT: "the request conflicts with what the server holds",
  ALREADY_EXISTS: "what was to be created is there already",
  INVALID: "the server rejected the request as invalid",
  INCOMPLETE: "the server returned only part of the answer",
  FORBIDDEN: "signed in, but not allowed",
  NETWORK: "the network or the server is unavailable",
  UNTRUSTED_CERTIFICATE: "the server's certificate cannot be trusted",
  INTERRUPTED: "stopped by Ctrl-C or a signal",
  INTERNAL: "a fault in datumctl itself",
};

/** An error code, how it leaves the program, and what it means. */
export interface CodeRow {
  readonly code: ErrorCode;
  readonly exit: number;
  readonly retryable: boolean;
  readonly meaning: string;
}

/** Every error code, in the order of the table. */
export function codeRows(): CodeRow[] {
  return Object.keys(CODES).filter(isErrorCode).map((code) => ({
    code,
    ...CODES[code],
    meaning: MEANINGS[code],
  }));
}
