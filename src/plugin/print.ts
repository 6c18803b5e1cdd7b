/** Prints the answer of `auth get-token`. */

import { type ErrorFormat, formatError, toAppError } from "../errors.ts";

/** Where the answer goes. */
export interface Printer {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly errorFormat: ErrorFormat;
}

/** Prints an answer, and says why where stdout does not take it. Returns the exit code. */
export function printAnswer(answer: string, { writeOut, writeErr, errorFormat }: Printer): number {
  try {
    writeOut(answer);
    return 0;
  } catch (thrown) {
    // stdout is what failed, and the session did nothing worth remembering.
    const error = toAppError(thrown);
    writeErr(formatError(error, errorFormat));
    return error.exitCode;
  }
}
