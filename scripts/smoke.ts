/** The smoke test of a compiled binary on any system: sign in, hand out a token, sign out, with the real keyring. */

// deno-lint-ignore-file no-console -- a script speaks to the terminal

import assert from "node:assert/strict";
import { approveDeviceByHttp } from "../tests/cloud/browser.ts";
import { startCloud } from "../tests/cloud/cloud.ts";
import { ROOT } from "./compile.ts";

const BINARY = Deno.args[0] ?? `${ROOT}dist/datumctl${Deno.build.os === "windows" ? ".exe" : ""}`;
const folder = await Deno.makeTempDir({ prefix: "datumctl-smoke-" });
const cloud = await startCloud();
// The home stays the person's own: the keyrings of macOS and Windows belong to it.
const env = { DATUMCTL_CONFIG_DIR: folder, DATUMCTL_KEYRING: Deno.args[1] ?? "system", LOCALAPPDATA: folder };

async function datumctl(
  args: readonly string[],
  onStderr: (text: string) => void = () => {},
): Promise<string> {
  const child = new Deno.Command(BINARY, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  let said = "";
  const hear = async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += part;
      onStderr(said);
    }
  };
  const [stdout, , { code }] = await Promise.all([new Response(child.stdout).text(), hear(), child.status]);
  assert.equal(code, 0, `datumctl ${args[0]} ended with ${code}: ${said}`);
  return stdout;
}

try {
  console.log(await datumctl(["version"]));
  let approval: Promise<void> | undefined;
  console.log(
    await datumctl([
      ...["login", "--no-browser", "--hostname", cloud.authHost, "--api-hostname", cloud.apiHost],
      ...["--client-id", cloud.clientId, "--certificate-authority", cloud.caFile],
    ], (said) => {
      const address = /https:\/\/\S+user_code=\S+/.exec(said)?.[0];
      if (address !== undefined) approval ??= approveDeviceByHttp(cloud, address, "ada@example.com");
    }),
  );
  await approval;
  console.log(await datumctl(["auth", "list", "-o", "wide"]));
  const token = (await datumctl(["auth", "get-token"])).trim();
  assert.ok(token.length > 20, "a token is handed out");
  const answer = await datumctl([
    "auth",
    "update-kubeconfig",
    "--project",
    "web",
    "--kubeconfig",
    `${folder}/kubeconfig`,
  ]);
  console.log(answer);
  console.log(await datumctl(["logout", "--all"]));
  assert.equal((await datumctl(["auth", "list", "-o", "json"])).trim(), "[]");
  console.log("The binary works here.");
} finally {
  await cloud.close();
  await Deno.remove(folder, { recursive: true });
}
