/** `whoami`: who the next command would act as, and where; asks no server. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Session } from "../sessions/session.ts";
import type { ChosenSession } from "../sessions/choose.ts";
import { AppError } from "../errors.ts";
import { variablesSet } from "../providers/cloudfleet/profile.ts";
import type { CommandContext, ContextOf } from "./context.ts";
import { describeScope, warnOfRefusedScope } from "./scope-lines.ts";
import { warnOfExpiry } from "./notices.ts";
import { findScope } from "../providers/datum/find-scope.ts";
import { addScopeFlags, scopeFlags } from "./scope-flags.ts";
import type { ChosenScope, ScopeFlags } from "../providers/datum/scope.ts";
import { actingSession } from "./pick-session.ts";
import { storageOf, storedIn, tokenEnds } from "./session-labels.ts";
import { whoseSession } from "./session-life.ts";
import { formatObject, listFormat } from "./output/table.ts";
import { outputOption } from "./complete/declare.ts";

/** `whoami`. */
export function whoamiCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("whoami")
    .description("Show who you act as, and where; asks no server")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl whoami\n  datumctl whoami -o json\n  datumctl whoami --profile work",
    );
  addScopeFlags(command, { cluster: false, impersonation: false });
  command.action((flags) => runWhoami(contextOf(command), { ...scopeFlags(command), output: flags.output }));
  return command;
}

interface WhoamiInput extends ScopeFlags {
  readonly output: string | undefined;
}

/** Prints the session that a command would act as, and what it was chosen by. */
export async function runWhoami(cli: CommandContext, input: WhoamiInput): Promise<void> {
  const format = listFormat(input.output);
  const chosen = await actingSession(cli);
  const { session, source, store } = chosen;
  const { user, tokenExpires } = session;
  const actedOn = await scopeOf(cli, input, chosen);
  const scope = describeScope(actedOn, session);
  const { handOffsHere } = await import("./hand-offs.ts");
  const handOff = await (await handOffsHere(cli))(chosen);
  const lines: (readonly [string, string])[] = [
    ...whoOf(session),
    ["Session", session.name],
    ["Chosen by", source],
    ["Host", session.apiHost],
    ["Issuer", session.issuer],
    ...scope.lines,
    ...(session.team === undefined ? [] : [["Team", session.team] as [string, string]]),
    ["Kind", String(session.kind)],
    ["Stored in", storedIn(session)],
    ...(handOff === undefined ? [] : [["Handed out by", handOff.text] as const]),
    ["Token expires", tokenEnds(session, cli.now())],
  ];
  cli.out.text(
    await formatObject(
      lines,
      {
        user: user.email ?? user.username ?? null,
        name: user.name ?? null,
        subject: user.subject,
        session: session.name,
        source,
        provider: String(session.provider),
        kind: String(session.kind),
        issuer: session.issuer,
        host: session.apiHost,
        ...scope.object,
        storage: storageOf(session),
        handedOutBy: handOff?.by,
        tokenExpires: tokenExpires ?? null,
        expires: session.expires ?? null,
        team: session.team,
      },
      session.name,
      format,
      cli.style.out,
    ),
  );
  warnOfRefusedScope(cli, actedOn);
  const { choice: { flag, variable }, env } = cli;
  if (flag === undefined && variable === undefined && variablesSet(env)) {
    cli.out.info("tokens and clusters go by the CLOUDFLEET_* variables instead.");
  }
  await warnOfExpiry(cli, store, session);
}

/** Whose the session is, with the person's full name. */
function whoOf(session: Session): readonly (readonly [string, string])[] {
  const { kind, user: { name } } = session;
  if (kind.tokens === "given") return [["Token", whoseSession(session)]];
  return [["User", whoseSession(session)], ...(name === undefined ? [] : [["Name", name] as const])];
}

/** What a command would act on. Warns of a kubeconfig that cannot be read, unless it was asked for, and goes on. */
async function scopeOf(
  cli: CommandContext,
  flags: ScopeFlags,
  chosen: ChosenSession,
): Promise<ChosenScope | undefined> {
  try {
    return await findScope(flags, cli.env, chosen);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code === "USAGE" || flags.context !== undefined) throw thrown;
    cli.out.warn(thrown.message);
    return undefined;
  }
}
