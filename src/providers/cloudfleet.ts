/** Owns what is particular to Cloudfleet: its hosts, its profiles, and where its variables lead. */

import { AppError } from "../errors.ts";
import type { Session } from "../sessions/session.ts";
import type { Environment } from "../system/environment.ts";

/** The session of `CLOUDFLEET_ORGANIZATION_ID`, `CLOUDFLEET_ACCESS_TOKEN_ID` and `CLOUDFLEET_ACCESS_TOKEN_SECRET`. */
export function sessionOfVariables(env: Environment): Promise<Session> {
  throw new AppError(
    "USAGE",
    `CLOUDFLEET_ACCESS_TOKEN_ID ${env("CLOUDFLEET_ACCESS_TOKEN_ID")} is not read yet.`,
  );
}
