/** Owns a machine's `login`: a service account's key, a personal access token, or the CI system's own token. */

import { AppError } from "../../errors.ts";
import type { Deps } from "../context.ts";
import type { LoginInput } from "./input.ts";

/** Signs a machine in. */
export function signInAMachine(_deps: Deps, _input: LoginInput): Promise<void> {
  throw new AppError("USAGE", "Machines cannot sign in yet.");
}
