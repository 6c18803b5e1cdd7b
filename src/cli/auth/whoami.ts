/** `auth whoami`: whom the control plane in use sees behind the session's token. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { isObject, type JsonObject } from "../../encoding.ts";
import { reviewSelf } from "../../kube/self-review.ts";
import { printable } from "../../text.ts";
import type { CommandContext, ContextOf } from "../context.ts";
import { openControlPlane } from "../control-plane.ts";
import { addScopeFlags, scopeFlags } from "../scope-flags.ts";
import type { ScopeFlags } from "../../providers/datum/scope.ts";
import { PLAIN, titled } from "../output/style.ts";
import { formatObject, formatTable, listFormat } from "../output/table.ts";
import { outputOption } from "../complete/declare.ts";

/** `auth whoami`. */
export function authWhoamiCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("whoami")
    .description("Ask the control plane in use whom it sees: user name, groups and the rest")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText(
      "after",
      "\nExamples:\n  datumctl auth whoami\n  datumctl auth whoami --project my-project-id -o json\n" +
        "  datumctl auth whoami --as zoe@example.com --as-group developers\n\n" +
        "datumctl whoami shows who is signed in without asking a server.",
    );
  addScopeFlags(command);
  command.action((flags) =>
    runAuthWhoami(contextOf(command), { ...scopeFlags(command), output: flags.output })
  );
  return command;
}

interface AuthWhoamiInput extends ScopeFlags {
  readonly output: string | undefined;
}

/** Prints the server's SelfSubjectReview. */
export async function runAuthWhoami(cli: CommandContext, input: AuthWhoamiInput): Promise<void> {
  const format = listFormat(input.output);
  using plane = await openControlPlane(cli, input);
  const review = await reviewSelf(plane.client);
  if (format === "table" || format === "wide") return cli.out.text(await formatUser(review, cli.style.out));
  // kubectl writes this for an object without a name.
  cli.out.text(await formatObject([], review, "selfsubjectreview.authentication.k8s.io/<unknown>", format));
}

/** The review's user as kubectl prints it. */
export async function formatUser(review: JsonObject, style = PLAIN): Promise<string> {
  const status = isObject(review.status) ? review.status : {};
  const { username, uid, groups, extra } = isObject(status.userInfo) ? status.userInfo : {};
  const rows: [string, string][] = [["ATTRIBUTE", "VALUE"]];
  if (typeof username === "string" && username !== "") rows.push(["Username", username]);
  if (typeof uid === "string" && uid !== "") rows.push(["UID", uid]);
  if (Array.isArray(groups) && groups.length > 0) rows.push(["Groups", listed(groups)]);
  for (
    const [name, values] of Object.entries(isObject(extra) ? extra : {}).sort(([a], [b]) => a < b ? -1 : 1)
  ) {
    rows.push([`Extra: ${name}`, listed(values)]);
  }
  return titled(await formatTable(rows.map((row) => row.map((cell) => printable(cell, 2_000))), 3), style);
}

/** Texts as Go prints a list of them. */
function listed(values: unknown): string {
  const texts = Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
  return `[${texts.join(" ")}]`;
}
