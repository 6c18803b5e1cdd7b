/** The groups that commands stand in where help lists them, the common ones first. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** The groups of the commands behind some words, in order: a title, and the names of what stands below it. */
export const HELP_GROUPS: Readonly<
  Record<string, readonly (readonly [title: string, names: readonly string[]])[]>
> = {
  "datumctl": [
    ["Sign in", ["login", "logout", "whoami", "status", "auth"]],
    ["Where commands act", ["ctx", "use", "trust", "organizations", "projects"]],
    ["Resources", [
      "get",
      "describe",
      "explain",
      "events",
      "create",
      "apply",
      "diff",
      "edit",
      "patch",
      "label",
      "annotate",
      "delete",
      "wait",
      "api-resources",
      "api-versions",
    ]],
    ["kubectl and other programs", ["exec", "proxy"]],
    ["Cloudfleet", ["clusters", "tokens"]],
    ["Setup and help", ["doctor", "completion", "setup", "version", "help"]],
  ],
  "datumctl auth": [
    ["Sign in", ["login", "logout", "list", "switch"]],
    ["kubectl and other programs", ["update-kubeconfig", "get-token", "import", "configure-docker"]],
    ["What the control plane in use says", ["whoami", "can-i"]],
    ["Cloudfleet's profiles", ["add-profile", "list-profiles", "remove-profile"]],
    ["DataChain Studio", ["team", "token"]],
  ],
};

/** The group of commands that are in none of the table's. */
export const NO_GROUP = "Commands";

/** The commands that one holds, in groups and in the order of the table; one group where the table has none. */
export function inHelpGroups(
  words: string,
  commands: readonly CommandUnknownOpts[],
): readonly (readonly [title: string, commands: readonly CommandUnknownOpts[]])[] {
  const groups = HELP_GROUPS[words] ?? [];
  const known = groups.map(([title, names]) =>
    [title, names.flatMap((name) => commands.find((command) => command.name() === name) ?? [])] as const
  );
  const others = commands.filter((command) => !groups.some(([, names]) => names.includes(command.name())));
  return [...known, [NO_GROUP, others] as const].filter(([, commands]) => commands.length > 0);
}
