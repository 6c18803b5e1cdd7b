/** Signs a person in to the cloud on this machine, for scripts. */

import { approveDeviceByHttp } from "../tests/cloud/browser.ts";
import type { Cloud } from "../tests/cloud/cloud.ts";

const EMAIL = "ada@example.com";

/**
 * Signs in with a device code that this script approves, and returns the session's name.
 *
 * @param program the words that run datumctl
 */
export async function signIn(
  cloud: Cloud,
  [program = "", ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = ["--hostname", cloud.authHost, "--api-hostname", cloud.apiHost],
): Promise<string> {
  const child = new Deno.Command(program, {
    args: [
      ...words,
      "login",
      ...flags,
      "--client-id",
      cloud.clientId,
      "--certificate-authority",
      cloud.caFile,
      "--no-browser",
      "--timeout",
      "1m",
    ],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  let approved: Promise<void> | undefined;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    const url = /https:\/\/\S+user_code=[\w-]+(?=\s)/.exec(said)?.[0];
    if (url !== undefined) approved ??= approveDeviceByHttp(cloud, url, EMAIL);
  }
  await approved;
  if (!(await child.status).success) throw new Error(`datumctl login failed:\n${said}`);
  const { stdout } = new Deno.Command(program, {
    args: [...words, "auth", "list", "-o", "json"],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
  }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout))[0].name;
}
