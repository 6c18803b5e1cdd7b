/** The real git, with nothing of the user's own in reach. */

import assert from "node:assert/strict";

/** Runs git in a folder; its stdout. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"];
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-C", folder, ...who, ...args],
    env: { HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
  }).output();
  assert.ok(success, `git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
