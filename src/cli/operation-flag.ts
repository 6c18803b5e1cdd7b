/** The flag that replaces a request to Cloudfleet's API, and its help. */

import { Option } from "@commander-js/extra-typings";
import { OPERATIONS } from "../providers/cloudfleet/operations.ts";

/** `--operation`, of every command that asks Cloudfleet's API. */
export function operationOption() {
  return new Option(
    "--operation <name=request>",
    'replace a request to the API, such as regenerate="POST /tokens/{id}/secret"; repeatable',
  ).argParser((text: string, before: readonly string[]) => [...before, text]).default(
    [] as readonly string[],
    "none",
  );
}

/** The table of requests, for the help of the groups that send them. */
export function operationsHelp(named: (operation: string) => boolean): string {
  const rows = Object.entries(OPERATIONS).filter(([operation]) => named(operation));
  const lines = rows.map(([operation, request]) => `  ${operation.padEnd(11)} ${request}`);
  return `\n\nRequests below the API's address, each of which --operation can replace:\n${lines.join("\n")}`;
}
