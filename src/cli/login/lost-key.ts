/** What `login` does where a session's key is lost: its file alone does not say where to sign in. */

import { AppError } from "../../errors.ts";
import type { Session } from "../../sessions/session.ts";
import type { CommandContext } from "../context.ts";
import type { LoginInput } from "../../providers/flags.ts";

/**
 * Refuses a session whose key is lost: unsealed fields may have been edited, so that neither a person nor a secret is sent
 * to the host they name. Nor are they sent to the usual place unasked, where the file names another.
 *
 * @throws {AppError} `USAGE` with the line to check and to run, which quotes the file.
 */
export async function refuseLostKey(
  { providers }: CommandContext,
  session: Session,
  input: LoginInput,
): Promise<void> {
  if (input.hostname !== undefined || input.issuer !== undefined) return;
  const code = await providers.of(session).load();
  const line = code.lostKeyLine(session, input);
  if (line === undefined) return;
  const authority = session.certificateAuthority === undefined ? "" : " --certificate-authority FILE";
  throw new AppError(
    "USAGE",
    `The key of the session "${session.name}" is lost, so its file is not trusted to say where to sign in.`,
    { hint: `If this is the right place, run: ${line}${authority}` },
  );
}
