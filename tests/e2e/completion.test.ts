/** Proves with the compiled binary that TAB completes in the real shells, by keystrokes, whatever servers call things. */

import assert from "node:assert/strict";
import { namesIn } from "../scratch.ts";
import { QUOTED, ROWS, TYPED_SHELLS } from "./completion-rows.ts";
import { absentShells, type CompletionStage, setStage, typeTo } from "./completion-stage.ts";
import { openPanes, panesAtHand } from "./panes.ts";
import { testInWorld } from "./world.ts";

/** The folder as it was made: nothing that a name says was run. */
async function assertNothingRun({ folder }: CompletionStage): Promise<void> {
  assert.deepEqual(await namesIn(folder), ["zone.yaml"]);
}

for (const shell of TYPED_SHELLS) {
  testInWorld(
    `TAB completes in ${shell}, line by line`,
    async (world, context) => {
      const stage = await setStage(world);
      await using panes = openPanes(world);
      const typed = await typeTo(panes, stage, shell);
      const rows = [...ROWS, ...QUOTED[shell]];
      assert.ok(rows.length >= 40);
      const host = (text: string) => text.replaceAll("HOST", world.cloud.apiHost);
      for (const { typed: line, then } of rows) {
        await context.step(line, async () => await typed.complete(host(line), host(then)));
      }
      const screen = await typed.pane.text();
      assert.doesNotMatch(screen, /error|not found|Traceback|panic|command not/i);
      await assertNothingRun(stage);
    },
    { ignore: !panesAtHand || absentShells.includes(shell) },
  );
}
