/** Proves that `get` prints at the real API server what `kubectl get` prints. */

import assert from "node:assert/strict";
import { runGet } from "./command-line.ts";
import { LINES, OBJECTS } from "./get-lines.ts";
import { masked } from "./masked.ts";
import { atHand, startReadServer } from "./read-server.ts";

Deno.test({ name: "get prints what kubectl prints", ignore: !atHand }, async (context) => {
  await using server = await startReadServer();
  await server.apply(...OBJECTS);
  const file = await Deno.makeTempFile();
  const columns = await Deno.makeTempFile();
  await Deno.writeTextFile(file, '{range .items[*]}{.metadata.name}{"\\n"}{end}');
  await Deno.writeTextFile(columns, "NAME RV\n.metadata.name .data.a\n");
  const failures: string[] = [];
  for (const line of LINES) {
    const args = line.map((word) => word.replace("TEMPLATE-FILE", file).replace("COLUMNS-FILE", columns));
    const [theirs, ours] = [await server.kubectl("get", ...args), await runGet(server, args)];
    const same = masked(ours.stdout) === masked(theirs.stdout) && (ours.code === 0) === (theirs.code === 0);
    const isEmptyTold = theirs.stderr.includes("No resources found");
    const emptyIn = /No resources found in \S+ namespace\./.test(theirs.stderr) ? "namespace" : "everywhere";
    if (same && ours.emptyIn === (isEmptyTold ? emptyIn : undefined)) continue;
    failures.push(
      `get ${args.join(" ")}\n-- kubectl ${theirs.code} ${theirs.stderr}${theirs.stdout.slice(0, 1500)}\n` +
        `-- ours ${ours.code} ${ours.emptyIn} ${ours.errors.map(String).join()}\n${
          ours.stdout.slice(0, 1500)
        }`,
    );
  }
  await Deno.remove(file);
  await Deno.remove(columns);
  await context.step(`all ${LINES.length} command lines`, () => assert.equal(failures.join("\n\n"), ""));
});
