/** Command lines of our own and of the real kubectl, both as the administrator of the real API server. */

import assert from "node:assert/strict";
import { openSandbox } from "../../sessions/sandbox.ts";
import type { AdminServer } from "../../kube/live-server.ts";
import { startAdminServer } from "../../kube/live-server.ts";
import { type CommandLine, commandLine } from "../run-line.ts";

export { atHand } from "../../kube/live-server.ts";

/** Both, at one server; dispose of it. */
export interface ResourceWorld extends AsyncDisposable {
  readonly server: AdminServer["server"];
  readonly http: AdminServer["http"];
  readonly kubectl: AdminServer["kubectl"];
  /** Runs a line of ours. It acts on the server itself; its discovery is read each time. */
  readonly run: CommandLine["run"];
  readonly ok: CommandLine["ok"];
  /** For the test's files. */
  readonly folder: string;
}

/** Starts the server. */
export async function openResourceWorld(
  options: Parameters<typeof startAdminServer>[0] = {},
): Promise<ResourceWorld> {
  await using undo = new AsyncDisposableStack();
  const live = undo.use(await startAdminServer(options) ?? assert.fail("the server cannot be had"));
  const { server, folder } = live;
  const sandbox = undo.use(await openSandbox());
  const authority = `${folder}/authority.pem`;
  await Deno.writeTextFile(authority, server.caPem);
  const commands = commandLine(sandbox, {
    DATUMCTL_TOKEN: server.admin.token,
    DATUMCTL_API_HOSTNAME: new URL(server.url).host,
    DATUMCTL_CERTIFICATE_AUTHORITY: authority,
  });
  const run: CommandLine["run"] = (words, options) =>
    commands.run(
      [...(typeof words === "string" ? words.split(" ") : words), "--platform-wide"],
      // The clock runs, because some commands wait.
      { now: Date.now, ...options },
    );
  const later = undo.move();
  return {
    server,
    http: live.http,
    kubectl: live.kubectl,
    run,
    async ok(words, options) {
      const ran = await run(words, options);
      assert.equal(ran.code, 0, `${words}: ${ran.stderr}`);
      return ran.stdout;
    },
    folder,
    [Symbol.asyncDispose]: () => later.disposeAsync(),
  };
}
