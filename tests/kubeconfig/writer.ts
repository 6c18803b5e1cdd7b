/** A process of its own that adds contexts to a kubeconfig: `PATH PREFIX COUNT [hold]`. */

import { AppError } from "../../src/errors.ts";
import { updateKubeconfig } from "../../src/kubeconfig/file.ts";
import { lockingSharedFiles, readSharedFile, replaceSharedFile } from "../../src/system/shared-file.ts";

const [path = "", prefix = "", count = "1", hold] = Deno.args;
const held = () => Deno.stdout.writeSync(new TextEncoder().encode("held\n"));
try {
  if (hold === "signal") {
    await lockingSharedFiles([path], async (signal) => {
      held();
      const go = Deno.stdin.read(new Uint8Array(1));
      // A busy machine hands a signal over when it likes.
      if (!signal.aborted) await new Promise((come) => signal.addEventListener("abort", come));
      await go;
      await replaceSharedFile(path, await readSharedFile(path), new TextEncoder().encode("changed"), signal);
    });
  }
  for (let index = 0; index < Number(count); index += 1) {
    const name = `${prefix}-${index}`;
    const edit = { contexts: [{ name, cluster: "c", user: "u" }] };
    const changes = await updateKubeconfig([path], () => {
      // Tells the test that the lock is held, and waits until it has done what it wants to do meanwhile.
      if (hold !== undefined) {
        held();
        Deno.stdin.readSync(new Uint8Array(1));
        if (hold === "exit") Deno.exit(3);
        if (hold === "throw") throw new Error("thrown");
      }
      return edit;
    }, { lockWait: 60_000 });
    // deno-lint-ignore no-console
    console.log(`${changes.length} changed`);
  }
} catch (error) {
  const { code, message, hint } = error as AppError;
  // deno-lint-ignore no-console
  console.log(JSON.stringify({ code, message, hint }));
  Deno.exit(error instanceof AppError ? error.exitCode : 99);
}
