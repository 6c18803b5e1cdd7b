/** Proves an entry whose token is in a file: what kubectl does with it, and that the plugin's entries stay as they are. */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { ignore, runKubectl } from "../../kube/kubectl.ts";
import { ADA, at, openSignedIn } from "../world.ts";

Deno.test(
  { name: "kubectl reads the token of an entry with --token-file, and runs no plugin", ignore },
  async () => {
    await using world = await openSignedIn();
    const { kubeconfig, sandbox: { folder } } = world;
    await world.ok("auth update-kubeconfig --project web --context plugin");
    const [plugin] = parse(await Deno.readTextFile(kubeconfig)).users;
    const path = `${folder}/token`;
    const words = `auth update-kubeconfig --project web --context file --token-file ${path}`;
    const { code, stderr } = await world.run(words);
    assert.equal(code, 0, stderr);
    const line = /^Keep its token fresh: datumctl (.*)$/m.exec(stderr)?.[1] ?? assert.fail(stderr);
    const { users, contexts } = parse(await Deno.readTextFile(kubeconfig));
    const name = `datum-token-file-${at(world, ADA)}`;
    const extensions = [{ name: "datumctl", extension: { session: at(world, ADA) } }];
    assert.deepEqual(users, [plugin, { name, user: { tokenFile: path, extensions } }]);
    assert.equal(contexts[1].context.user, name);
    assert.match((await world.run(words)).stderr, /Next: kubectl/);

    const whoami = () =>
      runKubectl(["--context=file", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"], {
        KUBECONFIG: kubeconfig,
      });
    assert.notEqual((await whoami()).code, 0, "nobody wrote the file yet");
    await world.ok(line.replace(" --watch", ""));
    assert.deepEqual(await whoami(), { code: 0, stdout: ADA, stderr: "" });

    assert.match(
      await world.ok("auth whoami --context file"),
      /ada@example\.com/,
      "our own commands follow it",
    );

    const moved = await world.run(`${words}-2 --context another`);
    assert.match(
      moved.stderr,
      new RegExp(`One user entry, ${name.replaceAll(".", "\\.")}, serves file too: .* reads`),
    );

    await world.ok(`logout ${ADA} --kubeconfig ${kubeconfig}`);
    const left = parse(await Deno.readTextFile(kubeconfig));
    assert.deepEqual([left.users, left.contexts], [[], []], "it goes with the session");
  },
);

Deno.test("--token-file goes with none of the plugin's flags", async () => {
  await using world = await openSignedIn();
  for (const flag of ["--follow-active", "--exec-command x", "--exec-interactive-mode Never"]) {
    const { code, stderr } = await world.run(
      `auth update-kubeconfig --project web --token-file /run/token ${flag}`,
    );
    assert.equal(code, 2);
    assert.match(stderr, /--token-file and --\S+ cannot be combined/);
  }
});
