/** `auth remove-profile`: removes a profile from this machine; its token stays valid. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { AppError } from "../../errors.ts";
import { printable } from "../../text.ts";
import { isProfile } from "../../providers/cloudfleet/facts.ts";
import { NOBODY, type Session } from "../../sessions/session.ts";
import { type CommandContext, type ContextOf, keyringLimits } from "../context.ts";
import { keyLeftBehind, staysValid } from "../notices.ts";
import { readableSessions } from "../pick-session.ts";
import { valueArgument } from "../complete/declare.ts";

/** `auth remove-profile`. */
export function removeProfileCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("remove-profile")
    .description("Remove a Cloudfleet profile from this machine; its token stays valid")
    .addArgument(valueArgument("profile", "<name>", "the profile's name"))
    .addHelpText("after", "\nExamples:\n  datumctl auth remove-profile ci");
  command.action((name) => runRemoveProfile(contextOf(command), { name }));
  return command;
}

/**
 * Removes a profile's file and key.
 *
 * @throws {AppError} `NOT_FOUND`, naming the profiles that exist; `USAGE` for another provider's session
 */
export async function runRemoveProfile(
  cli: CommandContext,
  { name }: { readonly name: string },
): Promise<void> {
  const { store, out } = cli;
  if (await store.read(name) === undefined) throw await noProfile(cli, name);
  const lock = await store.lock(name);
  let session: Session | undefined;
  try {
    session = await store.read(name);
    if (session === undefined) throw await noProfile(cli, name);
    if (!isProfile(session)) {
      throw new AppError(
        "USAGE",
        `The session "${name}" belongs to the provider ${session.provider}; it is not a Cloudfleet profile.`,
        {
          hint: `Sign it out: datumctl logout ${name}`,
        },
      );
    }
    const { leftBehind } = await store.remove(session, keyringLimits(cli));
    if (leftBehind !== undefined) {
      throw await keyLeftBehind(`The profile "${name}" is removed`, { session, store }, leftBehind);
    }
  } finally {
    lock.release();
  }
  out.success(`Removed the profile "${name}" from this machine.`);
  const valid = await staysValid(cli, session);
  if (valid !== undefined) out.info(valid);
  else if (session.user.subject !== NOBODY) {
    out.info("Its sign-in was not ended at the issuer; datumctl logout does that.");
  }
}

async function noProfile(cli: CommandContext, name: string): Promise<AppError> {
  const names = (await readableSessions(cli)).filter(isProfile)
    .map(({ name }) => name);
  return new AppError("NOT_FOUND", `There is no profile "${printable(name, 80)}" here.`, {
    hint: names.length === 0
      ? "There are no profiles here. Add one: datumctl auth add-profile token NAME ORGANIZATION_ID TOKEN_ID"
      : `Available: ${names.join(", ")}.`,
  });
}
