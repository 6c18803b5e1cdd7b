/** Proves that `get` prints what `kubectl get` prints, line by line. */

import assert from "node:assert/strict";
import { LINES, OBJECTS } from "../../kube/read/get-lines.ts";
import { masked } from "../../kube/read/masked.ts";
import { differences } from "./same-lines.ts";
import { atHand, openResourceWorld } from "./world.ts";

Deno.test("get prints what kubectl prints", { ignore: !atHand }, async () => {
  await using world = await openResourceWorld();
  await world.server.admin.apply(...OBJECTS);
  await Deno.writeTextFile(`${world.folder}/template`, '{range .items[*]}{.metadata.name}{"\\n"}{end}');
  await Deno.writeTextFile(`${world.folder}/columns`, "NAME RV\n.metadata.name .data.a\n");
  const lines = LINES.map((line) => [
    "get",
    ...line.map((word) =>
      word.replace("TEMPLATE-FILE", "FOLDER/template").replace("COLUMNS-FILE", "FOLDER/columns")
    ),
  ]);
  assert.equal((await differences(world, lines, { mask: masked })).join("\n\n"), "");
});
