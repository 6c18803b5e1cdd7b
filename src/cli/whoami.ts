/** Owns `whoami`: who and where the next command would act as, told without asking anybody. */

import { Command } from "@commander-js/extra-typings";
import { chooseSession } from "../sessions/store.ts";
import type { CommandDeps, Deps } from "./context.ts";
import { storedIn } from "./session-words.ts";
import { formatObject, listFormat } from "./table.ts";

/** `whoami`. */
export function whoamiCommand(deps: CommandDeps): Command {
  const command = new Command("whoami")
    .description("Show who you act as, and where; asks no server")
    .option("-o, --output <format>", "table, json, yaml or name")
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl whoami\n  datumctl whoami -o json\n  datumctl whoami --profile work",
    );
  command.action((flags) => runWhoami(deps(command), { output: flags.output }));
  return command as unknown as Command;
}

interface WhoamiInput {
  readonly output: string | undefined;
}

/** Prints the session that a command would act as, and why that one. */
export async function runWhoami(deps: Deps, input: WhoamiInput): Promise<void> {
  const format = listFormat(input.output);
  const { session, source } = await chooseSession(deps.place, deps.choice);
  const { user, inUse = {}, tokenExpires } = session;
  const ends = tokenExpires === undefined ? NaN : Date.parse(tokenExpires);
  const renews = session.expires === undefined;
  const token = tokenExpires === undefined
    ? "unknown"
    : `${tokenExpires}${ends <= deps.now() ? " (over" : " (valid"}${renews ? ", renews itself)" : ")"}`;
  const lines: [string, string][] = [
    ["User", user.email ?? user.subject],
    ...(user.name === undefined ? [] : [["Name", user.name] as [string, string]]),
    ["Session", session.name],
    ["Chosen by", source],
    ["Host", session.apiHost],
    ["Issuer", session.issuer],
    ...(inUse.organization === undefined ? [] : [["Organization", inUse.organization] as [string, string]]),
    ...(inUse.project === undefined ? [] : [["Project", inUse.project] as [string, string]]),
    ["Kind", session.kind],
    ["Stored in", storedIn(session)],
    ["Token expires", token],
  ];
  deps.out.text(formatObject(
    lines,
    {
      user: user.email ?? null,
      name: user.name ?? null,
      subject: user.subject,
      session: session.name,
      source,
      provider: session.provider,
      kind: session.kind,
      issuer: session.issuer,
      host: session.apiHost,
      organization: inUse.organization ?? null,
      project: inUse.project ?? null,
      storage: session.keyStore === "system" ? "keyring" : "file",
      tokenExpires: tokenExpires ?? null,
      expires: session.expires ?? null,
    },
    session.name,
    format,
  ));
}
