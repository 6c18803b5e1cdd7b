/**
 * Reads a key from the open keyring of Linux, for get-token's shortest way. It has a chunk of its own in the binary, which
 * shares nothing with the rest: see scripts/merge-alone.ts.
 */

export { readOpenKey } from "./secret-service.ts";
