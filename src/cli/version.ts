/** `version`: the version, the runtime and the platform of this build. */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { COMMIT, TRIAL_BUILD } from "../build.ts";
import { buildTarget, runtimeVersion } from "../system/environment.ts";
import { VERSION } from "../version.ts";
import type { ContextOf } from "./context.ts";
import { formatObject, listFormat } from "./output/table.ts";
import { outputOption } from "./complete/declare.ts";

/** The version, and whether this is a build for trial and test. */
export const BUILD = TRIAL_BUILD ? `${VERSION} (trial build)` : VERSION;

/** `version`. */
export function versionCommand(contextOf: ContextOf): CommandUnknownOpts {
  const command = new Command("version")
    .description("Print the version")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .addHelpText("after", "\nExamples:\n  datumctl version\n  datumctl version -o json");
  command.action(async (flags) => {
    const { out, style } = contextOf(command);
    const commit = COMMIT === null ? [] : [["Commit", COMMIT] as const];
    const lines = [
      ["Version", BUILD],
      ...commit,
      ["Runtime", `Deno ${runtimeVersion}`],
      ["Built for", buildTarget],
    ] as const;
    const object = {
      version: VERSION,
      commit: COMMIT,
      runtime: `deno ${runtimeVersion}`,
      target: buildTarget,
      trial: TRIAL_BUILD,
    };
    out.text(await formatObject(lines, object, VERSION, listFormat(flags.output), style.out));
  });
  return command;
}
